"""Max pooling a few images at a time, while they are in the cache, on parts of the batch.

The winner of a window is counted: the number of places, from the first one on, whose element is
not the maximum.  That takes one comparison and two operations on bytes per place.
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
from tensorgrad.machine.threads import split

# Elements of the input, for one block and for a second thread to pay.
_BLOCK = 64_000
_SPLIT_FROM = 300_000

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


@max_pool.kernel("blocked", _serves)
def _maximum(problem: Problem, x: Any) -> Any:
    if problem.input[0] == 1 or prod(problem.input) <= _BLOCK:  # one block: no copy of its result
        return maximum(problem, x)
    lead = len(problem.input) - len(problem.kernel)
    y = empty_like(x, (*problem.input[:lead], *problem.output))

    def work(start: int, stop: int) -> None:
        for where, part in _blocks(problem, start, stop):
            y[where] = maximum(part, x[where])

    _split(problem, work)
    return y


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
                looking = full[every[0]] != best
                found += looking
                other = np.empty_like(looking)
                for place in every[1:-1]:
                    looking &= np.not_equal(full[place], best, out=other)
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
                full_bits = full.view(kind)
                for k, place in enumerate(every):
                    np.multiply(bits, winners == k, out=full_bits[place])
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
