"""max(x, 0), its gradient, and masks on large arrays: in pieces, on several threads.

===============  =====================  ================================================
operation        called as              returns
===============  =====================  ================================================
`relu`           run(problem, x)        max(x, 0); NaN stays NaN
`relu_gradient`  run(problem, g, y)     g where y = max(x, 0) is not 0, else 0, even
                                        where g is infinite or NaN
===============  =====================  ================================================

NumPy compares two arrays with vector instructions, but an array and a number without: 6 against
20 us for 50,000 elements in float32, so that zeros are read from a piece of memory.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tensorgrad.kernels.dense import flat, is_dense
from tensorgrad.kernels.registry import Operation
from tensorgrad.machine import arena
from tensorgrad.machine.threads import split

__all__ = ["BITS", "Problem", "multiply_by_mask", "relu", "relu_gradient"]

# Integers with which the bits of a float are multiplied by a mask.
BITS = {"f": np.int32, "d": np.int64, "e": np.int16}

_PIECE = 1 << 14
_SPLIT_FROM = 1 << 19
_ZEROS = {char: np.zeros(_PIECE, char) for char in "fd"}


class Problem(NamedTuple):
    """An array as the kernels see it; hashable, so that choices are kept for it."""

    input: tuple[int, ...]
    dtype: np.dtype[Any]


def _maximum(problem: Problem, x: Any) -> Any:
    return np.maximum(x, x.dtype.type(0))


def _masked(problem: Problem, g: Any, y: Any) -> Any:
    return np.where(y != 0, g, g.dtype.type(0))


relu = Operation("relu", _maximum)
relu_gradient = Operation("relu_gradient", _masked)


def _serves(problem: Problem) -> str:
    return "" if problem.dtype.char in _ZEROS else f"not written for {problem.dtype}"


@relu.kernel("pieces", _serves)
def _maximum_in_pieces(problem: Problem, x: Any) -> Any:
    if not is_dense(x):
        return _maximum(problem, x)
    zeros = _ZEROS[x.dtype.char]
    y = arena.empty_like(x)
    numbers, out = flat(x), flat(y)

    def work(start: int, stop: int) -> None:
        for i in range(start, stop, _PIECE):
            j = min(i + _PIECE, stop)
            np.maximum(numbers[i:j], zeros[: j - i], out=out[i:j])

    split(work, x.size, x.size > _SPLIT_FROM)
    return y


@relu_gradient.kernel("bits", _serves)
def _masked_bits(problem: Problem, g: Any, y: Any) -> Any:
    if g.strides != y.strides and g.ndim > 2:
        # Between channels first and last a copy, and the product of two that lie alike, take three
        # quarters of the time of the product alone; what comes next wants y's order besides.
        given, g = g, arena.empty_like(y, g.dtype)
        g[...] = given
        bits = g.view(BITS[g.dtype.char])
        if bits.size <= _SPLIT_FROM:
            np.multiply(bits, y != y.dtype.type(0), bits)
            return g
    bits = g.view(BITS[g.dtype.char])
    return multiply_by_mask(bits, y != y.dtype.type(0)).view(g.dtype)


def multiply_by_mask(bits: Any, mask: Any) -> Any:
    """Integers where a bool array of the same shape holds, else 0."""
    if bits.size <= _SPLIT_FROM:
        return np.multiply(bits, mask)
    steps = tuple(s * bits.itemsize for s in mask.strides)
    if bits.shape != mask.shape or bits.strides != steps or not is_dense(bits):
        return np.multiply(bits, mask)
    y = arena.empty_like(bits)
    numbers, flags, out = flat(bits), flat(mask), flat(y)

    def work(start: int, stop: int) -> None:
        np.multiply(numbers[start:stop], flags[start:stop], out=out[start:stop])

    split(work, bits.size)
    return y
