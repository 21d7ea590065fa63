"""Elementwise primitives: arithmetic, powers, exponentials, comparisons, selection.

Formulas write ``g`` for the gradient of the output ``y``; ``*`` is elementwise and ``[...]`` is 1
where its condition holds, else 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from tensorgrad.primitive import primitive
from tensorgrad.promotion import promote

# --- Arithmetic -----------------------------------------------------------------------------------


@primitive(
    lambda xp, g, y, a, b: g,
    lambda xp, g, y, a, b: g,
    formula=("g", "g"),
    promote="common",
)
def add(a: Any, b: Any) -> Any:
    """a + b."""
    return np.add(a, b)


@primitive(
    lambda xp, g, y, a, b: g,
    lambda xp, g, y, a, b: xp.neg(g),
    formula=("g", "-g"),
    promote="common",
)
def sub(a: Any, b: Any) -> Any:
    """a - b."""
    return np.subtract(a, b)


@primitive(
    lambda xp, g, y, a, b: xp.mul(g, b),
    lambda xp, g, y, a, b: xp.mul(g, a),
    saves=("b", "a"),
    formula=("g * b", "g * a"),
    promote="common",
)
def mul(a: Any, b: Any) -> Any:
    """a * b."""
    return np.multiply(a, b)


@primitive(
    lambda xp, g, y, a, b: xp.div(g, b),
    lambda xp, g, y, a, b: xp.neg(xp.div(xp.mul(g, y), b)),
    saves=("b", "y b"),
    formula=("g / b", "-g * a / b**2"),
    promote="float",
)
def div(a: Any, b: Any) -> Any:
    """a / b, always true division."""
    return np.true_divide(a, b)


@primitive(lambda xp, g, y, x: xp.neg(g), formula="-g")
def neg(x: Any) -> Any:
    """-x."""
    if x.dtype.kind == "b":
        raise RuntimeError("negation of a bool tensor is not supported; use ~ or logical_not")
    return np.negative(x)


def _pow_base(xp: Any, g: Any, y: Any, x: Any, p: Any) -> Any:
    if isinstance(p, (bool, int, float, complex)):
        if p == 0:
            return xp.mul(g, 0)
        if p == 2:
            return xp.mul(g, xp.mul(x, 2))
        return xp.mul(g, xp.mul(xp.pow(x, p - 1), p))
    # x**(p-1) is infinite at x = 0 where p = 0; the derivative there is 0.
    slope = xp.mul(p, xp.pow(x, xp.sub(p, 1)))
    return xp.mul(g, xp.where(xp.eq(p, 0), 0, slope))


def _pow_exponent(xp: Any, g: Any, y: Any, x: Any, p: Any) -> Any:
    # At x = 0 the logarithm is -inf; y log x tends to 0 there for every p >= 0.
    zero = xp.logical_and(xp.eq(x, 0), xp.ge(p, 0)) if not _complex(x, p) else xp.eq(x, 0)
    safe = xp.where(xp.eq(x, 0), 1, x)
    return xp.mul(g, xp.where(zero, 0, xp.mul(y, xp.log(safe if not isinstance(x, (int, float)) else x or 1))))


def _complex(*values: Any) -> bool:
    return any(getattr(getattr(v, "_array", v), "dtype", np.dtype(type(v))).kind == "c" for v in values)


@primitive(
    _pow_base,
    _pow_exponent,
    saves=("x p", "x p y"),
    formula=("g * p * x**(p - 1)", "g * y * log(x)"),
    promote="common",
)
def pow(x: Any, p: Any) -> Any:
    """x**p."""
    if isinstance(p, (int, float)) and not isinstance(p, bool):
        if p == 2:
            return np.multiply(x, x)
        if p == 0.5 and getattr(x, "dtype", np.dtype(int)).kind == "f":
            return np.sqrt(x)
    kinds = {np.asarray(v).dtype.kind for v in (x, p)}
    if kinds <= set("biu"):
        if np.any(np.less(p, 0)):
            if not isinstance(p, ndarray):
                raise RuntimeError("Integers to negative integer powers are not allowed.")
            # PyTorch truncates 1 / x**|p| towards zero: only 1 and -1 survive.
            with np.errstate(divide="ignore"):
                exact = np.power(np.asarray(x, np.float64), p)
            return np.trunc(exact).astype(np.asarray(x).dtype)
        if kinds == {"b"}:
            return np.power(np.asarray(x, np.int8), p) != 0
    with np.errstate(all="ignore"):
        return np.power(x, p)


# --- One argument ---------------------------------------------------------------------------------


@primitive(lambda xp, g, y, x: xp.mul(g, y), saves="y", formula="g * y", promote="float")
def exp(x: Any) -> Any:
    """e**x."""
    return np.exp(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.add(y, 1)), saves="y", formula="g * exp(x)", promote="float"
)
def expm1(x: Any) -> Any:
    """e**x - 1, exact for small x."""
    return np.expm1(x)


@primitive(lambda xp, g, y, x: xp.div(g, x), saves="x", formula="g / x", promote="float")
def log(x: Any) -> Any:
    """The natural logarithm."""
    return np.log(x)


@primitive(
    lambda xp, g, y, x: xp.div(g, xp.mul(x, float(np.log(2)))),
    saves="x",
    formula="g / (x * log(2))",
    promote="float",
)
def log2(x: Any) -> Any:
    """The logarithm to base 2."""
    return np.log2(x)


@primitive(
    lambda xp, g, y, x: xp.div(g, xp.mul(x, float(np.log(10)))),
    saves="x",
    formula="g / (x * log(10))",
    promote="float",
)
def log10(x: Any) -> Any:
    """The logarithm to base 10."""
    return np.log10(x)


@primitive(
    lambda xp, g, y, x: xp.div(g, xp.add(x, 1)), saves="x", formula="g / (1 + x)", promote="float"
)
def log1p(x: Any) -> Any:
    """log(1 + x), exact for small x."""
    return np.log1p(x)


@primitive(
    lambda xp, g, y, x: xp.div(g, xp.mul(y, 2)), saves="y", formula="g / (2 * y)", promote="float"
)
def sqrt(x: Any) -> Any:
    """The square root; NaN below 0."""
    return np.sqrt(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.mul(xp.mul(y, xp.mul(y, y)), -0.5)),
    saves="y",
    formula="-g * y**3 / 2",
    promote="float",
)
def rsqrt(x: Any) -> Any:
    """1 / sqrt(x)."""
    return np.reciprocal(np.sqrt(x))


@primitive(
    lambda xp, g, y, x: xp.neg(xp.mul(g, xp.mul(y, y))),
    saves="y",
    formula="-g * y**2",
    promote="float",
)
def reciprocal(x: Any) -> Any:
    """1 / x."""
    return np.reciprocal(x)


@primitive(lambda xp, g, y, x: xp.mul(g, xp.cos(x)), saves="x", formula="g * cos(x)", promote="float")
def sin(x: Any) -> Any:
    """The sine of x in radians."""
    return np.sin(x)


@primitive(
    lambda xp, g, y, x: xp.neg(xp.mul(g, xp.sin(x))), saves="x", formula="-g * sin(x)", promote="float"
)
def cos(x: Any) -> Any:
    """The cosine of x in radians."""
    return np.cos(x)


def _one_minus_square(xp: Any, y: Any) -> Any:
    return xp.sub(1, xp.mul(y, y))


@primitive(
    lambda xp, g, y, x: xp.mul(g, _one_minus_square(xp, y)),
    saves="y",
    formula="g * (1 - y**2)",
    promote="float",
)
def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return np.tanh(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.mul(y, xp.sub(1, y))),
    saves="y",
    formula="g * y * (1 - y)",
    promote="float",
)
def sigmoid(x: Any) -> Any:
    """1 / (1 + e**-x); e**-x may overflow to inf, which gives the right 0."""
    y = np.exp(np.negative(x))
    y += 1
    return np.reciprocal(y, out=y) if isinstance(y, ndarray) else 1 / y


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.sigmoid(xp.neg(x))),
    saves="x",
    formula="g / (1 + exp(x))",
    promote="float",
)
def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x)) = min(x, 0) - log1p(e**-|x|), which overflows nowhere."""
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


# --- Kinks ------------------------------------------------------------------------------------------


@primitive(lambda xp, g, y, x, *, mask: xp.mask(g, mask=mask), formula="g * mask")
def mask(x: Any, *, mask: Any) -> Any:
    """x where the bool array ``mask`` holds, else 0, even where x is infinite or NaN.

    Multiplying the bits as integers is exact where x * mask gives NaN, and ten times as fast as
    np.where.
    """
    bits = _BITS.get(x.dtype.char)
    if bits is None:
        return np.where(mask, x, np.zeros((), x.dtype))
    return np.multiply(x.view(bits), mask).view(x.dtype)


_BITS = {"f": np.int32, "d": np.int64, "e": np.int16}


def _positive(x: Any) -> Any:
    return (getattr(x, "_array", x)) > 0


@primitive(lambda xp, g, y, x: xp.mask(g, mask=_positive(y)), saves="y", formula="g * [x > 0]")
def relu(x: Any) -> Any:
    """max(x, 0); the derivative at 0 is 0."""
    return np.maximum(x, x.dtype.type(0))


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.sgn(x)),
    saves="x",
    formula="g * sign(x)",
    holomorphic=False,
)
def abs(x: Any) -> Any:
    """|x|; the derivative at 0 is 0, and x / |x| for a complex x."""
    return np.abs(x)


def _unit(x: Any) -> Any:
    if x.dtype.kind != "c":
        return np.sign(x)
    size = np.abs(x)
    return np.where(size == 0, 0, x / np.where(size == 0, 1, size)).astype(x.dtype)


def _sgn_rule(xp: Any, g: Any, y: Any, x: Any) -> Any:
    if not _complex(x):
        return xp.mul(g, 0)
    # d(x/|x|): the part of g across the direction of x, over |x|.
    size = xp.abs(x)
    across = xp.sub(g, xp.mul(y, xp.real(xp.mul(xp.conj(y), g))))
    inside = xp.eq(size, 0)
    return xp.where(inside, 0, xp.div(across, xp.where(inside, 1, size)))


@primitive(
    _sgn_rule,
    saves="x y",
    formula="0 * g",
    holomorphic=False,
)
def sgn(x: Any) -> Any:
    """sign(x); for complex x the unit number x / |x|, and 0 at 0."""
    return _unit(x)


def _inside(x: Any, low: Any, high: Any) -> Any:
    x = getattr(x, "_array", x)
    kept = np.ones(x.shape, bool)
    if low is not None:
        kept &= x >= low
    if high is not None:
        kept &= x <= high
    return kept


@primitive(
    lambda xp, g, y, x, *, min, max: xp.mask(g, mask=_inside(x, min, max)),
    saves="x",
    formula="g * between(x, min, max)",
)
def clamp(x: Any, *, min: Any, max: Any) -> Any:
    """min(max(x, min), max) for numbers or None; the derivative at a bound is 1."""
    return np.clip(x, min, max)


def _share(xp: Any, g: Any, mine: Any, other: Any) -> Any:
    """All of g where mine wins, half where they tie, nothing where other wins."""
    mine, other = (getattr(v, "_array", v) for v in (mine, other))
    weight = np.greater(mine, other).astype(g.dtype if isinstance(g, ndarray) else g._array.dtype)
    weight += np.equal(mine, other) * weight.dtype.type(0.5)
    return xp.mul(g, weight)


@primitive(
    lambda xp, g, y, a, b: _share(xp, g, a, b),
    lambda xp, g, y, a, b: _share(xp, g, b, a),
    saves="a b",
    formula=("g * ([a > b] + [a == b] / 2)", "g * ([b > a] + [a == b] / 2)"),
    promote="common",
)
def maximum(a: Any, b: Any) -> Any:
    """The larger of a and b, NaN if either is; ties share the gradient evenly."""
    return np.maximum(a, b)


@primitive(
    lambda xp, g, y, a, b: _share(xp, g, b, a),
    lambda xp, g, y, a, b: _share(xp, g, a, b),
    saves="a b",
    formula=("g * ([a < b] + [a == b] / 2)", "g * ([b < a] + [a == b] / 2)"),
    promote="common",
)
def minimum(a: Any, b: Any) -> Any:
    """The smaller of a and b, NaN if either is; ties share the gradient evenly."""
    return np.minimum(a, b)


def _condition(c: Any) -> Any:
    return getattr(c, "_array", c)


@primitive(
    None,
    lambda xp, g, y, c, a, b: xp.mask(g, mask=_condition(c)),
    lambda xp, g, y, c, a, b: xp.mask(g, mask=np.logical_not(_condition(c))),
    saves="c",
    formula=(None, "g * [c]", "g * [~c]"),
)
def where(c: Any, a: Any, b: Any) -> Any:
    """a where the bool array c holds, else b; a and b come to their common type."""
    if getattr(c, "dtype", None) != np.bool_ and not isinstance(c, bool):
        raise RuntimeError(f"where: expected condition to be a boolean tensor, got {c.dtype}")
    a, b = promote([a, b])
    return np.where(c, a, b)


# --- Rounding and whole numbers: derivative zero ------------------------------------------------------


def _zero(xp: Any, g: Any, y: Any, x: Any) -> Any:
    return xp.mul(g, 0)


@primitive(_zero, formula="0 * g")
def sign(x: Any) -> Any:
    """-1, 0 or 1."""
    if x.dtype.kind == "c":
        raise RuntimeError("sign is not defined for complex tensors; use sgn")
    return np.sign(x) if x.dtype.kind != "b" else x.copy()


@primitive(_zero, formula="0 * g")
def floor(x: Any) -> Any:
    """The largest whole number not above x."""
    return np.floor(x) if x.dtype.kind == "f" else x.copy()


@primitive(_zero, formula="0 * g")
def ceil(x: Any) -> Any:
    """The smallest whole number not below x."""
    return np.ceil(x) if x.dtype.kind == "f" else x.copy()


@primitive(_zero, formula="0 * g")
def trunc(x: Any) -> Any:
    """x without its fraction."""
    return np.trunc(x) if x.dtype.kind == "f" else x.copy()


@primitive(lambda xp, g, y, x, *, decimals: xp.mul(g, 0), formula="0 * g")
def round(x: Any, *, decimals: int) -> Any:
    """x rounded to ``decimals`` places, halves to even."""
    return np.round(x, decimals) if x.dtype.kind != "b" else x.copy()


@primitive(promote="common")
def floor_divide(a: Any, b: Any) -> Any:
    """floor(a / b)."""
    _no_zero(a, b)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.floor_divide(a, b)


def _no_zero(a: Any, b: Any) -> None:
    both = np.result_type(a, b)
    if both.kind in "iub" and np.any(np.equal(b, 0)):
        raise RuntimeError("ZeroDivisionError: integer division by zero")


@primitive(
    lambda xp, g, y, a, b: g,
    lambda xp, g, y, a, b: xp.neg(xp.mul(g, xp.floor_divide(a, b))),
    saves=("", "a b"),
    formula=("g", "-g * floor(a / b)"),
    promote="common",
)
def remainder(a: Any, b: Any) -> Any:
    """a - b * floor(a / b): the sign of b."""
    _no_zero(a, b)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.remainder(a, b)


# --- Comparisons and logic: bool outputs, no gradient -------------------------------------------------


@primitive(promote="common")
def eq(a: Any, b: Any) -> Any:
    """a == b."""
    return np.equal(a, b)


@primitive(promote="common")
def ne(a: Any, b: Any) -> Any:
    """a != b."""
    return np.not_equal(a, b)


@primitive(promote="common")
def lt(a: Any, b: Any) -> Any:
    """a < b."""
    return np.less(a, b)


@primitive(promote="common")
def le(a: Any, b: Any) -> Any:
    """a <= b."""
    return np.less_equal(a, b)


@primitive(promote="common")
def gt(a: Any, b: Any) -> Any:
    """a > b."""
    return np.greater(a, b)


@primitive(promote="common")
def ge(a: Any, b: Any) -> Any:
    """a >= b."""
    return np.greater_equal(a, b)


@primitive()
def logical_and(a: Any, b: Any) -> Any:
    """Both are nonzero."""
    return np.logical_and(a, b)


@primitive()
def logical_or(a: Any, b: Any) -> Any:
    """Either is nonzero."""
    return np.logical_or(a, b)


@primitive()
def logical_xor(a: Any, b: Any) -> Any:
    """Exactly one is nonzero."""
    return np.logical_xor(a, b)


@primitive()
def logical_not(x: Any) -> Any:
    """x is zero."""
    return np.logical_not(x)


@primitive(promote="common")
def bitwise_and(a: Any, b: Any) -> Any:
    """a & b, bit by bit."""
    return np.bitwise_and(a, b)


@primitive(promote="common")
def bitwise_or(a: Any, b: Any) -> Any:
    """a | b, bit by bit."""
    return np.bitwise_or(a, b)


@primitive(promote="common")
def bitwise_xor(a: Any, b: Any) -> Any:
    """a ^ b, bit by bit."""
    return np.bitwise_xor(a, b)


@primitive()
def bitwise_not(x: Any) -> Any:
    """~x: every bit, or the truth of a bool."""
    return np.invert(x)


@primitive()
def isnan(x: Any) -> Any:
    """x is not a number."""
    return np.isnan(x)


@primitive()
def isinf(x: Any) -> Any:
    """x is infinite."""
    return np.isinf(x)


@primitive()
def isfinite(x: Any) -> Any:
    """x is neither infinite nor NaN."""
    return np.isfinite(x)


# --- Types and identity -----------------------------------------------------------------------------


@primitive(lambda xp, g, y, x, *, dtype: g, formula="g")
def astype(x: Any, *, dtype: Any) -> Any:
    """x in another NumPy dtype; the gradient comes back in x's own."""
    return x.astype(dtype, copy=False) if x.dtype is not dtype else x.copy(order="K")


@primitive(lambda xp, g, y, x: g, formula="g")
def clone(x: Any) -> Any:
    """A copy of x, memory and all."""
    return x.copy(order="K")


@primitive(lambda xp, g, y, x: g, formula="g", view=True)
def alias(x: Any) -> Any:
    """x itself, as a view: a node of its own on the same memory."""
    return x.view()


@primitive(lambda xp, g, y, x: xp.conj(g), formula="conj(g)", holomorphic=False)
def conj(x: Any) -> Any:
    """The complex conjugate."""
    return np.conjugate(x)


@primitive(lambda xp, g, y, x: g, formula="g", holomorphic=False)
def real(x: Any) -> Any:
    """The real part."""
    return np.real(x).copy()


@primitive(lambda xp, g, y, x: xp.mul(g, 1j), formula="1j * g", holomorphic=False)
def imag(x: Any) -> Any:
    """The imaginary part of a complex tensor."""
    if x.dtype.kind != "c":
        raise RuntimeError("imag is only implemented for tensors with complex dtypes")
    return np.imag(x).copy()
