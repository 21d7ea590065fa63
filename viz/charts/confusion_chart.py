"""A confusion matrix as a picture: cells in the colour of their share, names, edges of sums."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tensorgrad.viz.figures.svg import Element, document, element, text
from tensorgrad.viz.figures.words import count as short_count
from tensorgrad.viz.figures.words import percent, shorten_all, text_width

if TYPE_CHECKING:
    from tensorgrad.viz.confusions import ConfusionFigure

__all__ = ["confusion_chart"]

# Up to this share of the darkest colour the numbers are in ink, beyond it in the paper's colour:
# where the worse of the two contrasts, on light and on dark screens, is best.
PALE = 0.7
# Of more classes than these the empty cells, most of them, are one rectangle together.
EACH = 40
# Up to so many classes there is room for numbers in the cells and beside them.
NUMBERED = 20


class _Place(NamedTuple):
    """Where things stand, in pixels: the corner of the first cell, the side of a cell, names."""

    left: float
    top: float
    side: float
    n: int
    names: list[str]
    angle: int  # of the names above the columns, in degrees; 0 where they are level

    @property
    def right(self) -> float:
        return self.left + self.n * self.side

    @property
    def bottom(self) -> float:
        return self.top + self.n * self.side

    def middle(self, k: int) -> float:
        """How far from the first cell's edge the middle of row or column k is."""
        return (k + 0.5) * self.side


def confusion_chart(figure: ConfusionFigure) -> str:
    """The picture as an SVG document."""
    place = _place(figure.labels)
    body = [
        text(16, 28, figure.title, "title"),
        text(16, 46, figure.note, "muted"),
        *_sides(place),
        *_cells(figure, place),
        *_names(place),
        *(_edges(figure, place) if place.n <= NUMBERED else ()),
    ]
    headings = (text_width(figure.title, 14, bold=True), text_width(figure.note, 11))
    width = max(place.right + _beyond(place), 32 + max(headings) * 1.1)
    label = f"{figure.title}: {figure.note}"
    return document(body, width, place.bottom + 34, label=label, kind="chart")


def _place(labels: list[str]) -> _Place:
    n = len(labels)
    side = 44.0 if n <= 12 else max(14.0, 560.0 / n)
    names = shorten_all(labels, 16)
    longest = max((text_width(name, 11) * 1.08 for name in names), default=0)
    # The narrower the columns, the steeper their names, or they touch.
    angle = 0 if longest <= side - 4 else 45 if side > 16 else 60
    rise = (math.sin(math.radians(angle)) + 0.04) * longest if angle else 16
    return _Place(44 + longest + 10, 84 + rise, side, n, names, angle)


def _sides(place: _Place) -> Iterator[Element]:
    """What rows and columns are."""
    half = place.n * place.side / 2
    yield text(place.left + half, 70, "predicted", "strong", "middle")
    yield _turned("true", "strong", "middle", 26, place.top + half, 90)


def _cells(figure: ConfusionFigure, place: _Place) -> Iterator[Element]:
    n, side = place.n, place.side
    # Colour shows the share of the row (of what was normalised over): the same for classes of one
    # sample and of a thousand.
    sums = figure.counts.sum(1, keepdims=True)
    shares = figure.shares if figure.normalize else figure.counts / np.where(sums == 0, 1, sums)
    top = float(shares.max(initial=0.0)) or 1.0
    if n > EACH:
        whole = n * side
        yield element("rect", class_="cell", x=place.left, y=place.top, width=whole, height=whole)
    for i in range(n):
        for j in range(n) if n <= EACH else np.flatnonzero(figure.counts[i]).tolist():
            yield _cell(figure, i, j, place, float(shares[i, j]) / top)


def _cell(figure: ConfusionFigure, i: int, j: int, place: _Place, share: float) -> Element:
    """A cell: what it says under the pointer, its colour, and its number where there is room."""
    side = place.side
    x, y = place.left + j * side, place.top + i * side
    count = figure.counts[i, j]
    said = f"true {figure.labels[i]}, predicted {figure.labels[j]}: {count:,.0f}"
    cell = element("g", element("title", said))
    cell.add(element("rect", class_="cell", x=x, y=y, width=side, height=side))
    if share > 0:
        style = "hit" if i == j else "miss"
        heat = element("rect", class_=style, x=x, y=y, width=side, height=side)
        heat.attributes["fill-opacity"] = f"{0.12 + 0.88 * share:.2f}"
        cell.add(heat)
    if place.n <= NUMBERED and count:
        shown = figure.cell(i, j)
        kind = "on" if share > PALE else ""
        if text_width(shown, 10) * 1.06 > side - 2:  # 123,456,789 where there is room for 123M
            shown = short_count(int(count)) if figure.normalize is None else shown.split(".")[0]
        size = "small" if place.n > 10 or len(shown) > 5 else ""
        classes = f"{kind} {size}".strip() or None
        cell.add(text(x + side / 2, y + side / 2 + 4, shown, classes, "middle"))
    return cell


def _names(place: _Place) -> Iterator[Element]:
    """The classes at the left of the rows and above the columns."""
    for k, name in enumerate(place.names):
        yield text(place.left - 8, place.top + place.middle(k) + 4, name, None, "end")
        anchor = "start" if place.angle else "middle"
        x, y = place.left + place.middle(k), place.top - 8
        yield _turned(name, None, anchor, x, y, place.angle)


def _edges(figure: ConfusionFigure, place: _Place) -> Iterator[Element]:
    """Recall at the right of each row, precision below each column."""
    below = place.bottom + 16
    yield text(place.right + 10, place.top - 8, "recall", "muted small")
    for k in range(place.n):
        y = place.top + place.middle(k) + 4
        yield text(place.right + 10, y, percent(figure.recall[k]), "muted small")
        shown = percent(figure.precision[k])
        yield text(place.left + place.middle(k), below, shown, "muted small", "middle")
    yield text(place.left - 8, below, "precision", "muted small", "end")


def _beyond(place: _Place) -> float:
    """The room that is needed at the right of the cells: for the recall and the last name."""
    if not place.angle:
        return 64.0
    across = math.cos(math.radians(place.angle)) + 0.04
    return max(64.0, across * text_width(place.names[-1], 11) * 1.08)


def _turned(string: str, kind: str | None, anchor: str, x: float, y: float, angle: int) -> Element:
    """Text that begins (or is centred) at a point and rises by an angle."""
    made = text(0, 0, string, kind, anchor)
    turn = f" rotate(-{angle})" if angle else ""
    made.attributes["transform"] = f"translate({x:.1f} {y:.1f}){turn}"
    return made
