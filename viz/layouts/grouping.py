"""The tree of groups that a layout draws as boxes within boxes."""

from __future__ import annotations

from itertools import pairwise

from tensorgrad.viz.layouts.ranking import topological
from tensorgrad.viz.snapshots.snapshot import Snapshot

__all__ = ["GroupTree", "Key", "common"]

# A vertex ("v") or a group ("g") as an item of the level around it.
Key = tuple[str, int]


class GroupTree:
    """Which level each vertex and group is in; None is the outermost level, the whole drawing.

    A group that an edge leaves and enters again cannot be one box in a row: it is given up, and its
    contents move to the level around it.  That does not happen to modules, whose calls are nested
    in time, but scopes can be pushed by hand.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.parent: dict[int, int | None] = {g.id: g.parent for g in snapshot.groups}
        self.home: list[int | None] = [vertex.group for vertex in snapshot.vertices]
        while bad := self._on_cycles():
            for group in sorted(bad):
                self._dissolve(group)

    def chain(self, group: int | None) -> list[int | None]:
        """The levels from the whole (None) in to this group."""
        chain: list[int | None] = []
        while group is not None:
            chain.append(group)
            group = self.parent[group]
        return [None, *reversed(chain)]

    def innermost_first(self) -> list[int]:
        """The groups that hold something, each before the one around it."""
        depth = {g: d for home in set(self.home) for d, g in enumerate(self.chain(home)) if d}
        used = [(-d, g) for g, d in depth.items() if g is not None]
        return [g for _, g in sorted(used)]

    def steps_in(self, vertex: int) -> list[tuple[int | None, int]]:
        """(level, group in it) for each border between the whole and a vertex, from outside."""
        return [(a, b) for a, b in pairwise(self.chain(self.home[vertex])) if b is not None]

    def _dissolve(self, group: int) -> None:
        outer = self.parent[group]
        self.parent = {g: outer if p == group else p for g, p in self.parent.items()}
        self.home = [outer if home == group else home for home in self.home]

    def _on_cycles(self) -> set[int]:
        """Groups that are, as single items of their level, on a cycle."""
        edges: dict[int | None, dict[tuple[Key, Key], None]] = {}
        chains = {home: self.chain(home) for home in set(self.home)}
        for edge in self.snapshot.edges:
            a, b = chains[self.home[edge.source]], chains[self.home[edge.target]]
            k = common(a, b)
            tail: Key = ("g", a[k] or 0) if k < len(a) else ("v", edge.source)
            head: Key = ("g", b[k] or 0) if k < len(b) else ("v", edge.target)
            if "g" in (tail[0], head[0]):
                edges.setdefault(a[k - 1], {})[tail, head] = None
        bad: set[int] = set()
        for pairs in edges.values():
            index = {key: i for i, key in enumerate(dict.fromkeys(k for p in pairs for k in p))}
            flat = [(index[a], index[b]) for a, b in pairs]
            left = set(range(len(index))) - set(topological(len(index), flat))
            if left:
                # Items behind a cycle are left over as well; walking back from the end drops them.
                back = [(b, a) for a, b in flat if a in left and b in left]
                left -= set(topological(len(index), back))
                bad |= {key[1] for key, i in index.items() if i in left and key[0] == "g"}
        return bad


def common(a: list[int | None], b: list[int | None]) -> int:
    """How many levels two chains share."""
    k = 0
    while k < min(len(a), len(b)) and a[k] == b[k]:
        k += 1
    return k
