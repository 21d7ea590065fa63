"""Gradient statistics as a table for terminals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tensorgrad.viz.words import number, shape, shorten

if TYPE_CHECKING:
    from tensorgrad.viz.gradients import GradStats

__all__ = ["gradient_table"]

_BAR = 16  # characters
_EIGHTHS = "▏▎▍▌▋▊▉█"


def gradient_table(rows: list[GradStats], title: str) -> str:
    """One line a parameter; the bar shows the mean on a log scale from decade to decade."""
    means = [row.mean for row in rows if row.status == "ok" and row.mean]
    head = ["parameter", "shape", "mean |g|", "max |g|", "std g", "‖g‖", "‖g‖/‖w‖", "log mean |g|"]
    cells = []
    for row in rows:
        name, dims = shorten(row.name, 44, middle=True), shape(row.shape)
        if row.remark and row.status != "zero":
            cells.append([name, dims, "-", "-", "-", "-", "-", row.remark])
        else:
            numbers = [number(v) for v in (row.mean, row.max, row.std, row.norm, row.ratio)]
            cells.append([name, dims, *numbers, row.remark or _bar(row.mean or 0.0, means)])
    widths = [max(len(line[k]) for line in [head, *cells]) for k in range(7)]
    lines = [title, ""]
    for line in [head, *cells]:
        left = [line[k].ljust(widths[k]) for k in (0, 1)]
        right = [line[k].rjust(widths[k]) for k in (2, 3, 4, 5, 6)]
        lines.append("  ".join([*left, *right, line[7]]).rstrip())
    return "\n".join(lines)


def _bar(mean: float, means: list[float]) -> str:
    # From power to power of ten: two equal means must not look like the least and the most.
    low, high = math.floor(math.log10(min(means))), math.ceil(math.log10(max(means)))
    share = (math.log10(mean) - low) / (high - low) if high > low else 1.0
    eighths = 8 + round(share * (_BAR - 1) * 8)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest - 1] if rest else "")
