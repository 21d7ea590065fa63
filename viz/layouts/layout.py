"""Where everything of a drawing is: what the layout engines make and the SVG renderer reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

__all__ = ["Box", "Layout", "Point", "RankDir", "Stroke", "oriented", "straight"]

Point = tuple[float, float]
RankDir = Literal["TB", "BT", "LR", "RL"]


class Box(NamedTuple):
    """A rectangle by its upper left corner and its size, in pixels, y downwards."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Stroke:
    """A drawn line: the way of one edge, or the part of it that another edge has not drawn yet.

    ``points`` are those of a cubic Bézier spline: a start, then two control points and an end for
    each piece.  ``tip`` is the direction of the arrowhead at the last point, None where the line
    joins another one.  ``label`` is the place of the edge's multiplicity.
    """

    source: int
    target: int
    points: tuple[Point, ...]
    tip: Point | None
    label: Point | None = None


@dataclass(slots=True)
class Layout:
    """Boxes of vertices and groups by id, strokes, the size of the whole, and who laid it out.

    A group that is missing is not drawn: its box would have had to hold what is not its own.
    """

    width: float
    height: float
    vertices: dict[int, Box]
    groups: dict[int, Box]
    strokes: list[Stroke] = field(default_factory=list)
    engine: str = ""


def straight(a: Point, b: Point) -> tuple[Point, Point, Point]:
    """The control points and end of a straight piece from a to b."""
    return a, b, b


def oriented(layout: Layout, rankdir: RankDir, label_offset: Point) -> Layout:
    """A layout that was made from top to bottom, turned; its edges' labels moved by an offset."""
    width, height = layout.width, layout.height

    def point(p: Point) -> Point:
        if rankdir == "TB":
            return p
        if rankdir == "BT":
            return p[0], height - p[1]
        return (p[1], p[0]) if rankdir == "LR" else (height - p[1], p[0])

    def vector(p: Point) -> Point:
        if rankdir == "TB":
            return p
        if rankdir == "BT":
            return p[0], -p[1]
        return (p[1], p[0]) if rankdir == "LR" else (-p[1], p[0])

    def box(b: Box) -> Box:
        corners: Sequence[Point] = (point((b.x, b.y)), point((b.x + b.width, b.y + b.height)))
        (x0, x1), (y0, y1) = map(sorted, zip(*corners))
        return Box(x0, y0, x1 - x0, y1 - y0)

    def label(p: Point) -> Point:
        x, y = point(p)
        return x + label_offset[0], y + label_offset[1]

    turned = rankdir in ("LR", "RL")
    return Layout(
        height if turned else width,
        width if turned else height,
        {i: box(b) for i, b in layout.vertices.items()},
        {i: box(b) for i, b in layout.groups.items()},
        [
            Stroke(
                s.source,
                s.target,
                tuple(map(point, s.points)),
                None if s.tip is None else vector(s.tip),
                None if s.label is None else label(s.label),
            )
            for s in layout.strokes
        ],
        layout.engine,
    )
