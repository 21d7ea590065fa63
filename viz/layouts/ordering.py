"""The order of the items within each row of a layered layout, with few crossings of edges."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["count_crossings", "order_rows"]

Rows = list[list[int]]
Neighbours = Sequence[Sequence[tuple[int, float]]]


def order_rows(rows: Rows, above: Neighbours, below: Neighbours, pinned: frozenset[int]) -> Rows:
    """Reorder the items of each row by barycentre sweeps; keep the best order met.

    ``above[item]`` and ``below[item]`` have (neighbour, weight of its place within the row) where
    the weight, in [-0.5, 0.5), tells where on a wide neighbour the edge ends.  Pinned items stay
    first in their rows.  The rows' first order breaks ties, so the result is deterministic.
    """
    size = sum(map(len, rows))
    sweeps = 24 if size < 600 else 10 if size < 6000 else 4
    best = [list(row) for row in rows]
    fewest = count_crossings(best, below)
    current = [list(row) for row in rows]
    for sweep in range(sweeps):
        if not fewest:
            break
        place = _places(current)
        if sweep % 2:
            for row in reversed(current[:-1]):
                _sort_row(row, below, place, pinned)
        else:
            for row in current[1:]:
                _sort_row(row, above, place, pinned)
        if size < 3000:
            _swap_neighbours(current, above, below, pinned)
        crossings = count_crossings(current, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in current], crossings
    return best


def count_crossings(rows: Rows, below: Neighbours) -> int:
    """The number of pairs of edges between adjacent rows that cross."""
    return sum(_crossings(rows[i], rows[i + 1], below) for i in range(len(rows) - 1))


def _places(rows: Rows) -> dict[int, int]:
    return {item: i for row in rows for i, item in enumerate(row)}


def _sort_row(
    row: list[int], beside: Neighbours, place: dict[int, int], pinned: frozenset[int]
) -> None:
    """Sort one row by the mean place of each item's neighbours; the others keep their places."""
    want = {}
    free = []
    for item in row:
        near = beside[item]
        if item not in pinned and near:
            want[item] = sum(place[other] + shift for other, shift in near) / len(near)
            free.append(item)
    free.sort(key=want.__getitem__)
    next_free = iter(free)
    for i, item in enumerate(row):
        if item in want:
            row[i] = next(next_free)
    place.update((item, i) for i, item in enumerate(row))


def _crossings(upper: list[int], lower: list[int], below: Neighbours) -> int:
    """Inversions among the edges between two rows, with a binary indexed tree."""
    position = {item: i for i, item in enumerate(lower)}
    ends: list[float] = []
    for item in upper:
        found = [position[other] + shift for other, shift in below[item] if other in position]
        ends += sorted(found)
    if len(ends) < 2:
        return 0
    ranks = {end: i + 1 for i, end in enumerate(sorted(set(ends)))}
    tree = [0] * (len(ranks) + 1)
    total = 0
    for seen, end in enumerate(ends):
        at = rank = ranks[end]
        not_beyond = 0
        while at:
            not_beyond += tree[at]
            at &= at - 1
        total += seen - not_beyond
        while rank < len(tree):
            tree[rank] += 1
            rank += rank & -rank
    return total


def _swap_neighbours(
    rows: Rows, above: Neighbours, below: Neighbours, pinned: frozenset[int]
) -> None:
    """Swap adjacent items while that removes crossings: what barycentres leave behind."""
    place = _places(rows)
    for row in rows:
        for _ in range(3):
            improved = False
            for i in range(len(row) - 1):
                left, right = row[i], row[i + 1]
                if left in pinned or right in pinned:
                    continue
                gain = 0
                for beside in (above, below):
                    a = [place[other] + shift for other, shift in beside[left]]
                    b = [place[other] + shift for other, shift in beside[right]]
                    gain += sum((x > y) - (x < y) for x in a for y in b)
                if gain > 0:
                    row[i], row[i + 1] = right, left
                    place[left], place[right] = i + 1, i
                    improved = True
            if not improved:
                break
