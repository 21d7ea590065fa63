"""The functions of formulas that normalise along the last axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.formula.functions import word

__all__ = ["mean_last", "root_mean", "spread_last", "standard"]

Array = Any


@word("mean({0})")
def mean_last(a: Array, axes: int) -> Array:
    """The mean over the last ``axes`` axes, which stay with length 1."""
    return np.mean(a, axis=tuple(range(-axes, 0)), keepdims=True)


@word("σ")
def spread_last(x: Array, axes: int, eps: float) -> Array:
    """sqrt(variance + eps) over the last axes."""
    return np.sqrt(mean_last((x - mean_last(x, axes)) ** 2, axes) + eps)


@word("{0:a}̂")
def standard(x: Array, axes: int, eps: float) -> Array:
    """x with mean 0 and (but for eps) variance 1 over the last axes."""
    return (x - mean_last(x, axes)) / spread_last(x, axes, eps)


@word("rms({0})")
def root_mean(x: Array, axes: int, eps: float) -> Array:
    """sqrt(mean of squares + eps) over the last axes."""
    return np.sqrt(mean_last(x**2, axes) + eps)
