"""Batch normalisation on NumPy.  Arrays are (N, C, ...), in any layout.

=====================  =================================================  =====================
operation              called as                                          returns
=====================  =================================================  =====================
`batch_statistics`     run(problem, x)                                    mean, biased variance
`batch_norm`           run(problem, x, w, b, mean, var, eps)              y
`batch_norm_backward`  run(problem, g, x, w, mean, var, eps, needs)       [dx, dw, db]
=====================  =================================================  =====================

``w`` and ``b`` may be None; ``needs`` are three bools, and what is not needed is None.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tensorgrad.kernels.registry import Operation

__all__ = ["Problem", "batch_norm", "batch_norm_backward", "batch_statistics", "problem_of"]


class Problem(NamedTuple):
    """Channels as their kernels see them; hashable, so that choices are kept for it."""

    input: tuple[int, ...]
    dtype: np.dtype[Any]
    channels_last: bool  # in memory, without gaps


def problem_of(x: Any) -> Problem:
    """The problem of an array (N, C, ...)."""
    last = x.transpose(0, *range(2, x.ndim), 1)
    return Problem(tuple(x.shape), x.dtype, last.flags.c_contiguous)


def _wide(v: Any, ndim: int) -> Any:
    """A vector over channels, shaped to broadcast over (N, C, ...)."""
    return v.reshape((1, -1) + (1,) * (ndim - 2))


def _statistics(problem: Any, x: Any) -> tuple[Any, Any]:
    axes = (0, *range(2, x.ndim))
    n = max(x.size // max(x.shape[1], 1), 1)
    mean = np.add.reduce(x, axis=axes) / x.dtype.type(n)
    centred = x - _wide(mean, x.ndim)
    np.multiply(centred, centred, out=centred)
    return mean, np.add.reduce(centred, axis=axes) / x.dtype.type(n)


def _forward(problem: Any, x: Any, w: Any, b: Any, mean: Any, var: Any, eps: float) -> Any:
    kind = x.dtype.type
    scale = np.reciprocal(np.sqrt(var + kind(eps)))
    if w is not None:
        scale = scale * w
    shift = -mean * scale if b is None else b - mean * scale
    y = x * _wide(scale, x.ndim)
    y += _wide(shift, x.ndim)
    return y


def _backward(
    problem: Any, g: Any, x: Any, w: Any, mean: Any, var: Any, eps: float, needs: Any
) -> list[Any]:
    """All three gradients from two sums per channel."""
    kind = x.dtype.type
    axes = (0, *range(2, x.ndim))
    n = kind(x.size // x.shape[1])
    inverse = np.reciprocal(np.sqrt(var + kind(eps)))
    normal = x - _wide(mean, x.ndim)
    normal *= _wide(inverse, x.ndim)
    db = np.add.reduce(g, axis=axes)
    dw = np.add.reduce(g * normal, axis=axes)
    dx = None
    if needs[0]:
        scale = inverse if w is None else inverse * w
        normal *= _wide(-dw / n, x.ndim)
        normal += g
        normal -= _wide(db / n, x.ndim)
        normal *= _wide(scale, x.ndim)
        dx = normal
    return [dx, dw if needs[1] else None, db if needs[2] else None]


batch_statistics = Operation("batch_statistics", _statistics)
batch_norm = Operation("batch_norm", _forward)
batch_norm_backward = Operation("batch_norm_backward", _backward)
