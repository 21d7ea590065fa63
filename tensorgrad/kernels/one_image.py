"""Convolution of a single image: the weights as they lie in memory times the image's columns.

With one image, putting the weights into another order takes longer than the product.  As a matrix
(O, C * window) they need columns in planes, and give planes: the output is channels first.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

__all__ = ["convolve", "serves"]


def serves(problem: Any) -> str:
    """Why not this kernel; "" if it serves."""
    if problem.input[0] != 1:
        return f"{problem.input[0]} images"
    if problem.groups != 1:
        return "groups"
    if problem.dtype.kind != "f" or problem.dtype.itemsize < 4:
        return f"BLAS has no product of {problem.dtype}"
    return "" if prod(problem.weight) * prod(problem.output) else "empty"


def convolve(problem: Any, x: Any, w: Any, b: Any, keep: bool) -> tuple[Any, Any]:
    """One product; nothing is kept."""
    _, channels, *spatial = problem.input
    kernel, out = problem.kernel, problem.output
    full = x[0]
    if any(map(any, problem.padding)):
        sizes = [n + low + high for n, (low, high) in zip(spatial, problem.padding, strict=True)]
        inner = tuple(
            slice(low, low + n) for n, (low, _) in zip(spatial, problem.padding, strict=True)
        )
        full = np.zeros((channels, *sizes), x.dtype)
        full[(slice(None), *inner)] = x[0]
    step = full.strides
    within = (a * d for a, d in zip(step[1:], problem.dilation, strict=True))
    move = (a * s for a, s in zip(step[1:], problem.stride, strict=True))
    view = as_strided(full, (channels, *kernel, *out), (step[0], *within, *move), writeable=False)
    columns = view.reshape(channels * prod(kernel), prod(out))
    y = np.dot(w.reshape(w.shape[0], -1), columns)
    if b is not None:
        y += b[:, None]
    return y.reshape(1, w.shape[0], *out), None
