"""Sums over everything but the channels, which lie last in memory.

NumPy adds such rows one after the other, a few numbers at a time: 1.0 ms for 50,000 rows of 16
channels. As a product with a vector of ones, several rows side by side, the same takes 0.07 ms.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["total"]

_LEAST = 1 << 13  # elements
_WIDTH = 128  # columns at which the product runs at the memory's speed
_ones = {char: np.ones(1 << 14, char) for char in "fd"}


def total(x: Any, axes: tuple[int, ...]) -> Any:
    """The sum of x (N, C, *spatial) for each channel: (C,).

    None if ``axes`` are others than all but the channels, or these do not lie last, or x is small.
    """
    ndim = x.ndim
    if x.size < _LEAST or ndim < 3 or len(axes) != ndim - 1 or 1 in axes:
        return None
    last = x.transpose(*axes, 1)  # not by moveaxis, which takes 5 us
    ones = _ones.get(x.dtype.char)
    if ones is None or not last.flags.c_contiguous:
        return None
    channels = x.shape[1]
    count = x.size // channels
    together = max(1, _WIDTH // channels)
    while count % together:
        together -= 1
    height = count // together
    wide = last.reshape(height, together * channels)
    if height > len(ones):
        ones = np.ones(height, x.dtype)
    sums = ones[:height].dot(wide)
    return ones[:together].dot(sums.reshape(together, channels))
