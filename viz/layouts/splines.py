"""The curves of a layered layout: vertical through rows, an S between two, so no box is crossed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tensorgrad.viz.layouts.layout import Point, straight
from tensorgrad.viz.layouts.trunks import Link, Trunk

__all__ = ["Curve", "Places", "draw_links"]


@dataclass(slots=True)
class Curve:
    """One link's curve, and the middle of the S that is its own.

    It starts at the tail, or where it parts from a trunk that another link's curve draws.  If it is
    not ``whole`` it ends where it joins such a trunk, else at the head.
    """

    points: list[Point]
    middle: Point
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything is: centres (dummies as well), boxes' upper ends and heights, rows.

    ``way`` has the dummies and ``lanes`` the x of trunks, by the trunk's place in ``trunks``.
    """

    x: Sequence[float]
    y: Sequence[float]
    heights: Sequence[float]
    rank: Sequence[int]
    top: Sequence[float]
    bottom: Sequence[float]
    trunks: Sequence[Trunk]
    way: dict[int, list[int]]
    lanes: dict[int, float]


def draw_links(links: Sequence[Link], places: Places) -> list[Curve]:
    """A curve for each link."""
    curves: dict[int, Curve] = {}
    for t, trunk in enumerate(places.trunks):
        for k, i in enumerate(trunk.links):
            curves[i] = _along(trunk, t, links[i], places, shared=k > 0)
    for i, link in enumerate(links):
        if i not in curves:
            curves[i] = _curve(_start(link, places), _end(link, places))
    return [curves[i] for i in range(len(links))]


def _start(link: Link, at: Places) -> list[Point]:
    """From a tail's lower edge down to the end of its row."""
    x, y = at.x[link.tail] + link.tail_x, at.y[link.tail] + at.heights[link.tail]
    return [(x, y), *straight((x, y), (x, at.bottom[at.rank[link.tail]]))]


def _end(link: Link, at: Places) -> list[Point]:
    """From the upper end of a head's row down to the head."""
    x, y = at.x[link.head] + link.head_x, at.y[link.head]
    first = (x, at.top[at.rank[link.head]])
    return [first, *straight(first, (x, y))]


def _along(trunk: Trunk, t: int, link: Link, at: Places, *, shared: bool) -> Curve:
    """A link's curve along its trunk; a shared part of the trunk is left to the first link."""
    first, last = at.rank[link.tail] + 1, at.rank[link.head] - 1
    if trunk.in_lane:
        x = at.lanes[t]
        middle = [(x, at.top[first]), *straight((x, at.top[first]), (x, at.bottom[last]))]
    else:
        middle = []
        rows = range(first, last + 1)
        if shared:
            rows = range(last, last + 1) if trunk.from_tail else range(first, first + 1)
        for row in rows:
            x = at.x[at.way[t][row - trunk.first]]
            piece = [(x, at.top[row]), *straight((x, at.top[row]), (x, at.bottom[row]))]
            middle = _joined(middle, piece) if middle else piece
    if not shared:
        return _curve(_joined(_start(link, at), middle), _end(link, at))
    if trunk.from_tail:
        return _curve(middle[-1:], _end(link, at))
    curve = _curve(_start(link, at), middle[:1])
    curve.whole = False
    return curve


def _curve(upper: list[Point], lower: list[Point]) -> Curve:
    (x0, y0), (x1, y1) = upper[-1], lower[0]
    return Curve(_tidy(_joined(upper, lower)), ((x0 + x1) / 2, (y0 + y1) / 2))


def _joined(upper: list[Point], lower: list[Point]) -> list[Point]:
    """Two curves with an S between them; its tangents are vertical, so it stays between."""
    (x0, y0), (x1, y1) = upper[-1], lower[0]
    middle = (y0 + y1) / 2
    return [*upper, (x0, middle), (x1, middle), *lower]


def _tidy(points: list[Point]) -> list[Point]:
    """The same curve with empty pieces dropped and vertical runs merged into one."""
    out = [points[0]]
    run = False
    for k in range(1, len(points), 3):
        a, (c, d, b) = out[-1], points[k : k + 3]
        if a == b:
            continue
        vertical = max(abs(p[0] - a[0]) for p in (c, d, b)) < 0.05
        if vertical and run:
            start = out[-4]
            out[-3:] = straight(start, (start[0], b[1]))
        elif vertical:
            out += straight(a, (a[0], b[1]))
        else:
            out += (c, d, b)
        run = vertical
    return out
