"""The built-in layout: every group is laid out by itself and then is one box in the next one out.

Edges enter and leave a group through ports on its border, one for each vertex that they come from.
So boxes of groups never overlap or hold what is not theirs, and a level's cost does not depend on
the rest.  Ranking all vertices at once and drawing boxes around them afterwards was rejected: the
boxes overlap as soon as two branches run side by side.
"""

from __future__ import annotations

from collections.abc import Mapping

from tensorgrad.viz.layouts.grouping import GroupTree, Key, common
from tensorgrad.viz.layouts.layered import Arrangement, Item, arrange
from tensorgrad.viz.layouts.layout import Box, Layout, Point, RankDir, Stroke, oriented, straight
from tensorgrad.viz.layouts.trunks import Link
from tensorgrad.viz.snapshots.snapshot import Edge, Snapshot

__all__ = ["layered_layout"]

MARGIN = 12.0
PAD = 9.0  # between a group's border and its contents
LABEL_HEIGHT = 19.0

Size = tuple[float, float]
# A place where a local edge ends is a `Key`: ("v", vertex), ("g", group), or a port of this level:
# ("in", source vertex), ("out", source vertex).


def layered_layout(
    snapshot: Snapshot,
    sizes: Mapping[int, Size],
    labels: Mapping[int, float],
    rankdir: RankDir = "TB",
) -> Layout:
    """Lay out a snapshot whose vertices have these sizes and whose groups' labels these widths."""
    nest = _Nest(snapshot, rankdir in ("LR", "RL"), rankdir == "BT", sizes, labels)
    layout = nest.solve()
    layout.engine = "builtin"
    # A multiplicity stands beside its edge, whichever way that runs.
    return oriented(layout, rankdir, (0.0, -7.0) if rankdir in ("LR", "RL") else (10.0, 0.0))


class _Inside:
    """One level (a group's inside, or the whole): its items, local edges and arrangement."""

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self.index: dict[Key, int] = {}
        self.links: dict[tuple[Key, Key, int], int] = {}  # (tail, head, source vertex) -> number
        self.keys_of_links: list[tuple[Key, Key, int]] = []
        self.made: Arrangement | None = None
        self.left = self.top = 0.0  # where the arrangement starts within the box
        self.size: Size = (0.0, 0.0)
        self.at: Point = (0.0, 0.0)  # of the box's corner, in the drawing

    def item(self, key: Key) -> int:
        if key not in self.index:
            self.index[key] = len(self.keys)
            self.keys.append(key)
        return self.index[key]

    def link(self, tail: Key, head: Key, source: int) -> int:
        """A local edge, shared by all edges from one source that take it."""
        key = (tail, head, source)
        return self.links.setdefault(key, len(self.links))


class _Nest:
    def __init__(
        self,
        snapshot: Snapshot,
        turned: bool,
        upside_down: bool,
        sizes: Mapping[int, Size],
        labels: Mapping[int, float],
    ) -> None:
        self.snapshot, self.turned, self.upside_down = snapshot, turned, upside_down
        self.sizes = {i: (h, w) if turned else (w, h) for i, (w, h) in sizes.items()}
        self.labels = labels
        self.tree = GroupTree(snapshot)
        self.levels: dict[int | None, _Inside] = {}
        # edge -> its pieces, tail to head: (level, number of the local edge)
        self.pieces: list[list[tuple[int | None, int]]] = []

    def solve(self) -> Layout:
        order = self.tree.innermost_first()
        self.levels = {group: _Inside() for group in (*order, None)}
        for vertex in self.snapshot.vertices:
            self.levels[self.tree.home[vertex.id]].item(("v", vertex.id))
            for level, inner in self.tree.steps_in(vertex.id):
                self.levels[level].item(("g", inner))
        self.pieces = [self._pieces_of(edge) for edge in self.snapshot.edges]
        for group in (*order, None):
            self._arrange(group)
        return self._assemble(order)

    # --- Edges in pieces -------------------------------------------------------------------------

    def _pieces_of(self, edge: Edge) -> list[tuple[int | None, int]]:
        """Cut an edge at the borders it crosses, through one port per border and source."""
        s, t = edge.source, edge.target
        out, into = (self.tree.chain(self.tree.home[v]) for v in (s, t))
        k = common(out, into)
        pieces: list[tuple[int | None, int]] = []

        def add(group: int | None, tail: Key, head: Key) -> None:
            pieces.append((group, self.levels[group].link(tail, head, s)))

        def port(group: int | None, side: str) -> Key:
            self.levels[group].item((side, s))
            return (side, s)

        tail: Key = ("v", s)
        for group in reversed(out[k:]):
            add(group, tail, port(group, "out"))
            tail = ("g", group or 0)
        for level, group in zip(into[k - 1 :], into[k:]):
            add(level, tail, ("g", group or 0))
            tail = port(group, "in")
        add(into[-1], tail, ("v", t))
        return pieces

    # --- One level -------------------------------------------------------------------------------

    def _arrange(self, group: int | None) -> None:
        level = self.levels[group]
        keys = list(level.keys)
        items = [self._item(key) for key in keys]
        labelled = group is not None and not self.turned
        if labelled and group is not None:
            row = "last" if self.upside_down else "first"
            items.append(Item(self.labels[group], LABEL_HEIGHT, row, lead=True))
        links = [
            Link(
                level.index[tail],
                level.index[head],
                self._port_place(tail, "out", source),
                self._port_place(head, "in", source),
            )
            for tail, head, source in level.links
        ]
        level.keys_of_links = list(level.links)
        made = level.made = arrange(items, links)
        if group is None:
            level.left = level.top = MARGIN
            level.size = (made.width + 2 * MARGIN, made.height + 2 * MARGIN)
            return
        rows = {item.row for item in items}
        above = 0.0 if "first" in rows else PAD
        below = 0.0 if "last" in rows else PAD
        level.left, level.top = PAD, above
        width, height = made.width + 2 * PAD, made.height + above + below
        if self.turned:  # the label lies along the side that will be the upper one
            level.left += LABEL_HEIGHT - 4
            width += LABEL_HEIGHT - 4
            short = self.labels[group] + 2 * PAD - height
            if short > 0:
                level.top += short / 2
                height += short
        level.size = (width, height)

    def _item(self, key: Key) -> Item:
        kind, number = key
        if kind == "v":
            return Item(*self.sizes[number])
        if kind == "g":
            return Item(*self.levels[number].size)
        return Item(0.0, 0.0, "first" if kind == "in" else "last")

    def _port_place(self, key: Key, side: str, source: int) -> float:
        """How far from the centre of an item the edges from this source leave or enter it."""
        if key[0] != "g":
            return 0.0
        inner = self.levels[key[1]]
        assert inner.made is not None
        x = inner.left + inner.made.x[inner.index[side, source]]
        return x - inner.size[0] / 2

    # --- The whole -------------------------------------------------------------------------------

    def _assemble(self, order: list[int]) -> Layout:
        boxes: dict[int, Box] = {}
        groups: dict[int, Box] = {}
        for group in (None, *reversed(order)):
            level = self.levels[group]
            if group is not None:
                groups[group] = Box(*level.at, *level.size)
            assert level.made is not None
            for i, (kind, number) in enumerate(level.keys):
                size = self.sizes[number] if kind == "v" else (0.0, 0.0)
                size = self.levels[number].size if kind == "g" else size
                x = level.at[0] + level.left + level.made.x[i] - size[0] / 2
                y = level.at[1] + level.top + level.made.y[i]
                if kind == "v":
                    boxes[number] = Box(x, y, *size)
                elif kind == "g":
                    self.levels[number].at = (x, y)
        width, height = self.levels[None].size
        return Layout(width, height, boxes, groups, self._strokes())

    def _strokes(self) -> list[Stroke]:
        """Each edge as one stroke of those of its pieces that no edge before it has drawn."""
        drawn: set[tuple[int | None, int]] = set()
        strokes: list[Stroke] = []
        for edge, pieces in zip(self.snapshot.edges, self.pieces):
            runs: list[list[Point]] = []
            for piece in pieces:
                if piece in drawn:
                    continue
                drawn.add(piece)
                found = self._placed(piece)
                if runs and _close(runs[-1][-1], found[0]):
                    runs[-1] += found[1:]
                else:  # what is between is part of a trunk that another edge draws
                    runs.append(found)
            group, number = pieces[-1]
            made = self.levels[group].made
            assert made is not None
            for k, run in enumerate(runs):
                last = k == len(runs) - 1
                tip = (0.0, 1.0) if last and made.curves[number].whole else None
                label = self._shifted(group, made.curves[number].middle) if last else None
                strokes.append(
                    Stroke(
                        edge.source,
                        edge.target,
                        tuple(run),
                        tip,
                        label if edge.times > 1 else None,
                    )
                )
        return strokes

    def _placed(self, piece: tuple[int | None, int]) -> list[Point]:
        """The curve of a piece in the drawing, drawn out to the group's border at a port."""
        group, number = piece
        level = self.levels[group]
        assert level.made is not None
        made = level.made
        points = [self._shifted(group, point) for point in made.curves[number].points]
        tail, head, _ = level.keys_of_links[number]
        top, bottom = level.at[1], level.at[1] + level.size[1]
        (x, y), (z, w) = points[0], points[-1]
        begins = _close(made.curves[number].points[0], self._port(level, tail))
        if tail[0] == "in" and begins and y > top:
            points[:0] = [(x, top), *straight((x, top), (x, y))[:2]]
        if head[0] == "out" and made.curves[number].whole and w < bottom:
            points += straight((z, w), (z, bottom))
        return points

    def _port(self, level: _Inside, key: Key) -> Point:
        assert level.made is not None
        return level.made.x[level.index[key]], level.made.y[level.index[key]]

    def _shifted(self, group: int | None, point: Point) -> Point:
        level = self.levels[group]
        return (point[0] + level.at[0] + level.left, point[1] + level.at[1] + level.top)


def _close(a: Point, b: Point) -> bool:
    return abs(a[0] - b[0]) < 0.05 and abs(a[1] - b[1]) < 0.05
