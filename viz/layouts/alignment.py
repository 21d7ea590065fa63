"""Horizontal coordinates for ordered rows, after Brandes and Köpf (2001).

Each item is aligned with a median neighbour in the row above or below; aligned items form blocks
that become exactly vertical, blocks are packed, and the mean of the four variants (up or down, left
or right) is taken.  Two things are added to the paper: edges may end off a wide item's centre
(Rüegg et al., 2015), so blocks carry a shift per item, and packing follows the longest paths of the
graph of blocks, which is shorter than the paper's recursion and needs no stack.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

__all__ = ["Ends", "place_items"]

Rows = Sequence[Sequence[int]]
# For each item its edges to one side: (neighbour, place on this item, place on the neighbour),
# places as distances from the centres.
Ends = Sequence[Sequence[tuple[int, float, float]]]


def place_items(
    rows: Rows,
    above: Ends,
    below: Ends,
    gap: Callable[[int, int], float],
    dummy: Sequence[bool],
) -> list[float]:
    """The x coordinate of each item's centre.

    ``gap(a, b)`` is the least distance of the centres of two items, a left of b in one row.  Edges
    between two dummies win against others that cross them, so that long edges are straight.
    """
    n = len(dummy)
    conflicts = _conflicts(rows, above, dummy)
    variants: list[list[float]] = []
    for upward in (True, False):
        for rightward in (False, True):
            layers = [list(row) for row in rows]
            beside = above if upward else below
            if not upward:
                layers.reverse()
            if rightward:
                for layer in layers:
                    layer.reverse()
            sign = -1.0 if rightward else 1.0
            root, shift = _blocks(layers, beside, conflicts, n, sign)
            x = _pack(layers, root, shift, _mirrored(gap) if rightward else gap, n)
            variants.append([-v for v in x] if rightward else x)
    return _balance(variants)


def _mirrored(gap: Callable[[int, int], float]) -> Callable[[int, int], float]:
    return lambda a, b: gap(b, a)


def _conflicts(rows: Rows, above: Ends, dummy: Sequence[bool]) -> set[tuple[int, int]]:
    """Edges (upper, lower) that cross an edge between two dummies and must give way to it."""
    found: set[tuple[int, int]] = set()
    for upper, lower in pairwise(rows):
        place = {item: i for i, item in enumerate(upper)}
        left, start = -1, 0
        last = len(lower) - 1
        for i, item in enumerate(lower):
            inner = _inner(item, above, dummy)
            if inner is None and i < last:
                continue
            right = len(upper) if inner is None else place[inner]
            for other in lower[start : i + 1]:
                for near, _, _ in above[other]:
                    at = place[near]
                    if (at < left or at > right) and not (dummy[near] and dummy[other]):
                        found.add((near, other))
            left, start = right, i + 1
    return found


def _inner(item: int, above: Ends, dummy: Sequence[bool]) -> int | None:
    """The dummy above a dummy, if its edge comes from one."""
    if dummy[item]:
        for near, _, _ in above[item]:
            if dummy[near]:
                return near
    return None


def _blocks(
    layers: list[list[int]], beside: Ends, conflicts: set[tuple[int, int]], n: int, sign: float
) -> tuple[list[int], list[float]]:
    """Align each item with a median neighbour: its block's root, and its shift within the block."""
    root = list(range(n))
    aligned = list(range(n))
    shift = [0.0] * n
    place: dict[int, int] = {}
    for layer in layers:
        reached = -1
        for item in layer:
            near = sorted((place[o], s, e, o) for o, s, e in beside[item] if o in place)
            for k in range((len(near) - 1) // 2, len(near) // 2 + 1) if near else ():
                at, start, end, other = near[k]
                crossing = (other, item) in conflicts or (item, other) in conflicts
                if aligned[item] == item and reached < at and not crossing:
                    aligned[other] = item
                    root[item] = root[other]
                    aligned[item] = root[item]
                    shift[item] = shift[other] + sign * (end - start)
                    reached = at
        place = {item: i for i, item in enumerate(layer)}
    return root, shift


def _pack(
    layers: list[list[int]],
    root: list[int],
    shift: list[float],
    gap: Callable[[int, int], float],
    n: int,
) -> list[float]:
    """Put the blocks as far left as they go, then pull each to the right as far as it may."""
    after: list[dict[int, float]] = [{} for _ in range(n)]
    incoming = [0] * n
    for layer in layers:
        for a, b in pairwise(layer):
            need = gap(a, b) + shift[a] - shift[b]
            heads = after[root[a]]
            if root[b] not in heads:
                incoming[root[b]] += 1
                heads[root[b]] = need
            elif heads[root[b]] < need:
                heads[root[b]] = need
    order = [item for item in range(n) if root[item] == item and not incoming[item]]
    x = [0.0] * n
    for block in order:
        for head, need in after[block].items():
            x[head] = max(x[head], x[block] + need)
            incoming[head] -= 1
            if not incoming[head]:
                order.append(head)
    for block in reversed(order):
        if after[block]:
            x[block] = max(x[block], min(x[head] - need for head, need in after[block].items()))
    return [x[root[item]] + shift[item] for item in range(n)]


def _balance(variants: list[list[float]]) -> list[float]:
    """Bring the variants over the narrowest one, and take the mean of the middle two."""
    narrowest = min(variants, key=lambda x: max(x) - min(x))
    low, high = min(narrowest), max(narrowest)
    moved = []
    for i, x in enumerate(variants):
        by = high - max(x) if i % 2 else low - min(x)
        moved.append([v + by for v in x])
    return [(a[1] + a[2]) / 2 for a in map(sorted, zip(*moved))]
