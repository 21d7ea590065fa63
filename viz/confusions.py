"""`confusion_matrix`: how often each class was taken for each, as a picture."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tensorgrad.viz.figures.arguments import heading, listed, one_of
from tensorgrad.viz.figures.figure import Figure, encode
from tensorgrad.viz.figures.latex_tables import latex_table
from tensorgrad.viz.figures.pixels import as_array
from tensorgrad.viz.figures.svg import Element, document, element, text
from tensorgrad.viz.figures.words import no_formula, plural, shape, shorten, text_width, visible

__all__ = ["ConfusionFigure", "confusion_matrix"]

Normalize = Literal["true", "predicted", "all"] | None

# Up to this share of the darkest colour the numbers are in ink, beyond it in the paper's colour:
# where the worse of the two contrasts, on light and on dark screens, is best.
PALE = 0.7
# Of more classes than these the empty cells, most of them, are one rectangle together.
_EACH = 40


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
            [name, *(self.cell(i, j) for j in range(len(names))), _percent(self.recall[i])]
            for i, name in enumerate(names)
        ]
        last = ["precision", *map(_percent, self.precision), _percent(self.accuracy)]
        return ["true \\ predicted", *names, "recall"], [*rows, last]

    def _make_text(self) -> str:
        head, rows = self._rows()
        limit = 9 if len(head) <= 7 else 5
        names = ["true\\pred", *(shorten(x, limit) for x in head[1:-1]), "recall"]
        rows = [[shorten(x.removesuffix(" %"), 11) for x in row] for row in rows]
        widths = [max(len(row[k]) for row in [names, *rows]) for k in range(len(names))]
        lines = [self.title, self.note, ""]
        for row in [names, *rows]:
            right = [row[k].rjust(widths[k]) for k in range(1, len(row))]
            lines.append(" ".join([row[0].ljust(widths[0]), *right]).rstrip())
        return "\n".join(lines)

    def _make_svg(self) -> str:
        n = len(self.labels)
        side = 44.0 if n <= 12 else max(14.0, 560.0 / n)
        shown = [shorten(label, 16) for label in self.labels]
        longest = max((text_width(s, 11) * 1.08 for s in shown), default=0)
        left = 44 + longest + 10
        slanted = longest > side - 4
        angle = 45 if side > 16 else 60  # the narrower the columns, the steeper, or names touch
        up, across = math.sin(math.radians(angle)), math.cos(math.radians(angle))
        above = 84 + ((up + 0.04) * longest if slanted else 16)
        body: list[Element] = [
            text(16, 28, self.title, "title"),
            text(16, 46, self.note, "muted"),
            text(left + n * side / 2, 70, "predicted", "strong", "middle"),
        ]
        turned = text(0, 0, "true", "strong", "middle")
        turned.attributes["transform"] = f"translate(26 {above + n * side / 2:.1f}) rotate(-90)"
        body.append(turned)
        # Colour shows the share of the row (of what was normalised over): the same for classes of
        # one sample and of a thousand.
        sums = self.counts.sum(1, keepdims=True)
        shares = self.shares if self.normalize else self.counts / np.where(sums == 0, 1, sums)
        top = float(shares.max(initial=0.0)) or 1.0
        if n > _EACH:
            whole = n * side
            body.append(element("rect", class_="cell", x=left, y=above, width=whole, height=whole))
        for i in range(n):
            y = above + i * side
            body.append(text(left - 8, y + side / 2 + 4, shown[i], None, "end"))
            for j in range(n) if n <= _EACH else np.flatnonzero(self.counts[i]).tolist():
                x = left + j * side
                share = float(shares[i, j]) / top
                said = (
                    f"true {self.labels[i]}, predicted {self.labels[j]}: {self.counts[i, j]:,.0f}"
                )
                cell = element("g", element("title", said))
                style = "hit" if i == j else "miss"
                cell.add(element("rect", class_="cell", x=x, y=y, width=side, height=side))
                if share > 0:
                    heat = element("rect", class_=style, x=x, y=y, width=side, height=side)
                    heat.attributes["fill-opacity"] = f"{0.12 + 0.88 * share:.2f}"
                    cell.add(heat)
                if n <= 20 and self.counts[i, j]:
                    kind = "on" if share > PALE else ""
                    size = "small" if n > 10 or len(self.cell(i, j)) > 5 else ""
                    classes = f"{kind} {size}".strip() or None
                    middle = x + side / 2
                    cell.add(text(middle, y + side / 2 + 4, self.cell(i, j), classes, "middle"))
                body.append(cell)
        for j in range(n):
            x = left + (j + 0.5) * side
            label = text(0, 0, shown[j], None, "start" if slanted else "middle")
            turn = f" rotate(-{angle})" if slanted else ""
            label.attributes["transform"] = f"translate({x:.1f} {above - 8:.1f}){turn}"
            body.append(label)
        right, below = left + n * side, above + n * side
        if n <= 20:
            body.append(text(right + 10, above - 8, "recall", "muted small"))
            for i in range(n):
                y = above + (i + 0.5) * side + 4
                body.append(text(right + 10, y, _percent(self.recall[i]), "muted small"))
                x = left + (i + 0.5) * side
                body.append(
                    text(x, below + 16, _percent(self.precision[i]), "muted small", "middle")
                )
            body.append(text(left - 8, below + 16, "precision", "muted small", "end"))
        extra = (across + 0.04) * text_width(shown[-1], 11) * 1.08 if slanted and shown else 0
        width = max(right + max(64.0, extra), 32 + text_width(self.note, 11) * 1.1)
        return document(body, width, below + 34, label=f"{self.title}: {self.note}", kind="chart")

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
        names = [shorten(name, 16) for name in head[1:]]
        return latex_table(["true / predicted", *names], rows, rule_before=len(rows) - 1)

    def _formats(self) -> dict[str, Callable[[], bytes]]:
        return {
            **super()._formats(),
            ".csv": lambda: encode(self.csv()),
            ".tex": lambda: encode(self.latex()),
        }


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
    counts = as_array(getattr(matrix, "counts", matrix))
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
        raise ValueError(
            f"viz.confusion_matrix: counts have shape {shape(counts.shape)}; expected (C, C). From "
            "outputs and targets: training.confusion_matrix(outputs, targets)"
        )
    if (
        counts.dtype.kind not in "fiub"
        or not np.isfinite(counts.astype(float)).all()
        or (counts < 0).any()
    ):
        raise ValueError("viz.confusion_matrix: counts must be finite numbers, not negative")
    names = labels if labels is not None else getattr(matrix, "labels", range(len(counts)))
    shown = [visible(str(name)) for name in listed(names, caller, "labels", "names of the classes")]
    if len(shown) != len(counts):
        found = plural(len(shown), "label")
        raise ValueError(f"viz.confusion_matrix: {found} for {plural(len(counts), 'class')}")
    return ConfusionFigure(counts.astype(np.float64), shown, normalize, told)


def _percent(share: float) -> str:
    return "-" if np.isnan(share) else f"{100 * share:.1f} %"
