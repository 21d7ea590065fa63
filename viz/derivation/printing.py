"""The walk that all printers of expressions share, and the printer of plain text."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.expression import Expr
from tensorgrad.viz.derivation.symbols import GREEK, split_name
from tensorgrad.viz.figures.words import visible

__all__ = [
    "ATOM", "LOGIC", "POWER", "PRODUCT", "SUM", "TIGHT", "Piece", "Printer", "Text",
    "complex_number",
]  # fmt: skip

# How tightly a piece holds together.  TIGHT: a quotient or a gradient, which stands in an
# elementwise product as it is, and in a product of matrices in parentheses.
LOGIC, SUM, PRODUCT, TIGHT, POWER, ATOM = range(6)


def complex_number(value: complex, i: str, minus: str) -> tuple[str, int]:
    """``i``, ``−2i``, ``(1 + 2i)``, and how tightly that holds together."""
    real, imaginary = (f"{part:.6g}" for part in (value.real, abs(value.imag)))
    below = value.imag < 0
    tail = ("" if imaginary == "1" else imaginary) + i
    if not value.real:
        return (minus + tail, PRODUCT) if below else (tail, ATOM)
    return f"({real.replace('-', minus)} {minus if below else '+'} {tail})", ATOM


class Piece(NamedTuple):
    """Markup, and how tightly it holds together."""

    markup: str
    strength: int


class Printer:
    """Expressions in one notation: the walk is here, the marks are a subclass's."""

    def show(self, x: Expr) -> str:
        """A whole expression."""
        return self.piece(x).markup

    def within(self, x: Expr, strength: int) -> str:
        """An expression as an operand: in parentheses where it would fall apart."""
        piece = self.piece(x)
        return piece.markup if piece.strength >= strength else self.parenthesized(piece.markup)

    def piece(self, x: Expr) -> Piece:
        """Any expression, by its kind."""
        match x:
            case ex.Num(value=value):
                return self.number(value)
            case ex.Symbol():
                return Piece(self.symbol(x), ATOM)
            case ex.Words(text=text):
                return Piece(self.words(text), ATOM)
            case ex.Ones():
                return Piece(self.ones(), ATOM)
            case ex.Gradient(of=of, by=by):
                return self.gradient(of, by)
            case ex.Part(gradient=gradient, step=step):
                return Piece(self.part(gradient, step), ATOM)
            case ex.Plus(terms=terms):
                return self.plus(terms)
            case ex.Minus(x=inner):
                return Piece(self.signed(self.within(inner, PRODUCT)), PRODUCT)
            case ex.Times(factors=factors, kind=kind):
                return self.times(factors, kind)
            case ex.Over(top=top, bottom=bottom):
                return self.over(top, bottom)
            case ex.Power(base=base, exponent=exponent):
                return self.power(base, exponent)
            case ex.Transposed(x=inner):
                return Piece(self.transposed(self.within(inner, ATOM)), ATOM)
            case ex.Call(name=name, arguments=arguments):
                return Piece(self.call(name, [self.show(a) for a in arguments]), ATOM)
            case ex.At(x=inner, index=index, brackets=brackets):
                shown = [self.show(i) for i in index]
                if isinstance(inner, ex.Symbol) and not brackets:
                    sub = split_name(inner.name)[1]
                    if sub:
                        return Piece(self.subscripted(inner, sub, shown), ATOM)
                return Piece(self.at(self.within(inner, ATOM), shown, brackets), ATOM)
            case ex.Delta(i=i, j=j):
                return Piece(
                    self.at(self.symbol(ex.Symbol("δ")), [self.show(i), self.show(j)]), ATOM
                )
            case ex.Total(indices=indices, body=body, mean=mean):
                return self.total(indices, body, mean)
            case ex.Relation(parts=parts, signs=signs):
                shown = [self.within(part, SUM) for part in parts]
                return Piece(self.relation(shown, signs), LOGIC)
            case ex.Indicator(condition=condition):
                return Piece(self.bracketed(self.show(condition)), ATOM)
            case ex.Fence(left=left, x=inner, right=right):
                return self.fence(left, inner, right)
            case ex.Cases(rows=rows):
                return Piece(self.cases([(self.show(a), self.show(b)) for a, b in rows]), LOGIC)
        raise AssertionError(x)

    def plus(self, terms: tuple[Expr, ...]) -> Piece:
        """A sum, with a minus for what is subtracted."""
        out = self.within(terms[0], SUM)
        for term in terms[1:]:
            if isinstance(term, ex.Minus):
                out += self.sign("−") + self.within(term.x, PRODUCT)
            else:
                out += self.sign("+") + self.within(term, PRODUCT)
        return Piece(self.row(out), SUM)

    def apart(self, top: Expr, bottom: Expr) -> Piece | None:
        """A gradient over something as a product: a fraction in a fraction is hard to read."""
        first = top.factors[0] if isinstance(top, ex.Times) else top
        if not isinstance(first, (ex.Gradient, ex.Part)):
            return None
        rest: Expr = ex.ONE
        kind = "num"
        if isinstance(top, ex.Times):
            kind = top.kind
            others = top.factors[1:]
            rest = others[0] if len(others) == 1 else ex.Times(others, top.kind)
        elif isinstance(bottom, ex.Symbol) and bottom.ndim > 0:
            kind = "had"
        return self.times((first, ex.Over(rest, bottom)), kind)

    def factor(self, x: Expr, kind: str, first: bool) -> str:
        """An operand of a product."""
        if isinstance(x, (ex.Minus, ex.Total)) and not (first and isinstance(x, ex.Minus)):
            return self.parenthesized(self.show(x))
        if kind == "had":
            # An elementwise product may hold other products; one of matrices binds them tighter.
            return self.within(x, PRODUCT)
        return self.within(x, POWER)

    def body(self, x: Expr) -> str:
        """What stands behind Σ: a product as it is, a sum or a sign in parentheses."""
        return (
            self.parenthesized(self.show(x)) if isinstance(x, ex.Minus) else self.within(x, PRODUCT)
        )

    # --- What a notation gives ---------------------------------------------------------------

    def number(self, value: float | complex) -> Piece:
        raise NotImplementedError

    def symbol(self, x: ex.Symbol) -> str:
        raise NotImplementedError

    def words(self, text: str) -> str:
        raise NotImplementedError

    def ones(self) -> str:
        raise NotImplementedError

    def gradient(self, of: Expr, by: Expr) -> Piece:
        raise NotImplementedError

    def part(self, gradient: Expr, step: str) -> str:
        raise NotImplementedError

    def times(self, factors: tuple[Expr, ...], kind: str) -> Piece:
        raise NotImplementedError

    def over(self, top: Expr, bottom: Expr) -> Piece:
        raise NotImplementedError

    def power(self, base: Expr, exponent: Expr) -> Piece:
        raise NotImplementedError

    def total(self, indices: tuple[str, ...], body: Expr, mean: bool) -> Piece:
        raise NotImplementedError

    def fence(self, left: str, inner: Expr, right: str) -> Piece:
        raise NotImplementedError

    def transposed(self, x: str) -> str:
        raise NotImplementedError

    def call(self, name: str, arguments: list[str]) -> str:
        raise NotImplementedError

    def at(self, x: str, index: list[str], brackets: bool = False) -> str:
        raise NotImplementedError

    def subscripted(self, x: ex.Symbol, sub: str, index: list[str]) -> str:
        """An element of a variable whose name has a subscript already."""
        return self.at(self.symbol(x), index)

    def relation(self, parts: list[str], signs: tuple[str, ...]) -> str:
        raise NotImplementedError

    def cases(self, rows: list[tuple[str, str]]) -> str:
        raise NotImplementedError

    def parenthesized(self, markup: str) -> str:
        raise NotImplementedError

    def bracketed(self, markup: str) -> str:
        raise NotImplementedError

    def signed(self, markup: str) -> str:
        raise NotImplementedError

    def sign(self, sign: str) -> str:
        raise NotImplementedError

    def row(self, markup: str) -> str:
        """Several pieces as one."""
        return markup


_SUPER = dict(zip("0123456789+-−pn", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ᵖⁿ", strict=True))
_SUB = dict(
    zip(
        "0123456789aehijklmnoprstuvx+-=()",
        "₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ₊₋₌₍₎",
        strict=True,
    )
)


def _lowered(text: str) -> str | None:
    """The text in Unicode's subscripts, or None where they lack a character."""
    return "".join(_SUB[c] for c in text) if all(c in _SUB for c in text) else None


class Text(Printer):
    """Plain text for a terminal, with the characters that Unicode has."""

    def number(self, value: float | complex) -> Piece:
        if isinstance(value, complex):
            return Piece(*complex_number(value, "i", "−"))
        text = f"{value:.6g}"
        return Piece(text.replace("-", "−"), ATOM if value >= 0 else PRODUCT)

    def symbol(self, x: ex.Symbol) -> str:
        base, sub = split_name(x.name)
        shown = GREEK.get(base, visible(base))
        if x.accent == "hat":
            shown = unicodedata.normalize("NFC", shown + "\u0302")
        if sub:
            low = _lowered(sub)
            if low is None:
                # A path that has no subscript: the parameter under its own name.
                return visible(x.name)
            shown += low
        return shown

    def words(self, text: str) -> str:
        return visible(text)

    def ones(self) -> str:
        return "𝟏"

    def gradient(self, of: Expr, by: Expr) -> Piece:
        return Piece(f"∂{self.within(of, ATOM)}/∂{self.within(by, ATOM)}", TIGHT)

    def part(self, gradient: Expr, step: str) -> str:
        low = _lowered("".join(c for c in step if c.isdigit())) or ""
        return f"({self.show(gradient)}){low}" + "".join(c for c in step if not c.isdigit())

    def times(self, factors: tuple[Expr, ...], kind: str) -> Piece:
        shown = [self.factor(f, kind, i == 0) for i, f in enumerate(factors)]
        if kind == "num":
            if isinstance(factors[-1], ex.Times) and factors[-1].kind == "had":
                shown = [self.within(f, PRODUCT) for f in factors]
            lead = isinstance(factors[0], ex.Num)
            return Piece(
                "·".join(shown[:2]) + "".join(f" {s}" for s in shown[2:])
                if lead
                else " ".join(shown),
                PRODUCT,
            )
        sign = {"had": " ⊙ ", "mat": " ", "conv": " ⋆ "}[kind]
        return Piece(sign.join(shown), PRODUCT)

    def over(self, top: Expr, bottom: Expr) -> Piece:
        above = self.within(top, POWER if isinstance(top, ex.Gradient) else PRODUCT)
        return Piece(f"{above} / {self.within(bottom, POWER)}", TIGHT)

    def power(self, base: Expr, exponent: Expr) -> Piece:
        tight = self.show(exponent).replace(" ", "")
        below = self.within(base, ATOM)
        if all(c in _SUPER for c in tight):
            return Piece(below + "".join(_SUPER[c] for c in tight), POWER)
        return Piece(f"{below}^{self.within(exponent, ATOM)}", POWER)

    def total(self, indices: tuple[str, ...], body: Expr, mean: bool) -> Piece:
        mark = "mean" if mean else "Σ"
        joined = "".join(indices)
        low = _lowered(joined) or f"_{joined}" if indices else ""
        return Piece(f"{mark}{low} {self.body(body)}", PRODUCT)

    def fence(self, left: str, inner: Expr, right: str) -> Piece:
        if left == "√":
            return Piece(f"√{self.within(inner, ATOM)}", POWER)
        return Piece(f"{left}{self.show(inner)}{right}", ATOM)

    def transposed(self, x: str) -> str:
        return f"{x}ᵀ"

    def call(self, name: str, arguments: list[str]) -> str:
        return f"{visible(name)}({', '.join(arguments)})"

    def at(self, x: str, index: list[str], brackets: bool = False) -> str:
        if brackets:
            return f"{x}[{', '.join(index)}]"
        # Letters in a row read as one index each; longer ones need the comma between them.
        inside = "".join(index) if all(len(i) == 1 for i in index) else ",".join(index)
        low = _lowered(inside)
        if low is None:
            return f"{x}_{inside}" if all(len(i) == 1 for i in index) else f"{x}_({inside})"
        return x + low

    def relation(self, parts: list[str], signs: tuple[str, ...]) -> str:
        out = parts[0]
        for sign, part in zip(signs, parts[1:], strict=True):
            out += f" {sign} {part}"
        return out

    def cases(self, rows: list[tuple[str, str]]) -> str:
        return "{ " + "; ".join(f"{value} if {condition}" for value, condition in rows) + " }"

    def parenthesized(self, markup: str) -> str:
        return f"({markup})"

    def bracketed(self, markup: str) -> str:
        return f"[{markup}]"

    def signed(self, markup: str) -> str:
        return f"−{markup}"

    def sign(self, sign: str) -> str:
        return f" {sign} "
