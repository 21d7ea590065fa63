"""Long edges of a layered layout: one chain of dummies (or one lane) for all that share an end.

An edge over several rows needs a reserved place in each row between, or it would cross what stands
there.  A place per edge and row is quadratic for a value that hundreds of steps read, so edges with
a common end share a trunk, from which they branch.  Where even trunks would need too many places
(hundreds of values alive through thousands of rows) the longest run in lanes beside the drawing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Link", "Trunk", "find_trunks"]


@dataclass(frozen=True, slots=True)
class Link:
    """An edge between two items: where it leaves and arrives, as distances from their centres."""

    tail: int
    head: int
    tail_x: float = 0.0
    head_x: float = 0.0


@dataclass(slots=True)
class Trunk:
    """The common way of the links (by index, the longest first) that share a tail, or a head.

    It passes the rows ``first`` to ``last``; ``in_lane`` says that it does so beside the drawing.
    """

    links: list[int]
    from_tail: bool
    first: int
    last: int
    in_lane: bool = False

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def find_trunks(links: Sequence[Link], rank: Sequence[int], budget: int) -> list[Trunk]:
    """The trunks of all links over more than one row, with at most ``budget`` places in rows."""
    long = [i for i, link in enumerate(links) if rank[link.head] - rank[link.tail] > 1]
    tails = Counter((links[i].tail, links[i].tail_x) for i in long)
    heads = Counter((links[i].head, links[i].head_x) for i in long)
    bundles: dict[tuple[bool, int, float], list[int]] = {}
    for i in long:
        link = links[i]
        from_tail = tails[link.tail, link.tail_x] >= heads[link.head, link.head_x]
        end = (link.tail, link.tail_x) if from_tail else (link.head, link.head_x)
        bundles.setdefault((from_tail, *end), []).append(i)
    trunks = []
    for (from_tail, _, _), members in bundles.items():
        members.sort(key=lambda i: (rank[links[i].tail] - rank[links[i].head], i))
        first = min(rank[links[i].tail] for i in members) + 1
        last = max(rank[links[i].head] for i in members) - 1
        trunks.append(Trunk(members, from_tail, first, last))
    places = sum(trunk.length for trunk in trunks)
    for trunk in sorted(trunks, key=lambda trunk: -trunk.length):
        if places <= budget:
            break
        trunk.in_lane = True
        places -= trunk.length
    return trunks
