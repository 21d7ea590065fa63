"""Statistics of many tensors at once from evenly spaced elements: what `Monitor` can afford."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BINS", "LOWEST", "STATISTICS", "Spaced", "every", "statistics"]

Array = NDArray[Any]

# Histograms count |gradient| by factors of two: bin 0 is exactly zero, bin k >= 1 holds
# 2**(LOWEST + k - 1) <= |g| < 2**(LOWEST + k), and the outermost two what lies beyond them.
LOWEST = -60
BINS = 82
STATISTICS = (
    "mean",
    "abs_mean",
    "max",
    "std",
    "grad_norm",
    "data_norm",
    "update_norm",
)


class Spaced:
    """Which elements of a tensor are looked at: at most ``limit``, every ``step``-th in memory.

    The step has no factor in common with the number of elements: with one, a matrix of 1024
    columns would be judged by a single column of it.
    """

    __slots__ = ("count", "step")

    def __init__(self, size: int, limit: int) -> None:
        step = max(1, -(-size // limit))
        while step > 1 and math.gcd(step, size) != 1:
            step += 1
        self.step = step
        self.count = -(-size // step) if size else 0


def every(array: Array, step: int) -> Array:
    """Every ``step``-th element: a view where the memory has no gaps, in any order of axes."""
    return array.ravel("K")[::step]


def statistics(gradients: Array, before: Array, after: Array, sizes: Array) -> tuple[Array, Array]:
    """`STATISTICS` (rows) of each tensor (columns), and the histograms of their |gradients|.

    Three rows of numbers, in each of which the elements of the tensors follow each other, as many
    as ``sizes`` says, none of it 0: of the gradients, of the tensors before the step and after it.
    Norms are root mean squares of the elements, so their ratios estimate those of the whole
    tensors.
    """
    starts = np.cumsum(sizes) - sizes
    g, g_size = gradients.real.astype(np.float64), _size(gradients)
    data = _size(before)
    out = np.empty((len(STATISTICS), len(sizes)))
    with np.errstate(all="ignore"):
        update = _size(after - before)
        mean = np.add.reduceat(g, starts) / sizes
        out[0] = mean
        out[1] = np.add.reduceat(g_size, starts) / sizes
        out[2] = np.maximum.reduceat(g_size, starts)
        square = np.add.reduceat(g_size * g_size, starts) / sizes
        out[3] = np.sqrt(np.maximum(square - mean * mean, 0))
        out[4] = np.sqrt(square)
        out[5] = np.sqrt(np.add.reduceat(data * data, starts) / sizes)
        out[6] = np.sqrt(np.add.reduceat(update * update, starts) / sizes)
    # Of a float64 that is not negative: 1023 more than the exponent of two.  np.frexp takes longer.
    exponent = g_size.view(np.int64) >> 52
    place = np.clip(exponent - (1022 + LOWEST), 1, BINS - 1) * (g_size != 0)
    owner = np.repeat(np.arange(len(sizes)) * BINS, sizes)
    finite = np.isfinite(g_size)
    where = owner + place if finite.all() else (owner + place)[finite]
    histograms = np.bincount(where, minlength=BINS * len(sizes)).reshape(len(sizes), BINS)
    return out, histograms


def _size(values: Array) -> Array:
    """Absolute values in float64: squares of float32 would vanish below 1e-23."""
    return np.abs(values).astype(np.float64)
