"""Expressions as LaTeX, for ``amsmath`` and nothing else."""

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
from tensorgrad.viz.figures.latex import latex_escape
from tensorgrad.viz.figures.words import shorten, visible

__all__ = ["Latex"]

_NAMES = {value: f"\\{key}" for key, value in GREEK.items() if len(key) > 2 and key != "lam"}
_NAMES |= {"ε": r"\varepsilon", "λ": r"\lambda", "μ": r"\mu", "ν": r"\nu", "ξ": r"\xi", "π": r"\pi"}
_SIGNS = {
    "<": "<", "≤": r"\le", ">": ">", "≥": r"\ge", "=": "=", "≠": r"\ne", "∧": r"\wedge",
    "∨": r"\vee", "¬": r"\neg", "+": "+", "−": "-",
}  # fmt: skip
_FUNCTIONS = {"log", "exp", "sin", "cos", "tan", "tanh", "sinh", "cosh", "max", "min", "det"}


# How long a name may be in a formula, which cannot be broken there: with a longer one an equation
# of it and its cosine would not fit in a line.  A longer one loses its middle, the prose has it.
_NAME, _SUBSCRIPT = 20, 40


def _below(sub: str, base: str) -> str:
    """The subscript of a name; beside a long one it has what that leaves of the line."""
    if sub.isdigit():
        return sub
    return _upright(sub, _SUBSCRIPT if len(base) == 1 else max(6, (_NAME - len(base)) * 10 // 7))


def _upright(text: str, limit: int = _NAME) -> str:
    return rf"\text{{{latex_escape(shorten(visible(text), limit, middle=True), room=limit)}}}"


class Latex(Printer):
    """LaTeX's mathematics."""

    def number(self, value: float | complex) -> Piece:
        if isinstance(value, complex):
            return Piece(*complex_number(value, "i", "-"))
        text = f"{value:.6g}"
        if "e" in text:
            mantissa, exponent = text.split("e")
            times = "" if mantissa == "1" else rf"{mantissa} \cdot "
            return Piece(rf"{times}10^{{{int(exponent)}}}", PRODUCT)
        if text in ("inf", "-inf", "nan"):
            return Piece({"inf": r"\infty", "-inf": r"-\infty"}.get(text, r"\text{NaN}"), ATOM)
        return Piece(text, ATOM if value >= 0 else PRODUCT)

    def letter(self, base: str) -> str:
        """A name without its subscript."""
        greek = GREEK.get(base, base)
        if greek in _NAMES:
            return _NAMES[greek]
        return base if len(base) == 1 and base.isascii() and base.isalpha() else _upright(base)

    def symbol(self, x: ex.Symbol) -> str:
        base, sub = split_name(x.name)
        shown = self.letters(x)
        if not sub:
            return shown
        return f"{shown}_{{{_below(sub, base)}}}"

    def letters(self, x: ex.Symbol) -> str:
        """A symbol without its subscript."""
        shown = self.letter(split_name(x.name)[0])
        return rf"\hat{{{shown}}}" if x.accent == "hat" else shown

    def subscripted(self, x: ex.Symbol, sub: str, index: list[str]) -> str:
        low = _below(sub, split_name(x.name)[0])
        return f"{self.letters(x)}_{{{low},\\,{' '.join(index)}}}"

    def words(self, text: str) -> str:
        return _upright(text, _SUBSCRIPT)

    def ones(self) -> str:
        return r"\mathbf{1}"

    def gradient(self, of: Expr, by: Expr) -> Piece:
        above, below = self.within(of, ATOM), self.within(by, ATOM)
        return Piece(rf"\frac{{\partial {above}}}{{\partial {below}}}", POWER)

    def part(self, gradient: Expr, step: str) -> str:
        return rf"\left.{self.show(gradient)}\right|_{{{step}}}"

    def times(self, factors: tuple[Expr, ...], kind: str) -> Piece:
        shown = [self.factor(f, kind, i == 0) for i, f in enumerate(factors)]
        sign = {"had": r" \odot ", "mat": r"\,", "num": r"\,", "conv": r" \star "}[kind]
        if kind == "num" and len(factors) > 1 and isinstance(factors[1], ex.Num):
            sign = r" \cdot "
        return Piece(sign.join(shown), PRODUCT)

    def over(self, top: Expr, bottom: Expr) -> Piece:
        product = self.apart(top, bottom)
        if product is not None:
            return product
        return Piece(rf"\frac{{{self.show(top)}}}{{{self.show(bottom)}}}", POWER)

    def power(self, base: Expr, exponent: Expr) -> Piece:
        return Piece(f"{{{self.within(base, ATOM)}}}^{{{self.show(exponent)}}}", POWER)

    def total(self, indices: tuple[str, ...], body: Expr, mean: bool) -> Piece:
        mark = r"\operatorname{mean}" if mean else r"\sum"
        low = f"_{{{','.join(indices)}}}" if indices else ""
        return Piece(f"{mark}{low} {self.body(body)}", PRODUCT)

    def fence(self, left: str, inner: Expr, right: str) -> Piece:
        if left == "√":
            return Piece(rf"\sqrt{{{self.show(inner)}}}", ATOM)
        marks = {"|": (r"\left|", r"\right|"), "⌊": (r"\lfloor ", r"\rfloor "), "‖": (r"\|", r"\|")}
        open_, close = marks[left]
        return Piece(f"{open_}{self.show(inner)}{close}", ATOM)

    def transposed(self, x: str) -> str:
        return rf"{{{x}}}^{{\top}}"

    def call(self, name: str, arguments: list[str]) -> str:
        inside = ", ".join(arguments)
        named = f"\\{name}" if name in _FUNCTIONS else rf"\operatorname{{{self._operator(name)}}}"
        if name in GREEK.values():
            named = _NAMES[name]
        return rf"{named}\left({inside}\right)"

    def _operator(self, name: str) -> str:
        plain = name.isascii() and name.replace("_", "").isalnum()
        return name.replace("_", r"\_") if plain else _upright(name)

    def at(self, x: str, index: list[str], brackets: bool = False) -> str:
        if brackets:
            return f"{x}[{', '.join(index)}]"
        return f"{{{x}}}_{{{' '.join(index)}}}"

    def relation(self, parts: list[str], signs: tuple[str, ...]) -> str:
        out = parts[0]
        for sign, part in zip(signs, parts[1:], strict=True):
            out += f" {_SIGNS[sign]} {part}"
        return out

    def cases(self, rows: list[tuple[str, str]]) -> str:
        lines = r" \\ ".join(rf"{value} & \text{{if }} {condition}" for value, condition in rows)
        return rf"\begin{{cases}} {lines} \end{{cases}}"

    def parenthesized(self, markup: str) -> str:
        return rf"\left({markup}\right)"

    def bracketed(self, markup: str) -> str:
        return rf"\left[{markup}\right]"

    def signed(self, markup: str) -> str:
        return f"-{markup}"

    def sign(self, sign: str) -> str:
        return f" {_SIGNS[sign]} "
