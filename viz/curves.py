"""`learning_curves`: loss, accuracy and whatever else is measured over training, as line charts."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tensorgrad.viz.curve_chart import curve_chart
from tensorgrad.viz.figure import Figure
from tensorgrad.viz.words import number, shorten, visible

__all__ = ["CurvesFigure", "Panel", "Series", "learning_curves"]


@dataclass(frozen=True, slots=True)
class Series:
    """One line: the run it belongs to ("" if there is one run only), its name, its points."""

    run: str
    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]

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
        self.panels = panels
        self._heading, self._x_label, self._columns = title, x_label, columns

    def _make_text(self) -> str:
        return _table(self.panels, self._heading)

    def _make_svg(self) -> str:
        return curve_chart(self.panels, self._heading, self._x_label, self._columns)

    def _make_data(self) -> dict[str, Any]:
        panels = [
            {
                "name": panel.name,
                "log": panel.log,
                "series": [
                    {"run": s.run, "name": s.name, "x": s.x, "y": s.y} for s in panel.series
                ],
            }
            for panel in self.panels
        ]
        return {"kind": "learning_curves", "x_label": self._x_label, "panels": panels}


def learning_curves(
    history: Mapping[str, Any],
    *,
    title: str = "",
    x_label: str = "epoch",
    log: bool | Collection[str] = False,
    columns: int | None = None,
) -> CurvesFigure:
    """Line charts of what was measured during training.

    history: panels, in each the series, or runs and in each of them the series::

        {"loss": {"train": [2.3, 0.9], "validation": [2.1, 1.0]}}
        {"loss": {"MLP": {"train": [...], "validation": [...]}, "CNN": {...}}, "accuracy": {...}}

    and, for a single panel, just the series.  A series is a sequence of numbers, measured at
    x = 1, 2, ..., or of (x, y) pairs.  With several runs a run has a colour and a series a dash.
    x_label: what x counts.
    log: True, or the names of the panels whose y axis is logarithmic.
    columns: panels side by side; by default up to three, and four in two rows of two.

    NaN, infinities and, on a log axis, values of 0 and less interrupt a line and are marked.
    Raises TypeError and ValueError for a history of another shape.
    """
    if not isinstance(history, Mapping):
        raise TypeError(
            "viz.learning_curves: history must be a mapping of panels to series, got "
            f"{type(history).__name__}"
        )
    if columns is not None and columns < 1:
        raise ValueError(f"viz.learning_curves: columns must be at least 1, got {columns}")
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
    made = tuple(
        Panel(visible(str(name)), log if isinstance(log, bool) else name in log, _series(content))
        for name, content in panels.items()
    )
    if not any(panel.series for panel in made):
        raise ValueError("viz.learning_curves: history has no series")
    return CurvesFigure(made, visible(title), visible(x_label), columns)


def _series(content: Mapping[str, Any]) -> tuple[Series, ...]:
    found = []
    for name, value in content.items():
        if isinstance(value, Mapping):
            for inner, points in value.items():
                found.append(_one(visible(str(name)), visible(str(inner)), points))
        else:
            found.append(_one("", visible(str(name)), value))
    return tuple(found)


def _one(run: str, name: str, points: Any) -> Series:
    if isinstance(points, str | bytes) or not isinstance(points, Iterable):
        raise TypeError(
            f"viz.learning_curves: series {name!r} must be numbers or (x, y) pairs, got "
            f"{type(points).__name__}"
        )
    xs, ys = [], []
    for k, point in enumerate(points, 1):
        try:
            x, y = point if _is_pair(point) else (k, point)
            x, y = float(x), float(y)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"viz.learning_curves: series {name!r} has {point!r:.60} at place {k - 1}; "
                "expected a number or an (x, y) pair"
            ) from error
        if not math.isfinite(x):
            raise ValueError(f"viz.learning_curves: series {name!r} has x = {x} at place {k - 1}")
        xs.append(x)
        ys.append(y)
    return Series(run, name, tuple(xs), tuple(ys))


def _is_pair(point: Any) -> bool:
    try:
        return len(point) == 2
    except TypeError:
        return False


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
            rows.append([shorten(label, 48), str(len(s.y)), *ends, *ranges, _sparkline(s.y)])
    widths = [max(len(row[k]) for row in [head, *rows]) for k in range(6)]
    lines = [title, ""] if title else []
    for row in [head, *rows]:
        cells = [row[k].rjust(widths[k]) for k in range(1, 6)]
        lines.append("  ".join([row[0].ljust(widths[0]), *cells, row[6]]).rstrip())
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
            share = (mean - low) / (high - low) if high > low else 0.0
            out.append("▁▂▃▄▅▆▇█"[min(7, int(share * 8))])
    return "".join(out)
