"""Tables for papers, in LaTeX, as wide as a page and no wider."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from tensorgrad.viz.figures.latex import WORD, as_pdflatex_shows, latex_escape
from tensorgrad.viz.figures.words import text_width

__all__ = ["latex_table"]

# What a page of LaTeX's own article holds: points in a line, lines.
LINE, PAGE = 345.0, 42
# Sizes of letters to try: the command, of how many points ten would be as wide (small letters are
# wider in proportion), and the space beside a column in points.
_SIZES = (("", 10.0, 6.0), ("footnotesize", 8.3, 3.0), ("scriptsize", 7.6, 2.0), ("tiny", 6.4, 1.0))
_WIDER = '<>\\{}"|'  # which LaTeX sets wider than other programs, as signs of mathematics
_LEAST = 60.0  # points, in letters of 10: a column of words is not made narrower


def latex_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    words: Collection[int] = (0,),
    bold: Sequence[tuple[int, int]] = (),
    rule_before: int | None = None,
    room: int | None = None,
) -> str:
    """A tabular with the rules of the package booktabs, as wide as a page at most if that can be.

    words: the columns that stand at the left, broken into lines where the table is too wide (by the
        package array); the others are numbers and stand at the right.  Where that is not enough the
        letters become smaller.
    bold: (row, column) of cells.
    room: how many characters wide code points may make names of columns and rows (the first
        column), see `latex_escape`.

    More rows than a page has are a longtable (package of that name), which goes over several; what
    is too wide in the smallest letters is scaled to the line (by graphicx), unless it is that long.
    """
    columns = range(len(head))
    natural = [[_width(cell, None if k else room) for k, cell in enumerate(row)] for row in rows]
    title = [_width(cell, room) for cell in head]
    widths = [max([title[k], *(row[k] for row in natural)]) for k in columns]
    least = [
        min(widths[k], _longest([head[k], *(row[k] for row in rows)])) if k in words else widths[k]
        for k in columns
    ]
    size, scale, taken = _fitted(widths, least)
    broken = {k for k in columns if taken[k] < widths[k] - 1}
    kinds = ["l" if k in words else "r" for k in columns]
    for k in broken:
        share = f"{taken[k] * scale / LINE:.3f}\\linewidth"
        kinds[k] = rf">{{\raggedright\arraybackslash}}p{{{share}}}"
    marked = set(bold)

    def line(cells: Sequence[str], row: int = -1) -> str:
        limits = [None if k and row >= 0 else room for k in columns]
        shown = [
            latex_escape(cell, breaks=k in broken, room=limits[k]) for k, cell in enumerate(cells)
        ]
        shown = [rf"\textbf{{{c}}}" if (row, k) in marked else c for k, c in enumerate(shown)]
        return " & ".join(shown) + r" \\"

    lines = sum(max([1, *(math.ceil(row[k] / taken[k]) for k in broken)]) for row in natural)
    # A table that is too wide is scaled to the line, if it is on one page then.
    excess = max(1.0, sum(taken) * scale / LINE)
    kind = "longtable" if lines * scale / excess > PAGE else "tabular"
    scaled = excess > 1 and kind == "tabular"
    packages = {"array": bool(broken), "longtable": kind == "longtable", "graphicx": scaled}
    needs = ["booktabs", *(package for package, needed in packages.items() if needed)]
    out = [f"% Needs \\usepackage{{{','.join(needs)}}}."]
    if excess > 1:
        cure = "scaled down to it" if scaled else "and too long to be scaled to one"
        out.append(f"% Too wide for an upright page of article, {cure}.")
    if size:
        _, _, gap = next(s for s in _SIZES if s[0] == size)
        out.append(rf"\begingroup\{size}\setlength{{\tabcolsep}}{{{gap:g}pt}}")
    if kind == "tabular" and (size or broken):
        out.append(r"\noindent")  # it needs the whole line
    if scaled:
        out.append(r"\resizebox{\linewidth}{!}{%")
    out += [rf"\begin{{{kind}}}{{{''.join(kinds)}}}", r"\toprule", line(head), r"\midrule"]
    if kind == "longtable":
        out.append(r"\endhead")
    for k, row in enumerate(rows):
        if k == rule_before:
            out.append(r"\midrule")
        out.append(line(row, k))
    out += [r"\bottomrule", rf"\end{{{kind}}}" + "}" * scaled, *[r"\endgroup"] * bool(size), ""]
    return "\n".join(out)


def _width(text: str, room: int | None = None) -> float:
    """About how wide pdflatex sets a text, in points, in letters of 10."""
    shown = as_pdflatex_shows(text, room)
    return 1.05 * text_width(shown, 10) + 2.2 * sum(char in _WIDER for char in shown)


def _longest(cells: Sequence[str]) -> float:
    """The width of the longest word; one that is longer than `WORD` letters may be broken."""
    words = {word[:WORD] for cell in cells for word in as_pdflatex_shows(cell).split()}
    return max([_LEAST, *map(_width, words)])


def _fitted(widths: list[float], least: list[float]) -> tuple[str, float, list[float]]:
    """The largest letters with which a table fits, their scale, and the columns' widths at 10."""
    for size, points, gap in _SIZES:
        room = (LINE - 2 * gap * len(widths)) * 10 / points
        if sum(widths) <= room:
            return size, points / 10, widths
        # Columns that are broken are set small at once: few lines are read more easily than many.
        if size and sum(least) <= room:
            share = (room - sum(least)) / (sum(widths) - sum(least))
            taken = [low + share * (w - low) for low, w in zip(least, widths)]
            return size, points / 10, taken
    return size, points / 10, least
