"""Where an array begins in memory.

NumPy tells it with everything else that is to be known of an array, which takes ten microseconds:
as long as a small kernel.  So it is read where CPython's NumPy keeps it, right behind the head that
every object has, if arrays of all kinds, tried at import, have it there.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

__all__ = ["address"]

_HEAD = object.__basicsize__
_word: Callable[[int], ctypes.c_size_t] = ctypes.c_size_t.from_address


def _told(array: Any) -> int:
    """As NumPy tells it."""
    return int(array.__array_interface__["data"][0])


def _read(array: Any) -> int:
    """As it stands in the array's object."""
    if not isinstance(array, ndarray):
        raise TypeError(f"expected an ndarray, got {type(array).__name__}")
    return _word(id(array) + _HEAD).value


def _is_there() -> bool:
    if sys.implementation.name != "cpython":
        return False
    whole = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    fixed = whole[1:].view()
    fixed.flags.writeable = False
    kinds = (
        whole, whole[1:, ::2], whole.T[::-1], whole[:0], whole[1, 2, 3:].reshape(()), fixed,
        np.empty(0, ">i8"), np.ones(3, bool), np.ones((), "c16"),
    )  # fmt: skip
    return all(_read(array) == _told(array) for array in kinds)


address = _read if _is_there() else _told
address.__doc__ = "The address of an ndarray's first element."
