"""Gradient statistics as a chart: a row a parameter, log axes, readable with 3 rows or 300."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tensorgrad.viz.charts.scales import Log, log_for
from tensorgrad.viz.figures.svg import Element, document, element, text
from tensorgrad.viz.figures.words import number, plural, shape, shorten_all, text_width

if TYPE_CHECKING:
    from tensorgrad.viz.gradients import GradStats

__all__ = ["gradient_chart"]

ROW = 20.0
PANEL = 320.0  # width of the gradients' axis
RATIO = 170.0  # width of the ratios' axis
GAP = 40.0
MARGIN = 14.0


def gradient_chart(shown: Sequence[GradStats | str], title: str, count: int) -> str:
    """Horizontal rows rather than bars over layers: names stay level and never overlap.

    A string stands for rows that are left out, of ``count`` in all.
    """
    rows = [row for row in shown if not isinstance(row, str)]
    names = shorten_all([row.name for row in rows], 44, middle=True)
    labels = max(text_width(name, 11) * 1.08 for name in names)
    shapes = max(text_width(shape(row.shape), 10) * 1.08 for row in rows)
    left = MARGIN + labels + 10 + shapes + 10
    # Beside the title, or below it where names are short or the title is long.
    beside = MARGIN + text_width(title, 14, bold=True) * 1.25 + 12 <= left
    lower = 0.0 if beside else 22.0
    top = 72.0 + lower
    bottom = top + ROW * len(shown)
    values = [v for row in rows if row.status == "ok" for v in (row.mean, row.max) if v]
    ratios = [row.ratio for row in rows if _has_ratio(row) and row.ratio]
    gradients = log_for(values, left, left + PANEL, decades=True)
    ratio_scale = log_for(ratios, left + PANEL + GAP, left + PANEL + GAP + RATIO, decades=True)
    body = [text(MARGIN, 24, title, "title"), *_legend(left, 24 + lower)]
    for scale, heading, room in (
        (gradients, "gradient", PANEL),
        (ratio_scale, "‖gradient‖ / ‖parameter‖", RATIO),
    ):
        body.append(text(scale.start, 48 + lower, heading, "muted"))
        body += _axis(scale, room, top, bottom, above=len(shown) > 24)
    labelled = iter(names)
    for k, row in enumerate(shown):
        y = top + ROW * (k + 0.5)
        if isinstance(row, str):
            # It can be longer than the names' column: no line of the grid runs through it.
            wide = 1.08 * text_width(row, 11) + 4
            body.append(element("rect", class_="paper", x=MARGIN, y=y - 8, width=wide, height=16))
            body.append(text(MARGIN, y + 4, row, "muted"))
            continue
        name = next(labelled)
        line = element("g", element("title", _tooltip(row)))
        # Something to hover over between the marks as well.
        line.add(element("rect", x=0, y=y - ROW / 2, width=left, height=ROW, fill_opacity=0))
        line.add(text(MARGIN, y + 4, name))
        line.add(text(left - 10, y + 4, shape(row.shape), "muted small", "end"))
        line.add(*_marks(row, y, gradients, ratio_scale))
        body.append(line)
    told = text_width(title, 14, bold=True) * 1.1 + 2 * MARGIN
    width = max(ratio_scale.end + MARGIN + 10, told)
    said = f"Gradient statistics of {plural(count, 'parameter')}"
    return document(body, width, bottom + 34, label=said, kind="chart")


def _legend(x: float, y: float) -> list[Element]:
    """Samples of the marks, on the title's line."""
    out: list[Element] = [
        element("rect", class_="soft", x=x, y=y - 9, width=16, height=9),
        element("rect", class_="bar", x=x + 14, y=y - 11, width=3, height=13),
        text(x + 23, y, "mean |g|", "muted"),
    ]
    x += 23 + text_width("mean |g|", 11) + 18
    out += [
        element("path", class_="whisker", d=f"M{x} {y - 4.5}h14m0 -5v10"),
        text(x + 21, y, "max |g|", "muted"),
    ]
    x += 21 + text_width("max |g|", 11) + 18
    return [
        *out,
        element("circle", class_="dot", cx=x + 4, cy=y - 4.5, r=3.6),
        text(x + 13, y, "ratio of norms", "muted"),
    ]


def _axis(scale: Log, room: float, top: float, bottom: float, *, above: bool) -> list[Element]:
    """Grid lines with labels below, and above too where the rows fill more than a screen."""
    out = []
    for value, label in scale.ticks(int(room // 44)):
        x = scale(value)
        out.append(element("path", class_="grid", d=f"M{x:.1f} {top:.1f}V{bottom:.1f}"))
        out.append(text(x, bottom + 16, label, "muted small", "middle"))
        if above:
            out.append(text(x, top - 6, label, "muted small", "middle"))
    line = f"M{scale.start:.1f} {bottom:.1f}H{scale.end:.1f}"
    out.append(element("path", class_="axis", d=line))
    return out


def _marks(row: GradStats, y: float, gradients: Log, ratios: Log) -> list[Element]:
    """A bar to the mean, a whisker on to the maximum, a dot for the ratio; or why there is none."""
    if row.status != "ok":
        kind = "warn" if row.status in ("nan", "inf", "zero") else "muted"
        return [text(gradients.start + 6, y + 4, row.remark, kind)]
    out = []
    mean, largest = gradients(row.mean or 0.0), gradients(row.max or 0.0)
    out.append(
        element(
            "rect",
            class_="soft",
            x=gradients.start,
            y=y - 4.5,
            width=mean - gradients.start,
            height=9,
        )
    )
    out.append(element("path", class_="whisker", d=f"M{mean:.1f} {y:.1f}H{largest:.1f}m0 -5v10"))
    out.append(element("rect", class_="bar", x=mean - 1.5, y=y - 6.5, width=3, height=13))
    if _has_ratio(row):
        out.append(element("circle", class_="dot", cx=ratios(row.ratio or 0.0), cy=y, r=3.6))
    else:
        remark = "parameter is 0" if row.data_norm == 0 else "not finite"
        out.append(text(ratios.start + 6, y + 4, remark, "muted"))
    return out


def _has_ratio(row: GradStats) -> bool:
    return row.status == "ok" and bool(row.ratio) and math.isfinite(row.ratio or 0.0)


def _tooltip(row: GradStats) -> str:
    lines = [row.name, f"{shape(row.shape)} {row.dtype}"]
    if row.status in ("ok", "zero"):
        lines += [
            f"mean |g| {number(row.mean)}, max |g| {number(row.max)}, std {number(row.std)}",
            f"‖g‖ {number(row.norm)}, ‖w‖ {number(row.data_norm)}, ratio {number(row.ratio)}",
        ]
    if row.remark:
        lines.append(row.remark)
    return "\n".join(lines)
