"""Tables for papers, in LaTeX, as wide as a page and no wider."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from tensorgrad.viz.figures.latex import WORD, as_pdflatex_shows, latex_escape
from tensorgrad.viz.figures.latex_widths import BOLD, latex_width
from tensorgrad.viz.figures.words import alike

__all__ = ["latex_table"]

# What a page of LaTeX's own article holds: points in a line, lines.
LINE, PAGE = 345.0, 42
# Sizes of letters to try: the command, of how many points ten would be as wide (small letters are
# wider in proportion), and the space beside a column in points.
_SIZES = (("", 10.0, 6.0), ("footnotesize", 8.5, 3.0), ("scriptsize", 8.0, 2.0), ("tiny", 6.8, 1.0))
SMALL = 0.85  # letters below that are hard to read
HEIGHT = 10.0  # of a line that stands upright
_LEAST = 60.0  # points, in letters of 10: a column of words is not made narrower


def latex_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    words: Collection[int] = (0,),
    bold: Sequence[tuple[int, int]] = (),
    rule_before: int | None = None,
    room: int | None = None,
    matrix: bool = False,
) -> str:
    """A tabular with the rules of the package booktabs, as wide as a page at most if that can be.

    words: the columns that stand at the left, broken into lines where the table is too wide (by the
        package array); the others are numbers and stand at the right.  Where that is not enough the
        letters become smaller.
    bold: (row, column) of cells.
    room: how many characters wide code points may make names of columns and rows (the first
        column), see `latex_escape`.
    matrix: names of columns stand upright (by graphicx) where they are too wide, and names of rows
        are not broken.

    More rows than a page has are a longtable (package of that name), which goes over several; what
    is too wide in the smallest letters is scaled to the line (by graphicx), unless it is that long.
    """
    columns = range(len(head))
    marked = set(bold)
    rooms = [None if k else room for k in columns]
    # As pdflatex shows them, whose code points are wider than the letters of the other engines.
    if room is not None:
        head = [head[0], *_told_apart(head[1:], room)]
        rows = [
            [name, *row[1:]] for name, row in zip(_told_apart([row[0] for row in rows], room), rows)
        ]
    names = [as_pdflatex_shows(cell, room) for cell in head]
    cells = [[*map(as_pdflatex_shows, row, rooms)] for row in rows]
    natural = [
        [latex_width(c) * (BOLD if (i, k) in marked else 1) for k, c in enumerate(row)]
        for i, row in enumerate(cells)
    ]
    below = [max((row[k] for row in natural), default=0.0) for k in columns]
    widths = [max(latex_width(name), under) for name, under in zip(names, below)]
    turned: set[int] = set()
    standing = [width if k in words else max(below[k], HEIGHT) for k, width in enumerate(widths)]
    # Not where letters can be read, or numbers are the widest.
    if matrix and _fitted(widths, widths)[1] < SMALL and sum(standing) < 0.9 * sum(widths):
        turned, widths = set(columns) - set(words), standing
    least = [
        min(widths[k], _longest([names[k], *(row[k] for row in cells)]))
        if k in words and not matrix
        else widths[k]
        for k in columns
    ]
    size, scale, gap, taken = _fitted(widths, least)
    broken = {k for k in columns if taken[k] < widths[k] - 1}
    kinds = ["l" if k in words else "r" for k in columns]
    for k in broken:
        share = f"{taken[k] * scale / LINE:.3f}\\linewidth"
        kinds[k] = rf">{{\raggedright\arraybackslash}}p{{{share}}}"

    def line(cells: Sequence[str], row: int = -1) -> str:
        limits = rooms if row >= 0 else [room for _ in columns]
        shown = [
            latex_escape(cell, breaks=k in broken, room=limits[k]) for k, cell in enumerate(cells)
        ]
        if row < 0:
            shown = [rf"\rotatebox{{90}}{{{c}}}" if k in turned else c for k, c in enumerate(shown)]
        shown = [rf"\textbf{{{c}}}" if (row, k) in marked else c for k, c in enumerate(shown)]
        return " & ".join(shown) + r" \\"

    lines = sum(max([1, *(math.ceil(row[k] / taken[k]) for k in broken)]) for row in natural)
    # A table that is too wide is scaled to the line, if it is on one page then.
    excess = max(1.0, (sum(taken) * scale + 2 * gap * len(head)) / LINE)
    kind = "longtable" if lines * scale / excess > PAGE else "tabular"
    scaled = excess > 1 and kind == "tabular"
    packages = {
        "array": bool(broken),
        "longtable": kind == "longtable",
        "graphicx": scaled or bool(turned),
    }
    needs = ["booktabs", *(package for package, needed in packages.items() if needed)]
    out = [f"% Needs \\usepackage{{{','.join(needs)}}}."]
    if excess > 1:
        cure = "scaled down to it" if scaled else "and too long to be scaled to one"
        out.append(f"% Too wide for an upright page of article, {cure}.")
    if size:
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


def _told_apart(names: Sequence[str], room: int) -> list[str]:
    """The names; those that code points or their cutting make look the same have their number."""
    shown = [as_pdflatex_shows(name, room) for name in names]
    numbers = {k: f" #{k + 1}" for k in alike(names, shown)}
    return [name + numbers.get(k, "") for k, name in enumerate(names)]


def _longest(cells: Sequence[str]) -> float:
    """The width of the longest word; one that is longer than `WORD` letters may be broken."""
    words = {word[:WORD] for cell in cells for word in cell.split()}
    # Some of the smallest letters are wider than the others in proportion.
    return max([_LEAST, *(1.07 * latex_width(word) for word in words)])


def _fitted(widths: list[float], least: list[float]) -> tuple[str, float, float, list[float]]:
    """The largest letters with which a table fits, and the columns' widths at 10.

    With the letters' scale and the space beside a column.
    """
    for size, points, gap in _SIZES:
        room = (LINE - 2 * gap * len(widths)) * 10 / points
        if sum(widths) <= room:
            return size, points / 10, gap, widths
        # Columns that are broken are set small at once: few lines are read more easily than many.
        if size and sum(least) <= room:
            share = (room - sum(least)) / (sum(widths) - sum(least))
            taken = [low + share * (w - low) for low, w in zip(least, widths)]
            return size, points / 10, gap, taken
    return size, points / 10, gap, least
