"""assert_close: whether two values are the same up to rounding, and if not, where they differ."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad.graph.provenance import warn
from tensorgrad.tensor import Tensor

__all__ = ["assert_allclose", "assert_close"]

# dtype: relative and absolute tolerance; whole numbers must be equal.
_TOLERANCES = {
    "float16": (1e-3, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}


class _Unsupported(Exception):
    """The values are of no kind that can be compared."""


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """AssertionError unless |actual - expected| <= atol + rtol |expected|, elementwise.

    actual, expected: tensors, arrays, numbers, bools, None, or sequences and mappings of them.
    rtol, atol: both or neither; by the dtype if not given.  msg: instead of the message, or a
    function of it.  All tensors here have one device and one layout, which check_device and
    check_layout find equal.
    """
    if (rtol is None) != (atol is None):
        missing = "atol" if atol is None else "rtol"
        raise ValueError(
            f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}."
        )
    pairs: list[tuple[Any, Any, tuple[Any, ...]]] = []
    found = _pairs(actual, expected, (), pairs)
    for ours, other, place in pairs if found is None else ():
        try:
            found = _difference(
                ours, other, allow_subclasses, rtol, atol, equal_nan, check_dtype, check_stride
            )
        except _Unsupported:
            raise TypeError(
                "No comparison pair was able to handle inputs of type "
                f"{type(ours)} and {type(other)}." + (f"\n\n{_where(place)}" if place else "")
            ) from None
        if found is not None:
            found += f"\n\n{_where(place)}" if place else ""
            break
    if found is not None:
        raise AssertionError(found if msg is None else msg(found) if callable(msg) else msg)


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """`assert_close` as it was: dtypes may differ, NaN equals NaN; with PyTorch's warning."""
    warn(
        "`assert_allclose()` is deprecated since 1.12: use `assert_close()` instead.", FutureWarning
    )
    if not isinstance(actual, Tensor):
        actual = tg.tensor(actual)
    if not isinstance(expected, Tensor):
        expected = tg.tensor(expected, dtype=actual.dtype)
    if rtol is None and atol is None:
        rtol, atol = _tolerances(actual.dtype.name, expected.dtype.name)
    assert_close(
        actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False,
        msg=msg or None,
    )  # fmt: skip


def _where(place: tuple[Any, ...]) -> str:
    return "The failure occurred for item " + "".join(f"[{key!r}]" for key in place)


def _pairs(actual: Any, expected: Any, place: tuple[Any, ...], into: list[Any]) -> str | None:
    """The leaves of two nestings, side by side; or how the nestings differ."""

    def listed(x: Any) -> bool:
        return isinstance(x, Sequence) and not isinstance(x, str)

    suffix = f"\n\n{_where(place)}" if place else ""
    if listed(actual) and listed(expected):
        if len(actual) != len(expected):
            return (
                f"The length of the sequences mismatch: {len(actual)} != {len(expected)}" + suffix
            )
        for number, (ours, other) in enumerate(zip(actual, expected, strict=True)):
            found = _pairs(ours, other, (*place, number), into)
            if found is not None:
                return found
        return None
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        missing, more = expected.keys() - actual.keys(), actual.keys() - expected.keys()
        if missing or more:
            return (
                "The keys of the mappings do not match:\n"
                f"Missing keys in the actual mapping: {sorted(missing)}\n"
                f"Additional keys in the actual mapping: {sorted(more)}" + suffix
            )
        for key in actual:
            found = _pairs(actual[key], expected[key], (*place, key), into)
            if found is not None:
                return found
        return None
    into.append((actual, expected, place))
    return None


def _tolerances(*names: str) -> tuple[float, float]:
    found = [_TOLERANCES.get(name, (0.0, 0.0)) for name in names]
    return max(r for r, _ in found), max(a for _, a in found)


def _difference(
    actual: Any, expected: Any, subclasses: bool, rtol: float | None, atol: float | None,
    equal_nan: bool, check_dtype: bool, check_stride: bool,
) -> str | None:  # fmt: skip
    """What is different about two leaves."""
    if actual is None or expected is None:
        same = actual is expected
        return None if same else f"None mismatch: {actual} is not {expected}"
    bools, numbers = (bool, np.bool_), (int, float, complex, np.number)
    if isinstance(actual, bools) and isinstance(expected, bools):
        same = bool(actual) is bool(expected)
        return None if same else f"Booleans mismatch: {bool(actual)} is not {bool(expected)}"
    if isinstance(actual, numbers) and isinstance(expected, numbers):
        kinds: list[Any] = [
            next(k for k in (int, float, complex) if isinstance(x, (k, _NUMPY[k])))
            for x in (actual, expected)
        ]
        if check_dtype and type(actual) is not type(expected):
            return f"The (d)types do not match: {type(actual)} != {type(expected)}."
        if rtol is None or atol is None:
            names = {int: "int64", float: "float64", complex: "complex128"}
            rtol, atol = _tolerances(*(names[kind] for kind in kinds))
        ours, other = (k(x) for k, x in zip(kinds, (actual, expected), strict=True))
        return _scalars(ours, other, rtol, atol, equal_nan)
    related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
    if not (type(actual) is type(expected) or (subclasses and related)):
        raise _Unsupported
    arrays = [x if isinstance(x, Tensor) else _tensor(x) for x in (actual, expected)]
    return _tensors(arrays[0], arrays[1], rtol, atol, equal_nan, check_dtype, check_stride)


_NUMPY: dict[type, Any] = {int: np.integer, float: np.floating, complex: np.complexfloating}


def _tensor(value: Any) -> Tensor:
    try:
        return tg.as_tensor(value)
    except Exception as error:
        raise _Unsupported from error


def _tensors(
    actual: Tensor, expected: Tensor, rtol: float | None, atol: float | None, equal_nan: bool,
    check_dtype: bool, check_stride: bool,
) -> str | None:  # fmt: skip
    """What is different about two tensors: the shape, the dtype, the strides, or the numbers."""
    compared: list[tuple[str, Any, Any]] = [("shape", actual.shape, expected.shape)]
    if check_dtype:
        compared.append(("dtype", actual.dtype, expected.dtype))
    if check_stride:
        compared.append(("stride()", actual.stride(), expected.stride()))
    for name, ours, other in compared:
        if ours != other:
            return f"The values for attribute '{name}' do not match: {ours} != {other}."
    if rtol is None or atol is None:
        rtol, atol = _tolerances(actual.dtype.name, expected.dtype.name)
    kind = tg.promote_types(actual.dtype, expected.dtype)
    a, b = (t.detach().to(kind).numpy() for t in (actual, expected))
    if a.dtype.kind in "biu":
        a, b = a.astype(np.int64), b.astype(np.int64)
    with np.errstate(all="ignore"):
        off = np.asarray(np.abs(a - b))
        close = (a == b) | (np.isfinite(off) & (off <= atol + rtol * np.abs(b)))
        if equal_nan:
            close |= np.isnan(a) & np.isnan(b)
        if close.all():
            return None
        if a.ndim == 0:
            return _scalars(a.item(), b.item(), rtol, atol, equal_nan)
        # whole numbers are divided as the default float, as in PyTorch
        real = np.dtype(tg.get_default_dtype()) if off.dtype.kind in "iu" else off.dtype
        share = np.where(close, 0, off.astype(real) / np.abs(b).astype(real))
        off = np.where(close, 0, off)
    count = int((~close).sum())
    lines = [
        f"Tensor-likes are not {_word(rtol, atol)}!",
        "",
        f"Mismatched elements: {count} / {close.size} ({count / close.size:.1%})",
    ]
    for what, values, allowed in (("absolute", off, atol), ("relative", share, rtol)):
        place = int(np.argmax(values))  # the first NaN, if there is one
        index = tuple(int(i) for i in np.unravel_index(place, values.shape))
        line = f"Greatest {what} difference: {values.flat[place].item()} at index {index}"
        lines.append(line + _allowed(allowed, rtol, atol))
    return "\n".join(lines)


def _word(rtol: float, atol: float) -> str:
    return "equal" if rtol == atol == 0 else "close"


def _allowed(tolerance: float, rtol: float, atol: float) -> str:
    return "" if rtol == atol == 0 else f" (up to {tolerance} allowed)"


def _scalars(actual: Any, expected: Any, rtol: float, atol: float, equal_nan: bool) -> str | None:
    """What is different about two numbers."""
    off = abs(actual - expected)
    close = actual == expected or (math.isfinite(off) and off <= atol + rtol * abs(expected))
    close = close or (equal_nan and cmath.isnan(actual) and cmath.isnan(expected))
    if close:
        return None
    share = math.inf if expected == 0 else off / abs(expected)
    return (
        f"Scalars are not {_word(rtol, atol)}!\n\n"
        f"Expected {expected} but got {actual}.\n"
        f"Absolute difference: {off}{_allowed(atol, rtol, atol)}\n"
        f"Relative difference: {share}{_allowed(rtol, rtol, atol)}"
    )
