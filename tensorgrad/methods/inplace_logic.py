"""In-place comparisons and logic: the answer, as numbers of the tensor's own dtype."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions import comparison
from tensorgrad.views.following import before_write, write

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["InplaceLogicMethods"]


def _into(tensor: Any, value: Any, name: str) -> Tensor:
    return write(tensor, value, name)  # type: ignore[no-any-return]


class InplaceLogicMethods:
    """Comparisons, logic and bits, written into the tensor's own memory."""

    __slots__ = ()

    def eq_(self: Any, other: Any) -> Tensor:
        """In-place `eq`."""
        return _into(self, comparison.eq(before_write(self, other), other), "eq_")

    def ne_(self: Any, other: Any) -> Tensor:
        """In-place `ne`."""
        return _into(self, comparison.ne(before_write(self, other), other), "ne_")

    not_equal_ = ne_

    def lt_(self: Any, other: Any) -> Tensor:
        """In-place `lt`."""
        return _into(self, comparison.lt(before_write(self, other), other), "lt_")

    less_ = lt_

    def le_(self: Any, other: Any) -> Tensor:
        """In-place `le`."""
        return _into(self, comparison.le(before_write(self, other), other), "le_")

    less_equal_ = le_

    def gt_(self: Any, other: Any) -> Tensor:
        """In-place `gt`."""
        return _into(self, comparison.gt(before_write(self, other), other), "gt_")

    greater_ = gt_

    def ge_(self: Any, other: Any) -> Tensor:
        """In-place `ge`."""
        return _into(self, comparison.ge(before_write(self, other), other), "ge_")

    greater_equal_ = ge_

    def logical_and_(self: Any, other: Tensor) -> Tensor:
        """In-place `logical_and`."""
        return _into(self, comparison.logical_and(before_write(self, other), other), "logical_and_")

    def logical_or_(self: Any, other: Tensor) -> Tensor:
        """In-place `logical_or`."""
        return _into(self, comparison.logical_or(before_write(self, other), other), "logical_or_")

    def logical_xor_(self: Any, other: Tensor) -> Tensor:
        """In-place `logical_xor`."""
        return _into(self, comparison.logical_xor(before_write(self, other), other), "logical_xor_")

    def logical_not_(self: Any) -> Tensor:
        """In-place `logical_not`."""
        return _into(self, comparison.logical_not(before_write(self)), "logical_not_")

    def bitwise_and_(self: Any, other: Any) -> Tensor:
        """In-place `bitwise_and`."""
        return _into(self, comparison.bitwise_and(before_write(self, other), other), "bitwise_and_")

    def bitwise_or_(self: Any, other: Any) -> Tensor:
        """In-place `bitwise_or`."""
        return _into(self, comparison.bitwise_or(before_write(self, other), other), "bitwise_or_")

    def bitwise_xor_(self: Any, other: Any) -> Tensor:
        """In-place `bitwise_xor`."""
        return _into(self, comparison.bitwise_xor(before_write(self, other), other), "bitwise_xor_")

    def bitwise_not_(self: Any) -> Tensor:
        """In-place `bitwise_not`."""
        return _into(self, comparison.bitwise_not(before_write(self)), "bitwise_not_")

    def __iand__(self: Any, other: Any) -> Tensor:
        return self.bitwise_and_(other)  # type: ignore[no-any-return]

    def __ior__(self: Any, other: Any) -> Tensor:
        return self.bitwise_or_(other)  # type: ignore[no-any-return]

    def __ixor__(self: Any, other: Any) -> Tensor:
        return self.bitwise_xor_(other)  # type: ignore[no-any-return]

    def __ilshift__(self: Any, other: Any) -> Tensor:
        return self.bitwise_left_shift_(other)  # type: ignore[no-any-return]

    def __irshift__(self: Any, other: Any) -> Tensor:
        return self.bitwise_right_shift_(other)  # type: ignore[no-any-return]
