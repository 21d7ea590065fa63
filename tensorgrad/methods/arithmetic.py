"""Operators.  They call primitives directly: one frame less on the commonest path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.functions.elementwise import is_bool, sub
from tensorgrad.functions.linalg import matmul
from tensorgrad.graph.node import TensorBase
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops import floating as bits
from tensorgrad.ops import linalg as products
from tensorgrad.recording.recorders import operator

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["ArithmeticMethods"]

# What an operator accepts beside a Tensor; for anything else Python may ask the other operand.
_OPERANDS = (TensorBase, bool, int, float, complex, np.ndarray, np.generic)


class ArithmeticMethods:
    """Python's operators on tensors."""

    __slots__ = ()

    @operator(ops.add)
    def __add__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.add(self, other)

    def __radd__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.add(other, self)

    @operator(ops.mul)
    def __mul__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.mul(self, other)

    def __rmul__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.mul(other, self)

    @operator(ops.div)
    def __truediv__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.div(self, other)

    def __rtruediv__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.div(other, self)

    def __floordiv__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.floor_divide(self, other)

    def __rfloordiv__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.floor_divide(other, self)

    def __mod__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.remainder(self, other)

    def __rmod__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.remainder(other, self)

    @operator(ops.pow)
    def __pow__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.pow(self, other)

    def __rpow__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.pow(other, self)

    @operator(products.matmul)
    def __matmul__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, TensorBase):  # an array's own operator leads to np.matmul
            return NotImplemented
        return matmul(self, other)  # type: ignore[arg-type]

    def __rmatmul__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, TensorBase):
            return NotImplemented
        return matmul(other, self)  # type: ignore[arg-type]

    def __and__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.bitwise_and(self, other)

    def __rand__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.bitwise_and(other, self)

    def __or__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.bitwise_or(self, other)

    def __ror__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.bitwise_or(other, self)

    def __xor__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.bitwise_xor(self, other)

    def __rxor__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.bitwise_xor(other, self)

    def __lshift__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return bits.bitwise_left_shift(self, other)

    def __rlshift__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return bits.bitwise_left_shift(other, self)

    def __rshift__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return bits.bitwise_right_shift(self, other)

    def __rrshift__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return bits.bitwise_right_shift(other, self)

    @operator(ops.sub)
    def __sub__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        if self._array.dtype.kind == "b" or is_bool(other):
            return sub(self, other)  # refuses
        return ops.sub(self, other)

    def __rsub__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        if self._array.dtype.kind == "b" or is_bool(other):
            return sub(other, self)  # refuses
        return ops.sub(other, self)

    @operator(ops.neg)
    def __neg__(self: Any) -> Tensor:
        return ops.neg(self)

    def __pos__(self: Any) -> Tensor:
        return self  # type: ignore[no-any-return]

    @operator(ops.abs)
    def __abs__(self: Any) -> Tensor:
        return ops.abs(self)

    def __invert__(self: Any) -> Tensor:
        return ops.bitwise_not(self)

    def __eq__(self: Any, other: Any) -> Tensor:  # type: ignore[override]
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.eq(self, other)

    def __ne__(self: Any, other: Any) -> Tensor:  # type: ignore[override]
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.ne(self, other)

    def __lt__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.lt(self, other)

    def __le__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.le(self, other)

    def __gt__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.gt(self, other)

    def __ge__(self: Any, other: Any) -> Tensor:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return ops.ge(self, other)

    __hash__ = object.__hash__  # defining __eq__ would take it away
