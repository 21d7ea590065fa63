"""A derivation as LaTeX: an ``align`` for a report."""

from __future__ import annotations

from collections.abc import Iterable

from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.expression import Expr
from tensorgrad.viz.derivation.latex import Latex
from tensorgrad.viz.derivation.lines import in_lines
from tensorgrad.viz.derivation.model import Derivation, Result, Step, Way
from tensorgrad.viz.derivation.wording import (
    agreement,
    courses,
    derivatives,
    dimensions,
    few,
    norm,
    reading,
    result_words,
)
from tensorgrad.viz.figures.latex import latex_escape
from tensorgrad.viz.figures.words import plural

__all__ = ["render_latex"]

_SHOW = Latex().show


def render_latex(made: Derivation) -> str:
    """The steps as the lines of an ``align``, with what a reader must know above and below it."""
    names = ", ".join(result.name for result in made.results[:6])
    lines = [
        "% Needs \\usepackage{amsmath}; \\allowdisplaybreaks lets a long one go over pages.",
        "\\begingroup\\allowdisplaybreaks\\emergencystretch=3em",
        _prose(f"How {made.loss_name} depends on {names}, in ")
        + _prose(f"{plural(len(made.steps), 'step')}. {reading(made)}"),
    ]
    lines += [f"${_SHOW(symbol)} = {meaning}$." for symbol, meaning in made.sizes]
    for symbol, meaning in made.legend:
        lines.append(f"${_SHOW(symbol)}$ is \\texttt{{{_prose(meaning)}}}.")
    lines += [_prose(notice) for notice in made.notices]
    rows: list[str] = []
    before: tuple[str, ...] = ()
    for step in made.steps:
        heading = ""
        if step.modules != before:
            title = step.modules[-1] if step.modules else "outside the modules"
            heading = f"\\intertext{{\\textbf{{{_prose(title)}}}}}\n"
            before = step.modules
        rows += _step(step, heading)
    rows += _results(made.results)
    body = " \\\\\n".join(rows)
    lines += ["\\begin{align}", body, "\\end{align}"]
    for said, way, behind in courses(made):
        # A blank line: each is a paragraph of its own.
        name = _SHOW(ex.Symbol(way.to))
        lines += ["", f"{_prose(said)}${name}${_prose(behind)}"]
    lines.append("\\par\\endgroup")
    return "\n".join(lines)


def _prose(text: str) -> str:
    return latex_escape(text, breaks=True)


def _facts(words: Iterable[str]) -> str:
    """Facts where the number of an equation would be: LaTeX lets them down where they do not fit.

    A column of their own would be as wide as the widest formula leaves none.
    """
    shown = latex_escape(", ".join(words))
    return f" \\tag*{{\\footnotesize {shown}}}" if shown else " \\notag"


def _equation(left: str, right: Expr, words: Iterable[str] = ()) -> list[str]:
    """A row, or several where the right side is long."""
    parts = in_lines(right)
    rows = [f"{left} &= {parts[0]}", *(f"&\\quad {{}}{part}" for part in parts[1:])]
    return [*(f"{row} \\notag" for row in rows[:-1]), rows[-1] + _facts(words)]


def _step(step: Step, heading: str) -> list[str]:
    rows = _equation(f"\\text{{({step.number})}}\\quad {_SHOW(step.left)}", step.right)
    rows[0] = heading + rows[0]
    if step.summed:
        rows += _sum(step.gradient, step.summed)
    for way in step.ways:
        rows += _way(way)
    return rows


def _way(way: Way) -> list[str]:
    words = [dimensions(way.shape)]
    if way.size.status != "none":
        words.append(f"norm {norm(way.size)}")
    if way.checked.error is not None:
        words.append(f"error {_told(way)}")
    if way.right is None:
        said = f"\\parbox[t]{{.65\\linewidth}}{{\\raggedright {_prose(way.prose)}}}"
        rows = [f"{_SHOW(way.left)} &= {said}{_facts(words)}"]
    else:
        rows = _equation(_SHOW(way.left), way.right, words)
    for word, (left, right) in derivatives(way):
        rows += _equation(_SHOW(left), right, [word])
    return rows


def _told(found: Way | Result) -> str:
    """The agreement with differences in words: plain LaTeX has no marks."""
    return agreement(found.checked).replace("✓ ", "").replace("✗", "wrong:")


def _sum(gradient: Expr, terms: tuple[Expr, ...]) -> list[str]:
    return _equation(_SHOW(gradient), few(terms))


def _results(results: list[Result]) -> list[str]:
    rows: list[str] = []
    for result in results:
        words = [result_words(result)]
        if result.reached:
            words.append(f"norm {norm(result.size)}")
        if result.checked.error is not None:
            words.append(f"error beside differences {_told(result)}")
        left = _SHOW(result.gradient)
        if result.summed:
            rows += _equation(left, few(result.summed), words)
        else:
            rows.append(f"{left} & \\in \\mathbf{{R}}^{{{_dims(result.shape)}}}{_facts(words)}")
    return ["\\intertext{\\textbf{Result}}\n" + rows[0], *rows[1:]] if rows else []


def _dims(shape: tuple[int, ...]) -> str:
    return r" \times ".join(map(str, shape)) or "1"
