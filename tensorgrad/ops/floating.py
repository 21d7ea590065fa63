"""Signs, remainders, extremes and the parts of numbers; whole numbers bit by bit."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching import families
from tensorgrad.primitive import primitive


def _values(x: Any) -> Any:
    return getattr(x, "_array", x)


def _none(xp: Any, g: Any) -> Any:
    """The gradient of what an output does not move with: 0 even where g is infinite or NaN."""
    return xp.mask(g, mask=np.zeros(g.shape, bool))


def _kind(*values: Any) -> str:
    kind: str = np.result_type(*values).kind
    return kind


def _only(kinds: str, what: str, *values: Any) -> None:
    if _kind(*values) not in kinds:
        raise NotImplementedError(f"defined for {what} tensors only")


def _turned(g: Any, a: Any, b: Any) -> Any:
    """1 or -1 as copysign turns a; 0 at a = 0, as in PyTorch."""
    a, b = _values(a), _values(b)
    return (np.sign(a) * np.copysign(1.0, b)).astype(_values(g).dtype)


@primitive(
    lambda xp, g, y, a, b: xp.mul(g, _turned(g, a, b)),
    lambda xp, g, y, a, b: _none(xp, g),
    saves=("a b", ""),
    formula=("g * sign(a) * sign(b)", "0 * g"),
    promote="float",
    batch=families.elementwise,
)
def copysign(a: Any, b: Any) -> Any:
    """|a| with the sign of b, of a zero too; the derivative at a = 0 is 0."""
    _only("f", "real", a, b)
    return np.copysign(a, b)


def _won(mine: Any, other: Any, *, ties: bool) -> Any:
    mine, other = _values(mine), _values(other)
    held = np.greater_equal(mine, other) if ties else ~np.greater_equal(other, mine)
    # A number wins over NaN; the first argument if both are.
    return (held | np.isnan(other)) if ties else (held & ~np.isnan(mine))


@primitive(
    lambda xp, g, y, a, b: xp.mask(g, mask=_won(a, b, ties=True)),
    lambda xp, g, y, a, b: xp.mask(g, mask=_won(b, a, ties=False)),
    saves="a b",
    formula=("g * [a >= b]", "g * [a < b]"),
    promote="common",
    batch=families.elementwise,
)
def fmax(a: Any, b: Any) -> Any:
    """The larger of a and b, the number if one is NaN; ties give the gradient to a."""
    _only("biuf", "real", a, b)
    return np.fmax(a, b)


def _negated(x: Any) -> Any:
    return np.negative(_values(x))


@primitive(
    lambda xp, g, y, a, b: xp.mask(g, mask=_won(_negated(a), _negated(b), ties=True)),
    lambda xp, g, y, a, b: xp.mask(g, mask=_won(_negated(b), _negated(a), ties=False)),
    saves="a b",
    formula=("g * [a <= b]", "g * [a > b]"),
    promote="common",
    batch=families.elementwise,
)
def fmin(a: Any, b: Any) -> Any:
    """The smaller of a and b, the number if one is NaN; ties give the gradient to a."""
    _only("biuf", "real", a, b)
    return np.fmin(a, b)


@primitive(
    lambda xp, g, y, a, b: g,
    lambda xp, g, y, a, b: xp.neg(xp.mul(g, xp.trunc(xp.div(a, b)))),
    saves=("", "a b"),
    formula=("g", "-g * trunc(a / b)"),
    promote="common",
    batch=families.elementwise,
)
def fmod(a: Any, b: Any) -> Any:
    """a - b * trunc(a / b): the sign of a."""
    _only("iuf", "numeric real", a, b)
    if _kind(a, b) in "iu" and np.any(np.equal(b, 0)):
        raise RuntimeError("ZeroDivisionError: integer division by zero")
    return np.fmod(a, b)


@primitive(
    lambda xp, g, y, a, b: xp.mask(g, mask=np.not_equal(_values(a), _values(b))),
    lambda xp, g, y, a, b: _none(xp, g),
    saves=("a b", ""),
    formula=("g * [a != b]", "0 * g"),
    promote="common",
    batch=families.elementwise,
)
def nextafter(a: Any, b: Any) -> Any:
    """The next floating-point number after a on the way to b; derivative 0 where they are equal,
    as in PyTorch."""
    _only("f", "real floating-point", a, b)
    return np.nextafter(a, b)


@primitive(batch=families.elementwise)
def heaviside(a: Any, b: Any) -> Any:
    """0 below 0 (and for NaN, as in PyTorch), b at 0, 1 above."""
    if np.asarray(a).dtype != np.asarray(b).dtype:
        raise RuntimeError("input and values must have the same dtype; convert one with .to")
    if a.dtype.kind == "c":
        raise RuntimeError("heaviside is not defined for complex tensors")
    return np.where(a == 0, b, a > 0).astype(a.dtype)


@primitive(
    lambda xp, g, y, x, *, nan, posinf, neginf: xp.mask(g, mask=np.isfinite(_values(x))),
    saves="x",
    formula="g * isfinite(x)",
    batch=families.elementwise,
)
def nan_to_num(x: Any, *, nan: float, posinf: float | None, neginf: float | None) -> Any:
    """x with NaN and infinities replaced; None: by the largest and smallest finite numbers."""
    if x.dtype.kind in "biu":
        return x.copy()
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


@primitive(
    lambda xp, g, y, x, *, exponent: xp.scale_by_power(g, exponent=exponent),
    formula="g * 2.0**exponent",
    batch=families.elementwise,
)
def scale_by_power(x: Any, *, exponent: Any) -> Any:
    """x * 2**exponent for an array of whole numbers, exact unless it leaves the type's range."""
    return np.ldexp(x, exponent)


# --- Whole numbers, bit by bit; tests of numbers --------------------------------------------------


@primitive(promote="common", batch=families.elementwise)
def gcd(a: Any, b: Any) -> Any:
    """The greatest common divisor of |a| and |b|; 0 of two zeros."""
    _only("iu", "integer", a, b)
    return np.gcd(a, b)


@primitive(promote="common", batch=families.elementwise)
def lcm(a: Any, b: Any) -> Any:
    """The least common multiple of |a| and |b|."""
    _only("iu", "integer", a, b)
    return np.lcm(a, b)


def _shifted(a: Any, b: Any) -> tuple[Any, Any, Any]:
    _only("iu", "integer", a, b)
    kind = np.result_type(a, b)
    a, b = np.asarray(a, kind), np.asarray(b, kind)
    bits = 8 * kind.itemsize
    return a, np.clip(b, 0, bits - 1).astype(kind), (b < 0) | (b >= bits)


@primitive(promote="common", batch=families.elementwise)
def bitwise_left_shift(a: Any, b: Any) -> Any:
    """a * 2**b in the bits there are; 0 for a shift below 0 or by all bits and more."""
    a, by, beyond = _shifted(a, b)
    return np.where(beyond, a.dtype.type(0), np.left_shift(a, by))


@primitive(promote="common", batch=families.elementwise)
def bitwise_right_shift(a: Any, b: Any) -> Any:
    """floor(a / 2**b); a shift below 0 or by all bits and more leaves the sign."""
    a, by, beyond = _shifted(a, b)
    bits = a.dtype.type(8 * a.dtype.itemsize - 1)
    sign = np.right_shift(a, bits) if a.dtype.kind == "i" else a.dtype.type(0)
    return np.where(beyond, sign, np.right_shift(a, by))


@primitive(batch=families.elementwise)
def signbit(x: Any) -> Any:
    """The sign is minus, of a zero too."""
    if x.dtype.kind == "c":
        raise NotImplementedError("signbit is not defined for complex tensors")
    return np.signbit(x) if x.dtype.kind == "f" else np.less(x, 0)


@primitive(batch=families.elementwise)
def isposinf(x: Any) -> Any:
    """x is +inf."""
    if x.dtype.kind == "c":
        raise RuntimeError("isposinf is not defined for complex tensors")
    return np.equal(x, np.inf)


@primitive(batch=families.elementwise)
def isneginf(x: Any) -> Any:
    """x is -inf."""
    if x.dtype.kind == "c":
        raise RuntimeError("isneginf is not defined for complex tensors")
    return np.equal(x, -np.inf)


@primitive(batch=families.elementwise)
def isreal(x: Any) -> Any:
    """The imaginary part is 0."""
    return np.isreal(x)
