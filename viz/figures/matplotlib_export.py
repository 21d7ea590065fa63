"""Figures for those who go on with matplotlib: an extra, imported only when it is asked for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tensorgrad.viz.curves import CurvesFigure
    from tensorgrad.viz.gradients import GradFlowFigure
    from tensorgrad.viz.monitoring.views import MonitorFigure

__all__ = ["curves_to_matplotlib", "gradients_to_matplotlib", "monitor_to_matplotlib"]


def _figure(caller: str, rows: int, columns: int, size: tuple[float, float]) -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            f"{caller}: matplotlib is not installed; pip install 'tensorgrad[matplotlib]', or save "
            "the figure as .svg, which needs nothing"
        ) from error
    # Figure, not pyplot: no window system is touched and nothing is kept in a global list.
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def monitor_to_matplotlib(report: MonitorFigure) -> Any:
    """A row for each parameter: its gradient, and gradient and update relative to it."""
    courses = [c for c in report.courses if "ok" in c.status]
    if not courses:
        raise ValueError("to_matplotlib: no parameter has got a gradient yet")
    figure, axes = _figure("to_matplotlib", len(courses), 2, (9, 1.6 * len(courses) + 1))
    for (left, right), c in zip(axes, courses):
        for axis, values, label in (
            (left, c.row("abs_mean"), "mean |g|"),
            (left, c.row("max"), "max |g|"),
            (right, c.update_to_data, "update / parameter"),
            (right, c.grad_to_data, "gradient / parameter"),
        ):
            known = np.isfinite(values) & (values > 0)
            if known.any():
                axis.plot(np.array(report.steps)[known], values[known], label=label)
        left.set_title(_plain(c.name), loc="left", fontsize="small")
        for axis in (left, right):
            _by_decades(axis)
    for axis in axes[0]:
        # Above the panel, where no line can run through it.
        axis.legend(
            fontsize="small", frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1.02, 0.97)
        )
    for axis in axes[-1]:
        axis.set_xlabel("step")
    return figure


def _by_decades(axis: Any) -> None:
    """A log scale over whole powers of ten, each third of ten of them written: no two overlap."""
    found = [y for line in axis.lines for y in line.get_ydata()]
    if found:
        low, high = math.floor(math.log10(min(found))), math.ceil(math.log10(max(found)))
        high = max(high, low + 1)
        axis.set_yscale("log")
        axis.set_ylim(10.0**low, 10.0**high)
        axis.set_yticks([10.0**k for k in range(low, high + 1, -((low - high) // 3))])
        axis.tick_params(axis="y", which="minor", labelleft=False)
        axis.grid(axis="y", alpha=0.3)


def gradients_to_matplotlib(flow: GradFlowFigure) -> Any:
    """A row for each parameter: mean and largest |gradient|, and the ratio of the norms."""
    rows = flow.shown
    figure, axes = _figure("to_matplotlib", 1, 2, (9, 0.28 * len(rows) + 1.4))
    left, right = axes[0]
    known = [
        (k, row) for k, row in enumerate(rows) if not isinstance(row, str) and row.status == "ok"
    ]
    places = [k for k, _ in known]
    left.plot([row.mean for _, row in known], places, "|", markersize=9, label="mean |g|")
    left.plot([row.max for _, row in known], places, ".", label="max |g|")
    ratios = [(k, row.ratio) for k, row in known if row.ratio and np.isfinite(row.ratio)]
    right.plot([r for _, r in ratios], [k for k, _ in ratios], "o", markersize=4)
    left.set_xlabel("gradient")
    right.set_xlabel("‖gradient‖ / ‖parameter‖")
    for axis in (left, right):
        if axis.lines and any(len(line.get_xdata()) for line in axis.lines):
            axis.set_xscale("log")
        axis.set_ylim(len(rows) - 0.5, -0.5)
        axis.grid(alpha=0.3)
    # What was not computed keeps its row, and says so.
    names = [
        _plain(row if isinstance(row, str) else f"{row.name} ({row.remark})".removesuffix(" ()"))
        for row in rows
    ]
    left.set_yticks(range(len(rows)), names, fontsize="small")
    right.set_yticks(range(len(rows)), [""] * len(rows))
    if known:
        left.legend(fontsize="small")
    figure.suptitle(_plain(flow.title), x=0.01, ha="left", fontsize="medium")
    return figure


def curves_to_matplotlib(curves: CurvesFigure) -> Any:
    """A panel for each panel, its lines and its bands."""
    panels = curves.panels
    figure, axes = _figure("to_matplotlib", 1, len(panels), (5.0 * len(panels), 3.8))
    for axis, panel in zip(axes[0], panels):
        for s in panel.series:
            (line,) = axis.plot(s.x, s.y, label=_plain(s.label))
            if s.spread:
                y, spread = np.array(s.y), np.array(s.spread)
                colour = line.get_color()
                axis.fill_between(s.x, y - spread, y + spread, alpha=0.2, color=colour)
        axis.set_title(_plain(panel.name))
        axis.set_xlabel(_plain(curves.x_label))
        if panel.log:
            axis.set_yscale("log")
        if panel.series:
            axis.legend()
    return figure


def _plain(name: str) -> str:
    """A name that matplotlib does not take for mathematics or for one to leave out."""
    return name.replace("$", r"\$") if not name.startswith("_") else " " + name.replace("$", r"\$")
