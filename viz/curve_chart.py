"""Panels of lines as SVG: axes, ticks, one legend for all panels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tensorgrad.viz.scales import Linear, Log, linear_for, log_for
from tensorgrad.viz.svg import Element, document, element, fmt, text
from tensorgrad.viz.theme import SERIES
from tensorgrad.viz.words import number, plural, shorten, text_width

if TYPE_CHECKING:
    from tensorgrad.viz.curves import Panel, Series

__all__ = ["curve_chart"]

WIDTH, HEIGHT = 320.0, 210.0  # of a panel's plot
LEFT, RIGHT = 58.0, 22.0
ABOVE, BELOW = 30.0, 44.0
MARGIN = 12.0
MAX_POINTS = 1600  # beyond, each column of pixels keeps its extremes
_NOT_DRAWN = "not finite, or not positive on a log axis"

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
    if title:
        body.append(text(MARGIN + 4, y + 14, title, "title"))
        y += 26
    marked = any(_gaps(s, panel.log) for panel in panels for s in panel.series)
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
            k, dash = runs.index(run), names.index(name)
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
    entries: list[tuple[str, Style | None]] = [
        (shorten(f"{run}, {name}" if run else name, 40), style)
        for (run, name), style in styles.items()
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
    group.add(text(x0, y0 - 10, panel.name, "strong"))
    if panel.log:
        end = x0 + text_width(panel.name, 11, bold=True) * 1.06 + (6 if panel.name else 0)
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
        group.add(*(_cross(x_scale(x), y0 + 6) for x in _gaps(s, panel.log)[:200]))
    return group


def _x_axis(panel: Panel, x0: float) -> tuple[Linear, bool]:
    xs = [x for s in panel.series for x in s.x]
    low, high = (min(xs), max(xs)) if xs else (0.0, 1.0)
    whole = all(x == int(x) for x in xs)
    if low == high:
        low, high = low - 1, high + 1
    return Linear(low, high, x0 + 6, x0 + WIDTH), whole


def _y_axis(panel: Panel, y0: float) -> Scale:
    ys = [y for s in panel.series for y in s.y if _drawable(y, panel.log)]
    for s in panel.series:
        for y, spread in zip(s.y, s.spread):
            ys += [v for v in (y - spread, y + spread) if _drawable(v, panel.log)]
        # Of what is drawn faintly behind a line one point in a hundred may lie outside.
        raw = sorted(y for y in s.raw[1] if _drawable(y, panel.log)) if s.raw else []
        if raw:
            ys += [raw[len(raw) // 100], raw[len(raw) - 1 - len(raw) // 100]]
    make = log_for if panel.log else linear_for
    return make(ys, y0 + HEIGHT, y0)


def _drawable(y: float, log: bool) -> bool:
    return math.isfinite(y) and abs(y) < 1e300 and (y > 0 or not log)


def _gaps(s: Series, log: bool) -> list[float]:
    """Where a series has a value that cannot be drawn."""
    return [x for x, y in zip(s.x, s.y) if not _drawable(y, log)]


def _cross(x: float, y: float) -> Element:
    return element("path", class_="warnmark", d=f"M{fmt(x - 3)} {fmt(y - 3)}l6 6m0 -6l-6 6")


def _line(s: Series, style: Style, x_scale: Linear, y_scale: Scale, log: bool) -> Element:
    """The line in its unbroken parts; a part of one point is a dot."""
    group = element("g")
    last = f"last {number(s.y[-1], 4)}" if s.y else "no points"
    group.add(element("title", f"{s.label}: {last}"))
    parts: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(s.x, s.y):
        if _drawable(y, log):
            parts[-1].append((x_scale(x), y_scale(y)))
        elif parts[-1]:
            parts.append([])
    for part in parts:
        points = _thinned(part)
        if len(points) == 1:
            (x, y), *_ = points
            group.add(element("circle", class_=f"f{style[0]}", cx=x, cy=y, r=2.6))
        elif points:
            path = "M" + "L".join(f"{fmt(x)} {fmt(y)}" for x, y in points)
            group.add(element("path", class_=_line_class(style), d=path))
    return group


def _band(s: Series, style: Style, x_scale: Linear, y_scale: Scale, log: bool) -> list[Element]:
    """One standard deviation to both sides of the mean, in its unbroken parts."""
    parts: list[list[tuple[float, float, float]]] = [[]]
    low_end = y_scale.low
    for x, y, spread in zip(s.x, s.y, s.spread):
        if _drawable(y, log) and math.isfinite(spread) and _drawable(y + spread, log):
            below = max(y - spread, low_end)  # on a log axis it may reach below 0
            parts[-1].append((x_scale(x), y_scale(y + spread), y_scale(below)))
        elif parts[-1]:
            parts.append([])
    out = []
    for part in parts:
        upper = _thinned([(x, high) for x, high, _ in part])
        lower = _thinned([(x, low) for x, _, low in part])
        if len(part) > 1:
            path = "M" + "L".join(f"{fmt(x)} {fmt(y)}" for x, y in [*upper, *reversed(lower)])
            out.append(element("path", class_=f"spread f{style[0]}", d=path + "Z"))
    return out


def _faint(
    s: Series, style: Style, x_scale: Linear, y_scale: Scale, log: bool, y0: float
) -> list[Element]:
    """The points behind a smoothed line, kept inside the panel."""
    if s.raw is None:
        return []
    points = [
        (x_scale(x), min(max(y_scale(y), y0), y0 + HEIGHT))
        for x, y in zip(*s.raw)
        if _drawable(y, log)
    ]
    points = _thinned(points)
    if len(points) < 2:
        return []
    path = "M" + "L".join(f"{fmt(x)} {fmt(y)}" for x, y in points)
    return [element("path", class_=f"line faint s{style[0]}", d=path)]


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most four points per pixel column: the first, the extremes, the last."""
    if len(points) <= MAX_POINTS:
        return points
    columns: dict[int, list[tuple[float, float]]] = {}
    for point in points:
        columns.setdefault(round(point[0]), []).append(point)
    out = []
    for column in columns.values():
        order = sorted(range(len(column)), key=lambda k: column[k][1])
        keep = sorted({0, order[0], order[-1], len(column) - 1})
        out += [column[k] for k in keep]
    return out
