"""The functions of formulas that look at windows: convolution, pooling, and their adjoints.

Each is a loop over the pairs of a window's place and the input element under it, which is the
definition; `tensorgrad.kernels` computes the same by other means.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from tensorgrad.formula.functions import word

__all__ = [
    "conv",
    "conv_input",
    "conv_weight",
    "put_won",
    "take_won",
    "to_winners",
    "window",
    "window_back",
]

Array = Any
ALL: Any = slice(None)


def _taps(
    size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, out: Any
) -> Iterator[tuple[int, Any, Any, Any]]:
    """(number of the place in the window, that place, window, element): all that lie inside."""
    for number, place in enumerate(np.ndindex(*kernel)):
        for window in np.ndindex(*out):
            element = tuple(
                w * s + p * d - low
                for w, s, p, d, (low, _) in zip(
                    window, stride, place, dilation, padding, strict=True
                )
            )
            if all(0 <= e < n for e, n in zip(element, size, strict=True)):
                yield number, place, window, element


def _groups(w: Array, groups: int) -> Iterator[tuple[slice, slice]]:
    """(input channels, output channels) of each group."""
    i, o = w.shape[1], w.shape[0] // groups
    for k in range(groups):
        yield slice(k * i, k * i + i), slice(k * o, k * o + o)


def _out_size(x: Array, w: Array, stride: Any, padding: Any, dilation: Any) -> list[int]:
    sizes = zip(x.shape[2:], w.shape[2:], stride, padding, dilation, strict=True)
    return [(n + sum(pad) - d * (k - 1) - 1) // s + 1 for n, k, s, pad, d in sizes]


@word("{0:a} ⋆ {1:a}")
def conv(x: Array, w: Array, *, stride: Any, padding: Any, dilation: Any, groups: int) -> Array:
    """Cross-correlation: every output is a sum of products of an input and a weight."""
    out = _out_size(x, w, stride, padding, dilation)
    y: Array = np.zeros((x.shape[0], w.shape[0], *out))
    for _, k, o, i in _taps(x.shape[2:], w.shape[2:], stride, padding, dilation, out):
        for cin, cout in _groups(w, groups):
            y[(ALL, cout, *o)] += x[(ALL, cin, *i)] @ w[(cout, ALL, *k)].T
    return y


@word("convᵀ({0}, {1})")
def conv_input(
    g: Array, w: Array, x: Array, *, stride: Any, padding: Any, dilation: Any, groups: int
) -> Array:
    """Each output's gradient goes, times its weight, to the inputs it was made of."""
    d: Array = np.zeros(x.shape)
    for _, k, o, i in _taps(x.shape[2:], w.shape[2:], stride, padding, dilation, g.shape[2:]):
        for cin, cout in _groups(w, groups):
            d[(ALL, cin, *i)] += g[(ALL, cout, *o)] @ w[(cout, ALL, *k)]
    return d


@word("{0:a} ⋆ {1:a}")
def conv_weight(
    x: Array, g: Array, w: Array, *, stride: Any, padding: Any, dilation: Any, groups: int
) -> Array:
    """Each output's gradient goes, times its input, to the weights it was made with."""
    d: Array = np.zeros(w.shape)
    for _, k, o, i in _taps(x.shape[2:], w.shape[2:], stride, padding, dilation, g.shape[2:]):
        for cin, cout in _groups(w, groups):
            d[(cout, ALL, *k)] += g[(ALL, cout, *o)].T @ x[(ALL, cin, *i)]
    return d


@word("to the winners({0})")
def to_winners(
    g: Array, x: Array, *, kernel: Any, stride: Any, padding: Any, dilation: Any
) -> Array:
    """Each window's gradient to its first largest element."""
    n = len(kernel)
    size, out = x.shape[x.ndim - n :], g.shape[g.ndim - n :]
    best: dict[Any, Any] = {}
    for lead in itertools.product(*map(range, x.shape[: x.ndim - n])):
        for _, _, o, i in _taps(size, kernel, stride, padding, dilation, out):
            held = best.get((*lead, *o))
            if held is None or x[(*lead, *i)] > x[held]:
                best[(*lead, *o)] = (*lead, *i)
    d: Array = np.zeros(x.shape)
    for window, winner in best.items():
        d[winner] += g[window]
    return d


@word("put({0}, won)")
def put_won(
    g: Array, x: Array, won: Array, *, kernel: Any, stride: Any, padding: Any, dilation: Any
) -> Array:
    """Each window's value at the place of it that ``won`` says, in zeros like x."""
    n = len(kernel)
    d: Array = np.zeros(x.shape)
    for number, _, o, i in _taps(
        x.shape[x.ndim - n :], kernel, stride, padding, dilation, won.shape[won.ndim - n :]
    ):
        d[(..., *i)] += np.where(won[(..., *o)] == number, g[(..., *o)], 0)
    return d


@word("{0:a}[won]")
def take_won(
    g: Array, won: Array, *, kernel: Any, stride: Any, padding: Any, dilation: Any
) -> Array:
    """The element of each window at the place that ``won`` says."""
    n = len(kernel)
    y: Array = np.zeros(won.shape)
    for number, _, o, i in _taps(
        g.shape[g.ndim - n :], kernel, stride, padding, dilation, won.shape[won.ndim - n :]
    ):
        y[(..., *o)] += np.where(won[(..., *o)] == number, g[(..., *i)], 0)
    return y


@word("spread over windows({0})")
def window_spread(
    g: Array, x: Array, *, kernel: Any, stride: Any, padding: Any, dilation: Any, out: Any
) -> Array:
    """Each window's value to all of its elements."""
    d: Array = np.zeros(x.shape)
    for _, _, o, i in _taps(
        x.shape[x.ndim - len(kernel) :], kernel, stride, padding, dilation, out
    ):
        d[(..., *i)] += g[(..., *o)]
    return d


@word("Σ over windows {0:a}")
def window_sum(
    g: Array, *, kernel: Any, stride: Any, padding: Any, dilation: Any, out: Any
) -> Array:
    """The sum of each window."""
    n = len(kernel)
    y: Array = np.zeros((*g.shape[: g.ndim - n], *out))
    for _, _, o, i in _taps(g.shape[g.ndim - n :], kernel, stride, padding, dilation, out):
        y[(..., *o)] += g[(..., *i)]
    return y


@word("to the taps({0})")
def to_taps(g: Array, *, taps: Any, axis: int) -> Array:
    """Each output's gradient goes, times the weights, to the elements it was made of."""
    moved = np.moveaxis(g, axis, 0)
    d: Array = np.zeros((taps.size[1], *moved.shape[1:]))
    for number, (row, column) in enumerate(zip(taps.rows, taps.columns, strict=True)):
        d[column] += moved[row] * (1 if taps.weights is None else taps.weights[number])
    return np.moveaxis(d, 0, axis)


@word("windows of {0:a}")
def windows_to_columns(
    g: Array, *, kernel: Any, stride: Any, padding: Any, dilation: Any, out: Any
) -> Array:
    """The elements of each window as a column."""
    y: Array = np.zeros((*g.shape[:2], int(np.prod(kernel)), *out))
    for number, _, o, i in _taps(g.shape[2:], kernel, stride, padding, dilation, out):
        y[(ALL, ALL, number, *o)] = g[(ALL, ALL, *i)]
    return y.reshape(*y.shape[:3], -1)


@word("Σ of columns {0:a}")
def columns_to_windows(
    g: Array, x: Array, *, kernel: Any, stride: Any, padding: Any, dilation: Any, out: Any
) -> Array:
    """Each column's elements added where they come from."""
    d: Array = np.zeros(x.shape)
    parts = g.reshape(*g.shape[:3], *out)
    for number, _, o, i in _taps(x.shape[2:], kernel, stride, padding, dilation, out):
        d[(ALL, ALL, *i)] += parts[(ALL, ALL, number, *o)]
    return d


def _memory(place: tuple[int, ...], stride: Any, offset: int) -> int:
    return int(offset + sum(i * s for i, s in zip(place, stride, strict=True)))


@word("window of {0} by {2} from {3}")
def window(g: Array, x: Array, stride: Any, offset: int) -> Array:
    """The elements of g, in row-major order, at offset + i . stride, in the shape of x."""
    out = np.empty(x.shape, g.dtype)
    for place in np.ndindex(*x.shape):
        out[place] = g.flat[_memory(place, stride, offset)]
    return out


@word("{0} put back by {2} from {3}")
def window_back(g: Array, x: Array, stride: Any, offset: int) -> Array:
    """Zeros like x, with each element of g added where the window has it from."""
    out = np.zeros(x.shape, g.dtype)
    for place in np.ndindex(*g.shape):
        out.flat[_memory(place, stride, offset)] += g[place]
    return out
