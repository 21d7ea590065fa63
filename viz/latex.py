"""Tables for papers: LaTeX with every special character of a name escaped."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["latex_escape", "latex_table"]

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "→": r"$\to$",
    "‖": r"$\|$",
    "Δ": r"$\Delta$",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "[": "{[}",  # after \\ it would begin an optional argument
}


def latex_escape(text: str) -> str:
    """Any text as LaTeX shows it; nothing in it is a command."""
    return "".join(_SPECIAL.get(char, char) for char in text)


def latex_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    bold: Sequence[tuple[int, int]] = (),
    rule_before: int | None = None,
) -> str:
    """A tabular with the rules of the package booktabs; ``bold``: (row, column) of cells."""
    marked = set(bold)
    lines = [
        r"\begin{tabular}{l" + "r" * (len(head) - 1) + "}",
        r"\toprule",
        " & ".join(map(latex_escape, head)) + r" \\",
        r"\midrule",
    ]
    for k, row in enumerate(rows):
        if k == rule_before:
            lines.append(r"\midrule")
        cells = [latex_escape(cell) for cell in row]
        cells = [rf"\textbf{{{c}}}" if (k, j) in marked else c for j, c in enumerate(cells)]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])
