"""Comparisons, logic and tests for special values, PyTorch's names and arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops import reduction

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "allclose",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "eq",
    "equal",
    "ge",
    "greater",
    "greater_equal",
    "gt",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "le",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "lt",
    "ne",
    "not_equal",
]


def logical_not(input: Tensor) -> Tensor:
    """Whether x is zero."""
    return ops.logical_not(input)


def bitwise_not(input: Tensor) -> Tensor:
    """~x: every bit, or the truth of a bool."""
    return ops.bitwise_not(input)


def isnan(input: Tensor) -> Tensor:
    """Whether x is not a number."""
    return ops.isnan(input)


def isinf(input: Tensor) -> Tensor:
    """Whether x is infinite."""
    return ops.isinf(input)


def isfinite(input: Tensor) -> Tensor:
    """Whether x is neither infinite nor NaN."""
    return ops.isfinite(input)


def eq(input: Any, other: Any) -> Tensor:
    """input == other, elementwise."""
    return ops.eq(input, other)


def ne(input: Any, other: Any) -> Tensor:
    """input != other."""
    return ops.ne(input, other)


def lt(input: Any, other: Any) -> Tensor:
    """input < other."""
    return ops.lt(input, other)


def le(input: Any, other: Any) -> Tensor:
    """input <= other."""
    return ops.le(input, other)


def gt(input: Any, other: Any) -> Tensor:
    """input > other."""
    return ops.gt(input, other)


def ge(input: Any, other: Any) -> Tensor:
    """input >= other."""
    return ops.ge(input, other)


def logical_and(input: Any, other: Any) -> Tensor:
    """Whether both are nonzero."""
    return ops.logical_and(input, other)


def logical_or(input: Any, other: Any) -> Tensor:
    """Whether either is nonzero."""
    return ops.logical_or(input, other)


def logical_xor(input: Any, other: Any) -> Tensor:
    """Whether exactly one is nonzero."""
    return ops.logical_xor(input, other)


def bitwise_and(input: Any, other: Any) -> Tensor:
    """input & other, bit by bit."""
    return ops.bitwise_and(input, other)


def bitwise_or(input: Any, other: Any) -> Tensor:
    """input | other, bit by bit."""
    return ops.bitwise_or(input, other)


def bitwise_xor(input: Any, other: Any) -> Tensor:
    """input ^ other, bit by bit."""
    return ops.bitwise_xor(input, other)


def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """Where |input - other| <= atol + rtol * |other|."""
    for name, value in (("input", input), ("other", other)):
        if not isinstance(value, TensorBase):
            raise TypeError(
                f"isclose(): argument '{name}' must be Tensor, not {type(value).__name__}"
            )
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {tolerance}")
    if input._array.dtype != other._array.dtype:
        raise RuntimeError(f"{input.dtype} did not match {other.dtype}")
    return wrap(np.isclose(input._array, other._array, rtol, atol, equal_nan))


def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether `isclose` holds everywhere."""
    return bool(
        reduction.all(isclose(input, other, rtol, atol, equal_nan), axis=None, keepdims=False)
    )


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and elements."""
    return bool(np.array_equal(input._array, other._array))


not_equal = ne
less = lt
less_equal = le
greater = gt
greater_equal = ge
