"""Expressions of a derivation: one tree, which the printers of text, LaTeX and MathML walk.

A tree is built by the functions in small letters, which leave out what a person would not write: a
factor of 1, a sum over nothing, a transpose of a transpose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "ONE",
    "At",
    "Call",
    "Cases",
    "Delta",
    "Expr",
    "Fence",
    "Gradient",
    "Indicator",
    "Minus",
    "Num",
    "Ones",
    "Over",
    "Part",
    "Plus",
    "Power",
    "Relation",
    "Symbol",
    "Times",
    "Total",
    "Transposed",
    "Words",
    "is_one",
    "is_zero",
    "minus",
    "over",
    "plus",
    "power",
    "ratio",
    "times",
    "transposed",
]

Kind = Literal["mat", "had", "num", "conv"]


class Expr:
    """Any part of a formula."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Num(Expr):
    """A number."""

    value: float | complex


@dataclass(frozen=True, slots=True)
class Symbol(Expr):
    """A variable: its name, how many axes it has, and the accent that it carries.

    ``stays``: a matrix that maps columns already, and is not transposed where others are.
    """

    name: str
    ndim: int = 0
    accent: str = ""  # "hat" or nothing
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Words(Expr):
    """Plain words, where there is no formula."""

    text: str


@dataclass(frozen=True, slots=True)
class Ones(Expr):
    """The column of ones with which a matrix is multiplied to add up its columns."""


@dataclass(frozen=True, slots=True)
class Gradient(Expr):
    """∂ of / ∂ by."""

    of: Expr
    by: Expr


@dataclass(frozen=True, slots=True)
class Part(Expr):
    """The part of a gradient that comes back through one step."""

    gradient: Expr
    step: str


@dataclass(frozen=True, slots=True)
class Plus(Expr):
    """A sum; a `Minus` among the terms is subtracted."""

    terms: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Minus(Expr):
    """-x."""

    x: Expr


@dataclass(frozen=True, slots=True)
class Times(Expr):
    """A product: of matrices ("mat"), elementwise ("had"), with a number ("num"), or a correlation
    ("conv")."""

    factors: tuple[Expr, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Over(Expr):
    """A quotient, elementwise."""

    top: Expr
    bottom: Expr


@dataclass(frozen=True, slots=True)
class Power(Expr):
    """base ** exponent, elementwise."""

    base: Expr
    exponent: Expr


@dataclass(frozen=True, slots=True)
class Transposed(Expr):
    """The last two axes exchanged."""

    x: Expr


@dataclass(frozen=True, slots=True)
class Call(Expr):
    """A function by its name, with arguments."""

    name: str
    arguments: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class At(Expr):
    """An element or a part: subscripts (``w`` at i, j) or, in brackets, an index."""

    x: Expr
    index: tuple[Expr, ...]
    brackets: bool = False


@dataclass(frozen=True, slots=True)
class Delta(Expr):
    """Kronecker's delta: 1 where two indices are equal, else 0."""

    i: Expr
    j: Expr


@dataclass(frozen=True, slots=True)
class Total(Expr):
    """Σ of a body over indices (none: over everything)."""

    indices: tuple[str, ...]
    body: Expr
    mean: bool = False


@dataclass(frozen=True, slots=True)
class Relation(Expr):
    """Comparisons in a row, or conditions joined: the signs stand between the parts."""

    parts: tuple[Expr, ...]
    signs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Indicator(Expr):
    """1 where a condition holds, else 0."""

    condition: Expr


@dataclass(frozen=True, slots=True)
class Fence(Expr):
    """Something between two marks: |x|, ⌊x⌋, or under a root ("√")."""

    left: str
    x: Expr
    right: str


@dataclass(frozen=True, slots=True)
class Cases(Expr):
    """One value or another, by a condition."""

    rows: tuple[tuple[Expr, Expr], ...]


ONE = Num(1)


def is_one(x: Expr) -> bool:
    return isinstance(x, Num) and x.value == 1


def is_zero(x: Expr) -> bool:
    return isinstance(x, Num) and x.value == 0


def ratio(number: float | complex) -> tuple[float | complex, int]:
    """A number over a small one, where its decimals do not end soon: 2/3 is not 0.666667."""
    if isinstance(number, complex) or not math.isfinite(number):
        return number, 1
    if float(f"{number:.6g}") == number:
        return number, 1
    for under in range(2, 1000):
        above = round(number * under)
        if above and abs(number * under - above) < 1e-12 * abs(above):
            return above, under
    return number, 1


def minus(x: Expr) -> Expr:
    """-x; twice is nothing."""
    if isinstance(x, Minus):
        return x.x
    if isinstance(x, Num) and x.value == 0:
        return x
    return Minus(x)


def plus(*terms: Expr) -> Expr:
    """A sum without zeros, flat."""
    flat: list[Expr] = []
    for term in terms:
        if isinstance(term, Plus):
            flat += term.terms
        elif isinstance(term, Minus) and isinstance(term.x, Plus):
            flat += [minus(t) for t in term.x.terms]
        elif not is_zero(term):
            flat.append(term)
    if not flat:
        return Num(0)
    return flat[0] if len(flat) == 1 else Plus(tuple(flat))


def times(kind: Kind, *factors: Expr) -> Expr:
    """A product without ones, its sign in front, flat where it is of one kind.

    Numbers come first and are multiplied out; quotients by what a gradient stands over are moved
    behind it: (g a) / b is g (a / b).
    """
    negative = False
    flat: list[Expr] = []
    number: float | complex = 1
    for factor in factors:
        if isinstance(factor, Minus):
            negative, factor = not negative, factor.x
        inner = factor.factors if isinstance(factor, Times) and factor.kind == kind else (factor,)
        for part in inner:
            if isinstance(part, Num):
                number *= part.value
            else:
                flat.append(part)
    if number == 0:
        return Num(0)
    if not isinstance(number, complex) and number < 0:
        negative, number = not negative, -number
    if number != 1:
        flat.insert(0, Num(number))
    made: Expr
    if not flat:
        made = ONE
    elif len(flat) == 1:
        made = flat[0]
    elif number != 1:
        rest = flat[1:] if len(flat) == 2 or kind == "num" else [Times(tuple(flat[1:]), kind)]
        made = Times((flat[0], *rest), "num")
    else:
        made = Times(tuple(flat), kind)
    return minus(made) if negative else made


def over(top: Expr, bottom: Expr) -> Expr:
    """A quotient; a sign goes in front, a gradient stays outside."""
    if is_one(bottom):
        return top
    if isinstance(top, Minus):
        return minus(over(top.x, bottom))
    if isinstance(bottom, Minus):
        return minus(over(top, bottom.x))
    if is_zero(top):
        return top
    if isinstance(top, Times) and top.kind == "had" and isinstance(top.factors[0], Gradient):
        rest = times("had", *top.factors[1:])
        return times("had", top.factors[0], over(rest, bottom))
    return Over(top, bottom)


def power(base: Expr, exponent: Expr) -> Expr:
    """A power; the first is the base itself."""
    return base if is_one(exponent) else Power(base, exponent)


def transposed(x: Expr) -> Expr:
    """The transpose, pushed inwards as far as it goes."""
    if isinstance(x, Transposed):
        return x.x
    if isinstance(x, Times):
        if x.kind == "mat":
            return Times(tuple(transposed(f) for f in reversed(x.factors)), "mat")
        return Times(tuple(transposed(f) for f in x.factors), x.kind)
    if isinstance(x, Plus):
        return Plus(tuple(transposed(t) for t in x.terms))
    if isinstance(x, Minus):
        return minus(transposed(x.x))
    if isinstance(x, Over):
        return Over(transposed(x.top), transposed(x.bottom))
    if isinstance(x, Power):
        return Power(transposed(x.base), x.exponent)
    if isinstance(x, (Num, Words)):
        return x
    return Transposed(x)
