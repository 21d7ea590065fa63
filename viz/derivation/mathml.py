"""Expressions as MathML Core, which browsers draw without a library."""

from __future__ import annotations

from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.expression import Expr
from tensorgrad.viz.derivation.printing import (
    ATOM,
    POWER,
    PRODUCT,
    Piece,
    Printer,
    complex_number,
)
from tensorgrad.viz.derivation.symbols import GREEK, split_name
from tensorgrad.viz.figures.svg import escape

__all__ = ["MathML"]


_IF = "<mtext>if&#xa0;</mtext>"


def _mo(sign: str, *, stretchy: bool = False, form: str = "") -> str:
    kind = f' form="{form}"' if form else ""
    stretch = "" if stretchy else ' stretchy="false"'
    if form in ("prefix", "postfix") and sign in "()[]|":
        stretch += ' lspace="0" rspace="0"'
    return f"<mo{kind}{stretch}>{escape(sign)}</mo>"


def _row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


class MathML(Printer):
    """MathML, one element for each piece."""

    def math(self, x: Expr, *, display: bool = True) -> str:
        """A whole formula as a ``math`` element."""
        style = ' display="block"' if display else ""
        return f"<math{style}>{_row(self.show(x))}</math>"

    def equation(self, left: Expr, right: Expr, *, display: bool = True) -> str:
        """left = right as a ``math`` element."""
        inside = _row(self.show(left), _mo("=", form="infix"), self.show(right))
        style = ' display="block"' if display else ""
        return f"<math{style}>{inside}</math>"

    def number(self, value: float | complex) -> Piece:
        if isinstance(value, complex):
            text, strength = complex_number(value, "", "−")
            unit = "<mi>i</mi>" + (_mo(")") if text.endswith(")") else "")
            return Piece(_row(f"<mn>{text.rstrip(')')}</mn>" if text else "", unit), strength)
        text = f"{value:.6g}"
        if "e" in text:
            mantissa, exponent = text.split("e")
            power = f"<msup><mn>10</mn><mn>{int(exponent)}</mn></msup>".replace("-", "−")
            front = "" if mantissa == "1" else f"<mn>{mantissa}</mn>{_mo('·')}"
            return Piece(_row(front, power), PRODUCT)
        text = {"inf": "∞", "-inf": "−∞", "nan": "NaN"}.get(text, text).replace("-", "−")
        return Piece(f"<mn>{text}</mn>", ATOM if value >= 0 else PRODUCT)

    def symbol(self, x: ex.Symbol) -> str:
        _, sub = split_name(x.name)
        shown = self.letters(x)
        if not sub:
            return shown
        low = f"<mn>{sub}</mn>" if sub.isdigit() else f"<mtext>{escape(sub)}</mtext>"
        return f"<msub>{shown}{low}</msub>"

    def letters(self, x: ex.Symbol) -> str:
        """A symbol without its subscript."""
        base, _ = split_name(x.name)
        # An identifier of one letter is slanted, a longer one upright: MathML's own rule.
        shown = f"<mi>{escape(GREEK.get(base, base))}</mi>"
        if x.accent == "hat":
            shown = f'<mover accent="true">{shown}{_mo("^")}</mover>'
        return shown

    def words(self, text: str) -> str:
        return f"<mtext>{escape(text)}</mtext>"

    def ones(self) -> str:
        return '<mn class="ones">1</mn>'

    def gradient(self, of: Expr, by: Expr) -> Piece:
        above = _row("<mi>∂</mi>", self.within(of, ATOM))
        below = _row("<mi>∂</mi>", self.within(by, ATOM))
        return Piece(f"<mfrac>{above}{below}</mfrac>", POWER)

    def part(self, gradient: Expr, step: str) -> str:
        bar = _mo("|", stretchy=True, form="postfix")
        return f"<msub>{_row(self.show(gradient), bar)}<mtext>{escape(step)}</mtext></msub>"

    def times(self, factors: tuple[Expr, ...], kind: str) -> Piece:
        shown = [self.factor(f, kind, i == 0) for i, f in enumerate(factors)]
        sign = _mo("⊙", form="infix") if kind == "had" else '<mspace width="0.17em"></mspace>'
        if kind == "conv":
            sign = _mo("⋆", form="infix")
        if kind == "num" and len(factors) > 1 and isinstance(factors[1], ex.Num):
            sign = _mo("·", form="infix")
        return Piece(_row(sign.join(shown)), PRODUCT)

    def over(self, top: Expr, bottom: Expr) -> Piece:
        product = self.apart(top, bottom)
        if product is not None:
            return product
        return Piece(f"<mfrac>{_row(self.show(top))}{_row(self.show(bottom))}</mfrac>", POWER)

    def power(self, base: Expr, exponent: Expr) -> Piece:
        above = _row(self.show(exponent))
        return Piece(f"<msup>{_row(self.within(base, ATOM))}{above}</msup>", POWER)

    def total(self, indices: tuple[str, ...], body: Expr, mean: bool) -> Piece:
        mark = "<mi>mean</mi><mo>&#x2061;</mo>" if mean else '<mo movablelimits="false">∑</mo>'
        if indices:
            low = _row(*(f"<mi>{escape(i)}</mi>" for i in indices))
            mark = f"<munder>{_row(mark)}{low}</munder>"
        space = '<mspace width="0.2em"></mspace>' if mean else ""
        return Piece(_row(mark, space, self.body(body)), PRODUCT)

    def fence(self, left: str, inner: Expr, right: str) -> Piece:
        if left == "√":
            return Piece(f"<msqrt>{_row(self.show(inner))}</msqrt>", ATOM)
        marks = (_mo(left, form="prefix"), self.show(inner), _mo(right, form="postfix"))
        return Piece(_row(*marks), ATOM)

    def transposed(self, x: str) -> str:
        return f"<msup>{_row(x)}<mo>⊤</mo></msup>"

    def call(self, name: str, arguments: list[str]) -> str:
        inside = _mo(",", form="infix").join(arguments)
        return _row(f"<mi>{escape(name)}</mi>", "<mo>&#x2061;</mo>", self.parenthesized(inside))

    def subscripted(self, x: ex.Symbol, sub: str, index: list[str]) -> str:
        low = f"<mn>{sub}</mn>" if sub.isdigit() else f"<mtext>{escape(sub)}</mtext>"
        letters = self.letters(x)
        return f"<msub>{letters}{_row(low, _mo(',', form='infix'), *index)}</msub>"

    def at(self, x: str, index: list[str], brackets: bool = False) -> str:
        inside = _mo(",", form="infix").join(index) if brackets else "".join(index)
        if brackets:
            return _row(x, self.bracketed(inside))
        return f"<msub>{_row(x)}{_row(inside)}</msub>"

    def relation(self, parts: list[str], signs: tuple[str, ...]) -> str:
        out = parts[0]
        for sign, part in zip(signs, parts[1:], strict=True):
            out += _mo(sign, form="infix") + part
        return _row(out)

    def cases(self, rows: list[tuple[str, str]]) -> str:
        lines = "".join(
            f"<mtr><mtd>{_row(value)}</mtd><mtd>{_row(_IF, condition)}</mtd></mtr>"
            for value, condition in rows
        )
        return _row(_mo("{", stretchy=True, form="prefix"), f"<mtable>{lines}</mtable>")

    def parenthesized(self, markup: str) -> str:
        around = _mo("(", stretchy=True, form="prefix"), _mo(")", stretchy=True, form="postfix")
        return _row(around[0], markup, around[1])

    def bracketed(self, markup: str) -> str:
        around = _mo("[", stretchy=True, form="prefix"), _mo("]", stretchy=True, form="postfix")
        return _row(around[0], markup, around[1])

    def signed(self, markup: str) -> str:
        return _row(_mo("−", form="prefix"), markup)

    def sign(self, sign: str) -> str:
        return _mo(sign, form="infix")

    def row(self, markup: str) -> str:
        return _row(markup)
