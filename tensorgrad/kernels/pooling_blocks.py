"""Max pooling a few images at a time, while they are in the cache, on parts of the batch.

The winner of a window is counted: the number of places, from the first one on, whose element is
not the maximum.  That takes one comparison and two operations on bytes per place.

Where channels are innermost, the elements of one place are short runs with gaps between them, and
NumPy's operations start anew for each: a product into runs of 16 took 41 us where it takes 13
without gaps.  A copy that takes each run as a single item (`_items`) takes 10, so short runs are
copied next to each other first, or written from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from tensorgrad.kernels.pooling import (
    Problem,
    empty_like,
    lowest,
    max_pool,
    maximum,
    padded,
    places,
    pool_scatter,
    pool_winner,
    winner,
)
from tensorgrad.threads import split

# Elements of the input, for one block and for a second thread to pay.
_BLOCK = 64_000
_SPLIT_FROM = 300_000

# Runs of channels up to this many bytes are copied as one item.
_RUN = 128

_BITS = {"f": np.int32, "d": np.int64}


def _serves(problem: Problem) -> str:
    """Why not these kernels, or "" if they serve."""
    if problem.dtype.char not in _BITS:
        return f"not written for {problem.dtype}"
    if len(problem.input) <= len(problem.kernel) or not prod(problem.input) * prod(problem.output):
        return "empty, or without batch and channels"
    return "255 places or more" if prod(problem.kernel) >= 255 else ""


def _blocks(problem: Problem, start: int, stop: int) -> Iterator[tuple[slice, Problem]]:
    """Parts of the first axis that fit the cache, each with its own problem."""
    step = max(1, _BLOCK // prod(problem.input[1:]))
    for i in range(start, stop, step):
        j = min(i + step, stop)
        yield slice(i, j), problem._replace(input=(j - i, *problem.input[1:]))


def _split(problem: Problem, work: Any) -> None:
    split(work, problem.input[0], prod(problem.input) > _SPLIT_FROM)


def _items(problem: Problem, x: Any) -> Any:
    """(n, rows, columns) with the channels of a place as one item; None where it does not pay.

    That is where channels are innermost in memory, and few.
    """
    run = x.itemsize * x.shape[1]
    if x.ndim != 4 or len(problem.kernel) > 2 or x.strides[1] != x.itemsize:
        return None
    if x.shape[1] < 2 or run > _RUN:
        return None
    return x.transpose(0, 2, 3, 1).view(f"V{run}")[..., 0]


class _Places:
    """The elements of one place of every window: a view, or a copy without gaps."""

    def __init__(self, problem: Problem, x: Any, like: Any) -> None:
        self.x, self.items = x, _items(problem, x)
        if self.items is not None:
            self.scratch, self.into = _scratch(problem, like)

    def __getitem__(self, place: Any) -> Any:
        if self.items is None:
            return self.x[place]
        self.into[...] = self.items[place]
        return self.scratch


def _scratch(problem: Problem, x: Any) -> tuple[Any, Any]:
    """Memory of x's shape with channels innermost, and the same as items."""
    n, channels, *spatial = x.shape
    memory = np.empty((n, *spatial, channels), x.dtype).transpose(0, 3, 1, 2)
    return memory, _items(problem, memory)


@max_pool.kernel("blocked", _serves)
def _maximum(problem: Problem, x: Any) -> Any:
    lead = len(problem.input) - len(problem.kernel)
    y = empty_like(x, (*problem.input[:lead], *problem.output))

    def work(start: int, stop: int) -> None:
        for where, part in _blocks(problem, start, stop):
            _maximum_of(part, x[where], y[where])

    _split(problem, work)
    return y


def _maximum_of(problem: Problem, x: Any, y: Any) -> None:
    """Along the rows, which are long, then along the columns, place by place."""
    if len(problem.kernel) != 2 or _items(problem, x) is None:
        y[...] = maximum(problem, x)
        return
    x = padded(x, problem.padding, lowest(x.dtype))
    (high, wide), (down, right), (apart, aside) = problem.kernel, problem.stride, problem.dilation
    rows, columns = problem.output
    best = None
    for a in range(high):
        start = a * apart
        part = x[:, :, start : start + down * (rows - 1) + 1 : down]
        best = part if best is None else np.maximum(best, part, out=best if a > 1 else None)
    places_of = _Places(problem, best, y)
    for a in range(wide):
        start = a * aside
        part = places_of[..., start : start + right * (columns - 1) + 1 : right]
        if a:
            np.maximum(y, part, out=y)
        else:
            y[...] = part


@pool_winner.kernel("blocked", _serves)
def _winner(problem: Problem, x: Any, y: Any) -> Any:
    won = empty_like(y, y.shape, np.uint8)
    every = places(problem)

    def work(start: int, stop: int) -> None:
        for where, part in _blocks(problem, start, stop):
            best, found = y[where], won[where]
            # A NaN equals nothing, and -inf equals the border.
            if not np.isfinite(np.add.reduce(best, axis=None)):
                found[...] = winner(part, x[where], best)
                continue
            full = padded(x[where], part.padding, lowest(x.dtype))
            found.fill(0)
            if len(every) > 1:
                at = _Places(part, full, best)
                looking = at[every[0]] != best
                found += looking
                other = np.empty_like(looking)
                for place in every[1:-1]:
                    looking &= np.not_equal(at[place], best, out=other)
                    found += looking

    _split(problem, work)
    return won


@pool_scatter.kernel("blocked", _serves)
def _scatter(problem: Problem, g: Any, won: Any) -> Any:
    dx = empty_like(g, problem.input)
    every = places(problem)
    kind = _BITS[g.dtype.char]
    apart = all(k <= s for k, s in zip(problem.kernel, problem.stride, strict=True))
    disjoint = apart and set(problem.dilation) == {1}
    sizes = zip(problem.kernel, problem.output, problem.padded_input[-len(every[0]) + 1 :])
    tiles = disjoint and problem.kernel == problem.stride and all(k * o == n for k, o, n in sizes)
    bordered = any(map(any, problem.padding))

    def work(start: int, stop: int) -> None:
        for where, part in _blocks(problem, start, stop):
            bits, winners = g[where].view(kind), won[where]
            full = empty_like(g, part.padded_input) if bordered else dx[where]
            if not tiles:
                full.fill(0)
            if disjoint:
                full_bits, items = full.view(kind), _items(part, full)
                if items is not None:
                    piece, moved = _scratch(part, bits)
                for k, place in enumerate(every):
                    if items is None:
                        np.multiply(bits, winners == k, out=full_bits[place])
                    else:
                        np.multiply(bits, winners == k, out=piece)
                        items[place] = moved
            else:
                piece = np.empty_like(bits)
                for k, place in enumerate(every):
                    np.multiply(bits, winners == k, out=piece)
                    target = full[place]
                    target += piece.view(g.dtype)
            if bordered:
                dx[where] = full[part.inner]

    _split(problem, work)
    return dx
