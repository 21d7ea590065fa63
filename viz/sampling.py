"""Statistics of many tensors at once from evenly spaced elements: what `Monitor` can afford."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BINS", "LOWEST", "STATISTICS", "Spaced", "statistics"]

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

    def copy_of(self, array: Array) -> Array:
        """A copy of these elements."""
        if self.step == 1:
            return array.flatten("K")
        # A view first, where the memory has no gaps, whatever the order of its axes.
        return array.ravel("K")[:: self.step].copy()


def statistics(
    gradients: Sequence[Array], before: Sequence[Array], after: Sequence[Array | None]
) -> tuple[Array, Array]:
    """`STATISTICS` (rows) of each tensor (columns), and the histograms of their |gradients|.

    The three sequences are parallel: elements of a gradient, of its tensor before the step and
    after it (None: the optimizer does not have it, its update is NaN).  None may be empty.  Norms
    are root mean squares of the elements, so their ratios estimate those of the whole tensors.
    All tensors go through each NumPy call together: with a call a tensor, a model of small layers
    would pay more for the calls than for its steps.
    """
    sizes = np.array([len(g) for g in gradients])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    whole = np.concatenate(gradients)
    g, g_size = whole.real.astype(np.float64), _size(whole)
    start = np.concatenate(before)
    data = _size(start)
    update = _size(np.concatenate([b if a is None else a for a, b in zip(after, before)]) - start)
    out = np.empty((len(STATISTICS), len(sizes)))
    with np.errstate(all="ignore"):
        mean = np.add.reduceat(g, starts) / sizes
        out[0] = mean
        out[1] = np.add.reduceat(g_size, starts) / sizes
        out[2] = np.maximum.reduceat(g_size, starts)
        square = np.add.reduceat(g_size * g_size, starts) / sizes
        out[3] = np.sqrt(np.maximum(square - mean * mean, 0))
        out[4] = np.sqrt(square)
        out[5] = np.sqrt(np.add.reduceat(data * data, starts) / sizes)
        out[6] = np.sqrt(np.add.reduceat(update * update, starts) / sizes)
        for k, a in enumerate(after):
            if a is None:
                out[6, k] = np.nan
        exponent = np.frexp(g_size)[1]
    place = np.clip(exponent - LOWEST, 1, BINS - 1)
    place[g_size == 0] = 0
    owner = np.repeat(np.arange(len(sizes)) * BINS, sizes)
    finite = np.isfinite(g_size)
    where = owner + place if finite.all() else (owner + place)[finite]
    histograms = np.bincount(where, minlength=BINS * len(sizes)).reshape(len(sizes), BINS)
    return out, histograms


def _size(values: Array) -> Array:
    """Absolute values in float64: squares of float32 would vanish below 1e-23."""
    return np.abs(values).astype(np.float64)
