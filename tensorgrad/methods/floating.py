"""Signs, remainders, extremes and parts of numbers: methods that call the functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions import floating as functions

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["FloatingMethods"]


class FloatingMethods:
    """Signs, remainders, extremes and parts of numbers: methods that call the functions."""

    __slots__ = ()

    def addcdiv(self: Any, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
        """input + value * tensor1 / tensor2."""
        return functions.addcdiv(self, tensor1, tensor2, value=value)

    def addcmul(self: Any, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
        """input + value * tensor1 * tensor2."""
        return functions.addcmul(self, tensor1, tensor2, value=value)

    def bitwise_left_shift(self: Any, other: Any) -> Tensor:
        """input * 2**other in the bits there are; 0 for a shift below 0 or by all bits and more."""
        return functions.bitwise_left_shift(self, other)

    def bitwise_right_shift(self: Any, other: Any) -> Tensor:
        """floor(input / 2**other); a shift below 0 or by all bits and more leaves the sign."""
        return functions.bitwise_right_shift(self, other)

    def clamp_max(self: Any, max: Any) -> Tensor:
        """min(x, max)."""
        return functions.clamp_max(self, max)

    def clamp_min(self: Any, min: Any) -> Tensor:
        """max(x, min)."""
        return functions.clamp_min(self, min)

    def copysign(self: Any, other: Any) -> Tensor:
        """|input| with the sign of other, of a zero too; the derivative at input = 0 is 0."""
        return functions.copysign(self, other)

    def float_power(self: Any, exponent: Any) -> Tensor:
        """input**exponent in float64, or complex128 if either is complex."""
        return functions.float_power(self, exponent)

    def fmax(self: Any, other: Tensor) -> Tensor:
        """The larger of the two, the number if one is NaN; ties give the gradient to input."""
        return functions.fmax(self, other)

    def fmin(self: Any, other: Tensor) -> Tensor:
        """The smaller of the two, the number if one is NaN; ties give the gradient to input."""
        return functions.fmin(self, other)

    def fmod(self: Any, other: Any) -> Tensor:
        """input - other * trunc(input / other): the sign of input."""
        return functions.fmod(self, other)

    def frexp(self: Any) -> functions.frexp_result:
        """(mantissa, exponent): input = mantissa * 2**exponent, 1/2 <= |mantissa| < 1, exponent
        int32; 0, infinities and NaN are their own mantissas."""
        return functions.frexp(self)

    def gcd(self: Any, other: Tensor) -> Tensor:
        """The greatest common divisor; 0 of two zeros."""
        return functions.gcd(self, other)

    def heaviside(self: Any, values: Tensor) -> Tensor:
        """0 below 0, ``values`` at 0, 1 above; no gradient, as in PyTorch."""
        return functions.heaviside(self, values)

    def isneginf(self: Any) -> Tensor:
        """Whether x is -inf."""
        return functions.isneginf(self)

    def isposinf(self: Any) -> Tensor:
        """Whether x is +inf."""
        return functions.isposinf(self)

    def isreal(self: Any) -> Tensor:
        """Whether the imaginary part is 0; true of every real number."""
        return functions.isreal(self)

    def lcm(self: Any, other: Tensor) -> Tensor:
        """The least common multiple, not negative."""
        return functions.lcm(self, other)

    def ldexp(self: Any, other: Tensor) -> Tensor:
        """input * 2**other."""
        return functions.ldexp(self, other)

    def nan_to_num(
        self: Any,
        nan: float | None = None,
        posinf: float | None = None,
        neginf: float | None = None,
    ) -> Tensor:
        """x with NaN, inf and -inf replaced: by 0 and the largest and smallest finite numbers,
        unless others are given; derivative 0 there."""
        return functions.nan_to_num(self, nan, posinf, neginf)

    def nextafter(self: Any, other: Tensor) -> Tensor:
        """The next floating-point number after input on the way to other."""
        return functions.nextafter(self, other)

    def signbit(self: Any) -> Tensor:
        """Whether the sign is minus, of a zero too."""
        return functions.signbit(self)
