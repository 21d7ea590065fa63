"""A graph as SVG: boxes, curves and labels where a layout has put them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tensorgrad.viz.drawing.cards import Card
from tensorgrad.viz.drawing.heat import HeatScale
from tensorgrad.viz.figures.svg import Element, document, element, fmt, text
from tensorgrad.viz.figures.words import plural, text_width
from tensorgrad.viz.layouts.layout import Box, Layout, Point, Stroke
from tensorgrad.viz.snapshots.snapshot import Snapshot

__all__ = ["GROUP_LABEL_SIZE", "graph_svg"]

GROUP_LABEL_SIZE = 10.0
_TIP = 6.0  # length of an arrowhead


def graph_svg(
    snapshot: Snapshot,
    layout: Layout,
    cards: Mapping[int, Card],
    labels: Mapping[int, str],
    heat: HeatScale | None = None,
) -> str:
    """The drawing as an SVG document; a notice above it says what ``max_nodes`` has left out.

    With ``heat``, boxes have the colours of their gradients, and a legend stands above.
    """
    top = 0.0
    width = layout.width
    body: list[Element] = []
    if snapshot.notice:
        top = 24.0
        width = max(width, text_width(snapshot.notice, 11) * 1.1 + 24)
        body.append(text(12, 18, snapshot.notice, "warn"))
    if heat is not None:
        legend, end = heat.legend(12, top + 10)
        body += legend
        top += 26.0
        width = max(width, end + 12)
    drawing = element("g", transform=f"translate(0 {fmt(top)})" if top else None)
    drawing.add(*_groups(snapshot, layout))
    drawing.add(element("g", *map(_edge, layout.strokes), class_="edge"))
    for vertex in snapshot.vertices:
        mark = "" if heat is None or vertex.kind == "output" else heat.mark(vertex.gradient)
        kind = f"{vertex.kind} {mark}".strip()
        drawing.add(_node(kind, layout.vertices[vertex.id], cards[vertex.id]))
    drawing.add(*_labels(snapshot, layout, labels))
    body.append(drawing)
    said = f"Computation graph with {plural(snapshot.operations, 'operation')}"
    style = "graph" if heat is None else "heat"
    return document(body, width, layout.height + top, label=said, kind=style)


def _groups(snapshot: Snapshot, layout: Layout) -> list[Element]:
    """The boxes of the groups, the outer ones first."""
    boxes = []
    for number in sorted(layout.groups, key=lambda number: (snapshot.depth(number), number)):
        x, y, width, height = layout.groups[number]
        shade = f"group{snapshot.depth(number) % 3}"
        boxes.append(element("rect", class_=shade, x=x, y=y, width=width, height=height, rx=6))
    return boxes


def _labels(snapshot: Snapshot, layout: Layout, labels: Mapping[int, str]) -> list[Element]:
    """Labels of groups and multiplicities, over everything else, each with a halo."""
    out = []
    lines = _LinesNear(layout.strokes) if layout.engine != "builtin" else None
    for number in sorted(layout.groups):
        box = layout.groups[number]
        halo = f"halo halo{snapshot.depth(number) % 3}"
        x = box.x + 8
        if lines is not None:  # of an engine that does not keep its lines clear of labels
            width = text_width(labels[number], GROUP_LABEL_SIZE)
            free = lines.gap(box, width)
            if free is None:  # no room between them: a plate covers the lines
                shade = f"group{snapshot.depth(number) % 3}"
                plate = {
                    "x": x - 4,
                    "y": box.y + 2,
                    "width": width * 1.06 + 8,
                    "height": 15.0,
                    "rx": 4.0,
                }
                out.append(element("rect", class_=shade, **plate))
            else:
                x = free
        out.append(text(x, box.y + 13, labels[number], halo))
    times = {(edge.source, edge.target): edge.times for edge in snapshot.edges}
    for stroke in layout.strokes:
        if stroke.label is not None:
            x, y = stroke.label
            group = snapshot.vertices[stroke.target].group
            halo = "halo" if group is None else f"halo halo{snapshot.depth(group) % 3}"
            mark = f"×{times[stroke.source, stroke.target]}"
            out.append(text(x, y + 3.5, mark, halo, "middle"))
    return out


class _LinesNear:
    """Points along all strokes, by the band of 16 pixels in which they lie."""

    def __init__(self, strokes: list[Stroke]) -> None:
        self.bands: dict[int, list[Point]] = {}
        for stroke in strokes:
            points = stroke.points
            for k in range(0, len(points) - 3, 3):
                a, b, c, d = points[k : k + 4]
                steps = 2 + int(math.hypot(d[0] - a[0], d[1] - a[1]) / 6)
                for i in range(steps + 1):
                    t = i / steps
                    u = 1 - t
                    f = (u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t)
                    x = f[0] * a[0] + f[1] * b[0] + f[2] * c[0] + f[3] * d[0]
                    y = f[0] * a[1] + f[1] * b[1] + f[2] * c[1] + f[3] * d[1]
                    self.bands.setdefault(int(y // 16), []).append((x, y))

    def gap(self, box: Box, width: float) -> float | None:
        """Where in a group's upper strip a label is not crossed, as far left as it goes."""
        start, end = box.x + 8, box.x + box.width - width - 6
        places = [start, *(start + 4 * k for k in range(1, int(max(0, end - start) / 4) + 1)), end]
        for x in places:
            if x >= box.x + 4 and not self.cross(x - 2, box.y + 1, width + 4, 16):
                return x
        return None

    def cross(self, x: float, y: float, width: float, height: float) -> bool:
        """Whether a stroke passes through a rectangle."""
        return any(
            x < px < x + width and y < py < y + height
            for band in range(int(y // 16), int((y + height) // 16) + 1)
            for px, py in self.bands.get(band, ())
        )


def _node(kind: str, box: Box, card: Card) -> Element:
    x, y, width, height = box
    group = element("g", class_=f"node {kind}")
    group.add(element("title", card.tooltip))
    kind = kind.partition(" ")[0]
    rounding = {"op": 5.0, "leaf": 1.5, "output": 10.0, "cut": 9.0, "module": 5.0}[kind]
    group.add(element("rect", x=x, y=y, width=width, height=height, rx=rounding))
    middle = x + width / 2
    base = y + (13.0 if kind == "cut" else 15.0)
    group.add(text(middle, base, card.title, "strong"))
    for k, line in enumerate(card.details):
        group.add(text(middle, base + 13.0 * (k + 1), line, "detail"))
    return group


def _edge(stroke: Stroke) -> Element:
    points = stroke.points
    if stroke.tip is None:
        return element("path", d=_path(points))
    tip = points[-1]
    length = math.hypot(*stroke.tip) or 1.0
    ux, uy = stroke.tip[0] / length, stroke.tip[1] / length
    back = (tip[0] - ux * _TIP, tip[1] - uy * _TIP)
    half = _TIP * 0.42
    corners = (
        tip,
        (back[0] - uy * half, back[1] + ux * half),
        (back[0] + uy * half, back[1] - ux * half),
    )
    head = "M" + "L".join(map(_pair, corners)) + "Z"
    # The line ends under the head, or its square end would show on both sides of the point.
    drawn = (*points[:-1], (tip[0] - ux * 3, tip[1] - uy * 3))
    return element("g", element("path", d=_path(drawn)), element("path", class_="tip", d=head))


def _path(points: tuple[Point, ...]) -> str:
    """Path data; pieces whose control points lie on their ends are straight lines."""
    out = ["M" + _pair(points[0])]
    for k in range(1, len(points) - 2, 3):
        start, (a, b, end) = points[k - 1], points[k : k + 3]
        last = k + 3 >= len(points)  # whose end has been drawn back under the arrowhead
        if a == start and (b == end or last):
            out.append("L" + _pair(end))
        else:
            out.append(f"C{_pair(a)} {_pair(b)} {_pair(end)}")
    return "".join(out)


def _pair(point: Point) -> str:
    return f"{fmt(point[0])} {fmt(point[1])}"
