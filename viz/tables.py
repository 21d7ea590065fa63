"""`table`: results of a sweep as text, SVG, Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from tensorgrad.viz.charts.row_folding import fold_rows, folded_words
from tensorgrad.viz.charts.smoothing import points_of
from tensorgrad.viz.figures.arguments import heading, listed, whole
from tensorgrad.viz.figures.figure import Figure, encode
from tensorgrad.viz.figures.latex_tables import latex_table
from tensorgrad.viz.figures.svg import Element, document, element, text
from tensorgrad.viz.figures.words import cells as width_of
from tensorgrad.viz.figures.words import (
    no_formula,
    number,
    padded,
    plural,
    shorten,
    shorten_all,
    text_width,
    visible,
    wrapped,
)

__all__ = ["TableFigure", "table"]

ROW = 21.0


class TableFigure(Figure):
    """A table; ``rows`` has the cells as text, ``best`` the (row, column) of those in bold.

    A long one is folded where it is printed and drawn; its other forms have every row.
    """

    def __init__(
        self,
        columns: list[str],
        rows: list[list[str]],
        values: list[list[Any]],
        best: set[tuple[int, int]],
        title: str,
        max_rows: int | None = None,
    ) -> None:
        super().__init__(title or "Table")
        self.columns, self.rows, self.best = columns, rows, best
        self._values, self._heading = values, title
        # Numbers to the right, words to the left.
        self._words = [any(isinstance(row[k], str) for row in values) for k in range(len(columns))]
        # The best is what one looks for: the first best row of each column is never left out.
        firsts = {column: row for row, column in sorted(best, reverse=True)}
        self._shown = fold_rows(len(rows), max_rows, set(firsts.values()))

    def _make_text(self) -> str:
        return self._text_of(self._shown)

    def _whole_text(self) -> str:
        return self._text_of(range(len(self.rows)))

    def _text_of(self, shown: Iterable[int | range]) -> str:
        """Text with these rows; ranges of them are one line each."""
        parts: list[list[str] | str] = [
            folded_words(i)
            if isinstance(i, range)
            else [
                shorten(cell + ("*" if (i, j) in self.best else ""), 40, middle=True)
                for j, cell in enumerate(self.rows[i])
            ]
            for i in shown
        ]
        cells = [row for row in parts if isinstance(row, list)]
        head = [shorten(name, 24) for name in self.columns]
        widths = [max(width_of(row[k]) for row in [head, *cells]) for k in range(len(head))]
        lists = [any(row[k].startswith("[") for row in cells) for k in range(len(head))]
        narrow = [
            len(name) if words and not some else None
            for name, words, some in zip(head, self._words, lists)
        ]
        widths = _fitted(widths, narrow)
        lines = [*wrapped(self._heading), ""] if self._heading else []
        lines += [self._line(head, widths), "  ".join("-" * width for width in widths)]
        lines += [row if isinstance(row, str) else self._line(row, widths) for row in parts]
        return "\n".join(lines)

    def _line(self, cells: list[str], widths: list[int]) -> str:
        cells = [shorten(cell, width, middle=True) for cell, width in zip(cells, widths)]
        aligned = [
            padded(cell, width, right=not words)
            for cell, width, words in zip(cells, widths, self._words)
        ]
        return "  ".join(aligned).rstrip()

    def _make_svg(self) -> str:
        rows = [i for i in self._shown if isinstance(i, int)]
        columns = [
            shorten_all([self.rows[i][k] for i in rows], 44, middle=True)
            for k in range(len(self.columns))
        ]
        shown = {i: [column[n] for column in columns] for n, i in enumerate(rows)}
        head = shorten_all(self.columns, 30, middle=True)
        widths = []
        for k, name in enumerate(head):
            needs = [text_width(row[k], 11, bold=(i, k) in self.best) for i, row in shown.items()]
            widths.append(1.12 * max([text_width(name, 11, bold=True), *needs]) + 22)
        body: list[Element] = []
        y = 16.0
        if self._heading:
            body.append(text(16, 28, self._heading, "title"))
            y = 44.0
        right = 16 + sum(widths)

        def row(cells: list[str], baseline: float, bold: set[int]) -> None:
            x = 16.0
            for k, (cell, width) in enumerate(zip(cells, widths)):
                kind = "strong" if k in bold else None
                if self._words[k]:
                    body.append(text(x + 4, baseline, cell, kind))
                else:
                    body.append(text(x + width - 12, baseline, cell, kind, "end"))
                x += width

        body.append(element("path", class_="axis", d=f"M16 {y:.1f}H{right:.1f}"))
        row(head, y + 15, set(range(len(head))))
        y += ROW
        body.append(element("path", class_="axis", d=f"M16 {y:.1f}H{right:.1f}"))
        for i in self._shown:
            if isinstance(i, range):
                body.append(text(20, y + 15, folded_words(i), "muted"))
            else:
                row(shown[i], y + 15, {j for j in range(len(head)) if (i, j) in self.best})
            y += ROW
        body.append(element("path", class_="axis", d=f"M16 {y + 3:.1f}H{right:.1f}"))
        folds = [folded_words(i) for i in self._shown if isinstance(i, range)]
        lines = [text_width(self._heading, 14, bold=True), *(text_width(f, 11) + 4 for f in folds)]
        width = max(right + 16, 32 + 1.1 * max(lines))
        label = f"{self.title}: {plural(len(self.rows), 'row')}"
        return document(body, width, y + 20, label=label, kind="chart")

    def _make_data(self) -> dict[str, Any]:
        rows = [dict(zip(self.columns, row)) for row in self._values]
        return {"kind": "table", "title": self.title, "columns": self.columns, "rows": rows}

    def markdown(self) -> str:
        """The table in Markdown, the best in bold."""
        rules = [":--" if words else "--:" for words in self._words]
        lines = [_pipes(map(_markdown, self.columns)), _pipes(rules)]
        for i, row in enumerate(self.rows):
            cells = [_markdown(cell) for cell in row]
            cells = [f"**{c}**" if (i, j) in self.best else c for j, c in enumerate(cells)]
            lines.append(_pipes(cells))
        return "\n".join(lines) + "\n"

    def csv(self) -> str:
        """The table as CSV; of runs, mean and deviation are columns of their own."""
        several = [
            any(isinstance(row[k], dict) for row in self._values) for k in range(len(self.columns))
        ]
        head: list[str] = []
        for name, runs in zip(self.columns, several):
            head += [no_formula(name), no_formula(f"{name} std")] if runs else [no_formula(name)]
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(head)
        for row in self._values:
            cells: list[str] = []
            for value, runs in zip(row, several):
                if isinstance(value, dict):
                    cells += [f"{value['mean']:.9g}", f"{value['std']:.9g}"]
                else:
                    cells += [_csv(value), ""] if runs else [_csv(value)]
            writer.writerow(cells)
        return out.getvalue()

    def latex(self) -> str:
        """The table as a LaTeX tabular (package booktabs), the best in bold."""
        words = [k for k, some in enumerate(self._words) if some]
        return latex_table(self.columns, self.rows, words=words, bold=sorted(self.best))

    def _formats(self) -> dict[str, Callable[[], bytes]]:
        return {
            **super()._formats(),
            ".md": lambda: encode(self.markdown()),
            ".csv": lambda: encode(self.csv()),
            ".tex": lambda: encode(self.latex()),
        }


def table(
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str] | None = None,
    *,
    best: Mapping[str, Literal["max", "min"]] | None = None,
    digits: int = 4,
    title: str = "",
    max_rows: int | None = 60,
) -> TableFigure:
    """Results as a table: one row for each run or setting.

    rows: mappings of column names to values.  A number is written with ``digits`` significant
        digits; a string, a shape or a list of layers as it is; a `Runs`-like tuple or an array of
        numbers from several runs as "mean ± standard deviation".
    columns: which, and their order; by default all, in the order in which they first appear.
    best: the columns of which the best cell is bold: {"accuracy": "max", "loss": "min"}.
    max_rows: of more rows the first and the last, and the best, are printed and drawn, with
        "… 4,940 rows" between them; None shows all.  `data`, .json, .csv, .md, .tex and the text
        in the .html have every row.
    """
    caller = "viz.table"
    shown = heading(title, caller)
    whole(digits, 1, caller, "digits")
    if max_rows is not None:
        whole(max_rows, 2, caller, "max_rows")
    found = listed(rows, caller, "rows", "mappings of column names to values")
    for row in found:
        if not isinstance(row, Mapping):
            raise TypeError(f"viz.table: a row must be a mapping, got {type(row).__name__}")
    names = (
        listed(columns, caller, "columns", "names")
        if columns is not None
        else list(dict.fromkeys(k for r in found for k in r))
    )
    if best is not None and not isinstance(best, Mapping):
        raise TypeError(
            f"viz.table: best must be a mapping such as {{'accuracy': 'max'}}, got "
            f"{type(best).__name__}"
        )
    if not names:
        raise ValueError("viz.table: there are no columns")
    for name in [*names, *(best or {})]:
        if not isinstance(name, Hashable):
            raise TypeError(
                f"viz.table: columns must be names of columns, got a {type(name).__name__} in them"
            )
        if name not in names or (found and not any(name in row for row in found)):
            raise ValueError(f"viz.table: no row has a column {name!r}")
    values = [[_value(row.get(name)) for name in names] for row in found]
    cells = [[_cell(value, digits) for value in row] for row in values]
    marked = set()
    for name, kind in (best or {}).items():
        if kind not in ("max", "min"):
            raise ValueError(f"viz.table: best[{name!r}] must be 'max' or 'min', not {kind!r}")
        column = names.index(name)
        keys = [_number(row[column]) for row in values]
        known = [key for key in keys if not math.isnan(key)]
        if known:
            top = max(known) if kind == "max" else min(known)
            marked |= {(i, column) for i, key in enumerate(keys) if key == top}
    return TableFigure([visible(str(n)) for n in names], cells, values, marked, shown, max_rows)


def _value(value: Any) -> Any:
    """What `data` holds: None, a number, text, or mean and deviation of several runs."""
    if value is None or isinstance(value, str):
        return None if value is None else visible(value)
    if isinstance(value, bool):
        return str(value)
    if hasattr(value, "detach") or isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value.detach().numpy() if hasattr(value, "detach") else value)
        if array.ndim == 0:
            return array.item() if array.dtype.kind in "fiu" else visible(str(array.item()))
        _, runs = points_of(array.ravel(), "viz.table: a cell")
        std = float(runs.std(ddof=1)) if len(runs) > 1 else float("nan")
        mean = float(runs.mean()) if len(runs) else float("nan")
        return {"mean": mean, "std": std, "runs": len(runs)}
    if isinstance(value, int | float):
        return value
    return visible(str(value))


def _fitted(widths: list[int], least: list[int | None]) -> list[int]:
    """Widths of columns that fit into a terminal: the widest one of words gives way, down to 12."""
    widths = list(widths)
    while sum(widths) + 2 * len(widths) - 2 > 80:
        wide = [k for k, n in enumerate(least) if n is not None and widths[k] > max(12, n)]
        if not wide:
            break  # numbers and lists of them are never cut
        widths[max(wide, key=lambda k: widths[k])] -= 1
    return widths


def _number(value: Any) -> float:
    if isinstance(value, dict):
        return float(value["mean"])
    return float(value) if isinstance(value, int | float) else float("nan")


def _cell(value: Any, digits: int) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        if value["runs"] < 2 or not math.isfinite(value["std"]):
            return number(value["mean"], digits)
        return f"{number(value['mean'], digits)} ± {number(value['std'], 2)}"
    if isinstance(value, int) and abs(value) < 10**15:
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    return number(value, digits) if isinstance(value, float) else str(value)


def _csv(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return no_formula(value)
    return str(value) if isinstance(value, int) else f"{value:.9g}"


def _markdown(cell: str) -> str:
    special = "\\`*_{}[]<>#|~$&"
    return "".join("\\" + char if char in special else char for char in cell)


def _pipes(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
