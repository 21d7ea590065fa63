"""Exponentials, logarithms, roots, trigonometric and sigmoid primitives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from tensorgrad.batching import families
from tensorgrad.ops.kinds import number
from tensorgrad.primitive import primitive


@primitive(
    lambda xp, g, y, x: xp.mul(g, y),
    saves="y",
    formula="g * y",
    promote="float",
    batch=families.elementwise,
    ufunc=np.exp,
)
def exp(x: Any) -> Any:
    """e**x."""
    return np.exp(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.add(y, 1)),
    saves="y",
    formula="g * exp(x)",
    promote="float",
    batch=families.elementwise,
    ufunc=np.expm1,
)
def expm1(x: Any) -> Any:
    """e**x - 1, exact for small x."""
    return np.expm1(x)


@primitive(
    lambda xp, g, y, x: xp.div(g, x),
    saves="x",
    formula="g / x",
    promote="float",
    batch=families.elementwise,
    ufunc=np.log,
)
def log(x: Any) -> Any:
    """The natural logarithm."""
    return np.log(x)


@primitive(
    lambda xp, g, y, x: xp.div(g, xp.mul(x, float(np.log(2)))),
    saves="x",
    formula="g / (x * log(2))",
    promote="float",
    batch=families.elementwise,
    ufunc=np.log2,
)
def log2(x: Any) -> Any:
    """The logarithm to base 2."""
    return np.log2(x)


@primitive(
    lambda xp, g, y, x: xp.div(g, xp.mul(x, float(np.log(10)))),
    saves="x",
    formula="g / (x * log(10))",
    promote="float",
    batch=families.elementwise,
    ufunc=np.log10,
)
def log10(x: Any) -> Any:
    """The logarithm to base 10."""
    return np.log10(x)


@primitive(
    lambda xp, g, y, x: xp.div(g, xp.add(x, 1)),
    saves="x",
    formula="g / (1 + x)",
    promote="float",
    batch=families.elementwise,
    ufunc=np.log1p,
)
def log1p(x: Any) -> Any:
    """log(1 + x), exact for small x."""
    return np.log1p(x)


@primitive(
    lambda xp, g, y, x: xp.div(g, xp.mul(y, number(2.0, y))),
    saves="y",
    formula="g / (2 * y)",
    promote="float",
    batch=families.elementwise,
    ufunc=np.sqrt,
)
def sqrt(x: Any) -> Any:
    """The square root; NaN below 0."""
    return np.sqrt(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.mul(xp.mul(y, xp.mul(y, y)), -0.5)),
    saves="y",
    formula="-g * y**3 / 2",
    promote="float",
    batch=families.elementwise,
)
def rsqrt(x: Any) -> Any:
    """1 / sqrt(x)."""
    return np.reciprocal(np.sqrt(x))


@primitive(
    lambda xp, g, y, x: xp.neg(xp.mul(g, xp.mul(y, y))),
    saves="y",
    formula="-g * y**2",
    promote="float",
    batch=families.elementwise,
)
def reciprocal(x: Any) -> Any:
    """1 / x."""
    return np.reciprocal(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.cos(x)),
    saves="x",
    formula="g * cos(x)",
    promote="float",
    batch=families.elementwise,
    ufunc=np.sin,
)
def sin(x: Any) -> Any:
    """The sine of x in radians."""
    return np.sin(x)


@primitive(
    lambda xp, g, y, x: xp.neg(xp.mul(g, xp.sin(x))),
    saves="x",
    formula="-g * sin(x)",
    promote="float",
    batch=families.elementwise,
    ufunc=np.cos,
)
def cos(x: Any) -> Any:
    """The cosine of x in radians."""
    return np.cos(x)


def _one_minus_square(xp: Any, y: Any) -> Any:
    return xp.sub(number(1.0, y), xp.mul(y, y))


@primitive(
    lambda xp, g, y, x: xp.mul(g, _one_minus_square(xp, y)),
    saves="y",
    formula="g * (1 - y**2)",
    promote="float",
    batch=families.elementwise,
    ufunc=np.tanh,
)
def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return np.tanh(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.mul(y, xp.sub(number(1.0, y), y))),
    saves="y",
    formula="g * y * (1 - y)",
    promote="float",
    batch=families.elementwise,
)
def sigmoid(x: Any) -> Any:
    """1 / (1 + e**-x); e**-x may overflow to inf, which gives the right 0."""
    y = np.negative(x)
    return sigmoid_of_negative(y) if isinstance(y, ndarray) else 1 / (np.exp(y) + 1)


def sigmoid_of_negative(y: Any) -> Any:
    """1 / (1 + e**y), written over y."""
    np.exp(y, y)
    np.add(y, number(1.0, y), y)
    return np.reciprocal(y, y)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.sigmoid(xp.neg(x))),
    saves="x",
    formula="g / (1 + exp(x))",
    promote="float",
    batch=families.elementwise,
)
def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x)) = min(x, 0) - log1p(e**-|x|), which overflows nowhere."""
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))
