"""Trigonometric and hyperbolic primitives and their inverses."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching import families
from tensorgrad.kernels import special_sinc
from tensorgrad.ops.kinds import is_complex
from tensorgrad.primitive import primitive


def _values(x: Any) -> Any:
    return getattr(x, "_array", x)


def _square(xp: Any, x: Any) -> Any:
    return xp.mul(x, x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.add(_square(xp, y), 1)),
    saves="y",
    formula="g * (1 + y**2)",
    promote="float",
    batch=families.elementwise,
)
def tan(x: Any) -> Any:
    """The tangent of x in radians."""
    return np.tan(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.rsqrt(xp.sub(1, _square(xp, x)))),
    saves="x",
    formula="g / sqrt(1 - x**2)",
    promote="float",
    batch=families.elementwise,
)
def asin(x: Any) -> Any:
    """The angle in [-pi/2, pi/2] with sine x; NaN outside [-1, 1]."""
    return np.arcsin(x)


@primitive(
    lambda xp, g, y, x: xp.neg(xp.mul(g, xp.rsqrt(xp.sub(1, _square(xp, x))))),
    saves="x",
    formula="-g / sqrt(1 - x**2)",
    promote="float",
    batch=families.elementwise,
)
def acos(x: Any) -> Any:
    """The angle in [0, pi] with cosine x; NaN outside [-1, 1]."""
    return np.arccos(x)


@primitive(
    lambda xp, g, y, x: xp.div(g, xp.add(_square(xp, x), 1)),
    saves="x",
    formula="g / (1 + x**2)",
    promote="float",
    batch=families.elementwise,
)
def atan(x: Any) -> Any:
    """The angle in (-pi/2, pi/2) with tangent x."""
    return np.arctan(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.cosh(x)),
    saves="x",
    formula="g * cosh(x)",
    promote="float",
    batch=families.elementwise,
)
def sinh(x: Any) -> Any:
    """The hyperbolic sine."""
    return np.sinh(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.sinh(x)),
    saves="x",
    formula="g * sinh(x)",
    promote="float",
    batch=families.elementwise,
)
def cosh(x: Any) -> Any:
    """The hyperbolic cosine."""
    return np.cosh(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.rsqrt(xp.add(_square(xp, x), 1))),
    saves="x",
    formula="g / sqrt(1 + x**2)",
    promote="float",
    batch=families.elementwise,
)
def asinh(x: Any) -> Any:
    """The number with hyperbolic sine x."""
    return np.arcsinh(x)


def _acosh_rule(xp: Any, g: Any, y: Any, x: Any) -> Any:
    # The product of two roots, not the root of the product: for complex x their branches differ.
    if is_complex(x):
        return xp.mul(g, xp.mul(xp.rsqrt(xp.sub(x, 1)), xp.rsqrt(xp.add(x, 1))))
    return xp.mul(g, xp.rsqrt(xp.sub(_square(xp, x), 1)))


@primitive(
    _acosh_rule,
    saves="x",
    formula="g / sqrt(x**2 - 1)",
    promote="float",
    batch=families.elementwise,
)
def acosh(x: Any) -> Any:
    """The number >= 0 with hyperbolic cosine x; NaN below 1."""
    return np.arccosh(x)


@primitive(
    lambda xp, g, y, x: xp.div(g, xp.sub(1, _square(xp, x))),
    saves="x",
    formula="g / (1 - x**2)",
    promote="float",
    batch=families.elementwise,
)
def atanh(x: Any) -> Any:
    """The number with hyperbolic tangent x; NaN outside [-1, 1]."""
    return np.arctanh(x)


def _atan2_part(xp: Any, g: Any, other: Any, a: Any, b: Any) -> Any:
    """g * other / (a**2 + b**2), and 0 at the origin, as in PyTorch.

    Divided twice by the length: its square would overflow first.
    """
    size = xp.hypot(a, b)
    apart = np.not_equal(_values(size), 0)
    safe = xp.where(apart, size, 1)
    return xp.mask(xp.mul(g, xp.div(xp.div(other, safe), safe)), mask=apart)


@primitive(
    lambda xp, g, y, a, b: _atan2_part(xp, g, b, a, b),
    lambda xp, g, y, a, b: xp.neg(_atan2_part(xp, g, a, a, b)),
    saves="a b",
    formula=("g * b / (a**2 + b**2)", "-g * a / (a**2 + b**2)"),
    promote="float",
    batch=families.elementwise,
)
def atan2(a: Any, b: Any) -> Any:
    """The angle of the point (b, a) in (-pi, pi]."""
    if is_complex(a, b):
        raise NotImplementedError("atan2 is not defined for complex tensors")
    return np.arctan2(a, b)


@primitive(
    lambda xp, g, y, a, b: xp.mul(g, xp.div(a, y)),
    lambda xp, g, y, a, b: xp.mul(g, xp.div(b, y)),
    saves=("a y", "b y"),
    formula=("g * a / y", "g * b / y"),
    promote="common",
    batch=families.elementwise,
)
def hypot(a: Any, b: Any) -> Any:
    """sqrt(a**2 + b**2), which overflows only if the result does; no gradient (NaN) at 0."""
    kind = np.result_type(a, b).kind
    if kind != "f":
        raise NotImplementedError("hypot is defined for real floating-point tensors only")
    return np.hypot(a, b)


@primitive(
    lambda xp, g, y, x, *, order: xp.mul(g, xp.sinc(x, order=order + 1)),
    saves="x",
    formula="g * sinc(x, order + 1)",
    promote="float",
    batch=families.elementwise,
)
def sinc(x: Any, *, order: int) -> Any:
    """The derivative of that order of sin(pi x) / (pi x); order 0 is the function itself."""
    return special_sinc.sinc(x, order)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.mul(y, float(np.log(2)))),
    saves="y",
    formula="g * y * log(2)",
    promote="float",
    batch=families.elementwise,
)
def exp2(x: Any) -> Any:
    """2**x."""
    return np.exp2(x) if x.dtype.kind == "f" else np.power(x.dtype.type(2), x)
