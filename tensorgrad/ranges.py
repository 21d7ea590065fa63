"""Ranges of numbers as tensors."""

from __future__ import annotations

from math import ceil, isinf, isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.creation import check_options, finish, number_of, real_dtype
from tensorgrad.dtypes import default_float, numpy_dtype
from tensorgrad.graph.provenance import warn
from tensorgrad.scalars import element

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["arange", "evenly", "linspace", "logspace", "range", "scalar_tensor"]


def arange(
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """start (0), start + step, ... below end; int64 if all three are whole numbers."""
    check_options(device, layout, pin_memory)
    if (
        type(start) is int
        and start >= 0
        and end is None
        and type(step) is int
        and step == 1
        and dtype is None
    ):
        return finish(np.arange(start, dtype=np.int64), requires_grad)  # what a forward asks for
    start, end, step = number_of(start), number_of(end), number_of(step)
    if end is None:
        if start is None:
            raise TypeError("arange() missing 1 required positional argument: 'end'")
        start, end = 0, start
    elif start is None:
        start = 0
    kind = None if dtype is None else numpy_dtype(dtype)
    given = (start, end, step)
    if kind is not None and kind.kind in "iu" and any(isinstance(v, float) for v in given):
        return finish(_whole_range(start, end, step, kind), requires_grad)
    if step == 0:
        raise RuntimeError("arange: step must be nonzero")
    if any(isinf(v) or isnan(v) for v in (start, end)):
        raise RuntimeError(f"arange: unsupported range: {start} -> {end}")
    if (end - start) * step < 0:
        raise RuntimeError(
            f"arange: upper bound {end} and lower bound {start} inconsistent with step {step}"
        )
    if kind is None:
        whole = all(isinstance(v, int) for v in given)
        kind = np.dtype(np.int64) if whole else default_float()
    if kind.kind == "f":  # computed in float64, as PyTorch does, so that steps do not add up errors
        count = max(int(np.ceil((end - start) / step)), 0)
        return finish((start + step * np.arange(count)).astype(kind), requires_grad)
    return finish(np.arange(start, end, step).astype(kind), requires_grad)


def _whole_range(start: Any, end: Any, step: Any, kind: np.dtype[Any]) -> Any:
    """arange of integers between floats: start and step are converted first, as in PyTorch; int64
    counts by what end and they are then, the smaller types by what they were.
    """
    if any(isinf(v) or isnan(v) for v in (start, end)):
        raise RuntimeError(f"arange: unsupported range: {start} -> {end}")
    first, last, stride = int(start), int(end), int(step)
    if stride == 0:
        raise ValueError(f"arange: step must be nonzero, and {step} is 0 as {kind}")
    if (end - start) * step < 0:
        raise RuntimeError(
            f"arange: upper bound {end} and lower bound {start} inconsistent with step {step}"
        )
    count = (last - first) / stride if kind.itemsize == 8 else (end - start) / step
    return (first + stride * np.arange(max(ceil(count), 0))).astype(kind)


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """``steps`` evenly spaced numbers from start to end, both included."""
    check_options(device, layout, pin_memory)
    return finish(evenly(*_ends("linspace", start, end, steps, dtype)), requires_grad)


def _ends(name: str, start: Any, end: Any, steps: int, dtype: Any) -> tuple[Any, Any, int, Any]:
    """What `evenly` takes: numbers that the dtype has."""
    if steps < 0:
        raise RuntimeError(f"{name}: number of steps must be non-negative, got {steps}")
    kind, ends = real_dtype(dtype), [number_of(start), number_of(end)]
    if any(isinstance(value, complex) for value in ends):
        kind = kind if dtype is not None else np.result_type(kind, np.complex64)
        if kind.kind != "c":
            raise RuntimeError(f"{name}: complex ends can't be safely cast to dtype {kind}")
    if kind.kind == "b":
        raise NotImplementedError(f"{name} is not implemented for bool; take uint8, and .bool() it")
    if kind.kind in "iu":  # the ends are whole numbers then, as in PyTorch
        limits = np.iinfo(kind)
        for place, value in enumerate(ends):
            if not limits.min <= value <= limits.max:
                raise RuntimeError(
                    f"{name}: value cannot be converted to type {kind} without overflow: {value}"
                )
            ends[place] = int(value)
    return ends[0], ends[1], steps, kind


# In what a place is added up, by the bytes of its dtype: product and sum are rounded once, where
# the machine has a longer type than float64 too.
_WIDE: dict[int, Any] = {2: np.float16, 4: np.float64, 8: np.longdouble}


def evenly(start: Any, end: Any, steps: int, kind: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Numbers from start to end as PyTorch rounds them: the step is one of the dtype (float64 for
    integers), and each half is counted from its own end.

    To the bit, because pixels of a grid lie at kinks: with another rounding the gradients of
    `grid_sample` at the identity are those of the other neighbours.
    """
    if kind.kind == "c":
        part, out = np.dtype(f"f{kind.itemsize // 2}"), np.empty(steps, kind)
        out.real = evenly(start.real, end.real, steps, part)
        out.imag = evenly(start.imag, end.imag, steps, part)
        return out
    if steps < 2:
        return np.full(steps, start, kind)
    real: Any = kind.type if kind.kind == "f" else np.float64
    wide = _WIDE[np.dtype(real).itemsize]
    with np.errstate(all="ignore"):
        first, last = real(start), real(end)
        step = (last - first) / real(steps - 1)
        if not np.isfinite(step):  # of ends too far apart for their difference
            return np.linspace(start, end, steps).astype(kind)
        count = np.arange(steps)
        up, down = count.astype(wide), count[::-1].astype(wide)
        found: np.ndarray[Any, Any] = np.where(
            count < steps // 2, wide(first) + wide(step) * up, wide(last) - wide(step) * down
        )
        return found.astype(real).astype(kind)


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """base**start ... base**end, ``steps`` numbers whose logarithms are evenly spaced."""
    check_options(device, layout, pin_memory)
    start, end, steps, kind = _ends("logspace", start, end, steps, dtype)
    exponents = np.linspace(start, end, steps)
    return finish(
        np.power(complex(base) if kind.kind == "c" else float(base), exponents).astype(kind),
        requires_grad,
    )


def range(
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, ... up to end, which is included; PyTorch's `arange` before `arange`."""
    check_options(device, layout, pin_memory)
    if end is None:
        raise TypeError("range() missing 1 required positional argument: 'end'")
    warn(
        "range is deprecated and will be removed in a future release because its behavior is "
        "inconsistent with Python's range builtin. Instead, use arange, which produces values in "
        "[start, end)."
    )
    start, end, step = number_of(start), number_of(end), number_of(step)
    if step == 0:
        raise RuntimeError("range: step must be nonzero")
    if any(isinf(v) or isnan(v) for v in (start, end)):
        raise RuntimeError(f"range: unsupported range: {start} -> {end}")
    if (end - start) * step < 0:
        raise RuntimeError(
            f"range: upper bound {end} and lower bound {start} inconsistent with step sign"
        )
    kind = default_float() if dtype is None else numpy_dtype(dtype)
    count = int((end - start) / step) + 1
    return finish((start + step * np.arange(count)).astype(kind), requires_grad)


def scalar_tensor(
    s: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """A number as a 0-d tensor of the default dtype."""
    check_options(device, layout, pin_memory)
    kind = real_dtype(dtype)
    return finish(np.asarray(element("scalar_tensor", number_of(s), kind), kind), requires_grad)
