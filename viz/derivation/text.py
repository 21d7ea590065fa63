"""A derivation as text."""

from __future__ import annotations

from tensorgrad.viz.derivation.expression import Expr
from tensorgrad.viz.derivation.model import Derivation, Result, Step, Way
from tensorgrad.viz.derivation.naming import LONG
from tensorgrad.viz.derivation.printing import Text
from tensorgrad.viz.derivation.wording import (
    TERMS,
    agreement,
    called,
    courses,
    derivatives,
    dimensions,
    few,
    norm,
    reading,
    result_words,
    sizes,
)
from tensorgrad.viz.figures.words import cells as columns
from tensorgrad.viz.figures.words import plural, shorten, visible, wrapped

__all__ = ["render_text"]

_SHOW = Text().show


def render_text(made: Derivation, width: int) -> str:
    """The whole derivation for a terminal of ``width`` columns."""
    out = [*_wrapped(_title(made), width), ""]
    out += _wrapped(reading(made), width)
    if made.sizes:
        out += _wrapped(sizes(made), width)
    for symbol, meaning in made.legend:
        out += wrapped(f"{_SHOW(symbol)} is {visible(meaning)}", width)
    for notice in made.notices:
        out += ["", *_wrapped(notice, width)]
    before: tuple[str, ...] | None = None
    for step in made.steps:
        if step.modules != before and (step.modules or before):
            out += ["", _heading(step.modules, width)]
            before = step.modules
        out += _step(step, width)
    out += ["", _rule("Result", width)]
    for result in made.results:
        out += _result(result, width)
    out += _courses(made, width)
    return "\n".join(line.rstrip() for line in out)


def _title(made: Derivation) -> str:
    names = [shorten(result.name, LONG, middle=True) for result in made.results]
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return f"How {made.loss_name} depends on {shown}, in {plural(len(made.steps), 'step')}"


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Lines of words; what the text begins with, spaces too, stays."""
    return wrapped(indent + text, width, indent)


def _rule(title: str, width: int) -> str:
    return f"── {title} " + "─" * max(width - columns(title) - 4, 2)


def _heading(modules: tuple[str, ...], width: int) -> str:
    return _rule(modules[-1], width) if modules else _rule("outside the modules", width)


def _line(left: str, right: str, width: int, indent: int) -> list[str]:
    """Two columns; where they do not fit in one line, the right one goes below."""
    if not right:
        return [left]
    gap = width - columns(left) - columns(right)
    if gap >= 2:
        return [left + " " * gap + right]
    room = width - columns(right)
    return [left, " " * max(room, indent) + right]


def _step(step: Step, width: int) -> list[str]:
    head = f"{step.number:>3}  {_SHOW(step.left)} = {_SHOW(step.right)}"
    out = ["", *_equation(head, step.place, width, 5)]
    if step.summed:
        out += _sum(
            step.gradient, step.summed, [norm(t) for t in step.terms], norm(step.size), width
        )
    for way in step.ways:
        out += _way(way, width)
    return out


def _way(way: Way, width: int) -> list[str]:
    right = f"‹{way.prose}›" if way.right is None else _SHOW(way.right)
    first = f"     {_SHOW(way.left)} = {right}"
    facts = [dimensions(way.shape)]
    if way.size.status != "none":
        facts.append(f"‖·‖ {norm(way.size)}")
    told = agreement(way.checked)
    if told and way.checked.error is not None:
        facts.append(told)
    if way.right is None:
        out = _wrapped(first, width, "")
        out[1:] = ["       " + line for line in out[1:]]
        out += _line("", "  ".join(facts), width, 7)
    else:
        out = _equation(first, "  ".join(facts), width)
    for word, pair in derivatives(way):
        out += _equation(f"       {_SHOW(pair[0])} = {_SHOW(pair[1])}", word, width)
    if way.remark:
        out += _wrapped(way.remark, width, "       ")
    if told and way.checked.error is None:
        out += _wrapped(told, width, "       ")
    return out


def _equation(first: str, facts: str, width: int, indent: int | None = None) -> list[str]:
    """A formula, broken at its signs where it is longer than a line."""
    indent = len(first) - len(first.lstrip()) if indent is None else indent
    if columns(first) <= width:
        return _line(first, facts, width, indent + 2)
    below = " " * (indent + 4)
    lines = wrapped(first, width, below)
    return [*lines[:-1], *_line(lines[-1], facts, width, indent + 2)]


def _sum(
    gradient: Expr, terms: tuple[Expr, ...], sizes: list[str], total: str, width: int
) -> list[str]:
    """Where paths meet: the terms of a gradient, with their norms."""
    made = f"     {_SHOW(gradient)} = {_SHOW(few(terms))}"
    known = [s for s in sizes if s != "not computed"]
    if not known:
        return _equation(made, "", width)
    told = next(n for n in range(TERMS, 0, -1) if n == 1 or columns(_norms(known, n)) < width - 20)
    return _equation(made, f"{_norms(known, told)} → {total}", width)


def _norms(known: list[str], few: int) -> str:
    return f"‖·‖ {', '.join(known[:few])}{' …' if len(known) > few else ''}"


def _result(result: Result, width: int) -> list[str]:
    out = [""]
    facts = [dimensions(result.shape), result.dtype]
    if result.reached:
        facts.append(f"‖·‖ {norm(result.size)}")
    out += _line(f"     {_SHOW(result.gradient)}", "  ".join(facts), width, 7)
    if result.summed:
        sizes = [norm(t) for t in result.terms]
        out += _sum(result.gradient, result.summed, sizes, norm(result.size), width)
    out += _wrapped(result_words(result), width, "       ")
    told = agreement(result.checked)
    if told:
        way = f" ({result.checked.method})" if result.checked.method else ""
        words = f"the whole gradient beside finite differences{way}: {told}"
        out += _wrapped(words if result.checked.error is not None else told, width, "       ")
    return out


def _courses(made: Derivation, width: int) -> list[str]:
    out = []
    for before, way, behind in courses(made):
        out += ["", *_wrapped(f"{before}{called(way)}{behind}", width)]
    return out
