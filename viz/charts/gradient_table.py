"""Gradient statistics as a table for terminals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tensorgrad.viz.figures.words import cells, number, padded, shape, shorten, shorten_all, wrapped

if TYPE_CHECKING:
    from tensorgrad.viz.gradients import GradStats

__all__ = ["gradient_table"]

_WIDTH = 80  # characters of a terminal
_BAR = 16
_EIGHTHS = "▏▎▍▌▋▊▉█"


def gradient_table(shown: Sequence[GradStats | str], title: str) -> str:
    """One line a parameter; the bar shows the mean on a log scale from decade to decade.

    A string stands for rows that are left out.
    """
    rows = [row for row in shown if not isinstance(row, str)]
    means = [row.mean for row in rows if row.status == "ok" and row.mean]
    head = ["parameter", "shape", "mean|g|", "max|g|", "std g", "‖g‖", "g/w", "log"]
    lines, numbers = [head[:2]], [head[2:7]]
    for row in rows:
        lines.append([row.name, shorten(shape(row.shape), 18)])
        values = (row.mean, row.max, row.std, row.norm, row.ratio)
        # What was not computed has no numbers, and the reason in their place.
        none = row.remark and row.status != "zero"
        numbers.append([] if none else [number(v, 2) for v in values])
    if _room(lines, numbers) < 24:  # large shapes and small numbers: the deviation gives way
        numbers = [[*found[:2], *found[3:]] for found in numbers]
    # What shapes and numbers leave of a line is the names' and the bars'.
    room = _room(lines, numbers)
    longest = max(cells(name) for name, _ in lines)
    least = max([6, *(len(row.remark) for row in rows if row.status == "zero")])
    bar = max(least, min(_BAR, room - longest))
    columns = [min(longest, max(12, room - bar)), *_widths(lines)[1:]]
    scale = _decades(means)
    ends = [head[7], *(row.remark or _bar(row.mean or 0.0, scale, bar) for row in rows)]
    widths = _widths(numbers)
    names = [
        lines[0][0],
        *shorten_all([line[0] for line in lines[1:]], columns[0], middle=True),
    ]
    out = []
    for name, line, told, end in zip(names, lines, numbers, ends):
        left = [padded(name, columns[0]), line[1].ljust(columns[1])]
        right = [cell.rjust(width) for cell, width in zip(told, widths)]
        out.append("  ".join([*left, *right, end]).rstrip())
    made = iter(out)
    top = [*wrapped(title), "", next(made)]
    return "\n".join([*top, *(row if isinstance(row, str) else next(made) for row in shown)])


def _widths(lines: list[list[str]]) -> list[int]:
    columns = range(max(map(len, lines)))
    return [max(len(line[k]) for line in lines if k < len(line)) for k in columns]


def _room(lines: list[list[str]], numbers: list[list[str]]) -> int:
    """How many characters of a line are left by shapes and numbers."""
    taken = [_widths(lines)[1], *_widths(numbers)]
    return _WIDTH - sum(taken) - 2 * (len(taken) + 1)


def _decades(means: list[float]) -> tuple[int, int]:
    """From power to power of ten: two equal means must not look like the least and the most."""
    if not means:
        return 0, 0
    return math.floor(math.log10(min(means))), math.ceil(math.log10(max(means)))


def _bar(mean: float, scale: tuple[int, int], width: int) -> str:
    low, high = scale
    share = (math.log10(mean) - low) / (high - low) if high > low else 1.0
    eighths = 8 + round(share * (width - 1) * 8)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest - 1] if rest else "")
