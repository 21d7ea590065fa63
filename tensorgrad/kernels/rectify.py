"""max(x, 0) and masks on large arrays: in pieces that stay in the cache, on several threads.

NumPy compares two arrays with vector instructions, but an array and a number without: 6 against
20 us for 50,000 elements in float32, so that zeros are read from a piece of memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad import arena
from tensorgrad.threads import split

__all__ = ["maximum_with_zero", "multiply_by_mask"]

_PIECE = 1 << 14
_SPLIT_FROM = 1 << 19
_ZEROS = {char: np.zeros(_PIECE, char) for char in "fd"}


def _flat(x: Any) -> Any:
    """The elements in the order in which they lie in memory, or None if there are gaps."""
    if x.flags.c_contiguous:
        return x.reshape(-1)
    order = sorted(range(x.ndim), key=lambda i: -abs(x.strides[i]))
    dense = x.transpose(order)
    return dense.reshape(-1) if dense.flags.c_contiguous else None


def maximum_with_zero(x: Any) -> Any:
    """max(x, 0); NaN stays NaN."""
    zeros = _ZEROS.get(x.dtype.char)
    flat = None if x.size < 2048 else _flat(x)
    if zeros is None or flat is None:
        return np.maximum(x, x.dtype.type(0))
    y = arena.empty_like(x)
    out = _flat(y)

    def work(start: int, stop: int) -> None:
        for i in range(start, stop, _PIECE):
            j = min(i + _PIECE, stop)
            np.maximum(flat[i:j], zeros[: j - i], out=out[i:j])

    split(work, x.size, x.size > _SPLIT_FROM)
    return y


def multiply_by_mask(bits: Any, mask: Any) -> Any:
    """Integers where a bool array of the same shape holds, else 0."""
    if bits.size > _SPLIT_FROM and bits.strides == tuple(s * bits.itemsize for s in mask.strides):
        numbers, flags = _flat(bits), _flat(mask)
        if numbers is not None and bits.shape == mask.shape:
            y = arena.empty_like(bits)
            out = _flat(y)

            def work(start: int, stop: int) -> None:
                np.multiply(numbers[start:stop], flags[start:stop], out=out[start:stop])

            split(work, bits.size)
            return y
    return np.multiply(bits, mask)
