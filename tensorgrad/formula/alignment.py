"""The function of formulas that goes through alignments: all of them, one by one."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tensorgrad.formula.functions import word

__all__ = ["passing"]

Array = Any


@word("P({0} | {1})")
def passing(x: Array, targets: Array, frames: Array, lengths: Array, blank: int) -> Array:
    """The share of paths through each class in each frame, of those that leave the target.

    A path's weight is the product of e**x over its frames; (T, N, C).
    """
    out = np.zeros_like(x)
    for n in range(x.shape[1]):
        wanted, steps = tuple(targets[n, : lengths[n]]), int(frames[n])
        total = 0.0
        for path in itertools.product(range(x.shape[2]), repeat=steps):
            if tuple(c for c, _ in itertools.groupby(path) if c != blank) != wanted:
                continue
            weight = float(np.exp(sum(x[t, n, c] for t, c in enumerate(path))))
            total += weight
            for t, c in enumerate(path):
                out[t, n, c] += weight
        out[:, n] /= total or 1.0
    return out
