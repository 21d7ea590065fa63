"""Comparisons, logic and tests for special values as methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions import comparison as functions

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["ComparisonMethods"]


class ComparisonMethods:
    """Comparisons, logic and tests for special values as methods."""

    __slots__ = ()

    def allclose(
        self: Any, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
    ) -> bool:
        """Whether `isclose` holds everywhere."""
        return functions.allclose(self, other, rtol, atol, equal_nan)

    def bitwise_and(self: Any, other: Any) -> Tensor:
        """input & other, bit by bit."""
        return functions.bitwise_and(self, other)

    def bitwise_not(self: Any) -> Tensor:
        """~x: every bit, or the truth of a bool."""
        return functions.bitwise_not(self)

    def bitwise_or(self: Any, other: Any) -> Tensor:
        """input | other, bit by bit."""
        return functions.bitwise_or(self, other)

    def bitwise_xor(self: Any, other: Any) -> Tensor:
        """input ^ other, bit by bit."""
        return functions.bitwise_xor(self, other)

    def eq(self: Any, other: Any) -> Tensor:
        """input == other, elementwise."""
        return functions.eq(self, other)

    def equal(self: Any, other: Tensor) -> bool:
        """Whether two tensors have the same shape and elements."""
        return functions.equal(self, other)

    def ge(self: Any, other: Any) -> Tensor:
        """input >= other."""
        return functions.ge(self, other)

    def greater(self: Any, other: Any) -> Tensor:
        """input > other."""
        return functions.gt(self, other)

    def greater_equal(self: Any, other: Any) -> Tensor:
        """input >= other."""
        return functions.ge(self, other)

    def gt(self: Any, other: Any) -> Tensor:
        """input > other."""
        return functions.gt(self, other)

    def isclose(
        self: Any, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
    ) -> Tensor:
        """Where |input - other| <= atol + rtol * |other|."""
        return functions.isclose(self, other, rtol, atol, equal_nan)

    def isfinite(self: Any) -> Tensor:
        """Whether x is neither infinite nor NaN."""
        return functions.isfinite(self)

    def isinf(self: Any) -> Tensor:
        """Whether x is infinite."""
        return functions.isinf(self)

    def isnan(self: Any) -> Tensor:
        """Whether x is not a number."""
        return functions.isnan(self)

    def le(self: Any, other: Any) -> Tensor:
        """input <= other."""
        return functions.le(self, other)

    def less(self: Any, other: Any) -> Tensor:
        """input < other."""
        return functions.lt(self, other)

    def less_equal(self: Any, other: Any) -> Tensor:
        """input <= other."""
        return functions.le(self, other)

    def logical_and(self: Any, other: Any) -> Tensor:
        """Whether both are nonzero."""
        return functions.logical_and(self, other)

    def logical_not(self: Any) -> Tensor:
        """Whether x is zero."""
        return functions.logical_not(self)

    def logical_or(self: Any, other: Any) -> Tensor:
        """Whether either is nonzero."""
        return functions.logical_or(self, other)

    def logical_xor(self: Any, other: Any) -> Tensor:
        """Whether exactly one is nonzero."""
        return functions.logical_xor(self, other)

    def lt(self: Any, other: Any) -> Tensor:
        """input < other."""
        return functions.lt(self, other)

    def ne(self: Any, other: Any) -> Tensor:
        """input != other."""
        return functions.ne(self, other)

    def not_equal(self: Any, other: Any) -> Tensor:
        """input != other."""
        return functions.ne(self, other)
