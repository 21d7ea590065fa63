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

__all__ = ["arange", "linspace", "logspace", "range", "scalar_tensor"]


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
    if steps < 0:
        raise RuntimeError(f"linspace: number of steps must be non-negative, got {steps}")
    kind, start, end = real_dtype(dtype), number_of(start), number_of(end)
    if kind.kind in "iu":  # the ends are whole numbers then, as in PyTorch
        start, end = int(start), int(end)
    return finish(np.linspace(start, end, steps).astype(kind), requires_grad)


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
    if steps < 0:
        raise RuntimeError(f"logspace: number of steps must be non-negative, got {steps}")
    kind = real_dtype(dtype)
    start, end = number_of(start), number_of(end)
    if kind.kind in "iu":  # the exponents are whole numbers then, as in PyTorch
        start, end = int(start), int(end)
    exponents = np.linspace(start, end, steps)
    return finish(np.power(float(base), exponents).astype(kind), requires_grad)


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
