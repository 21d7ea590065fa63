"""A derivation as LaTeX: an ``align`` for a report."""

from __future__ import annotations

from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.expression import Expr
from tensorgrad.viz.derivation.latex import Latex, escape_latex
from tensorgrad.viz.derivation.model import Derivation, Result, Step, Way
from tensorgrad.viz.derivation.wording import (
    agreement,
    courses,
    derivatives,
    dimensions,
    norm,
    reading,
    result_words,
)
from tensorgrad.viz.words import plural

__all__ = ["render_latex"]

_SHOW = Latex().show


def render_latex(made: Derivation) -> str:
    """The steps as the lines of an ``align``, with what a reader must know above and below it."""
    names = ", ".join(result.name for result in made.results[:6])
    lines = [
        "% Needs \\usepackage{amsmath}; \\allowdisplaybreaks lets a long one go over pages.",
        "\\begingroup\\allowdisplaybreaks",
        escape_latex(f"How {made.loss_name} depends on {names}, in ")
        + escape_latex(f"{plural(len(made.steps), 'step')}. {reading(made)}"),
    ]
    lines += [f"${_SHOW(symbol)} = {meaning}$." for symbol, meaning in made.sizes]
    for symbol, meaning in made.legend:
        lines.append(f"${_SHOW(symbol)}$ is \\texttt{{{escape_latex(meaning)}}}.")
    lines += [escape_latex(notice) for notice in made.notices]
    rows: list[str] = []
    before: tuple[str, ...] = ()
    for step in made.steps:
        heading = ""
        if step.modules != before:
            title = step.modules[-1] if step.modules else "outside the modules"
            heading = f"\\intertext{{\\textbf{{{escape_latex(title)}}}}}\n"
            before = step.modules
        rows += _step(step, heading)
    rows += _results(made.results)
    body = " \\\\\n".join(rows).replace(" \\\\\n\\intertext", " \\\\\n\\intertext")
    lines += ["\\begin{align}", body, "\\end{align}"]
    for said, way, behind in courses(made):
        # A blank line: each is a paragraph of its own.
        name = _SHOW(ex.Symbol(way.to))
        lines += ["", f"{escape_latex(said)}${name}${escape_latex(behind)}"]
    lines.append("\\endgroup")
    return "\n".join(lines)


def _facts(words: list[str]) -> str:
    shown = escape_latex(", ".join(words)).replace("✓", "").replace("✗", "wrong: ")
    return f" && \\text{{\\footnotesize {shown}}} \\notag" if words else " \\notag"


def _step(step: Step, heading: str) -> list[str]:
    left, right = _SHOW(step.left), _SHOW(step.right)
    rows = [f"{heading}\\text{{({step.number})}}\\quad {left} &= {right} \\notag"]
    if step.summed:
        rows.append(_sum(step.gradient, step.summed))
    for way in step.ways:
        rows += _way(way)
    return rows


def _way(way: Way) -> list[str]:
    right = _SHOW(way.right) if way.right is not None else _SHOW(ex.Words(way.prose))
    words = [dimensions(way.shape)]
    if way.size.status != "none":
        words.append(f"norm {norm(way.size)}")
    if way.checked.error is not None:
        words.append(f"error {_plain(agreement(way.checked))}")
    rows = [f"{_SHOW(way.left)} &= {right}{_facts(words)}"]
    rows += [
        f"{_SHOW(pair[0])} &= {_SHOW(pair[1])}{_facts([word])}" for word, pair in derivatives(way)
    ]
    return rows


def _plain(told: str) -> str:
    return told.replace("✓ ", "").replace("✗ ", "")


def _sum(gradient: Expr, terms: tuple[Expr, ...]) -> str:
    return f"{_SHOW(gradient)} &= {_SHOW(ex.plus(*terms))} \\notag"


def _results(results: list[Result]) -> list[str]:
    rows = []
    for i, result in enumerate(results):
        heading = "\\intertext{\\textbf{Result}}\n" if i == 0 else ""
        words = [result_words(result)]
        if result.reached:
            words.append(f"norm {norm(result.size)}")
        if result.checked.error is not None:
            told = _plain(agreement(result.checked))
            words.append(f"error beside differences {told}")
        right = _SHOW(ex.plus(*result.summed)) if result.summed else ""
        space = f" \\in \\mathbf{{R}}^{{{_dims(result.shape)}}}"
        made = f"&= {right}" if right else f"&{space}"
        rows.append(f"{heading}{_SHOW(result.gradient)} {made}{_facts(words)}")
    return rows


def _dims(shape: tuple[int, ...]) -> str:
    return r" \times ".join(map(str, shape)) or "1"
