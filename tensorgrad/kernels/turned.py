"""A matrix turned: its rows written as the columns of another.

NumPy does it number by number: 512 rows of 128 float32 take 60 us in parts of 64 rows, and 90 at
once.  OpenBLAS has a kernel for it that takes 19.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np

from tensorgrad.address import address
from tensorgrad.blas import INTEGER, openblas

__all__ = ["turn"]

_KINDS = {"f": ("cblas_somatcopy", ctypes.c_float), "d": ("cblas_domatcopy", ctypes.c_double)}
_BY_ROWS, _TURNED = 101, 112  # as CBLAS numbers them
_PART = 64  # rows at a time, where NumPy does it


def turn(matrix: Any, into: Any) -> None:
    """into[...] = matrix.T, for two matrices of one dtype that share no memory."""
    rows, columns = matrix.shape
    kind, size = matrix.dtype, matrix.dtype.itemsize
    copy = _copy(kind.char)
    if (
        copy is None
        or not (rows and columns)
        or not (matrix.flags.c_contiguous and matrix.flags.aligned)
        or into.strides[1] != size
        or into.strides[0] < rows * size
        or into.strides[0] % size
        or not into.flags.behaved
        or into.shape != (columns, rows)
        or into.dtype is not kind
    ):
        for start in range(0, rows, _PART):
            into[:, start : start + _PART] = matrix[start : start + _PART].T
        return
    width = into.strides[0] // size
    copy(_BY_ROWS, _TURNED, rows, columns, 1, address(matrix), columns, address(into), width)


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
