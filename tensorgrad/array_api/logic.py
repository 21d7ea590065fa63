"""Bits, comparisons, logic and tests of numbers: no gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.array_api.dtypes import (
    ANY,
    BOOL,
    INTEGER,
    INTEGER_OR_BOOL,
    NUMERIC,
    REAL,
    REAL_FLOATING,
    array,
    together,
)
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops import floating

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "equal",
    "greater",
    "greater_equal",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
    "signbit",
]


def bitwise_invert(x: Tensor, /) -> Tensor:
    """~x: every bit, or the truth of a bool."""
    x = array("bitwise_invert", x, INTEGER_OR_BOOL)
    return ops.bitwise_not(x)


def isfinite(x: Tensor, /) -> Tensor:
    """Whether x is neither infinite nor NaN."""
    x = array("isfinite", x, NUMERIC)
    return ops.isfinite(x)


def isinf(x: Tensor, /) -> Tensor:
    """Whether x is infinite."""
    x = array("isinf", x, NUMERIC)
    return ops.isinf(x)


def isnan(x: Tensor, /) -> Tensor:
    """Whether x is NaN."""
    x = array("isnan", x, NUMERIC)
    return ops.isnan(x)


def logical_not(x: Tensor, /) -> Tensor:
    """Whether x is False."""
    x = array("logical_not", x, BOOL)
    return ops.logical_not(x)


def signbit(x: Tensor, /) -> Tensor:
    """Whether the sign is minus, of a zero too."""
    x = array("signbit", x, REAL_FLOATING)
    return floating.signbit(x)


def bitwise_and(x1: Any, x2: Any, /) -> Tensor:
    """x1 & x2, bit by bit."""
    x1, x2 = together("bitwise_and", x1, x2, kinds=INTEGER_OR_BOOL)
    return ops.bitwise_and(x1, x2)


def bitwise_left_shift(x1: Any, x2: Any, /) -> Tensor:
    """x1 << x2."""
    x1, x2 = together("bitwise_left_shift", x1, x2, kinds=INTEGER)
    return floating.bitwise_left_shift(x1, x2)


def bitwise_or(x1: Any, x2: Any, /) -> Tensor:
    """x1 | x2, bit by bit."""
    x1, x2 = together("bitwise_or", x1, x2, kinds=INTEGER_OR_BOOL)
    return ops.bitwise_or(x1, x2)


def bitwise_right_shift(x1: Any, x2: Any, /) -> Tensor:
    """x1 >> x2."""
    x1, x2 = together("bitwise_right_shift", x1, x2, kinds=INTEGER)
    return floating.bitwise_right_shift(x1, x2)


def bitwise_xor(x1: Any, x2: Any, /) -> Tensor:
    """x1 ^ x2, bit by bit."""
    x1, x2 = together("bitwise_xor", x1, x2, kinds=INTEGER_OR_BOOL)
    return ops.bitwise_xor(x1, x2)


def equal(x1: Any, x2: Any, /) -> Tensor:
    """x1 == x2."""
    x1, x2 = together("equal", x1, x2, kinds=ANY)
    return ops.eq(x1, x2)


def greater(x1: Any, x2: Any, /) -> Tensor:
    """x1 > x2."""
    x1, x2 = together("greater", x1, x2, kinds=REAL)
    return ops.gt(x1, x2)


def greater_equal(x1: Any, x2: Any, /) -> Tensor:
    """x1 >= x2."""
    x1, x2 = together("greater_equal", x1, x2, kinds=REAL)
    return ops.ge(x1, x2)


def less(x1: Any, x2: Any, /) -> Tensor:
    """x1 < x2."""
    x1, x2 = together("less", x1, x2, kinds=REAL)
    return ops.lt(x1, x2)


def less_equal(x1: Any, x2: Any, /) -> Tensor:
    """x1 <= x2."""
    x1, x2 = together("less_equal", x1, x2, kinds=REAL)
    return ops.le(x1, x2)


def logical_and(x1: Any, x2: Any, /) -> Tensor:
    """Whether both hold."""
    x1, x2 = together("logical_and", x1, x2, kinds=BOOL)
    return ops.logical_and(x1, x2)


def logical_or(x1: Any, x2: Any, /) -> Tensor:
    """Whether either holds."""
    x1, x2 = together("logical_or", x1, x2, kinds=BOOL)
    return ops.logical_or(x1, x2)


def logical_xor(x1: Any, x2: Any, /) -> Tensor:
    """Whether exactly one holds."""
    x1, x2 = together("logical_xor", x1, x2, kinds=BOOL)
    return ops.logical_xor(x1, x2)


def not_equal(x1: Any, x2: Any, /) -> Tensor:
    """x1 != x2."""
    x1, x2 = together("not_equal", x1, x2, kinds=ANY)
    return ops.ne(x1, x2)
