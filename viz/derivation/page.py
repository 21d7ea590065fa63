"""A derivation as HTML with MathML: a fragment for a notebook, a page for a file."""

from __future__ import annotations

import math

from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.expression import Expr
from tensorgrad.viz.derivation.mathml import MathML
from tensorgrad.viz.derivation.model import Derivation, Result, Size, Step, Way
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
    verdict,
)
from tensorgrad.viz.figures.svg import escape
from tensorgrad.viz.figures.words import plural

__all__ = ["render_fragment", "render_page"]

_MATH = MathML()


def render_page(made: Derivation, title: str) -> str:
    """A self-contained page; no scripts, nothing is fetched."""
    return _PAGE.format(title=escape(title), style=_STYLE, body=_body(made, title))


def render_fragment(made: Derivation, title: str) -> str:
    """The same for a notebook's output."""
    return f"<style>{_STYLE}</style>\n{_body(made, title)}"


def _body(made: Derivation, title: str) -> str:
    out = ['<article class="tg-derivation">', f"<h1>{escape(title)}</h1>"]
    out.append(f"<p class=lead>{plural(len(made.steps), 'step')}. {escape(reading(made))}</p>")
    symbols = [
        f"<span>{_MATH.equation(s, ex.Num(int(meaning)), display=False)}</span>"
        for s, meaning in made.sizes
    ]
    symbols += [
        f"<span>{_MATH.math(s, display=False)} is <code>{escape(meaning)}</code></span>"
        for s, meaning in made.legend
    ]
    if symbols:
        out.append(f"<p class=legend>{' '.join(symbols)}</p>")
    out += [f"<p class=notice>{escape(notice)}</p>" for notice in made.notices]
    largest = _largest(made)
    before: tuple[str, ...] = ()
    for step in made.steps:
        if step.modules != before:
            heading = step.modules[-1] if step.modules else "outside the modules"
            out.append(f"<h2>{escape(heading)}</h2>")
            before = step.modules
        out.append(_step(step, largest))
    out.append("<h2>Result</h2>")
    out += [_result(result) for result in made.results]
    out += _courses(made)
    out.append("</article>")
    return "\n".join(out)


def _largest(made: Derivation) -> float:
    norms = [w.size.norm for s in made.steps for w in s.ways if w.size.status == "ok"]
    return max((n for n in norms if n), default=1.0)


def _step(step: Step, largest: float) -> str:
    code = f"<code>{escape(step.code)}</code>" if step.code else ""
    place = f"<span class=place>{escape(step.place)}</span>" if step.place else ""
    title = f"<b>{step.number}</b> <span class=op>{escape(step.op)}</span>"
    head = f"<header>{title} {code}{place}</header>"
    rows = [f"<div class=forward>{_equation(step.left, step.right)}</div>"]
    if step.summed:
        rows.append(_sum(step.gradient, step.summed, step.terms, step.size))
    rows += [_way(way, largest) for way in step.ways]
    return f"<section>{head}{''.join(rows)}</section>"


def _equation(*sides: Expr) -> str:
    return _MATH.equation(*sides)


def _way(way: Way, largest: float) -> str:
    if way.right is None:
        formula = f"{_MATH.math(way.left)}<p class=prose>{escape(way.prose)}</p>"
    else:
        formula = _equation(way.left, way.right)
    below = ""
    for word, pair in derivatives(way):
        below += f"<div class=local>{_equation(*pair)}<em>{escape(word)}</em></div>"
    if way.remark:
        below += f"<p class=remark>{escape(way.remark)}</p>"
    facts = f"{_facts(way.shape, way.size, largest)}{_mark(way)}"
    return (
        f"<div class=way><div class=formula>{formula}</div>"
        f"<div class=facts>{facts}</div>{below}</div>"
    )


def _facts(shape: tuple[int, ...], size: Size, largest: float) -> str:
    told = f"<span>{escape(dimensions(shape))}</span>"
    if size.status == "none":
        return told
    told += f"<span>‖·‖ {escape(norm(size))}</span>"
    if size.status == "ok" and size.norm:
        # Eight powers of ten from end to end: a gradient that vanishes is a bar that does.
        share = 1 + math.log10(size.norm / largest) / 8
        told += f'<i style="width:{max(1.0, 64 * share):.0f}px"></i>'
    return told


def _mark(way: Way) -> str:
    told = agreement(way.checked)
    if not told:
        return ""
    kind = {True: "good", False: "bad", None: "unknown"}[verdict(way.checked)]
    return f"<span class={kind}>{escape(told)}</span>"


def _sum(gradient: Expr, terms: tuple[Expr, ...], sizes: tuple[Size, ...], whole: Size) -> str:
    formula = _equation(gradient, few(terms))
    known = [norm(s) for s in sizes[:TERMS] if s.status != "none"]
    facts = ""
    if known:
        more = " …" if len(terms) > TERMS else ""
        facts = f"<span>‖·‖ {escape(', '.join(known))}{more} → {escape(norm(whole))}</span>"
    return (
        f"<div class='way meet'><div class=formula>{formula}</div>"
        f"<div class=facts>{facts}</div></div>"
    )


def _result(result: Result) -> str:
    formula = _MATH.math(result.gradient)
    if result.summed:
        formula = _equation(result.gradient, ex.plus(*result.summed))
    facts = [f"<span>{escape(dimensions(result.shape))}</span>", f"<span>{result.dtype}</span>"]
    if result.reached:
        facts.append(f"<span>‖·‖ {escape(norm(result.size))}</span>")
    facts.append(f"<span>{escape(result_words(result))}</span>")
    told = agreement(result.checked)
    if told:
        kind = {True: "good", False: "bad", None: "unknown"}[verdict(result.checked)]
        around = "whole gradient " if result.checked.error is not None else ""
        facts.append(f"<span class={kind}>{around}{escape(told)}</span>")
    return (
        f"<section class=result><div class=way><div class=formula>{formula}</div>"
        f"<div class=facts>{''.join(facts)}</div></div></section>"
    )


def _courses(made: Derivation) -> list[str]:
    return [
        f"<p>{escape(before)}{escape(called(way))}{escape(behind)}</p>"
        for before, way, behind in courses(made)
    ]


_FONT = "Helvetica,Arial,'Liberation Sans','DejaVu Sans',sans-serif"
_MONO = "'DejaVu Sans Mono','Liberation Mono',Menlo,Consolas,monospace"
# Fonts with a table of mathematics first; DejaVu, which every Linux has, before the browser's own.
_MATH_FONT = (
    "'STIX Two Math','STIX Two','Latin Modern Math','Libertinus Math','Cambria Math',"
    "'TeX Gyre Termes Math','DejaVu Math TeX Gyre','Noto Sans Math','DejaVu Serif',math,serif"
)
_T = ".tg-derivation"
_STYLE = f"""
{_T} {{ color-scheme: light dark; --ink: #1b1f27; --soft: #5b6472; --line: #dfe3e9; --card: #f7f8fa;
 --back: #eaf2fb; --bar: #2f6fb5; --good: #1d6b33; --bad: #b3261e; max-width: 62rem; margin: 0 auto;
 color: var(--ink); font: 15px/1.5 {_FONT} }}
@media (prefers-color-scheme: dark) {{ {_T} {{ --ink: #e8eaf0; --soft: #a3acbb; --line: #343a46;
 --card: #1c2028; --back: #1c2c42; --bar: #6fabec; --good: #7fd394; --bad: #ff8a80 }} }}
{_T} h1 {{ font-size: 1.5em; margin: 0 0 .3em; overflow-wrap: anywhere }}
{_T} h2 {{ font-size: 1.05em; margin: 1.6em 0 .5em; border-bottom: 1px solid var(--line);
 padding-bottom: .2em; overflow-wrap: anywhere }}
{_T} .lead, {_T} .legend {{ color: var(--soft); margin: .2em 0 }}
{_T} .legend span {{ display: inline-block; margin-right: 1.5em }}
{_T} .notice {{ border-left: 3px solid var(--bad); padding: .2em .8em }}
{_T} section {{ background: var(--card); border: 1px solid var(--line); border-radius: 6px;
 margin: .6em 0; padding: .5em .9em }}
{_T} header {{ display: flex; gap: .7em; align-items: baseline; color: var(--soft);
 font-size: .87em; flex-wrap: wrap }}
{_T} header b {{ color: var(--ink); font-size: 1.1em }}
{_T} .place {{ margin-left: auto }}
{_T} code {{ font: .93em {_MONO}; overflow-wrap: anywhere }}
{_T} .forward, {_T} .way {{ padding: .35em 0 }}
{_T} .way {{ display: flex; gap: 1em; align-items: center; justify-content: space-between;
 flex-wrap: wrap; background: var(--back); border-radius: 4px; padding: .45em .8em;
 margin: .3em 0 }}
{_T} .result .way, {_T} .meet {{ background: none }}
{_T} .formula, {_T} .forward {{ overflow-x: auto; overflow-y: hidden; min-width: 0 }}
{_T} .facts {{ display: flex; gap: .2em 1em; align-items: center; font-size: .87em;
 color: var(--soft); font-variant-numeric: tabular-nums; flex-wrap: wrap }}
{_T} .facts i {{ height: 6px; border-radius: 3px; background: var(--bar) }}
{_T} .good {{ color: var(--good) }} {_T} .bad {{ color: var(--bad); font-weight: 600 }}
{_T} .local {{ display: flex; gap: 1em; align-items: center; justify-content: space-between;
 flex-basis: 100%; overflow-x: auto; overflow-y: hidden }}
{_T} .remark {{ flex-basis: 100% }} {_T} .local em {{ font-style: normal; white-space: nowrap }}
{_T} .local, {_T} .remark, {_T} .prose {{ color: var(--soft); font-size: .9em; margin: .3em 0 0 }}
{_T} math {{ font-family: {_MATH_FONT}; font-size: 1.15em }}
{_T} math[display=block] {{ display: block math; width: max-content; text-align: left; margin: 0 }}
{_T} .ones {{ font-weight: 700 }}
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
html {{ background: #ffffff; color-scheme: light dark }}
@media (prefers-color-scheme: dark) {{ html {{ background: #14161b }} }}
body {{ margin: 24px 16px }}{style}</style>
</head>
<body>
{body}
</body>
</html>
"""
