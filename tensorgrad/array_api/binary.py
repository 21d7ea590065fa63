"""Elementwise functions of two arrays, either of which may be a Python scalar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.array_api.dtypes import FLOATING, NUMERIC, REAL, REAL_FLOATING, together
from tensorgrad.graph.node import wrap
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops import floating, logarithmic, trigonometric

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "add",
    "atan2",
    "copysign",
    "divide",
    "floor_divide",
    "hypot",
    "logaddexp",
    "maximum",
    "minimum",
    "multiply",
    "nextafter",
    "pow",
    "remainder",
    "subtract",
]


def add(x1: Any, x2: Any, /) -> Tensor:
    """x1 + x2."""
    x1, x2 = together("add", x1, x2, kinds=NUMERIC)
    return ops.add(x1, x2)


def atan2(x1: Any, x2: Any, /) -> Tensor:
    """The angle of the point (x2, x1) in [-pi, pi]."""
    x1, x2 = together("atan2", x1, x2, kinds=REAL_FLOATING)
    return trigonometric.atan2(x1, x2)


def copysign(x1: Any, x2: Any, /) -> Tensor:
    """abs(x1) with the sign of x2, of a zero too."""
    x1, x2 = together("copysign", x1, x2, kinds=REAL_FLOATING)
    return floating.copysign(x1, x2)


def divide(x1: Any, x2: Any, /) -> Tensor:
    """x1 / x2."""
    x1, x2 = together("divide", x1, x2, kinds=FLOATING)
    return ops.div(x1, x2)


def floor_divide(x1: Any, x2: Any, /) -> Tensor:
    """floor(x1 / x2)."""
    x1, x2 = together("floor_divide", x1, x2, kinds=REAL)
    return ops.floor_divide(x1, x2)


def hypot(x1: Any, x2: Any, /) -> Tensor:
    """sqrt(x1**2 + x2**2), which overflows only if the result does."""
    x1, x2 = together("hypot", x1, x2, kinds=REAL_FLOATING)
    return trigonometric.hypot(x1, x2)


def logaddexp(x1: Any, x2: Any, /) -> Tensor:
    """log(e**x1 + e**x2), without overflow."""
    x1, x2 = together("logaddexp", x1, x2, kinds=REAL_FLOATING)
    return logarithmic.logaddexp(x1, x2)


def maximum(x1: Any, x2: Any, /) -> Tensor:
    """The larger of the two, NaN if either is."""
    x1, x2 = together("maximum", x1, x2, kinds=REAL)
    return ops.maximum(x1, x2)


def minimum(x1: Any, x2: Any, /) -> Tensor:
    """The smaller of the two, NaN if either is."""
    x1, x2 = together("minimum", x1, x2, kinds=REAL)
    return ops.minimum(x1, x2)


def multiply(x1: Any, x2: Any, /) -> Tensor:
    """x1 * x2."""
    x1, x2 = together("multiply", x1, x2, kinds=NUMERIC)
    return ops.mul(x1, x2)


def nextafter(x1: Any, x2: Any, /) -> Tensor:
    """The next floating-point number after x1 on the way to x2."""
    x1, x2 = together("nextafter", x1, x2, kinds=REAL_FLOATING)
    return floating.nextafter(x1, x2)


def pow(x1: Any, x2: Any, /) -> Tensor:
    """x1**x2."""
    x1, x2 = together("pow", x1, x2, kinds=NUMERIC)
    if type(x2) is float:  # as an array: the primitive takes a number 0.5 as a square root,
        x2 = wrap(np.asarray(x2, x1._array.dtype))  # which has another value at -inf
    return ops.pow(x1, x2)


def remainder(x1: Any, x2: Any, /) -> Tensor:
    """x1 - x2 * floor(x1 / x2): the sign of x2."""
    x1, x2 = together("remainder", x1, x2, kinds=REAL)
    return ops.remainder(x1, x2)


def subtract(x1: Any, x2: Any, /) -> Tensor:
    """x1 - x2."""
    x1, x2 = together("subtract", x1, x2, kinds=NUMERIC)
    return ops.sub(x1, x2)
