"""A formula too long for one line of LaTeX, broken at its signs, commas and brackets."""

from __future__ import annotations

from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.expression import Expr
from tensorgrad.viz.derivation.latex import Latex
from tensorgrad.viz.derivation.printing import Text

__all__ = ["in_lines"]

_LATEX, _TEXT = Latex(), Text()
# About how many characters of the plain text fit beside the other side of an equation.
_LINE = 56
_Part = tuple[str, int]  # markup, and about how many characters wide
_SIGNS = {"had": r"\odot ", "conv": r"\star "}


def in_lines(x: Expr) -> list[str]:
    """An expression as lines of LaTeX, each of which may stand in a row of its own.

    Brackets that are opened in one line and closed in another have a fixed size: ``\\left`` and
    ``\\right`` must stand in one.  Roots are never broken, fractions only by a number: a long one
    over 2 becomes a half of it.
    """
    if _width(x) <= _LINE:
        return [_LATEX.show(x)]
    lines, taken = [""], 0
    for markup, width in _parts(x):
        if taken and taken + width > _LINE:
            lines.append("")
            taken = 0
        lines[-1] += markup
        taken += width
    return lines


def _width(x: Expr) -> int:
    return len(_TEXT.show(x))


def _parts(x: Expr) -> list[_Part]:
    """The markup in parts between which a line may end."""
    if _width(x) <= _LINE // 2:
        return [(_LATEX.show(x), _width(x))]
    out: list[_Part] = []
    match x:
        case ex.Plus(terms=terms):
            for k, term in enumerate(terms):
                sign, inner = ("- ", term.x) if isinstance(term, ex.Minus) else ("+ ", term)
                out += _led(sign if k or sign == "- " else "", _operand(inner))
        case ex.Minus(x=inner):
            out += _led("-", _operand(inner))
        case ex.Times(factors=factors, kind=kind):
            for k, factor in enumerate(factors):
                bare = _LATEX.factor(factor, kind, k == 0) == _LATEX.show(factor)
                sign = _SIGNS.get(kind, r"\,") if k else ""
                out += _led(sign, _parts(factor) if bare else _bracketed(_parts(factor)))
        case ex.Call(name=name, arguments=arguments) if name:
            for k, argument in enumerate(arguments):
                out += _led(", " if k else "", _parts(argument))
            head = _LATEX.call(name, []).removesuffix(_LATEX.parenthesized(""))
            out = _led(head, _bracketed(out))
        case ex.Over(top=top, bottom=ex.Num() as bottom) if _width(top) > _LINE:
            one = ex.Over(ex.Num(1), bottom)
            out = _led(_LATEX.show(one) + r"\,", _bracketed(_parts(top)))
        case _:
            out = [(_LATEX.show(x), _width(x))]
    return out


def _operand(x: Expr) -> list[_Part]:
    return _bracketed(_parts(x)) if isinstance(x, ex.Plus) else _parts(x)


def _led(sign: str, parts: list[_Part]) -> list[_Part]:
    (markup, width), *rest = parts
    return [(sign + markup, width + (2 if sign else 0)), *rest]


def _bracketed(parts: list[_Part]) -> list[_Part]:
    """In brackets, of which none begins or ends a line alone."""
    if len(parts) == 1:
        return [(_LATEX.parenthesized(parts[0][0]), parts[0][1] + 2)]
    *rest, (markup, width) = _led(r"\bigl(", parts)
    return [*rest, (markup + r"\bigr)", width + 1)]
