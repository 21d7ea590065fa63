"""A layered layout of one level: rows, dummies for long edges, order, places, curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tensorgrad.viz.layouts.alignment import place_items
from tensorgrad.viz.layouts.ordering import order_rows
from tensorgrad.viz.layouts.ranking import find_strands, rank_items
from tensorgrad.viz.layouts.splines import Curve, Places, draw_links
from tensorgrad.viz.layouts.trunks import Link, find_trunks

__all__ = ["Arrangement", "Item", "arrange"]

ITEM_GAP = 20.0  # between two boxes of a row
LINE_GAP = 11.0  # between a box and a line, or two lines
LANE_GAP = 8.0
ROW_GAP = 25.0  # between two rows, more where lines travel far
PORT_GAP = 11.0  # between a border's row and the next


@dataclass(frozen=True, slots=True)
class Item:
    """Something to place: its size, and whether it belongs into the first or the last row.

    ``row`` is "first" (what enters a group), "last" (what leaves it) or "" (anything else);
    ``lead`` keeps an item at the left end of its row (a group's label).
    """

    width: float
    height: float
    row: str = ""
    lead: bool = False


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The size of a level, centres (x) and upper ends (y) of its items, a curve for each link."""

    width: float
    height: float
    x: list[float]
    y: list[float]
    curves: list[Curve]


def arrange(items: Sequence[Item], links: Sequence[Link]) -> Arrangement:
    """Lay the items out from top to bottom; the links must not form a cycle."""
    return _Level(items, links).solve()


class _Level:
    def __init__(self, items: Sequence[Item], links: Sequence[Link]) -> None:
        self.items, self.links = items, links
        self.rank = self._ranks()
        budget = 4 * len(items) + 3000
        self.trunks = find_trunks(links, self.rank, budget)
        self.width = [item.width for item in items]
        self.dummy = [False] * len(items)
        self.origin = list(range(len(items)))  # for ties: a dummy sorts where its tail does
        self.way: dict[int, list[int]] = {}  # trunk -> its dummies
        # (upper, lower, place on the upper, place on the lower)
        self.segments: dict[tuple[int, int, float, float], None] = {}
        self._add_dummies()

    def _ranks(self) -> list[int]:
        """Rows: free items by `rank_items`, between the first row and the last."""
        items = self.items
        free = [i for i, item in enumerate(items) if not item.row]
        index = {item: k for k, item in enumerate(free)}
        inner = [
            (index[e.tail], index[e.head])
            for e in self.links
            if e.tail in index and e.head in index
        ]
        ranks = rank_items(len(free), inner)
        self.strands = {free[k] for k in find_strands(len(free), inner)}
        start = 1 if any(item.row == "first" for item in items) else 0
        end = start + max(ranks, default=-1) + 1
        return [
            start + ranks[index[i]] if not item.row else 0 if item.row == "first" else end
            for i, item in enumerate(items)
        ]

    def _add_dummies(self) -> None:
        trunk_of = {i: t for t, trunk in enumerate(self.trunks) for i in trunk.links}
        for t, trunk in enumerate(self.trunks):
            if trunk.in_lane:
                continue
            start = len(self.width)
            self.way[t] = way = list(range(start, start + trunk.length))
            origin = min(self.links[i].tail for i in trunk.links)
            self.width += [0.0] * trunk.length
            self.dummy += [True] * trunk.length
            self.origin += [origin] * trunk.length
            self.rank += range(trunk.first, trunk.last + 1)
            for a, b in pairwise(way):
                self.segments[a, b, 0.0, 0.0] = None
        for i, link in enumerate(self.links):
            found = trunk_of.get(i)
            if found is None:
                self.segments[link.tail, link.head, link.tail_x, link.head_x] = None
            elif found in self.way:
                way, first = self.way[found], self.trunks[found].first
                enter = way[self.rank[link.tail] + 1 - first]
                leave = way[self.rank[link.head] - 1 - first]
                self.segments[link.tail, enter, link.tail_x, 0.0] = None
                self.segments[leave, link.head, 0.0, link.head_x] = None

    def solve(self) -> Arrangement:
        rows = self._ordered_rows()
        x = self._columns(rows)
        left = min(x[i] - self.width[i] / 2 for i in range(len(x)))
        x = [value - left for value in x]
        self.x = x
        right = max(x[i] + self.width[i] / 2 for i in range(len(x)))
        lanes, width = self._lanes(right)
        top, bottom = self._bands(rows)
        y = []
        has_above = {link.head for link in self.links}
        has_below = {link.tail for link in self.links}
        for i, item in enumerate(self.items):
            room = bottom[self.rank[i]] - top[self.rank[i]] - item.height
            # A box with neighbours on one side only moves towards them.
            lift = 0.0 if i not in has_below else room if i not in has_above else room / 2
            if item.row:
                lift = 0.0 if item.row == "first" else room
            y.append(top[self.rank[i]] + lift)
        heights = [item.height for item in self.items]
        places = Places(x, y, heights, self.rank, top, bottom, self.trunks, self.way, lanes)
        curves = draw_links(self.links, places)
        height = bottom[-1] if bottom else 0.0
        return Arrangement(width, height, x[: len(self.items)], y, curves)

    def _ordered_rows(self) -> list[list[int]]:
        count = max(self.rank, default=-1) + 1
        rows: list[list[int]] = [[] for _ in range(count)]
        lead = {i for i, item in enumerate(self.items) if item.lead}
        everything = sorted(
            range(len(self.width)), key=lambda i: (i not in lead, self.origin[i], i)
        )
        for i in everything:
            rows[self.rank[i]].append(i)
        above: list[list[tuple[int, float]]] = [[] for _ in self.width]
        below: list[list[tuple[int, float]]] = [[] for _ in self.width]
        for a, b, at_a, at_b in self.segments:
            below[a].append((b, at_b / (self.width[b] or 1.0)))
            above[b].append((a, at_a / (self.width[a] or 1.0)))
        return order_rows(rows, above, below, frozenset(lead))

    def _columns(self, rows: list[list[int]]) -> list[float]:
        above: list[list[tuple[int, float, float]]] = [[] for _ in self.width]
        below: list[list[tuple[int, float, float]]] = [[] for _ in self.width]
        feeders = self._feeders()
        strands = self._strands()
        leaving: dict[int, list[float]] = {}
        for a, _, at_a, _ in self.segments:
            leaving.setdefault(a, []).append(at_a)
        for a, b, at_a, at_b in self.segments:
            if a in feeders or a in strands or b in strands:
                continue
            # A line that leaves a group elsewhere than it came in would shift the next group, and
            # that one the next: so what is aligned is where groups are left, and lines bend.
            at_b = min(leaving.get(b, (at_b,)), key=lambda at: abs(at - at_b))
            below[a].append((b, at_a, at_b))
            above[b].append((a, at_b, at_a))
        width, dummy = self.width, self.dummy

        def gap(a: int, b: int) -> float:
            room = LINE_GAP if dummy[a] or dummy[b] or not width[a] or not width[b] else ITEM_GAP
            return (width[a] + width[b]) / 2 + room

        x = place_items(rows, above, below, gap, dummy)
        for beside in (strands, feeders):
            for row in rows if beside else ():
                places = list(range(len(row)))
                for k in (*places, *reversed(places)):
                    other = beside.get(row[k])
                    if other is not None:
                        low = x[row[k - 1]] + gap(row[k - 1], row[k]) if k else -1e9
                        high = x[row[k + 1]] - gap(row[k], row[k + 1]) if k + 1 < len(row) else 1e9
                        x[row[k]] = max(low, min(high, x[other]))
        return x

    def _strands(self) -> dict[int, int]:
        """Items of side strands (`ranking.find_strands`): item -> the item above that it hangs on.

        They stand beside the main line, which they would pull aside at every step.
        """
        above: dict[int, list[int]] = {}
        if not self.strands:
            return {}
        for a, b, _, _ in self.segments:
            if b in self.strands:
                above.setdefault(b, []).append(a)
        fed = {b for _, b, _, _ in self.segments}
        found = {b: [a for a in tails if a in fed] for b, tails in above.items()}
        return {b: tails[0] for b, tails in found.items() if len(tails) == 1}

    def _feeders(self) -> dict[int, int]:
        """Leaves of an item that something else flows into as well: item -> the item it feeds.

        They are placed beside that flow instead of pulling at it, so that the main line through a
        network of layers with parameters stays straight.
        """
        heads: dict[int, list[int]] = {}
        fed: dict[int, list[int]] = {}
        for a, b, _, _ in self.segments:
            heads.setdefault(a, []).append(b)
            fed.setdefault(b, []).append(a)
        lone = {
            a: found[0]
            for a, found in heads.items()
            if len(found) == 1 and a not in fed and a < len(self.items) and not self.items[a].row
        }
        return {a: b for a, b in lone.items() if any(tail not in lone for tail in fed[b])}

    def _lanes(self, right: float) -> tuple[dict[int, float], float]:
        """The x of each lane by its trunk; trunks that do not meet share one."""
        lanes: dict[int, float] = {}
        free_from: list[int] = []
        beside = [
            (trunk.first, trunk.last, t) for t, trunk in enumerate(self.trunks) if trunk.in_lane
        ]
        for first, last, t in sorted(beside):
            k = next((k for k, row in enumerate(free_from) if row < first), len(free_from))
            if k == len(free_from):
                free_from.append(0)
            free_from[k] = last + 1
            lanes[t] = right + LINE_GAP + LANE_GAP * k
        return lanes, max([right, *lanes.values()])

    def _bands(self, rows: list[list[int]]) -> tuple[list[float], list[float]]:
        """Upper and lower end of each row; rows between which lines travel far get more room."""
        travel = [0.0] * len(rows)
        for a, b, at_a, at_b in self.segments:
            dx = abs(self.x[a] + at_a - self.x[b] - at_b)
            travel[self.rank[a]] = max(travel[self.rank[a]], dx)
        for trunk in self.trunks:
            if trunk.in_lane:
                for link in (self.links[i] for i in trunk.links):
                    for row in (self.rank[link.tail], self.rank[link.head] - 1):
                        travel[row] = max(travel[row], 400.0)
        top, bottom = [], []
        at = 0.0
        for r, members in enumerate(rows):
            heights = [self.items[i].height for i in members if i < len(self.items)]
            top.append(at)
            at += max(heights, default=0.0)
            bottom.append(at)
            if r + 1 < len(rows):
                border = any(self._on_border(i) for i in (*members, *rows[r + 1]))
                at += (PORT_GAP if border else ROW_GAP) + min(travel[r] * 0.055, 60.0)
        return top, bottom

    def _on_border(self, i: int) -> bool:
        return i < len(self.items) and bool(self.items[i].row)
