"""Python numbers as arrays: a ufunc takes a 0-d array in half the time that a number takes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

__all__ = ["FLOATS", "constant", "doubles", "float32", "float64", "singles"]

float32, float64 = np.dtype(np.float32), np.dtype(np.float64)
FLOATS = frozenset({float32, float64})
singles: dict[float, ndarray[Any, Any]] = {}
doubles: dict[float, ndarray[Any, Any]] = {}
LIMIT = 1024  # numbers kept; a program that computes its numbers must not fill the memory


def constant(value: float, dtype: np.dtype[Any]) -> ndarray[Any, Any]:
    """A number as a read-only 0-d array of float32 or float64, the same one each time."""
    kept = singles if dtype is float32 else doubles
    found = kept.get(value)
    if found is None:
        if -3e38 < value < 3e38:
            found = np.array(value, dtype)
        else:
            with np.errstate(over="ignore"):
                found = np.array(value, dtype)
        found.flags.writeable = False
        if len(kept) >= LIMIT:
            kept.clear()
        if value and value == value:  # 0.0 and -0.0 are equal keys, and NaN is never found again
            kept[value] = found
    return found
