"""p <- p + alpha g in place: what a step of plain gradient descent is.

``add_scaled.choose(problem)(problem, p, g, alpha)``: p and g dense in C order, of one real dtype.

NumPy needs two passes and somewhere to put the product. BLAS makes one pass, on as many threads as
matrix products have, and rounds once: of 235,000 float32 after the products of a training step 95
us, where two ufuncs in pieces took 185; of 1.6 million 0.65 and 1.56 ms; below 10,000 no
difference.
"""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.kernels.registry import Operation
from tensorgrad.machine import arena
from tensorgrad.machine.address import address
from tensorgrad.machine.blas import INTEGER, openblas
from tensorgrad.machine.constants import float32, float64
from tensorgrad.machine.threads import split

__all__ = ["LEAST", "Problem", "add_scaled"]

LEAST = 1 << 14  # elements

# Elements whose product with alpha stays in a core's cache until it is added.
_PIECE = 1 << 16
_SPLIT_FROM = 1 << 18


class Problem(NamedTuple):
    """Arrays as the kernels see them; hashable, so that choices are kept for it."""

    size: int
    dtype: np.dtype[Any]


def _in_pieces(problem: Problem, p: Any, g: Any, alpha: float) -> None:
    p, g = p.reshape(-1), g.reshape(-1)
    factor = np.array(alpha, p.dtype)

    def work(start: int, stop: int) -> None:
        products = arena.empty((min(_PIECE, stop - start),), p.dtype)
        for i in range(start, stop, _PIECE):
            part = p[i : min(i + _PIECE, stop)]
            product = np.multiply(g[i : i + part.size], factor, products[: part.size])
            np.add(part, product, part)

    split(work, p.size, p.size >= _SPLIT_FROM)


add_scaled = Operation("add_scaled", _in_pieces)

_axpy: dict[Any, Any] = {}
_KINDS = ((float32, "cblas_saxpy", ctypes.c_float), (float64, "cblas_daxpy", ctypes.c_double))
for _dtype, _name, _real in _KINDS:
    if (_found := openblas(_name)) is not None:
        _found.argtypes = INTEGER, _real, ctypes.c_void_p, INTEGER, ctypes.c_void_p, INTEGER
        _found.restype = None
        _axpy[_dtype] = _found


def _serves(problem: Problem) -> str:
    if problem.dtype not in (float32, float64):
        return f"not written for {problem.dtype}"
    if problem.size < LEAST:
        return "as fast in NumPy"
    return "" if problem.dtype in _axpy else "NumPy's BLAS is not the OpenBLAS of its wheels"


@add_scaled.kernel("blas", _serves)
def _by_blas(problem: Problem, p: Any, g: Any, alpha: float) -> None:
    kind, flags = problem.dtype, g.flags
    if (
        not alpha  # then BLAS does nothing, but 0 times infinity is NaN
        or not p.flags.carray  # NumPy says that it must not be written
        or not (flags.c_contiguous and flags.aligned)
        or not p.dtype == g.dtype == kind
        or not p.size == g.size == problem.size
    ):
        _in_pieces(problem, p, g, alpha)
        return
    _axpy[kind](p.size, alpha, address(g), 1, address(p), 1)
