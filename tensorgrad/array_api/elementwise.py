"""Elementwise functions of one array, with values in its kind."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.array_api.dtypes import COMPLEX, FLOATING, NUMERIC, REAL, array, cast, together
from tensorgrad.functions import complex_parts
from tensorgrad.functions import elementwise as basic
from tensorgrad.graph.node import TensorBase
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops import trigonometric

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "ceil",
    "clip",
    "conj",
    "cos",
    "cosh",
    "exp",
    "expm1",
    "floor",
    "imag",
    "log",
    "log10",
    "log1p",
    "log2",
    "negative",
    "positive",
    "real",
    "reciprocal",
    "round",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "trunc",
]


def abs(x: Tensor, /) -> Tensor:
    """The absolute value."""
    x = array("abs", x, NUMERIC)
    return ops.abs(x)


def acos(x: Tensor, /) -> Tensor:
    """The angle in [0, pi] with cosine x."""
    x = array("acos", x, FLOATING)
    return trigonometric.acos(x)


def acosh(x: Tensor, /) -> Tensor:
    """The number with hyperbolic cosine x."""
    x = array("acosh", x, FLOATING)
    return trigonometric.acosh(x)


def asin(x: Tensor, /) -> Tensor:
    """The angle in [-pi/2, pi/2] with sine x."""
    x = array("asin", x, FLOATING)
    return trigonometric.asin(x)


def asinh(x: Tensor, /) -> Tensor:
    """The number with hyperbolic sine x."""
    x = array("asinh", x, FLOATING)
    return trigonometric.asinh(x)


def atan(x: Tensor, /) -> Tensor:
    """The angle in [-pi/2, pi/2] with tangent x."""
    x = array("atan", x, FLOATING)
    return trigonometric.atan(x)


def atanh(x: Tensor, /) -> Tensor:
    """The number with hyperbolic tangent x."""
    x = array("atanh", x, FLOATING)
    return trigonometric.atanh(x)


def ceil(x: Tensor, /) -> Tensor:
    """The smallest whole number not below x."""
    x = array("ceil", x, REAL)
    return ops.ceil(x)


def conj(x: Tensor, /) -> Tensor:
    """The complex conjugate; a real array itself."""
    x = array("conj", x, NUMERIC)
    return basic.conj(x)


def cos(x: Tensor, /) -> Tensor:
    """The cosine of x in radians."""
    x = array("cos", x, FLOATING)
    return ops.cos(x)


def cosh(x: Tensor, /) -> Tensor:
    """The hyperbolic cosine."""
    x = array("cosh", x, FLOATING)
    return trigonometric.cosh(x)


def exp(x: Tensor, /) -> Tensor:
    """e**x."""
    x = array("exp", x, FLOATING)
    return ops.exp(x)


def expm1(x: Tensor, /) -> Tensor:
    """e**x - 1, exact for small x."""
    x = array("expm1", x, FLOATING)
    return ops.expm1(x)


def floor(x: Tensor, /) -> Tensor:
    """The largest whole number not above x."""
    x = array("floor", x, REAL)
    return ops.floor(x)


def imag(x: Tensor, /) -> Tensor:
    """The imaginary part."""
    x = array("imag", x, COMPLEX)
    return ops.imag(x)


def log(x: Tensor, /) -> Tensor:
    """The natural logarithm."""
    x = array("log", x, FLOATING)
    return ops.log(x)


def log10(x: Tensor, /) -> Tensor:
    """The logarithm to base 10."""
    x = array("log10", x, FLOATING)
    return ops.log10(x)


def log1p(x: Tensor, /) -> Tensor:
    """log(1 + x), exact for small x."""
    x = array("log1p", x, FLOATING)
    return ops.log1p(x)


def log2(x: Tensor, /) -> Tensor:
    """The logarithm to base 2."""
    x = array("log2", x, FLOATING)
    return ops.log2(x)


def negative(x: Tensor, /) -> Tensor:
    """-x."""
    x = array("negative", x, NUMERIC)
    return ops.neg(x)


def positive(x: Tensor, /) -> Tensor:
    """A copy of x."""
    x = array("positive", x, NUMERIC)
    return ops.clone(x)


def real(x: Tensor, /) -> Tensor:
    """The real part; a real array itself."""
    x = array("real", x, NUMERIC)
    return basic.real(x)


def reciprocal(x: Tensor, /) -> Tensor:
    """1 / x."""
    x = array("reciprocal", x, FLOATING)
    return ops.reciprocal(x)


def sign(x: Tensor, /) -> Tensor:
    """-1, 0 or 1; for complex x the unit number x / |x|, and 0 at 0."""
    x = array("sign", x, NUMERIC)
    return ops.sgn(x)


def sin(x: Tensor, /) -> Tensor:
    """The sine of x in radians."""
    x = array("sin", x, FLOATING)
    return ops.sin(x)


def sinh(x: Tensor, /) -> Tensor:
    """The hyperbolic sine."""
    x = array("sinh", x, FLOATING)
    return trigonometric.sinh(x)


def sqrt(x: Tensor, /) -> Tensor:
    """The square root."""
    x = array("sqrt", x, FLOATING)
    return ops.sqrt(x)


def square(x: Tensor, /) -> Tensor:
    """x * x."""
    x = array("square", x, NUMERIC)
    return ops.pow(x, 2)


def tan(x: Tensor, /) -> Tensor:
    """The tangent of x in radians."""
    x = array("tan", x, FLOATING)
    return trigonometric.tan(x)


def tanh(x: Tensor, /) -> Tensor:
    """The hyperbolic tangent."""
    x = array("tanh", x, FLOATING)
    return ops.tanh(x)


def trunc(x: Tensor, /) -> Tensor:
    """x without its fraction."""
    x = array("trunc", x, REAL)
    return ops.trunc(x)


def clip(x: Tensor, /, min: Any = None, max: Any = None) -> Tensor:
    """min(max(x, min), max), in the type of x; NaN where x or a bound is; None is no bound.

    The derivative at a bound is 1.
    """
    x = array("clip", x, REAL)
    kind = x._array.dtype
    out: Any = x
    for bound, compare in ((min, ops.ge), (max, ops.le)):
        if bound is None:
            continue
        together("clip", x, bound, kinds=REAL)
        if isinstance(bound, TensorBase):
            bound = cast(bound, kind)
        elif kind.kind in "iu":  # a bound outside of the type's range lets everything through
            limits = np.iinfo(kind)
            bound = builtins.max(limits.min, builtins.min(bound, limits.max))
        kept = ops.logical_or(compare(out, bound), ops.isnan(out))
        out = cast(ops.where(kept, out, bound), kind)
    return ops.clone(x) if out is x else out


def round(x: Tensor, /) -> Tensor:
    """The nearest whole number, halves to even; of complex x both parts."""
    x = array("round", x, NUMERIC)
    if x._array.dtype.kind != "c":
        return ops.round(x, decimals=0)
    parts = (ops.round(part, decimals=0) for part in (ops.real(x), ops.imag(x)))
    return complex_parts.complex(*parts)
