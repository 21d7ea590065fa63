"""Pooling on NumPy by strided slices: one slice of the input per place in the window.

Works on any memory layout and keeps it.  Arrays are (..., *spatial) with the spatial axes of the
windows at the end.

===============  =========================  ======================================================
operation        called as                  returns
===============  =========================  ======================================================
`max_pool`       run(problem, x)            the maximum of every window
`pool_winner`    run(problem, x, y)         which place of each window holds its maximum, the first
                                            of equal ones: uint8, int32 for 255 places and more
`pool_scatter`   run(problem, g, winners)   each window's value at its winner, of problem.input
`pool_gather`    run(problem, x, winners)   the value at each window's winner
`window_sum`     run(problem, x)            the sum of every window; padding counts as 0
`window_spread`  run(problem, g)            each window's value at all of its places, added up
===============  =========================  ======================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.kernels.registry import Operation
from tensorgrad.machine import arena

__all__ = [
    "Problem",
    "empty_like",
    "lowest",
    "max_pool",
    "maximum",
    "padded",
    "places",
    "pool_gather",
    "pool_scatter",
    "pool_winner",
    "slices",
    "window_spread",
    "window_sum",
    "winner",
]


class Problem(NamedTuple):
    """Windows as their kernels see them; hashable, so that choices are kept for it."""

    input: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    output: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def padded_input(self) -> tuple[int, ...]:
        """The input's shape with its borders."""
        lead = len(self.input) - len(self.padding)
        spatial = zip(self.input[lead:], self.padding, strict=True)
        return (*self.input[:lead], *(n + low + high for n, (low, high) in spatial))

    @property
    def inner(self) -> tuple[Any, ...]:
        """Where the input lies within its borders."""
        lead = len(self.input) - len(self.padding)
        spatial = zip(self.input[lead:], self.padding, strict=True)
        return (..., *(slice(low, low + n) for n, (low, _) in spatial))


def empty_like(x: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
    """Memory for another shape with the axes in the order that they have in x."""
    order, back = arena.orders(x.strides)
    memory = arena.empty(tuple([shape[i] for i in order]), x.dtype if dtype is None else dtype)
    return memory.transpose(back)


def padded(x: Any, padding: tuple[tuple[int, int], ...], value: float) -> Any:
    """The input with a border; the input itself if there is none.  Keeps the layout."""
    if not any(low or high for low, high in padding):
        return x
    lead = x.ndim - len(padding)
    spatial = zip(x.shape[lead:], padding, strict=True)
    out = empty_like(x, (*x.shape[:lead], *(n + a + b for n, (a, b) in spatial)))
    out.fill(value)
    inner: Any = tuple(slice(a, a + n) for n, (a, _) in zip(x.shape[lead:], padding, strict=True))
    out[(..., *inner)] = x
    return out


def slices(
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    out: tuple[int, ...],
) -> Iterator[tuple[Any, ...]]:
    """For each place in the window, the index of that element of every window."""
    for place in np.ndindex(*kernel):
        yield (
            ...,
            *(
                slice(a * d, a * d + s * (o - 1) + 1, s)
                for a, d, s, o in zip(place, dilation, stride, out, strict=True)
            ),
        )


def places(problem: Any) -> list[tuple[Any, ...]]:
    """For each place in the window, the index of that element of every window."""
    return list(slices(problem.kernel, problem.stride, problem.dilation, problem.output))


def lowest(dtype: Any) -> Any:
    """What never wins."""
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


@lru_cache(maxsize=256)
def _along(
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    out: tuple[int, ...],
) -> list[tuple[Any, ...]]:
    """For each axis, for each place in the window along it, the index of every such element."""
    found: list[tuple[Any, ...]] = []
    for size, step, apart, count in zip(kernel, stride, dilation, out, strict=True):
        behind = (slice(None),) * (len(kernel) - 1 - len(found))
        starts = [place * apart for place in range(size)]
        last = step * (count - 1) + 1
        found.append(tuple([(..., slice(a, a + last, step), *behind) for a in starts]))
    return found


def maximum(problem: Any, x: Any) -> Any:
    """Along one axis after the other, on new memory, whose axes have the order that x's have."""
    x = padded(x, problem.padding, lowest(x.dtype))
    for places in _along(problem.kernel, problem.stride, problem.dilation, problem.output):
        if len(places) == 1:
            x = x[places[0]].copy(order="K")
            continue
        best = np.maximum(x[places[0]], x[places[1]])
        for place in places[2:]:
            np.maximum(best, x[place], out=best)
        x = best
    return x


def winner(problem: Any, x: Any, y: Any) -> Any:
    """Backwards through the places, so that the first one has the last word."""
    low = lowest(x.dtype)
    # A window of nothing else equals its border, which must not win.
    inside = None
    if any(map(any, problem.padding)) and np.equal(y, low).any():
        inside = padded(np.ones(x.shape, bool), problem.padding, False)
    x = padded(x, problem.padding, low)
    count = prod(problem.kernel)
    kind: Any = np.uint8 if count < 255 else np.int32
    won = np.full_like(y, count, dtype=kind)
    nan = bool(np.isnan(np.add.reduce(y, axis=None))) if y.dtype.kind == "f" else False
    every = places(problem)
    for k in range(count - 1, -1, -1):
        part = x[every[k]]
        hit = part == y
        if nan:
            hit |= np.isnan(part)
        if inside is not None:
            hit &= inside[every[k]]
        np.copyto(won, kind(k), where=hit)
    return won


def _scatter(problem: Any, g: Any, won: Any) -> Any:
    """One masked copy, or sum where windows overlap, per place."""
    dx = empty_like(g, problem.padded_input)
    dx.fill(0)
    apart = all(k <= s for k, s in zip(problem.kernel, problem.stride, strict=True))
    disjoint = apart and set(problem.dilation) == {1}
    for k, index in enumerate(places(problem)):
        part = _masked(g, won == k)
        if disjoint:
            dx[index] = part
        else:
            dx[index] += part
    return dx[problem.inner]


def _gather(problem: Any, x: Any, won: Any) -> Any:
    x = padded(x, problem.padding, 0)
    y = np.zeros_like(won, dtype=x.dtype)
    for k, index in enumerate(places(problem)):
        np.copyto(y, x[index], where=won == k)
    return y


def _masked(g: Any, mask: Any) -> Any:
    from tensorgrad.primitive import raw

    return raw.mask(g, mask=mask)


def _sum(problem: Any, x: Any) -> Any:
    x = padded(x, problem.padding, 0)
    total: Any = None
    for index in places(problem):
        part = x[index]
        total = part.copy(order="K") if total is None else np.add(total, part, out=total)
    return total


def _spread(problem: Any, g: Any) -> Any:
    full = empty_like(g, problem.padded_input)
    full.fill(0)
    for index in places(problem):
        full[index] += g
    return full[problem.inner]


max_pool = Operation("max_pool", maximum)
pool_winner = Operation("pool_winner", winner)
pool_scatter = Operation("pool_scatter", _scatter)
pool_gather = Operation("pool_gather", _gather)
window_sum = Operation("window_sum", _sum)
window_spread = Operation("window_spread", _spread)
