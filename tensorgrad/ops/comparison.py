"""Rounding, whole-number arithmetic, comparisons and logic: gradient zero or none."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching import families
from tensorgrad.ops.kinds import number, refuse_complex, zeros
from tensorgrad.primitive import primitive


def _zero(xp: Any, g: Any, y: Any, *arguments: Any, **params: Any) -> Any:
    return zeros(xp, g)


@primitive(_zero, formula="0 * g", batch=families.elementwise)
def sign(x: Any) -> Any:
    """-1, 0 or 1; 0 for NaN, as in PyTorch."""
    if x.dtype.kind == "c":
        raise RuntimeError("sign is not defined for complex tensors; use sgn")
    if x.dtype.kind == "b":
        return x.copy()
    out = np.sign(x)
    # A product with itself tells of NaN in a third of the time that a sum takes.
    if x.dtype.kind == "f" and (squares := np.vdot(out, out)) != squares:
        out = np.where(np.isnan(x), number(0.0, x), out)  # NumPy's is NaN there
    return out


@primitive(_zero, formula="0 * g", batch=families.elementwise)
def floor(x: Any) -> Any:
    """The largest whole number not above x."""
    refuse_complex("floor", x)
    return np.floor(x) if x.dtype.kind == "f" else x.copy()


@primitive(_zero, formula="0 * g", batch=families.elementwise)
def ceil(x: Any) -> Any:
    """The smallest whole number not below x."""
    refuse_complex("ceil", x)
    return np.ceil(x) if x.dtype.kind == "f" else x.copy()


@primitive(_zero, formula="0 * g", batch=families.elementwise)
def trunc(x: Any) -> Any:
    """x without its fraction."""
    refuse_complex("trunc", x)
    return np.trunc(x) if x.dtype.kind == "f" else x.copy()


@primitive(_zero, formula="0 * g", batch=families.elementwise)
def round(x: Any, *, decimals: int) -> Any:
    """x rounded to ``decimals`` places, halves to even."""
    refuse_complex("round", x)
    return np.round(x, decimals) if x.dtype.kind != "b" else x.copy()


@primitive(_zero, _zero, formula=("0 * g", "0 * g"), promote="common", batch=families.elementwise)
def floor_divide(a: Any, b: Any) -> Any:
    """floor(a / b)."""
    refuse_complex("floor_divide", a, b)
    _check_whole("floor_divide", a, b)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.floor_divide(a, b)


@primitive(_zero, _zero, formula=("0 * g", "0 * g"), promote="common", batch=families.elementwise)
def trunc_divide(a: Any, b: Any) -> Any:
    """a / b without its fraction; whole numbers exactly, which a quotient of floats would round."""
    refuse_complex("trunc_divide", a, b)
    _check_whole("trunc_divide", a, b)
    with np.errstate(divide="ignore", invalid="ignore"):
        if np.result_type(a, b).kind == "f":
            return np.trunc(np.divide(a, b))
        quotient, rest = np.divmod(a, b)
        return quotient + ((rest != 0) & ((a < 0) != (b < 0)))


def _check_whole(name: str, a: Any, b: Any) -> None:
    """Refuse whole numbers divided by zero, and bools, which NumPy would take as int8."""
    both = np.result_type(a, b)
    if both.kind == "b":
        raise NotImplementedError(f"{name}: not implemented for bool; convert with .int()")
    if both.kind in "iub" and np.any(np.equal(b, 0)):
        raise RuntimeError("ZeroDivisionError: integer division by zero")


@primitive(
    lambda xp, g, y, a, b: g,
    lambda xp, g, y, a, b: xp.neg(xp.mul(g, xp.floor_divide(a, b))),
    saves=("", "a b"),
    formula=("g", "-g * floor(a / b)"),
    promote="common",
    batch=families.elementwise,
)
def remainder(a: Any, b: Any) -> Any:
    """a - b * floor(a / b): the sign of b."""
    refuse_complex("remainder", a, b)
    _check_whole("remainder", a, b)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.remainder(a, b)


# --- Comparisons and logic: bool outputs, no gradient ---


@primitive(promote="common", batch=families.elementwise, ufunc=np.equal)
def eq(a: Any, b: Any) -> Any:
    """a == b."""
    return np.equal(a, b)


@primitive(promote="common", batch=families.elementwise, ufunc=np.not_equal)
def ne(a: Any, b: Any) -> Any:
    """a != b."""
    return np.not_equal(a, b)


@primitive(promote="common", batch=families.elementwise, ufunc=np.less)
def lt(a: Any, b: Any) -> Any:
    """a < b."""
    refuse_complex("lt", a, b)
    return np.less(a, b)


@primitive(promote="common", batch=families.elementwise, ufunc=np.less_equal)
def le(a: Any, b: Any) -> Any:
    """a <= b."""
    refuse_complex("le", a, b)
    return np.less_equal(a, b)


@primitive(promote="common", batch=families.elementwise, ufunc=np.greater)
def gt(a: Any, b: Any) -> Any:
    """a > b."""
    refuse_complex("gt", a, b)
    return np.greater(a, b)


@primitive(promote="common", batch=families.elementwise, ufunc=np.greater_equal)
def ge(a: Any, b: Any) -> Any:
    """a >= b."""
    refuse_complex("ge", a, b)
    return np.greater_equal(a, b)


@primitive(batch=families.elementwise)
def logical_and(a: Any, b: Any) -> Any:
    """Both are nonzero."""
    return np.logical_and(a, b)


@primitive(batch=families.elementwise)
def logical_or(a: Any, b: Any) -> Any:
    """Either is nonzero."""
    return np.logical_or(a, b)


@primitive(batch=families.elementwise)
def logical_xor(a: Any, b: Any) -> Any:
    """Exactly one is nonzero."""
    return np.logical_xor(a, b)


@primitive(batch=families.elementwise)
def logical_not(x: Any) -> Any:
    """x is zero."""
    return np.logical_not(x)


def _whole(name: str, x: Any) -> None:
    if np.asarray(x).dtype.kind not in "biu":
        raise NotImplementedError(f"{name} is not supported for {x.dtype}: it has no bits")


@primitive(promote="common", batch=families.elementwise)
def bitwise_and(a: Any, b: Any) -> Any:
    """a & b, bit by bit."""
    _whole("bitwise_and", a)
    return np.bitwise_and(a, b)


@primitive(promote="common", batch=families.elementwise)
def bitwise_or(a: Any, b: Any) -> Any:
    """a | b, bit by bit."""
    _whole("bitwise_or", a)
    return np.bitwise_or(a, b)


@primitive(promote="common", batch=families.elementwise)
def bitwise_xor(a: Any, b: Any) -> Any:
    """a ^ b, bit by bit."""
    _whole("bitwise_xor", a)
    return np.bitwise_xor(a, b)


@primitive(batch=families.elementwise)
def bitwise_not(x: Any) -> Any:
    """~x: every bit, or the truth of a bool."""
    return np.invert(x)


@primitive(batch=families.elementwise)
def isnan(x: Any) -> Any:
    """x is not a number."""
    return np.isnan(x)


@primitive(batch=families.elementwise)
def isinf(x: Any) -> Any:
    """x is infinite."""
    return np.isinf(x)


@primitive(batch=families.elementwise)
def isfinite(x: Any) -> Any:
    """x is neither infinite nor NaN."""
    return np.isfinite(x)
