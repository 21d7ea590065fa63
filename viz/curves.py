"""`learning_curves`: loss, accuracy and whatever else is measured over training, as line charts."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.viz.charts.curve_chart import curve_chart
from tensorgrad.viz.charts.smoothing import Runs, exponential_mean, points_of, windowed_mean
from tensorgrad.viz.figures.arguments import heading, listed, real, whole
from tensorgrad.viz.figures.figure import Figure, encode
from tensorgrad.viz.figures.words import (
    cells,
    no_formula,
    number,
    padded,
    shorten_all,
    visible,
    wrapped,
)

__all__ = ["CurvesFigure", "Panel", "Series", "learning_curves"]


@dataclass(frozen=True, slots=True)
class Series:
    """One line: the run it belongs to ("" if there is one run only), its name, its points.

    ``spread``: the half-width of the band around it.  ``raw``: the points behind a smoothed line.
    """

    run: str
    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    spread: tuple[float, ...] = ()
    raw: tuple[tuple[float, ...], tuple[float, ...]] | None = None

    @property
    def label(self) -> str:
        return f"{self.run}, {self.name}" if self.run else self.name


@dataclass(frozen=True, slots=True)
class Panel:
    """The lines that share a pair of axes."""

    name: str
    log: bool
    series: tuple[Series, ...]


class CurvesFigure(Figure):
    """Learning curves: a table with sparklines as text, panels of lines as SVG."""

    def __init__(
        self, panels: tuple[Panel, ...], title: str, x_label: str, columns: int | None
    ) -> None:
        super().__init__(title or "Learning curves")
        self.panels, self.x_label = panels, x_label
        self._heading, self._columns = title, columns

    def _make_text(self) -> str:
        return _table(self.panels, self._heading)

    def _make_svg(self) -> str:
        return curve_chart(self.panels, self._heading, self.x_label, self._columns)

    def _make_data(self) -> dict[str, Any]:
        panels = [
            {
                "name": panel.name,
                "log": panel.log,
                "series": [_series_data(s) for s in panel.series],
            }
            for panel in self.panels
        ]
        return {"kind": "learning_curves", "x_label": self.x_label, "panels": panels}

    def csv(self) -> str:
        """A line for each point: panel, run, series, x, y, and the deviation over runs."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["panel", "run", "series", "x", "y", "std"])
        for panel in self.panels:
            for s in panel.series:
                for k, (x, y) in enumerate(zip(s.x, s.y)):
                    std = f"{s.spread[k]:.9g}" if s.spread else ""
                    names = map(no_formula, (panel.name, s.run, s.name))
                    writer.writerow([*names, f"{x:.9g}", f"{y:.9g}", std])
        return text.getvalue()

    def to_matplotlib(self) -> Any:
        """The panels as a matplotlib Figure; needs ``pip install 'tensorgrad[matplotlib]'``."""
        from tensorgrad.viz.figures.matplotlib_export import curves_to_matplotlib

        return curves_to_matplotlib(self)

    def _formats(self) -> dict[str, Callable[[], bytes]]:
        return {**super()._formats(), ".csv": lambda: encode(self.csv())}


def _series_data(s: Series) -> dict[str, Any]:
    data: dict[str, Any] = {"run": s.run, "name": s.name, "x": s.x, "y": s.y}
    if s.spread:
        data["std"] = s.spread
    if s.raw is not None:
        data["raw"] = {"x": s.raw[0], "y": s.raw[1]}
    return data


def learning_curves(
    history: Mapping[str, Any],
    *,
    title: str = "",
    x_label: str = "epoch",
    log: bool | Collection[str] = False,
    columns: int | None = None,
    window: int | None = None,
    decay: float | None = None,
) -> CurvesFigure:
    """Line charts of what was measured during training.

    history: panels, in each the series, or runs and in each of them the series::

        {"loss": {"train": [2.3, 0.9], "validation": [2.1, 1.0]}}
        {"loss": {"MLP": {"train": [...], "validation": [...]}, "CNN": {...}}, "accuracy": {...}}

    and, for a single panel, just the series; what `training.fit` returns is such a history.  A
    series is a sequence of numbers, measured at x = 1, 2, ..., or of (x, y) pairs, as a list, an
    array or a Tensor; or `over_runs` of several, drawn as the mean with a band of one standard
    deviation.  With several runs a run has a colour and a series a dash.
    x_label: what x counts.
    log: True, or the names of the panels whose y axis is logarithmic.
    columns: panels side by side; by default up to three, and four in two rows of two.
    window: draw means of so many points at a time.
    decay: draw the exponential moving average with this factor (0.995 averages some 200 points),
        and the points themselves faintly behind it.

    NaN, infinities and, on a log axis, values of 0 and less interrupt a line and are marked.  Of
    more than 1,600 points each column of pixels shows the first, the last and the extremes, and
    gaps of less than two pixels only have their marks.
    Raises TypeError and ValueError for a history of another shape.
    """
    if not isinstance(history, Mapping):
        raise TypeError(
            "viz.learning_curves: history must be a mapping of panels to series, such as "
            f"{{'loss': losses}}, got {type(history).__name__}"
        )
    caller = "viz.learning_curves"
    shown, x_label = heading(title, caller), heading(x_label, caller, "x_label")
    for word, value in (("columns", columns), ("window", window)):
        if value is not None:
            whole(value, 1, caller, word)
    if not isinstance(log, bool):
        log = [log] if isinstance(log, str) else listed(log, caller, "log", "a bool or panels")
    if decay is not None and not 0 <= real(decay, caller, "decay") < 1:
        raise ValueError(f"viz.learning_curves: decay must be in [0, 1), got {decay}")
    grouped = {k: v for k, v in history.items() if isinstance(v, Mapping)}
    if grouped and len(grouped) < len(history):
        odd = next(name for name in history if name not in grouped)
        raise ValueError(
            f"viz.learning_curves: {odd!r} is a series and {next(iter(grouped))!r} a mapping; give "
            "either series only (one panel) or panels only"
        )
    panels = grouped or {"": history}
    if not isinstance(log, bool) and (unknown := sorted(set(log) - set(panels))):
        raise ValueError(f"viz.learning_curves: log names {unknown[0]!r}, which is not a panel")
    smooth = _Smoothing(window, decay)
    made = []
    for name, content in panels.items():
        is_log = log if isinstance(log, bool) else name in log
        made.append(Panel(visible(str(name)), is_log, _series(content, smooth)))
    if not any(panel.series for panel in made):
        raise ValueError("viz.learning_curves: history has no series")
    return CurvesFigure(tuple(made), shown, x_label, columns)


class _Smoothing(NamedTuple):
    window: int | None
    decay: float | None


def _series(content: Mapping[str, Any], smooth: _Smoothing) -> tuple[Series, ...]:
    found = []
    for name, value in content.items():
        if isinstance(value, Mapping):
            for inner, points in value.items():
                found.append(_one(visible(str(name)), visible(str(inner)), points, smooth))
        else:
            found.append(_one("", visible(str(name)), value, smooth))
    return tuple(found)


def _one(run: str, name: str, points: Any, smooth: _Smoothing) -> Series:
    spread = None
    if isinstance(points, Runs):
        x, y, spread = points.x, points.mean, points.std
    else:
        x, y = points_of(points, f"viz.learning_curves: series {name!r}")
    raw = None
    if smooth.window is not None:
        if spread is not None:
            _, spread = windowed_mean(x, spread, smooth.window)
        x, y = windowed_mean(x, y, smooth.window)
    if smooth.decay is not None:
        raw = (tuple(x.tolist()), tuple(y.tolist()))
        y = exponential_mean(y, smooth.decay)
    band = () if spread is None or not np.isfinite(spread).any() else tuple(spread.tolist())
    return Series(run, name, tuple(x.tolist()), tuple(y.tolist()), band, raw)


def _table(panels: tuple[Panel, ...], title: str) -> str:
    """A line a series: how it began, ended and ranged, and its course as a sparkline."""
    head = ["", "points", "first", "last", "min", "max", ""]
    rows = []
    for panel in panels:
        for s in panel.series:
            known = [y for y in s.y if math.isfinite(y)]
            label = f"{panel.name}: {s.label}" if panel.name else s.label
            ends = [number(s.y[0]), number(s.y[-1])] if s.y else ["-", "-"]
            ranges = [number(min(known)), number(max(known))] if known else ["-", "-"]
            rows.append([label, str(len(s.y)), *ends, *ranges])
    widths = [max(cells(row[k]) for row in [head, *rows]) for k in range(6)]
    room = 80 - sum(widths[1:]) - 12  # of a terminal: for the names and for the courses
    widths[0] = min(widths[0], 36, max(16, room - 8))
    room = max(8, room - widths[0])
    names = shorten_all([row[0] for row in rows], widths[0], middle=True)
    for row, name in zip(rows, names):
        row[0] = name
    for row, s in zip(rows, (s for panel in panels for s in panel.series)):
        row.append(_sparkline(s.y, min(32, room)))
    lines = [*wrapped(title), ""] if title else []
    for row in [head, *rows]:
        right = [row[k].rjust(widths[k]) for k in range(1, 6)]
        lines.append("  ".join([padded(row[0], widths[0]), *right, row[6]]).rstrip())
    return "\n".join(lines)


def _sparkline(values: tuple[float, ...], width: int = 32) -> str:
    """The course of a series in at most ``width`` characters; ``×`` where it is not finite."""
    known = [v for v in values if math.isfinite(v)]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    n = min(width, len(values))
    out = []
    for k in range(n):
        part = values[k * len(values) // n : (k + 1) * len(values) // n]
        if not all(map(math.isfinite, part)):
            out.append("×")
        else:
            mean = sum(v / len(part) for v in part)
            # In halves: from -1e308 to 1e308 is too far for a float.
            share = (mean / 2 - low / 2) / (high / 2 - low / 2) if high / 2 > low / 2 else 0.0
            out.append("▁▂▃▄▅▆▇█"[min(7, int(share * 8))])
    return "".join(out)
