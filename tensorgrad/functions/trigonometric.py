"""Trigonometric and hyperbolic functions and their inverses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tensorgrad.ops import elementwise as basic
from tensorgrad.ops import trigonometric as ops

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "acos",
    "acosh",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cosh",
    "deg2rad",
    "exp2",
    "hypot",
    "rad2deg",
    "sinc",
    "sinh",
    "tan",
]


def tan(input: Tensor) -> Tensor:
    """The tangent of x in radians."""
    return ops.tan(input)


def asin(input: Tensor) -> Tensor:
    """The angle in [-pi/2, pi/2] with sine x; NaN outside [-1, 1]."""
    return ops.asin(input)


def acos(input: Tensor) -> Tensor:
    """The angle in [0, pi] with cosine x; NaN outside [-1, 1]."""
    return ops.acos(input)


def atan(input: Tensor) -> Tensor:
    """The angle in (-pi/2, pi/2) with tangent x."""
    return ops.atan(input)


def sinh(input: Tensor) -> Tensor:
    """The hyperbolic sine."""
    return ops.sinh(input)


def cosh(input: Tensor) -> Tensor:
    """The hyperbolic cosine."""
    return ops.cosh(input)


def asinh(input: Tensor) -> Tensor:
    """The number with hyperbolic sine x."""
    return ops.asinh(input)


def acosh(input: Tensor) -> Tensor:
    """The number >= 0 with hyperbolic cosine x; NaN below 1."""
    return ops.acosh(input)


def atanh(input: Tensor) -> Tensor:
    """The number with hyperbolic tangent x; NaN outside [-1, 1]."""
    return ops.atanh(input)


def atan2(input: Tensor, other: Tensor) -> Tensor:
    """The angle of the points (other, input), in (-pi, pi]; the derivatives at (0, 0) are 0."""
    return ops.atan2(input, other)


def hypot(input: Tensor, other: Tensor) -> Tensor:
    """sqrt(input**2 + other**2), which overflows only if the result does."""
    return ops.hypot(input, other)


def exp2(input: Tensor) -> Tensor:
    """2**x."""
    return ops.exp2(input)


def sinc(input: Tensor) -> Tensor:
    """sin(pi x) / (pi x), 1 at 0."""
    return ops.sinc(input, order=0)


def _real(name: str, input: Tensor) -> None:
    if input._array.dtype.kind == "c":
        raise RuntimeError(f"{name} is not supported for complex tensors")


def deg2rad(input: Tensor) -> Tensor:
    """Degrees in radians: x pi / 180."""
    _real("deg2rad", input)
    return basic.mul(input, math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Radians in degrees: x 180 / pi."""
    _real("rad2deg", input)
    return basic.mul(input, 180 / math.pi)


# --- Second names ---


arcsin = asin
arccos = acos
arctan = atan
arctan2 = atan2
arcsinh = asinh
arccosh = acosh
arctanh = atanh
