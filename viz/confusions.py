"""`confusion_matrix`: how often each class was taken for each, as a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tensorgrad.viz.charts.confusion_chart import confusion_chart
from tensorgrad.viz.figures.arguments import heading, listed, one_of
from tensorgrad.viz.figures.figure import Figure, encode
from tensorgrad.viz.figures.latex_tables import latex_table
from tensorgrad.viz.figures.pixels import as_array
from tensorgrad.viz.figures.words import (
    cells,
    no_formula,
    padded,
    percent,
    plural,
    shape,
    shorten_all,
    visible,
    wrapped,
)

__all__ = ["ConfusionFigure", "confusion_matrix"]

Normalize = Literal["true", "predicted", "all"] | None


class ConfusionFigure(Figure):
    """True classes in rows, predicted ones in columns; with recall and precision at the edges."""

    def __init__(
        self, counts: NDArray[Any], labels: list[str], normalize: Normalize, title: str
    ) -> None:
        super().__init__(title)
        self.counts, self.labels, self.normalize = counts, labels, normalize
        sums = {"true": counts.sum(1, keepdims=True), "predicted": counts.sum(0, keepdims=True)}
        whole = sums.get(normalize or "", np.asarray(counts.sum()))
        with np.errstate(all="ignore"):
            self.shares = counts / np.where(whole == 0, 1, whole)
            hits = counts.diagonal()
            self.recall = hits / counts.sum(1)  # NaN for a class without samples
            self.precision = hits / counts.sum(0)
        total = counts.sum()
        self.accuracy = float(hits.sum() / total) if total else float("nan")

    def cell(self, i: int, j: int) -> str:
        """What stands in a cell: a count, or a share in percent."""
        if self.normalize is None:
            return f"{self.counts[i, j]:,.0f}"
        return f"{100 * self.shares[i, j]:.1f}"

    @property
    def note(self) -> str:
        """What the numbers are."""
        total = int(self.counts.sum())
        if not total:
            return "no samples"
        what = {"true": "% of each true class", "predicted": "% of each predicted class"}
        kind = "" if self.normalize is None else f"; cells: {what.get(self.normalize, '% of all')}"
        return f"accuracy {100 * self.accuracy:.2f} % of {total:,} samples{kind}"

    def _rows(self) -> tuple[list[str], list[list[str]]]:
        names = [no_formula(label) for label in self.labels]
        rows = [
            [name, *(self.cell(i, j) for j in range(len(names))), percent(self.recall[i])]
            for i, name in enumerate(names)
        ]
        last = ["precision", *map(percent, self.precision), percent(self.accuracy)]
        return ["true \\ predicted", *names, "recall"], [*rows, last]

    def _make_text(self) -> str:
        head, rows = self._rows()
        limit = 9 if len(head) <= 7 else 5
        names = ["true\\pred", *shorten_all(head[1:-1], limit), "recall"]
        left = [*shorten_all(head[1:-1], 11), rows[-1][0]]
        rows = [[name, *(x.removesuffix(" %") for x in row[1:])] for name, row in zip(left, rows)]
        widths = [max(cells(row[k]) for row in [names, *rows]) for k in range(len(names))]
        lines = [*wrapped(self.title), *wrapped(self.note)]
        for part in _parts(widths):
            lines.append("")
            for row in [names, *rows]:
                right = [padded(row[k], widths[k], right=True) for k in part]
                lines.append(" ".join([padded(row[0], widths[0]), *right]).rstrip())
        return "\n".join(lines)

    def _make_svg(self) -> str:
        return confusion_chart(self)

    def _make_data(self) -> dict[str, Any]:
        return {
            "kind": "confusion_matrix",
            "labels": self.labels,
            "counts": self.counts.astype(float).tolist(),
            "recall": self.recall.tolist(),
            "precision": self.precision.tolist(),
            "accuracy": self.accuracy,
        }

    def csv(self) -> str:
        """The table with recall and precision as CSV."""
        out = io.StringIO()
        head, rows = self._rows()
        csv.writer(out, lineterminator="\n").writerows([head, *rows])
        return out.getvalue()

    def latex(self) -> str:
        """The table as a LaTeX tabular (package booktabs)."""
        head, rows = self._rows()
        names = shorten_all(head[1:], 16)
        left = shorten_all([row[0] for row in rows], 30, middle=True)
        rows = [[name, *row[1:]] for name, row in zip(left, rows)]
        head = ["true / predicted", *names]
        if len(self.labels) > 10:  # the sign would be what makes the table wide
            rows = [[cell.removesuffix(" %") for cell in row] for row in rows]
            head[-1], rows[-1][0] = "recall, %", "precision, %"
        return latex_table(head, rows, rule_before=len(rows) - 1, room=16, matrix=True)

    def _formats(self) -> dict[str, Callable[[], bytes]]:
        return {
            **super()._formats(),
            ".csv": lambda: encode(self.csv()),
            ".tex": lambda: encode(self.latex()),
        }


def _parts(widths: list[int]) -> list[range]:
    """The columns that stand beside each other in a terminal, behind the names, part by part."""
    parts = []
    start = 1
    while start < len(widths):
        end, taken = start, widths[0]
        while end < len(widths) and (taken + 1 + widths[end] <= 80 or end == start):
            taken += 1 + widths[end]
            end += 1
        parts.append(range(start, end))
        start = end
    return parts


def confusion_matrix(
    matrix: Any,
    *,
    labels: Sequence[str] | None = None,
    normalize: Normalize = None,
    title: str = "Confusion matrix",
) -> ConfusionFigure:
    """A confusion matrix as a picture: true classes in rows, predicted ones in columns.

    matrix: a `training.ConfusionMatrix`, or counts (C, C) as a Tensor, an array or lists.
    labels: names of the classes, by default the matrix's own, or 0, 1, ...
    normalize: None shows counts; "true" per cent of each row, "predicted" of each column, "all" of
        everything.  Recall stands at the right, precision at the bottom.
    """
    caller = "viz.confusion_matrix"
    told = heading(title, caller)
    one_of(normalize, (None, "true", "predicted", "all"), caller, "normalize")
    counts = as_array(getattr(matrix, "counts", matrix), caller, "counts")
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
        raise ValueError(
            f"viz.confusion_matrix: counts have shape {shape(counts.shape)}; expected (C, C). From "
            "outputs and targets: training.confusion_matrix(outputs, targets)"
        )
    if not np.isfinite(counts.astype(float)).all() or (counts < 0).any():
        raise ValueError("viz.confusion_matrix: counts must be finite numbers, not negative")
    odd = np.argwhere(counts.astype(float) % 1 != 0)
    if len(odd):
        i, j = odd[0]
        raise ValueError(
            f"viz.confusion_matrix: counts must be whole numbers, got {counts[i, j]:g} in row {i}, "
            f"column {j}; give the counts, and normalize='true' shows shares"
        )
    names = labels if labels is not None else getattr(matrix, "labels", range(len(counts)))
    shown = [visible(str(name)) for name in listed(names, caller, "labels", "names of the classes")]
    if len(shown) != len(counts):
        found = plural(len(shown), "label")
        raise ValueError(f"viz.confusion_matrix: {found} for {plural(len(counts), 'class')}")
    return ConfusionFigure(counts.astype(np.float64), shown, normalize, told)
