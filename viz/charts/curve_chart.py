"""Panels of lines as SVG: axes, ticks, one legend for all panels."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tensorgrad.viz.charts.scales import Linear, Log, linear_for, log_for
from tensorgrad.viz.charts.thinning import MAX_POINTS, drawable, runs, thinned
from tensorgrad.viz.figures.svg import Element, document, element, fmt, text
from tensorgrad.viz.figures.theme import SERIES
from tensorgrad.viz.figures.words import broken, fitting, number, plural, shorten_all, text_width

if TYPE_CHECKING:
    from tensorgrad.viz.curves import Panel, Series

__all__ = ["curve_chart"]

WIDTH, HEIGHT = 320.0, 210.0  # of a panel's plot
LEFT, RIGHT = 58.0, 22.0
ABOVE, BELOW = 30.0, 44.0
MARGIN = 12.0
_NOT_DRAWN = "not finite, or not positive on a log axis"

Array = NDArray[np.float64]
Style = tuple[int, int]  # colour, dash
Scale = Linear | Log


def curve_chart(panels: tuple[Panel, ...], title: str, x_label: str, columns: int | None) -> str:
    """All panels, in rows of ``columns``, under the title and the legend."""
    styles = _styles(panels)
    across = columns or (2 if len(panels) == 4 else min(3, len(panels)))
    across = min(across, len(panels))
    width = 2 * MARGIN + across * (LEFT + WIDTH + RIGHT)
    body: list[Element] = []
    y = MARGIN
    for k, line in enumerate(broken(title, (width - 2 * MARGIN - 8) / 1.1, 14)):
        y += 18 if k else 0
        body.append(text(MARGIN + 4, y + 14, line, "title"))
    y += 26 if title.strip() else 0
    marked = any(_gaps(s, panel.log).size for panel in panels for s in panel.series)
    legend, y = _legend(styles, width, y, marked)
    body += legend
    above = ABOVE if any(panel.name or panel.log for panel in panels) else ABOVE / 2
    for k, panel in enumerate(panels):
        row, column = divmod(k, across)
        x0 = MARGIN + LEFT + column * (LEFT + WIDTH + RIGHT)
        y0 = y + above + row * (above + HEIGHT + BELOW)
        body.append(_panel(panel, styles, x0, y0, x_label))
    rows = math.ceil(len(panels) / across)
    height = y + rows * (above + HEIGHT + BELOW) + MARGIN / 2
    count = sum(len(panel.series) for panel in panels)
    said = (
        f"{title or 'Learning curves'}: {plural(count, 'line')} in {plural(len(panels), 'panel')}"
    )
    return document(body, width, height, label=said, kind="chart")


def _styles(panels: tuple[Panel, ...]) -> dict[tuple[str, str], Style]:
    """A colour and a dash for each (run, series), the same in every panel.

    Several runs: a colour a run, a dash a series.  One run: a colour a series, and of two the
    second is dashed, so that they differ in print too.
    """
    keys = list(dict.fromkeys((s.run, s.name) for panel in panels for s in panel.series))
    runs = list(dict.fromkeys(run for run, _ in keys))
    names = list(dict.fromkeys(name for _, name in keys))
    styles = {}
    for run, name in keys:
        if len(runs) > 1:
            k = runs.index(run)
            # Of more runs than colours those of one colour differ in their dashes, as far as
            # there are other ones.
            dash = names.index(name) + k // len(SERIES) * len(names)
        else:
            k = names.index(name)
            dash = k if len(names) == 2 else k // len(SERIES)
        styles[run, name] = (k % len(SERIES), dash % 4)
    return styles


def _legend(
    styles: dict[tuple[str, str], Style], width: float, y: float, marked: bool
) -> tuple[list[Element], float]:
    """Samples of the lines, wrapped to the width; and where they end."""
    out: list[Element] = []
    x = left = MARGIN + 4
    labels = [f"{run}, {name}" if run else name for run, name in styles]
    entries: list[tuple[str, Style | None]] = [
        *zip(shorten_all(labels, 40, middle=True), styles.values())
    ]
    if marked:
        entries.append((_NOT_DRAWN, None))
    y += 14
    for label, style in entries:
        need = 32 + text_width(label, 11) * 1.08 + 16
        if x > left and x + need > width - MARGIN:
            x, y = left, y + 18
        if style is None:
            out.append(_cross(x + 18, y - 4))
        else:
            line = f"M{fmt(x)} {fmt(y - 4)}h26"
            out.append(element("path", class_=_line_class(style), d=line))
        out.append(text(x + 32, y, label))
        x += need
    return out, y + 4


def _line_class(style: Style) -> str:
    colour, dash = style
    return f"line s{colour}" + (f" dash{dash}" if dash else "")


def _panel(
    panel: Panel, styles: dict[tuple[str, str], Style], x0: float, y0: float, x_label: str
) -> Element:
    x_scale, whole = _x_axis(panel, x0)
    y_scale = _y_axis(panel, y0)
    group = element("g")
    name = fitting(panel.name, (WIDTH - 60) / 1.06, 11)  # beside it there may be "log scale"
    group.add(text(x0, y0 - 10, name, "strong"))
    if panel.log:
        end = x0 + text_width(name, 11, bold=True) * 1.2 + (4 if name else 0)
        group.add(text(end, y0 - 10, "log scale", "muted small"))
    for value, label in y_scale.ticks(5):
        y = y_scale(value)
        group.add(element("path", class_="grid", d=f"M{fmt(x0)} {fmt(y)}h{fmt(WIDTH)}"))
        group.add(text(x0 - 7, y + 3.5, label, "muted small", "end"))
    for value, label in x_scale.ticks(6, whole=whole):
        x = x_scale(value)
        group.add(element("path", class_="axis", d=f"M{fmt(x)} {fmt(y0 + HEIGHT)}v4"))
        group.add(text(x, y0 + HEIGHT + 16, label, "muted small", "middle"))
    frame = f"M{fmt(x0)} {fmt(y0)}v{fmt(HEIGHT)}h{fmt(WIDTH)}"
    group.add(element("path", class_="axis", d=frame))
    group.add(text(x0 + WIDTH / 2, y0 + HEIGHT + 33, x_label, "muted", "middle"))
    for s in panel.series:
        style = styles[s.run, s.name]
        group.add(*_band(s, style, x_scale, y_scale, panel.log))
        group.add(*_faint(s, style, x_scale, y_scale, panel.log, y0))
    for s in panel.series:
        group.add(_line(s, styles[s.run, s.name], x_scale, y_scale, panel.log))
        group.add(*_crosses(s, x_scale, y0 + 6, panel.log))
    return group


def _x_axis(panel: Panel, x0: float) -> tuple[Linear, bool]:
    parts = [x for s in panel.series if (x := np.array(s.x)).size]
    low = min((float(x.min()) for x in parts), default=0.0)
    high = max((float(x.max()) for x in parts), default=1.0)
    whole = all(bool((x == np.trunc(x)).all()) for x in parts)
    if low == high:
        low, high = low - 1, high + 1
    return Linear(low, high, x0 + 6, x0 + WIDTH), whole


def _y_axis(panel: Panel, y0: float) -> Scale:
    ys: list[float] = []
    for s in panel.series:
        y, spread = np.array(s.y), np.array(s.spread)
        with np.errstate(all="ignore"):
            for values in (y, y - spread, y + spread) if spread.size else (y,):
                known = values[drawable(values, panel.log)]
                if known.size:
                    ys += [float(known.min()), float(known.max())]
        # Of what is drawn faintly behind a line one point in a hundred may lie outside.
        raw = np.array(s.raw[1] if s.raw else ())
        raw = np.sort(raw[drawable(raw, panel.log)])
        if raw.size:
            ys += [float(raw[len(raw) // 100]), float(raw[len(raw) - 1 - len(raw) // 100])]
    make = log_for if panel.log else linear_for
    return make(ys, y0 + HEIGHT, y0)


def _gaps(s: Series, log: bool) -> Array:
    """Where a series has a value that cannot be drawn."""
    return np.array(s.x)[~drawable(np.array(s.y), log)]


def _crosses(s: Series, x_scale: Linear, y: float, log: bool) -> list[Element]:
    """A mark where a value cannot be drawn; of many those that stand side by side."""
    places = x_scale.pixels(_gaps(s, log))
    if len(places) > 200:
        places.sort()
        apart, k = [], 0
        while k < len(places):
            apart.append(places[k])
            k = int(np.searchsorted(places, places[k] + 7))
        places = np.array(apart)
    return [_cross(x, y) for x in places.tolist()]


def _cross(x: float, y: float) -> Element:
    return element("path", class_="warnmark", d=f"M{fmt(x - 3)} {fmt(y - 3)}l6 6m0 -6l-6 6")


def _line(s: Series, style: Style, x_scale: Linear, y_scale: Scale, log: bool) -> Element:
    """The line in its unbroken parts; a part of one point is a dot."""
    group = element("g")
    last = f"last {number(s.y[-1], 4)}" if s.y else "no points"
    group.add(element("title", f"{s.label}: {last}"))
    x, y = np.array(s.x), np.array(s.y)
    known = drawable(y, log)
    across, up = x_scale.pixels(x), y_scale.pixels(np.where(known, y, 1.0))
    many = bool(known.sum() > MAX_POINTS)
    for run in runs(known, across):
        at = thinned(run, across, up, many)
        points = _points(x[at], y[at], x_scale, y_scale)
        if len(points) == 1:
            (cx, cy), *_ = points
            group.add(element("circle", class_=f"f{style[0]}", cx=cx, cy=cy, r=2.6))
        else:
            group.add(element("path", class_=_line_class(style), d=_path(points)))
    return group


def _points(x: Array, y: Array, x_scale: Linear, y_scale: Scale) -> list[tuple[float, float]]:
    return [(x_scale(a), y_scale(b)) for a, b in zip(x.tolist(), y.tolist())]


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{fmt(x)} {fmt(y)}" for x, y in points)


def _band(s: Series, style: Style, x_scale: Linear, y_scale: Scale, log: bool) -> list[Element]:
    """One standard deviation to both sides of the mean, in its unbroken parts."""
    if not s.spread:
        return []
    x, y, spread = np.array(s.x), np.array(s.y), np.array(s.spread)
    with np.errstate(all="ignore"):
        high, low = y + spread, np.maximum(y - spread, y_scale.low)  # on a log axis below 0
        known = drawable(y, log) & np.isfinite(spread) & drawable(high, log)
    across, many = x_scale.pixels(x), bool(known.sum() > MAX_POINTS)
    out = []
    for run in runs(known, across):
        if len(run) > 1:
            edges = []
            for edge in (high, low):
                at = thinned(run, across, y_scale.pixels(np.where(known, edge, 1.0)), many)
                edges.append(_points(x[at], edge[at], x_scale, y_scale))
            path = _path([*edges[0], *reversed(edges[1])])
            out.append(element("path", class_=f"spread f{style[0]}", d=path + "Z"))
    return out


def _faint(
    s: Series, style: Style, x_scale: Linear, y_scale: Scale, log: bool, y0: float
) -> list[Element]:
    """The points behind a smoothed line, kept inside the panel, in their unbroken parts."""
    if s.raw is None:
        return []
    x, y = np.array(s.raw[0]), np.array(s.raw[1])
    known = drawable(y, log)
    across = x_scale.pixels(x)
    up = np.clip(y_scale.pixels(np.where(known, y, 1.0)), y0, y0 + HEIGHT)
    many = bool(known.sum() > MAX_POINTS)
    parts = []
    for run in runs(known, across):
        at = thinned(run, across, up, many)
        points = _points(x[at], y[at], x_scale, y_scale)
        path = _path((px, min(max(py, y0), y0 + HEIGHT)) for px, py in points)
        parts.append(path if len(at) > 1 else path + "h0")  # whose round ends are a dot
    return [element("path", class_=f"line faint s{style[0]}", d="".join(parts))] if parts else []
