"""Type promotion, PyTorch's, in one place.

Categories rank bool < int < float < complex.  Within the highest category present, tensors with
dimensions decide; a 0-d tensor counts only where its category is higher, and a Python scalar only
where its category is higher than both.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tensorgrad.dtypes import default_float, number_dtype

__all__ = ["promote", "promote_types", "result_type"]

_SAFE = {size: 1 << (8 * size - 1) for size in (1, 2, 4, 8)}
_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


@cache
def promote_types(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """The type of an operation on two tensors with dimensions; int32 with float32 is float32."""
    low, high = sorted((a, b), key=lambda d: _CATEGORY[d.kind])
    if _CATEGORY[low.kind] == _CATEGORY[high.kind] or (low.kind, high.kind) == ("f", "c"):
        return np.promote_types(a, b)
    return high


def _combine(high: np.dtype[Any] | None, low: np.dtype[Any] | None) -> np.dtype[Any] | None:
    """``high`` decides unless ``low`` is of a higher category."""
    if high is None or low is None:
        return high if low is None else low
    if _CATEGORY[low.kind] <= _CATEGORY[high.kind]:
        return high
    if high.kind == "f":  # a complex scalar beside real tensors keeps their precision
        return np.dtype(np.complex128 if high.char == "d" else np.complex64)
    return low


def result_type(*operands: Any) -> np.dtype[Any]:
    """The NumPy type in which arrays, 0-d arrays and Python scalars are combined."""
    ranks: list[np.dtype[Any] | None] = [None, None, None]
    for operand in operands:
        if hasattr(operand, "ndim"):  # an array, a batched value, what NumPy gives of 0-d arrays
            rank, kind = (0 if operand.ndim else 1), operand.dtype
        else:
            rank, kind = 2, number_dtype(type(operand))
        known = ranks[rank]
        ranks[rank] = kind if known is None else promote_types(known, kind)
    found = _combine(ranks[0], _combine(ranks[1], ranks[2]))
    assert found is not None, "result_type needs an operand"
    return found


def promote(arrays: list[Any], *, to_float: bool = False) -> list[Any]:
    """Bring arrays and scalars to their common type; integers to the default float if asked.

    Python scalars stay Python scalars where NumPy gives them no more weight than PyTorch does.
    """
    target = result_type(*arrays)
    if to_float and target.kind in "biu":
        target = default_float()
    weak = any(isinstance(array, np.ndarray) for array in arrays)
    return [
        array if type(array) is np.ndarray and array.dtype is target else _cast(array, target, weak)
        for array in arrays
    ]


def _cast(array: Any, target: np.dtype[Any], weak: bool) -> Any:
    if isinstance(array, np.ndarray):
        return array.astype(target)
    if weak:  # beside an array of the target type NumPy lets a Python scalar have no say
        if target.kind == "f":
            return float(array)
        if target.kind == "i" and type(array) is int and abs(array) < _SAFE[target.itemsize]:
            return array
    # A scalar beyond an integer type's range wraps, as in PyTorch; NumPy would raise.
    return np.asarray(array).astype(target)
