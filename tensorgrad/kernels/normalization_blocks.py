"""Batch norm of channels-last memory: rows that hold several windows of channels, in pieces.

With the channels last, a vector of C numbers meets every C elements.  Rows are made wider, C * r of
them, and the vectors repeated, so that NumPy's inner loops are long; pieces of rows stay in the
cache from one operation to the next; parts of the rows go to several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tensorgrad.kernels.normalization import (
    Problem,
    batch_norm,
    batch_norm_backward,
    batch_statistics,
)
from tensorgrad.machine import arena
from tensorgrad.machine.threads import split

_WIDE = 1024
# Elements of a piece, and of the whole for a second thread to pay.
_PIECE = 1 << 15
_SPLIT_FROM = 300_000


def _serves(problem: Problem) -> str:
    """Why not these kernels, or "" if they serve."""
    if problem.dtype.char not in "fd":
        return f"not written for {problem.dtype}"
    if not problem.channels_last:
        return "channels are not last in memory"
    return "" if all(problem.input) else "empty"


class _Rows:
    """Images as rows of several windows of channels, and how to go through them."""

    def __init__(self, x: Any) -> None:
        last = np.moveaxis(x, 1, -1)
        self.shape, self.channels = last.shape, last.shape[-1]
        self.number = x.size // self.channels  # of values per channel
        repeats = 1
        while repeats * self.channels < _WIDE and self.number % (2 * repeats) == 0:
            repeats *= 2
        self.repeats = repeats
        self.x = self.of(x)

    def of(self, x: Any) -> Any:
        """Another array of the same shape, in the same rows."""
        last = np.ascontiguousarray(np.moveaxis(x, 1, -1))
        return last.reshape(self.number // self.repeats, self.repeats * self.channels)

    def images(self, rows: Any) -> Any:
        """The other way: (N, C, ...)."""
        return np.moveaxis(rows.reshape(self.shape), -1, 1)

    def wide(self, v: Any) -> Any:
        """A vector over channels for every window of a row."""
        return np.tile(v, self.repeats) if self.repeats > 1 else v

    def over(self, work: Callable[[Iterator[tuple[slice, Any]]], None]) -> None:
        """Call work with the pieces of a part, and scratch memory for one, for each part."""
        step = max(1, _PIECE // self.x.shape[1])

        def part(start: int, stop: int) -> None:
            scratch = np.empty((step, self.x.shape[1]), self.x.dtype)

            def pieces() -> Iterator[tuple[slice, Any]]:
                for i in range(start, stop, step):
                    j = min(i + step, stop)
                    yield slice(i, j), scratch[: j - i]

            work(pieces())

        split(part, len(self.x), self.x.size > _SPLIT_FROM)

    def sums(self, count: int, work: Callable[[slice, Any], tuple[Any, ...]]) -> list[Any]:
        """Sums per channel of what work returns for each piece, ``count`` arrays of rows."""
        parts: dict[int, list[Any]] = {}

        def part(pieces: Iterator[tuple[slice, Any]]) -> None:
            totals = [np.zeros(self.x.shape[1], self.x.dtype) for _ in range(count)]
            first = -1
            for where, scratch in pieces:
                first = where.start if first < 0 else first
                for total, rows in zip(totals, work(where, scratch), strict=True):
                    total += np.add.reduce(rows, axis=0)
            parts[first] = totals

        self.over(part)
        found = [sum(columns) for columns in zip(*(parts[k] for k in sorted(parts)), strict=True)]
        return [np.add.reduce(v.reshape(self.repeats, self.channels), axis=0) for v in found]


@batch_statistics.kernel("rows", _serves)
def _statistics(problem: Problem, x: Any) -> tuple[Any, Any]:
    """The variance from the centred values: that of the squares would lose digits."""
    rows = _Rows(x)
    n = x.dtype.type(rows.number)
    (total,) = rows.sums(1, lambda where, scratch: (rows.x[where],))
    mean = total / n
    centre = rows.wide(mean)

    def squares(where: slice, scratch: Any) -> tuple[Any]:
        np.subtract(rows.x[where], centre, out=scratch)
        return (np.multiply(scratch, scratch, out=scratch),)

    (spread,) = rows.sums(1, squares)
    return mean, spread / n


@batch_norm.kernel("rows", _serves)
def _forward(problem: Problem, x: Any, w: Any, b: Any, mean: Any, var: Any, eps: float) -> Any:
    """One multiplication and one addition per element."""
    rows = _Rows(x)
    scale = np.reciprocal(np.sqrt(var + x.dtype.type(eps)))
    if w is not None:
        scale = scale * w
    shift = rows.wide(-mean * scale if b is None else b - mean * scale)
    scale = rows.wide(scale)
    y = arena.empty(rows.x.shape, rows.x.dtype)

    def work(pieces: Iterator[tuple[slice, Any]]) -> None:
        for where, _ in pieces:
            out = y[where]
            np.multiply(rows.x[where], scale, out=out)
            out += shift

    rows.over(work)
    return rows.images(y)


@batch_norm_backward.kernel("rows", _serves)
def _backward(
    problem: Problem, g: Any, x: Any, w: Any, mean: Any, var: Any, eps: float, needs: Any
) -> list[Any]:
    """Two sums, and then dx as g times a number plus x - mean times another plus a third."""
    rows = _Rows(x)
    kind = x.dtype.type
    n = kind(rows.number)
    slopes, centre = rows.of(g), rows.wide(mean)
    inverse = np.reciprocal(np.sqrt(var + kind(eps)))

    def terms(where: slice, scratch: Any) -> tuple[Any, Any]:
        np.subtract(rows.x[where], centre, out=scratch)
        scratch *= slopes[where]
        return scratch, slopes[where]

    dw, db = rows.sums(2, terms)
    dw *= inverse
    gradients = [None, dw if needs[1] else None, db if needs[2] else None]
    if not needs[0]:
        return gradients
    scale = inverse if w is None else inverse * w
    of_x = rows.wide(-scale * inverse * dw / n)
    constant = rows.wide(-scale * db / n)
    scale = rows.wide(scale)
    dx = arena.empty(rows.x.shape, rows.x.dtype)

    def work(pieces: Iterator[tuple[slice, Any]]) -> None:
        for where, scratch in pieces:
            out = dx[where]
            np.subtract(rows.x[where], centre, out=scratch)
            scratch *= of_x
            np.multiply(slopes[where], scale, out=out)
            out += scratch
            out += constant

    rows.over(work)
    return [rows.images(dx), *gradients[1:]]
