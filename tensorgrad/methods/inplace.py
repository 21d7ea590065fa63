"""In-place methods: the operation, then a write into the tensor's own memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.functions import elementwise, indexing
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.scalars import element
from tensorgrad.views.following import before_write, write

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["InplaceMethods"]


def _tensor(value: Any, like: Any) -> Any:
    if isinstance(value, TensorBase):
        return value
    return wrap(np.asarray(value, like._array.dtype))


class InplaceMethods:
    """Methods whose names end in an underscore, and augmented assignment."""

    __slots__ = ()

    def add_(self: Any, other: Any, *, alpha: Any = 1) -> Tensor:
        """In-place `add`."""
        return write(self, elementwise.add(before_write(self, other), other, alpha=alpha), "add_")  # type: ignore[no-any-return]

    def sub_(self: Any, other: Any, alpha: Any = 1) -> Tensor:
        """In-place `sub`."""
        return write(self, elementwise.sub(before_write(self, other), other, alpha=alpha), "sub_")  # type: ignore[no-any-return]

    subtract_ = sub_

    def mul_(self: Any, other: Any) -> Tensor:
        """In-place `mul`."""
        return write(self, elementwise.mul(before_write(self, other), other), "mul_")  # type: ignore[no-any-return]

    multiply_ = mul_

    def div_(self: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """In-place `div`."""
        return write(  # type: ignore[no-any-return]
            self,
            elementwise.div(before_write(self, other), other, rounding_mode=rounding_mode),
            "div_",
        )

    divide_ = div_

    def true_divide_(self: Any, other: Any) -> Tensor:
        """In-place `true_divide`."""
        return self.div_(other)  # type: ignore[no-any-return]

    def pow_(self: Any, exponent: Any) -> Tensor:
        """In-place `pow`."""
        return write(self, elementwise.pow(before_write(self, exponent), exponent), "pow_")  # type: ignore[no-any-return]

    def floor_divide_(self: Any, other: Any) -> Tensor:
        """In-place `floor_divide`."""
        return write(  # type: ignore[no-any-return]
            self, elementwise.floor_divide(before_write(self, other), other), "floor_divide_"
        )

    def remainder_(self: Any, other: Any) -> Tensor:
        """In-place `remainder`."""
        return write(self, elementwise.remainder(before_write(self, other), other), "remainder_")  # type: ignore[no-any-return]

    def clamp_(self: Any, min: Any = None, max: Any = None) -> Tensor:
        """In-place `clamp`."""
        return write(self, elementwise.clamp(before_write(self, min), min, max), "clamp_")  # type: ignore[no-any-return]

    clip_ = clamp_

    def lerp_(self: Any, end: Any, weight: Any) -> Tensor:
        """In-place `lerp`."""
        return write(self, elementwise.lerp(before_write(self, end), end, weight), "lerp_")  # type: ignore[no-any-return]

    def exp_(self: Any) -> Tensor:
        """In-place `exp`."""
        return write(self, elementwise.exp(before_write(self)), "exp_")  # type: ignore[no-any-return]

    def expm1_(self: Any) -> Tensor:
        """In-place `expm1`."""
        return write(self, elementwise.expm1(before_write(self)), "expm1_")  # type: ignore[no-any-return]

    def log_(self: Any) -> Tensor:
        """In-place `log`."""
        return write(self, elementwise.log(before_write(self)), "log_")  # type: ignore[no-any-return]

    def log2_(self: Any) -> Tensor:
        """In-place `log2`."""
        return write(self, elementwise.log2(before_write(self)), "log2_")  # type: ignore[no-any-return]

    def log1p_(self: Any) -> Tensor:
        """In-place `log1p`."""
        return write(self, elementwise.log1p(before_write(self)), "log1p_")  # type: ignore[no-any-return]

    def log10_(self: Any) -> Tensor:
        """In-place `log10`."""
        return write(self, elementwise.log10(before_write(self)), "log10_")  # type: ignore[no-any-return]

    def sqrt_(self: Any) -> Tensor:
        """In-place `sqrt`."""
        return write(self, elementwise.sqrt(before_write(self)), "sqrt_")  # type: ignore[no-any-return]

    def rsqrt_(self: Any) -> Tensor:
        """In-place `rsqrt`."""
        return write(self, elementwise.rsqrt(before_write(self)), "rsqrt_")  # type: ignore[no-any-return]

    def reciprocal_(self: Any) -> Tensor:
        """In-place `reciprocal`."""
        return write(self, elementwise.reciprocal(before_write(self)), "reciprocal_")  # type: ignore[no-any-return]

    def sin_(self: Any) -> Tensor:
        """In-place `sin`."""
        return write(self, elementwise.sin(before_write(self)), "sin_")  # type: ignore[no-any-return]

    def cos_(self: Any) -> Tensor:
        """In-place `cos`."""
        return write(self, elementwise.cos(before_write(self)), "cos_")  # type: ignore[no-any-return]

    def tanh_(self: Any) -> Tensor:
        """In-place `tanh`."""
        return write(self, elementwise.tanh(before_write(self)), "tanh_")  # type: ignore[no-any-return]

    def sigmoid_(self: Any) -> Tensor:
        """In-place `sigmoid`."""
        return write(self, elementwise.sigmoid(before_write(self)), "sigmoid_")  # type: ignore[no-any-return]

    def relu_(self: Any) -> Tensor:
        """In-place `relu`."""
        return write(self, elementwise.relu(before_write(self)), "relu_")  # type: ignore[no-any-return]

    def abs_(self: Any) -> Tensor:
        """In-place `abs`."""
        if self._array.dtype.kind == "c":
            raise RuntimeError(
                "In-place abs is not supported for complex tensors: the result is real; use abs()"
            )
        return write(self, elementwise.abs(before_write(self)), "abs_")  # type: ignore[no-any-return]

    absolute_ = abs_

    def neg_(self: Any) -> Tensor:
        """In-place `neg`."""
        return write(self, elementwise.neg(before_write(self)), "neg_")  # type: ignore[no-any-return]

    negative_ = neg_

    def square_(self: Any) -> Tensor:
        """In-place `square`."""
        return write(self, elementwise.square(before_write(self)), "square_")  # type: ignore[no-any-return]

    def floor_(self: Any) -> Tensor:
        """In-place `floor`."""
        return write(self, elementwise.floor(before_write(self)), "floor_")  # type: ignore[no-any-return]

    def ceil_(self: Any) -> Tensor:
        """In-place `ceil`."""
        return write(self, elementwise.ceil(before_write(self)), "ceil_")  # type: ignore[no-any-return]

    def trunc_(self: Any) -> Tensor:
        """In-place `trunc`."""
        return write(self, elementwise.trunc(before_write(self)), "trunc_")  # type: ignore[no-any-return]

    fix_ = trunc_

    def sign_(self: Any) -> Tensor:
        """In-place `sign`."""
        return write(self, elementwise.sign(before_write(self)), "sign_")  # type: ignore[no-any-return]

    def sgn_(self: Any) -> Tensor:
        """In-place `sgn`."""
        return write(self, elementwise.sgn(before_write(self)), "sgn_")  # type: ignore[no-any-return]

    def round_(self: Any, *, decimals: int = 0) -> Tensor:
        """In-place `round`."""
        return write(self, elementwise.round(before_write(self), decimals=decimals), "round_")  # type: ignore[no-any-return]

    def frac_(self: Any) -> Tensor:
        """In-place `frac`."""
        return write(self, elementwise.frac(before_write(self)), "frac_")  # type: ignore[no-any-return]

    def masked_fill_(self: Any, mask: Any, value: Any) -> Tensor:
        """In-place `masked_fill`."""
        return write(self, indexing.masked_fill(before_write(self), mask, value), "masked_fill_")  # type: ignore[no-any-return]

    def copy_(self: Any, other: Any, non_blocking: bool = False) -> Tensor:
        """The elements of other, broadcast and cast, into this tensor's memory."""
        return write(self, _tensor(other, self), "copy_")  # type: ignore[no-any-return]

    def fill_(self: Any, value: Any) -> Tensor:
        """One value everywhere."""
        given = _tensor(element("fill_", value, self._array.dtype), self)
        if given._array.ndim:
            raise RuntimeError(
                "fill_ only supports 0-dimension value tensor but got tensor with "
                f"{given._array.ndim} dimensions."
            )
        return write(self, given, "copy_")  # type: ignore[no-any-return]

    def zero_(self: Any) -> Tensor:
        """Zeros everywhere."""
        return write(self, wrap(np.zeros((), self._array.dtype)), "copy_")  # type: ignore[no-any-return]

    def __iadd__(self: Any, other: Any) -> Tensor:
        return self.add_(other)  # type: ignore[no-any-return]

    def __isub__(self: Any, other: Any) -> Tensor:
        return self.sub_(other)  # type: ignore[no-any-return]

    def __imul__(self: Any, other: Any) -> Tensor:
        return self.mul_(other)  # type: ignore[no-any-return]

    def __itruediv__(self: Any, other: Any) -> Tensor:
        return self.div_(other)  # type: ignore[no-any-return]

    def __ifloordiv__(self: Any, other: Any) -> Tensor:
        return self.floor_divide_(other)  # type: ignore[no-any-return]

    def __imod__(self: Any, other: Any) -> Tensor:
        return self.remainder_(other)  # type: ignore[no-any-return]

    def __ipow__(self: Any, other: Any) -> Tensor:
        return self.pow_(other)  # type: ignore[no-any-return]
