"""Convolution on small maps with many channels: one matrix product per weight of the window.

On maps hardly larger than the window much of im2col's columns is padding: 56 % for 3x3 on 2x2, 31 %
on 4x4.  Here each place in the window multiplies only those inputs that it meets.  The weights are
copied in the order (places, O, C), which takes a quarter of the time of (places, C, O).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

__all__ = ["convolve", "input_gradient", "serves", "weight_gradient"]

_FEWEST_CHANNELS = 64
# The share of columns that are not padding, above which one product is faster.
_FULL = 0.8


def serves(problem: Any) -> str:
    """Why not this kernel, or "" if it serves: the same for all three operations."""
    if problem.groups != 1 or prod(problem.kernel) == 1:
        return "groups" if problem.groups != 1 else "a window of one"
    if problem.dtype.kind != "f" or problem.dtype.itemsize < 4:
        return f"BLAS has no product of {problem.dtype}"
    if min(problem.weight[:2]) < _FEWEST_CHANNELS:
        return f"fewer than {_FEWEST_CHANNELS} channels"
    if not prod(problem.output) * problem.input[0]:
        return "empty"
    used = sum(prod(b - a for a, b, _ in place) for _, place in _places(problem))
    if used > _FULL * prod(problem.kernel) * prod(problem.output):
        return "a map much larger than the window"
    return ""


def _places(problem: Any) -> Iterator[tuple[int, list[tuple[int, int, int]]]]:
    """Place in the window, and per axis: from which output to which, and the first one's input."""
    axes = list(
        zip(
            problem.stride,
            problem.dilation,
            problem.padding,
            problem.input[2:],
            problem.output,
            strict=True,
        )
    )
    for number, place in enumerate(np.ndindex(*problem.kernel)):
        met = []
        for k, (s, d, (low, _), n, out) in zip(place, axes, strict=True):
            offset = k * d - low  # output o meets input o * s + offset
            start = max(0, -(offset // s))
            stop = min(out, (n - 1 - offset) // s + 1)
            met.append((start, max(start, stop), start * s + offset))
        yield number, met


def _met(problem: Any) -> Iterator[tuple[int, Any, Any]]:
    """Place in the window, and the index of its outputs and of its inputs, channels last."""
    for number, met in _places(problem):
        if all(stop > start for start, stop, _ in met):
            outputs = tuple(slice(start, stop) for start, stop, _ in met)
            inputs = tuple(
                slice(first, first + s * (stop - start - 1) + 1, s)
                for (start, stop, first), s in zip(met, problem.stride, strict=True)
            )
            yield number, (slice(None), *outputs), (slice(None), *inputs)


def _by_place(w: Any) -> Any:
    """(O, C, *kernel) as (places, O, C)."""
    flat = w.reshape(*w.shape[:2], -1)
    out = np.empty((flat.shape[2], *flat.shape[:2]), w.dtype)
    for k in range(len(out)):
        out[k] = flat[:, :, k]
    return out


def _rows(part: Any) -> Any:
    return part.reshape(-1, part.shape[-1])


def convolve(problem: Any, x: Any, w: Any, b: Any, keep: bool) -> tuple[Any, Any]:
    """The sum over the places of the window; nothing is kept."""
    x = np.moveaxis(x, 1, -1)
    y = np.zeros((x.shape[0], *problem.output, w.shape[0]), x.dtype)
    if b is not None:
        y += b
    weights = _by_place(w)
    for k, outputs, inputs in _met(problem):
        part = y[outputs]
        part += np.dot(_rows(x[inputs]), weights[k].T).reshape(part.shape)
    return np.moveaxis(y, -1, 1), None


def input_gradient(problem: Any, g: Any, w: Any) -> Any:
    """The same sum the other way."""
    batch, channels, *spatial = problem.input
    g = np.moveaxis(g, 1, -1)
    dx = np.zeros((batch, *spatial, channels), g.dtype)
    weights = _by_place(w)
    for k, outputs, inputs in _met(problem):
        part = dx[inputs]
        part += np.dot(_rows(g[outputs]), weights[k]).reshape(part.shape)
    return np.moveaxis(dx, -1, 1)


def weight_gradient(problem: Any, x: Any, g: Any, kept: Any) -> Any:
    """One product per place, of the gradients and the inputs that meet there."""
    outs, channels, *kernel = problem.weight
    x, g = np.moveaxis(x, 1, -1), np.moveaxis(g, 1, -1)
    d = np.zeros((outs, channels, prod(kernel)), g.dtype)
    for k, outputs, inputs in _met(problem):
        d[:, :, k] = np.dot(_rows(g[outputs]).T, _rows(x[inputs]))
    return d.reshape(problem.weight)
