"""Elementwise methods: each calls the function of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions import elementwise as functions
from tensorgrad.ops import elementwise as ops
from tensorgrad.recording.recorders import operator

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["ElementwiseMethods"]


class ElementwiseMethods:
    """Elementwise methods: each calls the function of its name."""

    __slots__ = ()

    @operator(ops.abs)
    def abs(self: Any) -> Tensor:
        """|x|; the derivative at 0 is 0."""
        return ops.abs(self)

    @operator(ops.abs)
    def absolute(self: Any) -> Tensor:
        """|x|; the derivative at 0 is 0."""
        return ops.abs(self)

    def add(self: Any, other: Any, *, alpha: Any = 1) -> Tensor:
        """input + alpha * other."""
        return functions.add(self, other, alpha=alpha)

    def ceil(self: Any) -> Tensor:
        """The smallest whole number not below x; derivative 0."""
        return functions.ceil(self)

    def clamp(self: Any, min: Any = None, max: Any = None) -> Tensor:
        """min(max(x, min), max); bounds are numbers, tensors or None; the derivative at a bound
        is 1.
        """
        return functions.clamp(self, min, max)

    def clip(self: Any, min: Any = None, max: Any = None) -> Tensor:
        """min(max(x, min), max); bounds are numbers, tensors or None; the derivative at a bound
        is 1.
        """
        return functions.clamp(self, min, max)

    def conj(self: Any) -> Tensor:
        """The complex conjugate; a real tensor itself."""
        return functions.conj(self)

    @operator(ops.cos)
    def cos(self: Any) -> Tensor:
        """The cosine of x in radians."""
        return ops.cos(self)

    def div(self: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """input / other; rounding_mode "floor" or "trunc" rounds the quotient."""
        return functions.div(self, other, rounding_mode=rounding_mode)

    def divide(self: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """input / other; rounding_mode "floor" or "trunc" rounds the quotient."""
        return functions.div(self, other, rounding_mode=rounding_mode)

    @operator(ops.exp)
    def exp(self: Any) -> Tensor:
        """e**x."""
        return ops.exp(self)

    def expm1(self: Any) -> Tensor:
        """e**x - 1, exact for small x."""
        return functions.expm1(self)

    def fix(self: Any) -> Tensor:
        """x without its fraction; derivative 0."""
        return functions.trunc(self)

    def floor(self: Any) -> Tensor:
        """The largest whole number not above x; derivative 0."""
        return functions.floor(self)

    def floor_divide(self: Any, other: Any) -> Tensor:
        """floor(input / other)."""
        return functions.floor_divide(self, other)

    def frac(self: Any) -> Tensor:
        """x - trunc(x)."""
        return functions.frac(self)

    @property
    def imag(self: Any) -> Tensor:
        """The imaginary part of a complex tensor."""
        return functions.imag(self)

    def lerp(self: Any, end: Tensor, weight: Any) -> Tensor:
        """input + weight * (end - input)."""
        return functions.lerp(self, end, weight)

    @operator(ops.log)
    def log(self: Any) -> Tensor:
        """The natural logarithm."""
        return ops.log(self)

    def log10(self: Any) -> Tensor:
        """The logarithm to base 10."""
        return functions.log10(self)

    def log1p(self: Any) -> Tensor:
        """log(1 + x), exact for small x."""
        return functions.log1p(self)

    def log2(self: Any) -> Tensor:
        """The logarithm to base 2."""
        return functions.log2(self)

    def maximum(self: Any, other: Any) -> Tensor:
        """The larger of the two, NaN if either is; ties share the gradient evenly."""
        return functions.maximum(self, other)

    def minimum(self: Any, other: Any) -> Tensor:
        """The smaller of the two, NaN if either is; ties share the gradient evenly."""
        return functions.minimum(self, other)

    def mul(self: Any, other: Any) -> Tensor:
        """input * other."""
        return functions.mul(self, other)

    def multiply(self: Any, other: Any) -> Tensor:
        """input * other."""
        return functions.mul(self, other)

    @operator(ops.neg)
    def neg(self: Any) -> Tensor:
        """-x."""
        return ops.neg(self)

    @operator(ops.neg)
    def negative(self: Any) -> Tensor:
        """-x."""
        return ops.neg(self)

    def positive(self: Any) -> Tensor:
        """x itself; refused for bools."""
        return functions.positive(self)

    def pow(self: Any, exponent: Any) -> Tensor:
        """input**exponent."""
        return functions.pow(self, exponent)

    @property
    def real(self: Any) -> Tensor:
        """The real part; a real tensor itself."""
        return functions.real(self)

    def reciprocal(self: Any) -> Tensor:
        """1 / x."""
        return functions.reciprocal(self)

    @operator(ops.relu)
    def relu(self: Any) -> Tensor:
        """max(x, 0); the derivative at 0 is 0."""
        return ops.relu(self)

    def remainder(self: Any, other: Any) -> Tensor:
        """input - other * floor(input / other): the sign of other."""
        return functions.remainder(self, other)

    def round(self: Any, *, decimals: int = 0) -> Tensor:
        """x rounded to ``decimals`` places, halves to even; derivative 0."""
        return functions.round(self, decimals=decimals)

    def rsqrt(self: Any) -> Tensor:
        """1 / sqrt(x)."""
        return functions.rsqrt(self)

    def sgn(self: Any) -> Tensor:
        """sign(x); x / |x| for complex x."""
        return functions.sgn(self)

    @operator(ops.sigmoid)
    def sigmoid(self: Any) -> Tensor:
        """1 / (1 + e**-x)."""
        return ops.sigmoid(self)

    def sign(self: Any) -> Tensor:
        """-1, 0 or 1; derivative 0."""
        return functions.sign(self)

    @operator(ops.sin)
    def sin(self: Any) -> Tensor:
        """The sine of x in radians."""
        return ops.sin(self)

    @operator(ops.sqrt)
    def sqrt(self: Any) -> Tensor:
        """The square root; NaN below 0."""
        return ops.sqrt(self)

    def square(self: Any) -> Tensor:
        """x**2."""
        return functions.square(self)

    def sub(self: Any, other: Any, alpha: Any = 1) -> Tensor:
        """input - alpha * other."""
        return functions.sub(self, other, alpha=alpha)

    def subtract(self: Any, other: Any, alpha: Any = 1) -> Tensor:
        """input - alpha * other."""
        return functions.sub(self, other, alpha=alpha)

    @operator(ops.tanh)
    def tanh(self: Any) -> Tensor:
        """The hyperbolic tangent."""
        return ops.tanh(self)

    def true_divide(self: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """input / other; rounding_mode "floor" or "trunc" rounds the quotient."""
        return functions.div(self, other, rounding_mode=rounding_mode)

    def trunc(self: Any) -> Tensor:
        """x without its fraction; derivative 0."""
        return functions.trunc(self)

    def where(self: Any, condition: Tensor, other: Any) -> Tensor:
        """self where condition holds, else other."""
        return functions.where(condition, self, other)  # type: ignore[no-any-return]
