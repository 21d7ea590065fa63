"""Matrices turned: their rows as the columns of another.

NumPy does it number by number: 512 rows of 128 float32 take 60 us in parts of 64 rows, and 90 at
once.  OpenBLAS has a kernel for it that takes 19.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from tensorgrad.machine import arena
from tensorgrad.machine.address import address
from tensorgrad.machine.blas import INTEGER, openblas

__all__ = ["turned"]

_KINDS = {"f": ("cblas_somatcopy", ctypes.c_float), "d": ("cblas_domatcopy", ctypes.c_double)}
_BY_ROWS, _TURNED = 101, 112  # as CBLAS numbers them
_PART = 64  # rows at a time, where NumPy does it


def turned(parts: Sequence[Any]) -> Any:
    """The transposed of matrices below each other, (columns, rows of all), on memory that waits.

    The matrices have one dtype and one number of columns.
    """
    count, columns = sum(map(len, parts)), parts[0].shape[1]
    kind = parts[0].dtype
    found, start = arena.empty((columns, count), kind), 0
    copy, size = _copy(kind.char) if kind.isnative else None, kind.itemsize
    place = address(found)
    for part in parts:
        rows, flags = len(part), part.flags
        if copy is not None and rows and columns and flags.c_contiguous and flags.aligned:
            into = place + start * size
            copy(_BY_ROWS, _TURNED, rows, columns, 1, address(part), columns, into, count)
        else:
            for first in range(0, rows, _PART):
                some = part[first : first + _PART].T
                found[:, start + first : start + first + some.shape[1]] = some
        start += rows
    return found


@cache
def _copy(char: str) -> Any:
    """OpenBLAS's function for a dtype, if it is there and turns a matrix rightly; or None."""
    name, real = _KINDS.get(char, (None, None))
    found = None if name is None else openblas(name)
    if found is None:
        return None
    found.argtypes = (ctypes.c_int, ctypes.c_int, INTEGER, INTEGER, real, ctypes.c_void_p, INTEGER,
                      ctypes.c_void_p, INTEGER)  # fmt: skip
    found.restype = None
    for rows, columns in ((1, 1), (3, 70), (37, 5), (64, 128)):
        given = np.arange(rows * columns, dtype=char).reshape(rows, columns)
        wide = np.full((columns, rows + 3), -1, char)
        found(_BY_ROWS, _TURNED, rows, columns, 1, address(given), columns, address(wide), rows + 3)
        if not ((wide[:, :rows] == given.T).all() and (wide[:, rows:] == -1).all()):
            return None
    return found
