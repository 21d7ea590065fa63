"""Tables for papers: LaTeX with every special character of a name escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["MATHS", "latex_escape", "latex_table"]

# Signs of formulas that pdflatex does not take as they are, in mathematics.
MATHS = {
    "∂": r"\partial", "⊙": r"\odot", "−": "-", "±": r"\pm", "·": r"\cdot", "×": r"\times",
    "√": r"\surd", "Σ": r"\Sigma", "Δ": r"\Delta", "𝟏": r"\mathbf{1}", "∈": r"\in", "→": r"\to",
    "←": r"\leftarrow", "≠": r"\ne", "≤": r"\le", "≥": r"\ge", "≈": r"\approx",
    "‖": r"\|", "∞": r"\infty", "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta",
    "ε": r"\varepsilon", "η": r"\eta", "θ": r"\theta", "λ": r"\lambda", "μ": r"\mu",
    "µ": r"\mu", "ν": r"\nu", "ξ": r"\xi", "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma",
    "τ": r"\tau", "φ": r"\varphi", "χ": r"\chi", "ψ": r"\psi", "ω": r"\omega",
}  # fmt: skip

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
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "[": "{[}",  # after \\ it would begin an optional argument
}
_RAISED = dict(zip("⁻⁰¹²³⁴⁵⁶⁷⁸⁹ᵀ", [*"-0123456789", r"\top"]))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₙₓ", "0123456789ijknx"))
_HAT = "\u0302"  # over the letter before it
_PIECES = re.compile(
    f"[A-Za-z]{_HAT}|[{''.join(_RAISED)}]+|[{''.join(_LOWERED)}]+|"
    f"[{re.escape(''.join([*_SPECIAL, *MATHS]))}]"
)


def latex_escape(text: str) -> str:
    """Any text as LaTeX shows it; nothing in it is a command."""
    return _PIECES.sub(_piece, text)


def _piece(found: re.Match[str]) -> str:
    text = found[0]
    if text.endswith(_HAT):
        return rf"$\hat{{{text[0]}}}$"
    if text[0] in _RAISED:
        return f"$^{{{''.join(_RAISED[char] for char in text)}}}$"
    if text[0] in _LOWERED:
        return f"$_{{{''.join(_LOWERED[char] for char in text)}}}$"
    return _SPECIAL.get(text) or f"${MATHS[text]}$"


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
