"""Signs, remainders, extremes and the parts of numbers; whole numbers bit by bit; tests."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tensorgrad.batching import each_example
from tensorgrad.functions import elementwise
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.ops import elementwise as basic
from tensorgrad.ops import floating as ops
from tensorgrad.ops.kinds import refuse_kinds
from tensorgrad.return_types import returned_by

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "addcdiv",
    "addcmul",
    "bitwise_left_shift",
    "bitwise_right_shift",
    "clamp_max",
    "clamp_min",
    "copysign",
    "float_power",
    "fmax",
    "fmin",
    "fmod",
    "frexp",
    "gcd",
    "heaviside",
    "isin",
    "isneginf",
    "isposinf",
    "isreal",
    "lcm",
    "ldexp",
    "nan_to_num",
    "nextafter",
    "rsub",
    "signbit",
]


def copysign(input: Tensor, other: Any) -> Tensor:
    """|input| with the sign of other, of a zero too; the derivative at input = 0 is 0."""
    return ops.copysign(input, other)


def signbit(input: Tensor) -> Tensor:
    """Whether the sign is minus, of a zero too."""
    return ops.signbit(input)


def fmod(input: Any, other: Any) -> Tensor:
    """input - other * trunc(input / other): the sign of input."""
    return ops.fmod(input, other)


def fmax(input: Tensor, other: Tensor) -> Tensor:
    """The larger of the two, the number if one is NaN; ties give the gradient to input."""
    return ops.fmax(input, other)


def fmin(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of the two, the number if one is NaN; ties give the gradient to input."""
    return ops.fmin(input, other)


def clamp_min(input: Tensor, min: Any) -> Tensor:
    """max(x, min)."""
    return elementwise.clamp(input, min=min)


def clamp_max(input: Tensor, max: Any) -> Tensor:
    """min(x, max)."""
    return elementwise.clamp(input, max=max)


def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 below 0 (and for NaN), ``values`` at 0, 1 above; no gradient, as in PyTorch."""
    return ops.heaviside(input, values)


def nan_to_num(
    input: Tensor,
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    """x with NaN, inf and -inf replaced: by 0 and the largest and smallest finite numbers, unless
    others are given; derivative 0 there."""
    return ops.nan_to_num(input, nan=nan or 0.0, posinf=posinf, neginf=neginf)


def nextafter(input: Tensor, other: Tensor) -> Tensor:
    """The next floating-point number after input on the way to other."""
    return ops.nextafter(input, other)


def rsub(input: Any, other: Any, alpha: Any = 1) -> Tensor:
    """other - alpha * input."""
    for value in (input, other):
        if isinstance(value, TensorBase) and value._array.dtype.kind == "b":
            raise RuntimeError(
                "Subtraction, the `-` operator, with a bool tensor is not supported; use `~` or "
                "logical_not() to invert a mask"
            )
    return elementwise.sub(other, input, alpha=alpha)


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """input + value * tensor1 * tensor2."""
    product = basic.mul(tensor1, tensor2)
    if product._array.dtype.kind == "b":
        refuse_kinds("addcmul", "b", input)
    if product._array.dtype.kind in "iu" and input._array.dtype.kind in "iu":
        value = int(value)  # the result stays whole, as in PyTorch
    return basic.add(input, product if value == 1 else basic.mul(product, value))


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """input + value * tensor1 / tensor2."""
    if all(t._array.dtype.kind in "biu" for t in (tensor1, tensor2)):
        raise RuntimeError(
            "Integer division with addcdiv is not supported: convert tensor1 or tensor2 to a "
            "floating-point dtype"
        )
    quotient = basic.div(tensor1, tensor2)
    return basic.add(input, quotient if value == 1 else basic.mul(quotient, value))


def float_power(input: Any, exponent: Any) -> Tensor:
    """input**exponent in float64, or complex128 if either is complex."""
    if isinstance(input, Number) and not isinstance(exponent, TensorBase):
        input = np.asarray(input)  # of two numbers the power would keep their type
    given = [t._array if isinstance(t, TensorBase) else np.asarray(t) for t in (input, exponent)]
    target = np.dtype(np.complex128 if any(a.dtype.kind == "c" for a in given) else np.float64)
    input, exponent = (
        basic.astype(t, dtype=target) if isinstance(t, (TensorBase, np.ndarray)) else t
        for t in (input, exponent)
    )
    return basic.pow(input, exponent)


def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """input * 2**other; whole exponents leave a real or complex input its dtype."""
    dtype = input._array.dtype
    if dtype.kind in "fc" and isinstance(other, TensorBase) and other._array.dtype.kind in "biu":
        other = basic.astype(other, dtype=dtype)
    return basic.mul(input, basic.pow(2.0, other))


@returned_by("frexp")
class frexp_result(NamedTuple):
    """What `frexp` returns."""

    mantissa: Tensor
    exponent: Tensor


def frexp(input: Tensor) -> frexp_result:
    """(mantissa, exponent): input = mantissa * 2**exponent, 1/2 <= |mantissa| < 1, exponent int32;
    0, infinities and NaN are their own mantissas."""
    array = input._array
    if array.dtype.kind != "f":
        raise RuntimeError("frexp() only supports floating-point dtypes")
    _, exponent = np.frexp(array)
    exponent = np.where(np.isfinite(array), exponent, 0).astype(np.int32)
    return frexp_result(ops.scale_by_power(input, exponent=-exponent), wrap(exponent))


def gcd(input: Tensor, other: Tensor) -> Tensor:
    """The greatest common divisor; 0 of two zeros."""
    return ops.gcd(input, other)


def lcm(input: Tensor, other: Tensor) -> Tensor:
    """The least common multiple, not negative."""
    return ops.lcm(input, other)


def bitwise_left_shift(input: Any, other: Any) -> Tensor:
    """input * 2**other in the bits there are; 0 for a shift below 0 or by all bits and more."""
    return ops.bitwise_left_shift(input, other)


def bitwise_right_shift(input: Any, other: Any) -> Tensor:
    """floor(input / 2**other); a shift below 0 or by all bits and more leaves the sign."""
    return ops.bitwise_right_shift(input, other)


def isposinf(input: Tensor) -> Tensor:
    """Whether x is +inf."""
    return ops.isposinf(input)


def isneginf(input: Tensor) -> Tensor:
    """Whether x is -inf."""
    return ops.isneginf(input)


def isreal(input: Tensor) -> Tensor:
    """Whether the imaginary part is 0; true of every real number."""
    return ops.isreal(input)


def isin(
    elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False
) -> Tensor:
    """Whether each element is among the test elements; ``assume_unique`` promises that neither
    repeats one, which may be faster."""
    if not any(isinstance(value, TensorBase) for value in (elements, test_elements)):
        raise TypeError("isin: elements or test_elements must be a Tensor")
    one, other = (getattr(value, "_array", value) for value in (elements, test_elements))
    kinds = [getattr(v, "dtype", None) or np.asarray(v).dtype for v in (one, other)]
    if any(kind.kind == "b" for kind in kinds):
        raise RuntimeError("isin does not take bools; convert them with .to(tensorgrad.uint8)")

    def found(one: Any, other: Any) -> Any:
        return np.asarray(np.isin(one, other, assume_unique=assume_unique, invert=invert))

    return wrap(each_example(found, one, other))
