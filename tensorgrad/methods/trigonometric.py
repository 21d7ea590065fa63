"""Trigonometric and hyperbolic methods: each calls the function of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions import trigonometric as functions

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["TrigonometricMethods"]


class TrigonometricMethods:
    """Trigonometric and hyperbolic methods: each calls the function of its name."""

    __slots__ = ()

    def acos(self: Any) -> Tensor:
        """The angle in [0, pi] with cosine x; NaN outside [-1, 1]."""
        return functions.acos(self)

    def acosh(self: Any) -> Tensor:
        """The number >= 0 with hyperbolic cosine x; NaN below 1."""
        return functions.acosh(self)

    def arccos(self: Any) -> Tensor:
        """The angle in [0, pi] with cosine x; NaN outside [-1, 1]."""
        return functions.acos(self)

    def arccosh(self: Any) -> Tensor:
        """The number >= 0 with hyperbolic cosine x; NaN below 1."""
        return functions.acosh(self)

    def arcsin(self: Any) -> Tensor:
        """The angle in [-pi/2, pi/2] with sine x; NaN outside [-1, 1]."""
        return functions.asin(self)

    def arcsinh(self: Any) -> Tensor:
        """The number with hyperbolic sine x."""
        return functions.asinh(self)

    def arctan(self: Any) -> Tensor:
        """The angle in (-pi/2, pi/2) with tangent x."""
        return functions.atan(self)

    def arctan2(self: Any, other: Tensor) -> Tensor:
        """The angle of the points (other, input), in (-pi, pi]; the derivatives at (0, 0) are 0."""
        return functions.atan2(self, other)

    def arctanh(self: Any) -> Tensor:
        """The number with hyperbolic tangent x; NaN outside [-1, 1]."""
        return functions.atanh(self)

    def asin(self: Any) -> Tensor:
        """The angle in [-pi/2, pi/2] with sine x; NaN outside [-1, 1]."""
        return functions.asin(self)

    def asinh(self: Any) -> Tensor:
        """The number with hyperbolic sine x."""
        return functions.asinh(self)

    def atan(self: Any) -> Tensor:
        """The angle in (-pi/2, pi/2) with tangent x."""
        return functions.atan(self)

    def atan2(self: Any, other: Tensor) -> Tensor:
        """The angle of the points (other, input), in (-pi, pi]; the derivatives at (0, 0) are 0."""
        return functions.atan2(self, other)

    def atanh(self: Any) -> Tensor:
        """The number with hyperbolic tangent x; NaN outside [-1, 1]."""
        return functions.atanh(self)

    def cosh(self: Any) -> Tensor:
        """The hyperbolic cosine."""
        return functions.cosh(self)

    def deg2rad(self: Any) -> Tensor:
        """Degrees in radians: x pi / 180."""
        return functions.deg2rad(self)

    def exp2(self: Any) -> Tensor:
        """2**x."""
        return functions.exp2(self)

    def hypot(self: Any, other: Tensor) -> Tensor:
        """sqrt(input**2 + other**2), which overflows only if the result does."""
        return functions.hypot(self, other)

    def rad2deg(self: Any) -> Tensor:
        """Radians in degrees: x 180 / pi."""
        return functions.rad2deg(self)

    def sinc(self: Any) -> Tensor:
        """sin(pi x) / (pi x), 1 at 0."""
        return functions.sinc(self)

    def sinh(self: Any) -> Tensor:
        """The hyperbolic sine."""
        return functions.sinh(self)

    def tan(self: Any) -> Tensor:
        """The tangent of x in radians."""
        return functions.tan(self)
