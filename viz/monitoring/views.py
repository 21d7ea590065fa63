"""What a `Monitor` has seen, by parameter and by activation; as a table and as a figure."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tensorgrad.graph.provenance import Location
from tensorgrad.viz.figures.arguments import listed
from tensorgrad.viz.figures.figure import Figure
from tensorgrad.viz.figures.words import cells, number, padded, plural, shorten
from tensorgrad.viz.monitoring.sampling import LOWEST, STATISTICS

if TYPE_CHECKING:
    from tensorgrad.viz.diagnosis.findings import Findings

__all__ = ["Course", "MonitorFigure", "Track", "sparkline"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Course:
    """A parameter over the steps: ``values`` has a row for each of `STATISTICS`.

    ``status`` is "ok" where there was a gradient, else why there was none ("no gradient",
    "frozen", "not there"); the numbers are NaN there, never 0.
    """

    name: str
    shape: tuple[int, ...]
    status: list[str]
    values: Array
    histograms: list[Array | None]
    rates: list[float]
    location: Location | None

    def row(self, name: str) -> Array:
        """One statistic over the steps."""
        found: Array = self.values[STATISTICS.index(name)]
        return found

    @property
    def grad_to_data(self) -> Array:
        """The norm of the gradient over that of the parameter."""
        return _ratio(self.row("grad_norm"), self.row("data_norm"))

    @property
    def update_to_data(self) -> Array:
        """The norm of the optimizer's step over that of the parameter."""
        return _ratio(self.row("update_norm"), self.row("data_norm"))


@dataclass(frozen=True, slots=True)
class Track:
    """An activation over the steps: shares of 0..1, None where they do not apply or are unknown."""

    name: str
    zero: tuple[float | None, ...]
    dead: tuple[float | None, ...]
    saturated: tuple[float | None, ...]
    alive: list[Array | None]
    location: Location | None
    is_output: bool = False


def _ratio(above: Array, below: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.where(below > 0, above / below, np.nan)


class MonitorFigure(Figure):
    """A `Monitor`'s report: a table with sparklines as text, ridgelines and courses as SVG."""

    def __init__(
        self,
        courses: list[Course],
        tracks: list[Track],
        steps: list[int],
        names: Iterable[str] | str | None,
        warnings: Findings,
    ) -> None:
        super().__init__("Training monitor")
        chosen = _chooser(names, [c.name for c in courses] + [t.name for t in tracks])
        self.courses = [c for c in courses if chosen(c.name)]
        self.tracks = [t for t in tracks if chosen(t.name)]
        self.steps, self.warnings = steps, warnings

    @property
    def subtitle(self) -> str:
        """What the report covers."""
        if not self.steps:
            return "no step was looked at yet"
        seen = plural(len(self.steps), "step")
        return f"{seen} looked at, from {self.steps[0]:,} to {self.steps[-1]:,}"

    def _make_text(self) -> str:
        lines = [f"{self.title}: {self.subtitle}", ""]
        lines += _parameter_table(self.courses)
        if self.tracks:
            lines += ["", *_activation_table(self.tracks)]
        return "\n".join([*lines, "", str(self.warnings)])

    def _make_svg(self) -> str:
        from tensorgrad.viz.monitoring.chart import monitor_chart

        return monitor_chart(self)

    def _make_data(self) -> dict[str, Any]:
        parameters = [
            {
                "name": c.name,
                "shape": c.shape,
                "status": c.status,
                **{name: c.row(name).tolist() for name in STATISTICS},
                "grad_to_data": c.grad_to_data.tolist(),
                "update_to_data": c.update_to_data.tolist(),
                "histograms": [None if h is None else h.tolist() for h in c.histograms],
            }
            for c in self.courses
        ]
        activations = [
            {
                "name": t.name,
                "zero_share": t.zero,
                "dead_share": t.dead,
                "saturated_share": t.saturated,
            }
            for t in self.tracks
        ]
        return {
            "kind": "monitor",
            "steps": self.steps,
            "lowest_bin": f"|gradient| = 0, then factors of two from 2**{LOWEST}",
            "parameters": parameters,
            "activations": activations,
            "warnings": self.warnings.data["findings"],
        }

    def to_matplotlib(self) -> Any:
        """The courses as a matplotlib Figure; needs ``pip install 'tensorgrad[matplotlib]'``."""
        from tensorgrad.viz.figures.matplotlib_export import monitor_to_matplotlib

        return monitor_to_matplotlib(self)


REPORT = "Monitor.report"


def _chooser(names: Iterable[str] | str | None, known: list[str]) -> Any:
    if names is None:
        return lambda name: True
    patterns = [names] if isinstance(names, str) else listed(names, REPORT, "names", "names")
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise TypeError(f"{REPORT}: names must be strings, got {type(pattern).__name__}")
        if not any(fnmatch.fnmatchcase(name, pattern) for name in known):
            raise ValueError(
                f"{REPORT}: {pattern!r} matches none of {', '.join(known[:8]) or 'nothing'}"
            )
    return lambda name: any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _parameter_table(courses: list[Course]) -> list[str]:
    """Last values, and the course of the update ratio as a sparkline."""
    head = ["parameter", "mean|g|", "max|g|", "std g", "g/w", "Δw/w", "course Δw/w"]
    rows = []
    for c in courses:
        name = shorten(c.name, 20, middle=True)
        last = next((k for k in reversed(range(len(c.status))) if c.status[k] == "ok"), None)
        if last is None:
            rows.append([name, *["-"] * 5, c.status[-1] if c.status else "not seen yet"])
            continue
        update = c.update_to_data
        values = [c.row(k)[last] for k in ("abs_mean", "max", "std")]
        shown = [number(v, 2) for v in values]
        ratios = [_ratio_text(c.grad_to_data[last]), _ratio_text(update[last])]
        course = sparkline(update) if np.isfinite(update).any() else _no_update(c, last)
        rows.append([name, *shown, *ratios, course])
    widths = [max(cells(row[k]) for row in [head, *rows]) for k in range(6)]
    lines = []
    for row in [head, *rows]:
        right = [row[k].rjust(widths[k]) for k in range(1, 6)]
        lines.append("  ".join([padded(row[0], widths[0]), *right, row[6]]).rstrip())
    return lines


def _no_update(course: Course, last: int) -> str:
    if course.row("data_norm")[last] == 0:
        return "parameter is 0"
    if not math.isfinite(course.row("grad_norm")[last]):
        return "not finite"
    return "not optimized"


def _ratio_text(value: float) -> str:
    return "-" if math.isnan(value) else number(value, 2)


def _activation_table(tracks: list[Track]) -> list[str]:
    head = ["activation", "zero", "dead", "saturated", "course"]
    rows = []
    for t in tracks:
        course = t.dead if any(v is not None for v in t.dead) else t.saturated
        values = np.array([v for v in course if v is not None])
        shares = [_share(_last(part)) for part in (t.zero, t.dead, t.saturated)]
        rows.append([shorten(t.name, 34, middle=True), *shares, sparkline(values, top=1.0)])
    widths = [max(cells(row[k]) for row in [head, *rows]) for k in range(4)]
    lines = []
    for row in [head, *rows]:
        right = [row[k].rjust(widths[k]) for k in (1, 2, 3)]
        lines.append("  ".join([padded(row[0], widths[0]), *right, row[4]]).rstrip())
    return lines


def _last(part: tuple[float | None, ...]) -> float | None:
    return next((value for value in reversed(part) if value is not None), None)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def sparkline(values: Array, width: int = 12, top: float | None = None) -> str:
    """A course in at most ``width`` characters: from 0 to ``top``, or on a log scale without one.

    ``·`` where nothing is known, ``×`` where a value is infinite.
    """
    n = min(width, len(values))
    parts = [values[k * len(values) // n : (k + 1) * len(values) // n] for k in range(n)]
    means = [float(np.mean(part)) if np.isfinite(part).all() else math.nan for part in parts]
    if top is None:
        means = [math.log10(m) if m > 0 else math.nan for m in means]
    known = [m for m in means if math.isfinite(m)]
    low, high = (0.0, top) if top is not None else (min(known, default=0), max(known, default=0))
    # Less than a factor of two is no course: it must not look like one.
    high = max(high, low + 0.3) if top is None else high
    out = []
    for part, mean in zip(parts, means):
        if math.isfinite(mean):
            out.append("▁▂▃▄▅▆▇█"[max(0, min(7, int((mean - low) / (high - low) * 8)))])
        else:
            out.append("×" if np.isinf(part).any() else "·")
    return "".join(out)
