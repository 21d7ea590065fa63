"""Expected against got, to look at: an aligned table, a map of shades, and the same as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

__all__ = ["columns", "element", "shades", "svg", "two_dimensional"]

SHADES = " ░▒▓█"
WIDEST, HIGHEST = 64, 16  # cells of a map; more are joined, each showing its worst
CELL = 18


def element(name: str, place: Sequence[int]) -> str:
    """``x[1, 2]``; a 0-d tensor is called by its name alone."""
    return f"{name}[{', '.join(map(str, place))}]" if len(place) else name


def columns(head: Sequence[str], rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """A table: the first column from the left, the numbers from the right."""
    cells = [head, *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return [
        indent
        + "  ".join(
            text.rjust(width) if i else text.ljust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def two_dimensional(values: Any) -> Any:
    """As rows and columns: all axes but the last become rows."""
    values = np.asarray(values)
    if values.ndim < 2:
        return values.reshape(1, -1)
    return values.reshape(-1, values.shape[-1])


def _joined(values: Any) -> Any:
    for axis, most in ((0, HIGHEST), (1, WIDEST)):
        n = values.shape[axis]
        if n > most:
            starts = np.linspace(0, n, most, endpoint=False).astype(int)
            values = np.maximum.reduceat(values, starts, axis=axis)
    return values


def shades(wrong: Any, indent: str = "  ") -> list[str]:
    """A map of how wrong each element is: 0 is right (a dot), 1 and more is a full block."""
    cells = _joined(two_dimensional(np.nan_to_num(wrong, nan=1.0, posinf=1.0)))
    lines = []
    for row in cells:
        marks = ("·" if v <= 0 else SHADES[1 + min(3, int(4 * min(float(v), 0.999)))] for v in row)
        lines.append(indent + "|" + "".join(mark * 2 for mark in marks) + "|")
    return lines


def svg(expected: Any, got: Any, wrong: Any, title: str) -> str:
    """Three maps side by side: expected, got (blue below zero, red above), where they differ."""
    panels = [("expected", expected), ("got", got), ("wrong", wrong)]
    grids = [two_dimensional(np.nan_to_num(np.asarray(values, float))) for _, values in panels]
    grids = [grid[:HIGHEST, :WIDEST] for grid in grids]
    rows, across = grids[0].shape
    wide = max(across * CELL, 80)
    largest = max(float(np.max(np.abs(grid), initial=0.0)) for grid in grids[:2]) or 1.0
    parts = []
    for p, ((name, _), grid) in enumerate(zip(panels, grids, strict=True)):
        left = 10 + p * (wide + 20)
        parts.append(f'<text x="{left}" y="44" font-size="12" fill="#666666">{name}</text>')
        for (r, c), value in np.ndenumerate(grid):
            share = min(abs(float(value)) / (largest if p < 2 else 1.0), 1.0)
            color = _color(share, float(value) < 0 and p < 2)
            tip = f"{float(value):.6g}"
            parts.append(
                f'<rect x="{left + c * CELL}" y="{52 + r * CELL}" width="{CELL - 1}" '
                f'height="{CELL - 1}" fill="{color}"><title>{tip}</title></rect>'
            )
    width, height = 10 + 3 * (wide + 20), 62 + rows * CELL
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" role="img">'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
        f'<text x="10" y="20" font-size="14" fill="#222222">{escape(title)}</text>'
        + "".join(parts)
        + "</svg>"
    )


def _color(share: float, negative: bool) -> str:
    """White at 0, red at 1, blue at -1."""
    low, high = int(245 - 190 * share), int(245 - 40 * share)
    red, green, blue = (low, low, high) if negative else (high, low, low)
    return f"#{red:02x}{green:02x}{blue:02x}"
