"""The pictures: bars of ratios, lines of cost against size.  SVG, for light and dark screens."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from targets import Figure

from tensorgrad.viz.charts.scales import Linear, Log, log_for
from tensorgrad.viz.figures.svg import Element, document, element, text
from tensorgrad.viz.figures.words import text_width

ROW, MARGIN, PLOT = 24.0, 14.0, 420.0
PANEL_WIDTH, PANEL_HEIGHT = 300.0, 210.0


def bars(figures: Sequence[Figure], title: str, subtitle: str) -> str:
    """A row a figure: its bar from 0, the value, and a tick where its target is."""
    left = MARGIN + max(text_width(f.name, 11) * 1.08 for f in figures) + 12
    longest = max(max(f.value, f.target.bar if f.target else 0) for f in figures)
    scale = Linear(0.0, max(1.25, longest * 1.05), left, left + PLOT)
    top, bottom, one = 78.0, 78.0 + ROW * len(figures), scale(1.0)
    body = [text(MARGIN, 24, title, "title"), text(MARGIN, 42, subtitle, "muted")]
    for value, label in scale.ticks(6):
        x = scale(value)
        body.append(element("path", class_="grid", d=f"M{x:.1f} {top - 6}V{bottom + 4}"))
        body.append(text(x, bottom + 18, label, "muted small", "middle"))
    for k, figure in enumerate(figures):
        y = top + ROW * k
        row = element("g", element("title", _spoken(figure)))
        row.add(text(left - 10, y + 15, figure.name, None, "end"))
        width = max(scale(figure.value) - left, 1.0)
        row.add(element("rect", class_="bar", x=left, y=y + 4, width=width, height=ROW - 9))
        if figure.target is not None:
            x = scale(figure.target.bar)
            row.add(element("path", class_="warnmark", d=f"M{x:.1f} {y + 1}V{y + ROW - 2}"))
        value = f"{figure.value:.2f}"
        end = scale(figure.value) + 6
        lines = [one] if figure.target is None else sorted([scale(figure.target.bar), one])
        for x in lines:
            if end - 8 < x < end + text_width(value, 11, bold=True) * 1.08 + 6:
                end = x + 6  # the line would cross the number
        row.add(text(end, y + 15, value, "strong"))
        body.append(row)
    body.append(element("path", class_="axis", d=f"M{one:.1f} {top - 6}V{bottom + 4}"))
    body.append(text(one, top - 11, "PyTorch", "muted small", "middle"))
    x = left + PLOT + 10
    key = "the bar to reach"
    wide = max(x + 40, MARGIN * 2 + text_width(subtitle, 11) * 1.08)
    body.append(element("path", class_="warnmark", d=f"M{left} {bottom + 30}V{bottom + 44}"))
    body.append(text(left + 8, bottom + 41, key, "muted small"))
    return document(body, wide + MARGIN, bottom + 58, label=title, kind="chart")


def _spoken(figure: Figure) -> str:
    bar = "" if figure.target is None else f", bar {figure.target.bar:g}"
    return f"{figure.name}: {figure.value:.3f}{bar}"


class Panel(NamedTuple):
    """Cost against size: ``lines`` are by library, points (size, milliseconds)."""

    title: str
    x_label: str
    lines: dict[str, list[tuple[float, float]]]


def panels(content: Sequence[Panel], title: str, y_label: str, across: int = 2) -> str:
    """Panels with two log axes, where a cost in proportion to the size is a line of slope 1."""
    libraries = list(dict.fromkeys(name for panel in content for name in panel.lines))
    body = [text(MARGIN, 24, title, "title"), text(MARGIN, 42, y_label, "muted")]
    x = MARGIN + text_width(y_label, 11) * 1.08 + 24
    for k, library in enumerate(libraries):
        body.append(element("path", class_=f"line s{k}", d=f"M{x:.1f} 38h22"))
        body.append(text(x + 28, 42, library))
        x += 28 + text_width(library, 11) * 1.08 + 20
    for k, panel in enumerate(content):
        x0 = MARGIN + 44 + (k % across) * (PANEL_WIDTH + 70)
        y0 = 78 + (k // across) * (PANEL_HEIGHT + 84)
        body += _panel(panel, x0, y0, libraries)
    rows = math.ceil(len(content) / across)
    columns = min(across, len(content))
    width = max(MARGIN * 2 + columns * (PANEL_WIDTH + 70), x + MARGIN)
    return document(body, width, 72 + rows * (PANEL_HEIGHT + 84), label=title, kind="chart")


def _panel(panel: Panel, x0: float, y0: float, libraries: list[str]) -> list[Element]:
    points = [point for line in panel.lines.values() for point in line]
    xs = log_for([x for x, _ in points], x0, x0 + PANEL_WIDTH)
    ys = log_for([y for _, y in points], y0 + PANEL_HEIGHT, y0)
    out = [text(x0, y0 - 8, panel.title, "strong")]
    out.append(text(x0 + PANEL_WIDTH / 2, y0 + PANEL_HEIGHT + 34, panel.x_label, "muted", "middle"))
    out += _grid(xs, ys, x0, y0)
    for name, line in panel.lines.items():
        k = libraries.index(name)
        places = [(xs(x), ys(y)) for x, y in sorted(line)]
        d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        out.append(element("path", element("title", name), class_=f"line s{k}", d=d))
        out += [element("circle", class_=f"f{k}", cx=x, cy=y, r=2.4) for x, y in places]
    return out


def _grid(xs: Log, ys: Log, x0: float, y0: float) -> list[Element]:
    out = []
    bottom = y0 + PANEL_HEIGHT
    for value, label in xs.ticks(6):
        x = xs(value)
        out.append(element("path", class_="grid", d=f"M{x:.1f} {y0}V{bottom}"))
        out.append(text(x, bottom + 16, label, "muted small", "middle"))
    for value, label in ys.ticks(6):
        y = ys(value)
        out.append(element("path", class_="grid", d=f"M{x0} {y:.1f}h{PANEL_WIDTH}"))
        out.append(text(x0 - 6, y + 3.5, label, "muted small", "end"))
    out.append(element("path", class_="axis", d=f"M{x0} {y0}V{bottom}h{PANEL_WIDTH}"))
    return out


def slopes(line: list[tuple[float, float]]) -> list[float]:
    """The exponent of growth between neighbouring points: 1 where cost is in proportion."""
    return [math.log(b[1] / a[1]) / math.log(b[0] / a[0]) for a, b in pairwise(sorted(line))]


def as_panels(scaling: dict[str, Any]) -> list[Panel]:
    """What `scaling` measured, as panels."""
    return [
        Panel(
            found["title"],
            found["x_label"],
            {name: [(float(x), y) for x, y in line] for name, line in found["lines"].items()},
        )
        for found in scaling.values()
    ]
