"""A `Monitor`'s report as SVG: per parameter a ridgeline of its gradients and two courses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tensorgrad.viz.charts.scales import Linear, Log, log_for
from tensorgrad.viz.figures.svg import Element, document, element, fmt, text
from tensorgrad.viz.figures.words import number, plural, power_of_ten, shape, shorten, text_width
from tensorgrad.viz.monitoring.sampling import BINS, LOWEST

if TYPE_CHECKING:
    from tensorgrad.viz.monitoring.views import Course, MonitorFigure, Track

__all__ = ["monitor_chart"]

Array = NDArray[Any]

MARGIN, GAP = 16.0, 58.0
ROW, PLOT = 84.0, 62.0  # of a parameter: its height, and that of its plots
BARE = 52.0  # of one that has nothing to plot
RIDGE, COURSE = 250.0, 230.0  # widths of the plots
RIDGES = 9  # steps of which a histogram is drawn
POINTS = 400  # of a course: more than pixels would show nothing


def monitor_chart(figure: MonitorFigure) -> str:
    """One row a parameter, one a activation; all rows share their axes, so that they compare."""
    courses, tracks, steps = figure.courses, figure.tracks, figure.steps
    names = [shorten(c.name, 30, middle=True) for c in courses]
    names += [shorten(t.name, 34, middle=True) for t in tracks]
    room = max([text_width(name, 11, bold=True) * 1.08 for name in names] + [90.0])
    lefts = [MARGIN + room + 22]
    lefts += [lefts[0] + RIDGE + GAP, lefts[0] + RIDGE + GAP + COURSE + GAP]
    body: list[Element] = [
        text(MARGIN, 26, figure.title, "title"),
        text(MARGIN, 44, figure.subtitle, "muted"),
    ]
    y = 108.0
    if courses:
        body += _headings(lefts, y - 20)
        bins = _span(courses)
        x_steps = _steps_axis(steps, lefts[1])
        sizes = log_for(
            _values(c.row(k) for c in courses for k in ("abs_mean", "max")), 0, 1, decades=True
        )
        ratios = log_for(
            [*_values(r for c in courses for r in (c.grad_to_data, c.update_to_data)), 1e-4, 1e-2],
            *(0, 1), decades=True,
        )  # fmt: skip
        for c, name in zip(courses, names):
            body.append(_parameter(c, name, steps, y, lefts, bins, x_steps, sizes, ratios))
            y += ROW if "ok" in c.status else BARE
        y += 0 if "ok" in courses[-1].status else ROW - BARE
        body += _below(lefts, y, bins, x_steps)
        y += 34
    if tracks:
        y += 22
        body += _track_headings(lefts, y - 8)
        x_steps = _steps_axis(steps, lefts[0])
        for t, name in zip(tracks, names[len(courses) :]):
            body.append(_activation(t, name, y, lefts[0], x_steps, steps))
            y += 56
        body += _step_labels(x_steps, y)
        y += 34
    if figure.warnings.findings:
        y += 14
        found = plural(len(figure.warnings), "warning")
        body.append(
            text(MARGIN, y, f"{found}: see .warnings() for evidence and cure", "strong warn")
        )
        for f in figure.warnings.findings[:12]:
            y += 17
            said = f"{f.cause}: {f.layer}" if f.layer else f.cause
            body.append(text(MARGIN, y, shorten(said, 100)))
        y += 8
    if not courses and not tracks:
        body.append(text(MARGIN, 72, "nothing to show", "muted"))
    width = lefts[2] + COURSE + MARGIN + 8
    said = f"{figure.title}: {plural(len(courses), 'parameter')}, {figure.subtitle}"
    return document(body, width, y + MARGIN, label=said, kind="chart")


def _headings(lefts: list[float], y: float) -> list[Element]:
    out: list[Element] = [
        text(lefts[0], y - 16, "|gradient|, its histogram", "strong"),
        text(lefts[0], y, "from the first step (back) to the last (front)", "muted small"),
        text(lefts[1], y - 16, "|gradient| over the steps", "strong"),
        text(lefts[2], y - 16, "relative to the parameter", "strong"),
    ]
    out += _legend(lefts[1], y, [("s0", "mean"), ("s0 dash2", "max")])
    return out + _legend(lefts[2], y, [("s1", "update"), ("s2 dash1", "gradient")], "usual")


def _legend(x: float, y: float, lines: Iterable[tuple[str, str]], band: str = "") -> list[Element]:
    out: list[Element] = []
    for style, label in lines:
        out.append(element("path", class_=f"line {style}", d=f"M{fmt(x)} {fmt(y - 4)}h20"))
        out.append(text(x + 25, y, label, "muted small"))
        x += 25 + text_width(label, 10) * 1.08 + 14
    if band:
        out.append(element("rect", class_="band", x=x, y=y - 9, width=18, height=10))
        out.append(text(x + 23, y, band, "muted small"))
    return out


def _span(courses: list[Course]) -> tuple[int, int]:
    """The bins that the ridgelines need, the same for all, and room for the zeros at the left."""
    total = np.zeros(BINS, np.int64)
    for c in courses:
        for h in c.histograms:
            if h is not None:
                total += h
    used = np.flatnonzero(total[1:])
    if not used.size:
        return 40, 60
    return max(0, int(used[0]) - 1), min(BINS - 2, max(int(used[-1]) + 1, int(used[0]) + 6))


def _bin_axis(bins: tuple[int, int], left: float) -> Linear:
    """From powers of two to pixels; the zeros stand apart at the left."""
    low, high = LOWEST + bins[0], LOWEST + bins[1] + 1
    return Linear(low, high, left + 16, left + RIDGE)


def _steps_axis(steps: Sequence[int], left: float, width: float = COURSE) -> Linear:
    low, high = (steps[0], steps[-1]) if steps else (0, 1)
    return Linear(low, high if high > low else low + 1, left, left + width)


def _parameter(
    c: Course,
    name: str,
    steps: list[int],
    y: float,
    lefts: list[float],
    bins: tuple[int, int],
    x_steps: Linear,
    sizes: Log,
    ratios: Log,
) -> Element:
    row = element("g", element("title", _tooltip(c)))
    row.add(text(MARGIN, y + 26, name, "strong"))
    row.add(text(MARGIN, y + 42, shorten(shape(c.shape), 30), "muted small"))
    known = [k for k, status in enumerate(c.status) if status == "ok"]
    if not known:
        why = c.status[-1] if c.status else "not seen yet"
        for left in lefts:
            row.add(text(left + 6, y + 26, why, "muted"))
        return row
    for left, width in zip(lefts, (RIDGE, COURSE, COURSE)):
        line = f"M{fmt(left)} {fmt(y + PLOT)}h{fmt(width)}"
        row.add(element("path", class_="axis", d=line))
    row.add(*_ridges(c, known, y, lefts[0], bins))
    shift = lefts[2] - lefts[1]
    for scale, left in ((sizes, lefts[1]), (ratios, lefts[2])):
        ticks = scale.ticks(3)[:4]
        for value, label in ticks:
            at = y + PLOT - scale(value) * PLOT
            row.add(element("path", class_="grid", d=f"M{fmt(left)} {fmt(at)}h{fmt(COURSE)}"))
            row.add(text(left - 6, at + 3.5, label, "muted small", "end"))
    low, high = (y + PLOT - ratios(v) * PLOT for v in (1e-4, 1e-2))
    band = element("rect", class_="band", x=lefts[2], y=high, width=COURSE, height=low - high)
    row.add(band)
    for values, style, scale, move in (
        (c.row("max"), "s0 dash2", sizes, 0.0),
        (c.row("abs_mean"), "s0", sizes, 0.0),
        (c.grad_to_data, "s2 dash1", ratios, shift),
        (c.update_to_data, "s1", ratios, shift),
    ):
        row.add(*_course(steps, values, style, x_steps, scale, y, move))
    if not np.isfinite(c.update_to_data).any():
        row.add(text(lefts[2] + 6, y + 12, "no update: " + _why_none(c), "muted"))
    if not np.isfinite(c.row("max")[known]).all():
        # In the half where the lines are not: the upper one where they are low.
        shares = [sizes(v) for v in c.row("abs_mean")[known].tolist() if math.isfinite(v) and v > 0]
        at = 12 if not shares or sum(shares) / len(shares) < 0.5 else PLOT - 6
        row.add(text(lefts[1] + 6, y + at, "not finite from some step on", "warn"))
    return row


def _why_none(c: Course) -> str:
    return "parameter is 0" if not np.nanmax(c.row("data_norm")) else "not in the optimizer"


def _ridges(
    c: Course, known: list[int], y: float, left: float, bins: tuple[int, int]
) -> list[Element]:
    """Histograms of a few steps, each lower and in front of the one before."""
    picked = [known[round(k * (len(known) - 1) / (RIDGES - 1))] for k in range(RIDGES)]
    picked = list(dict.fromkeys(picked))
    axis = _bin_axis(bins, left)
    shares = []
    for k in picked:
        histogram = c.histograms[k]
        assert histogram is not None
        counts = histogram.astype(float) / max(1, int(histogram.sum()))
        shares.append(counts)
    top = max(float(s[1:].max(initial=0)) for s in shares) or 1.0
    height = PLOT * (0.55 if len(picked) > 1 else 0.9)
    fall = (PLOT - height) / max(1, len(picked) - 1)
    out: list[Element] = []
    for n, s in enumerate(shares):
        base = y + PLOT - fall * (len(picked) - 1 - n)
        points = [(axis.start, base)]
        for b in range(bins[0], bins[1] + 1):
            x = axis(LOWEST + b + 0.5)
            points.append((x, base - float(s[b + 1]) / top * height))
        points.append((axis.end, base))
        path = "M" + "L".join(f"{fmt(px)} {fmt(py)}" for px, py in points)
        out.append(element("path", class_=f"ridge age{round(4 * (n + 1) / len(shares))}", d=path))
        if s[0] > 0 and n == len(shares) - 1:  # exact zeros, which no log axis has
            size = float(s[0]) * height
            out.append(
                element("rect", class_="zeros", x=left + 2, y=base - size, width=8, height=size)
            )
    return out


def _course(
    steps: list[int],
    values: Array,
    style: str,
    x_steps: Linear,
    scale: Log,
    y: float,
    shift: float,
) -> list[Element]:
    """The line in its unbroken parts; a part of one point is a dot."""
    parts: list[list[tuple[float, float]]] = [[]]
    stride = max(1, len(steps) // POINTS)
    for step, value in zip(steps[::stride], values[::stride]):
        if math.isfinite(value) and value > 0:
            at = min(1.0, max(0.0, scale(float(value))))
            parts[-1].append((x_steps(step) + shift, y + PLOT - at * PLOT))
        elif parts[-1]:
            parts.append([])
    out: list[Element] = []
    for part in parts:
        if len(part) == 1:
            (px, py), *_ = part
            out.append(element("circle", class_=f"f{style[1]}", cx=px, cy=py, r=2.4))
        elif part:
            path = "M" + "L".join(f"{fmt(px)} {fmt(py)}" for px, py in part)
            out.append(element("path", class_=f"line thin {style}", d=path))
    return out


def _below(lefts: list[float], y: float, bins: tuple[int, int], x_steps: Linear) -> list[Element]:
    """Labels of the horizontal axes, under the last row."""
    y += 12 - (ROW - PLOT)
    axis = _bin_axis(bins, lefts[0])
    out: list[Element] = [text(lefts[0] + 6, y, "0", "muted small", "middle")]
    low, high = axis.low * math.log10(2), axis.high * math.log10(2)
    step = max(1, math.ceil((high - low) / 5))
    for e in range(math.ceil(low), math.floor(high) + 1):
        if e % step == 0:
            x = axis(e / math.log10(2))
            if x - lefts[0] > 28:
                out.append(text(x, y, power_of_ten(e), "muted small", "middle"))
    out += _step_labels(x_steps, y - 12)
    shifted = Linear(x_steps.low, x_steps.high, lefts[2], lefts[2] + COURSE)
    return out + _step_labels(shifted, y - 12)


def _step_labels(x_steps: Linear, y: float) -> list[Element]:
    out = [
        text(x_steps(value), y + 12, label, "muted small", "middle")
        for value, label in x_steps.ticks(5, whole=True)
    ]
    middle = (x_steps.start + x_steps.end) / 2
    return [*out, text(middle, y + 28, "step", "muted small", "middle")]


def _track_headings(lefts: list[float], y: float) -> list[Element]:
    out: list[Element] = [text(MARGIN, y, "activations, shares of 0 to 100 %", "strong")]
    x = lefts[0] + COURSE + 40
    return out + _legend(
        x, y, [("s0 dash2", "zeros"), ("s3", "dead units"), ("s1 dash1", "saturated")]
    )


def _activation(
    t: Track, name: str, y: float, left: float, x_steps: Linear, steps: list[int]
) -> Element:
    height = 40.0
    row = element("g", text(MARGIN, y + 24, name, "strong"))
    row.add(element("path", class_="axis", d=f"M{fmt(left)} {fmt(y)}v{fmt(height)}h{fmt(COURSE)}"))
    row.add(element("path", class_="grid", d=f"M{fmt(left)} {fmt(y)}h{fmt(COURSE)}"))
    scale = Linear(0.0, 1.0, y + height, y)
    said = []
    for values, style, label in (
        (t.zero, "s0 dash2", "zeros"),
        (t.saturated, "s1 dash1", "saturated"),
        (t.dead, "s3", "dead"),
    ):
        points = [(x_steps(s), scale(v)) for s, v in zip(steps, values) if v is not None]
        last = next((v for v in reversed(values) if v is not None), None)
        if last is None:
            continue
        said.append(f"{label} {number(100 * last)} %")
        if len(points) == 1:
            row.add(
                element("circle", class_=f"f{style[1]}", cx=points[0][0], cy=points[0][1], r=2.4)
            )
        else:
            stride = max(1, len(points) // POINTS)
            path = "M" + "L".join(f"{fmt(px)} {fmt(py)}" for px, py in points[::stride])
            row.add(element("path", class_=f"line thin {style}", d=path))
    row.add(text(left + COURSE + 40, y + 24, "last: " + ", ".join(said), "muted"))
    return row


def _values(rows: Iterable[Array]) -> list[float]:
    found: list[float] = []
    for row in rows:
        known = row[np.isfinite(row) & (row > 0)]
        if known.size:
            found += [float(known.min()), float(known.max())]
    return [max(value, 1e-30) for value in found]


def _tooltip(c: Course) -> str:
    lines = [c.name, shape(c.shape)]
    known = [k for k, status in enumerate(c.status) if status == "ok"]
    if known:
        k = known[-1]
        lines.append(
            f"last: mean |g| {number(c.row('abs_mean')[k])}, max |g| {number(c.row('max')[k])}"
        )
        lines.append(f"‖Δw‖/‖w‖ {number(c.update_to_data[k])}")
    return "\n".join(lines)
