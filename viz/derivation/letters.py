"""The letters of index notation: which axis has which, and formulas with theirs exchanged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.viz.derivation import algebra as al
from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.expression import Expr
from tensorgrad.viz.derivation.indexing import Letters, NoIndexForm, index

__all__ = [
    "OTHER",
    "OWN",
    "element_at",
    "element_of",
    "instance",
    "kept_letters",
    "letters_for",
    "used_letters",
    "without_batch",
]

OWN: dict[int, Letters] = {
    0: (), 1: ("i",), 2: ("n", "i"), 3: ("n", "t", "i"), 4: ("n", "c", "h", "w"),
}  # fmt: skip
OTHER: dict[int, Letters] = {
    0: (), 1: ("j",), 2: ("m", "j"), 3: ("m", "s", "j"), 4: ("m", "d", "p", "q"),
}  # fmt: skip


def letters_for(table: dict[int, Letters], shape: Any) -> Letters | None:
    if not isinstance(shape, tuple) or any(isinstance(n, tuple) for n in shape):
        return None
    letters = table.get(len(shape))
    return None if letters is None else kept_letters(letters, shape)


def kept_letters(letters: Letters, shape: tuple[int, ...]) -> Letters:
    """Letters for the axes that need one: those of length 1 have but one index."""
    return tuple(None if n == 1 else a for a, n in zip(letters, shape, strict=True))


def used_letters(letters: Letters) -> set[str]:
    return {a for a in letters if a is not None}


def element_at(x: Expr, letters: Letters) -> Expr:
    kept = tuple(index(a) for a in letters if a is not None)
    return ex.At(x, kept) if kept else x


def element_of(x: Expr) -> Callable[[Letters], Expr]:
    return lambda letters: element_at(x, letters)


def without_batch(x: Expr) -> Expr | None:
    """What is left of a Jacobian without its δₙₘ; None if it has none."""
    if isinstance(x, ex.Minus):
        inner = without_batch(x.x)
        return None if inner is None else al.negative(inner)
    if isinstance(x, ex.Over):
        inner = without_batch(x.top)
        return None if inner is None else al.divide(inner, x.bottom)
    factors = x.factors if isinstance(x, ex.Times) else (x,)
    for factor in factors:
        if isinstance(factor, ex.Delta) and {factor.i, factor.j} == {index("n"), index("m")}:
            return al.multiply(*(f for f in factors if f is not factor))
    if isinstance(x, ex.Plus):
        parts = [without_batch(t) for t in x.terms]
        if all(p is not None for p in parts):
            return al.add(*(p for p in parts if p is not None))
    for k, factor in enumerate(factors):
        if isinstance(factor, ex.Plus) and len(factors) > 1:
            inner = without_batch(factor)
            if inner is not None:
                return al.multiply(*factors[:k], inner, *factors[k + 1 :])
    return None


def instance(closed: tuple[Letters, Expr], own: Letters, used: set[str]) -> Expr:
    """A closed form at other indices, its own bound letters exchanged for unused ones."""
    letters, x = closed
    x = _renamed(x, used | used_letters(own))
    pairs = [(a, b) for a, b in zip(letters, own, strict=True) if a is not None]
    for k, (a, _) in enumerate(pairs):  # in two steps: letters may be exchanged with each other
        x = al.substitute(x, a, index(f"{k}"))
    for k, (_, b) in enumerate(pairs):
        x = al.substitute(x, f"{k}", index(str(b)))
    used |= _bound(x)
    return x


def _bound(x: Expr) -> set[str]:
    own = set(x.indices) if isinstance(x, ex.Total) else set()
    return own.union(*map(_bound, al.children(x))) if al.children(x) else own


def _renamed(x: Expr, used: set[str]) -> Expr:
    for letter in sorted(_bound(x)):
        if letter in used:
            new = next((a for a in "klpqrsuvabcdefg" if a not in used and a not in _bound(x)), None)
            if new is None:
                raise NoIndexForm("the letters run out")
            x = _rename_bound(x, letter, new)
    return x


def _rename_bound(x: Expr, old: str, new: str) -> Expr:
    match x:
        case ex.Total(indices=indices, body=body) if old in indices:
            named = tuple(new if a == old else a for a in indices)
            return ex.Total(named, al.substitute(body, old, index(new)))
        case ex.Plus(terms=terms):
            return ex.Plus(tuple(_rename_bound(t, old, new) for t in terms))
        case ex.Minus(x=inner):
            return ex.Minus(_rename_bound(inner, old, new))
        case ex.Times(factors=factors, kind=kind):
            return ex.Times(tuple(_rename_bound(f, old, new) for f in factors), kind)
        case ex.Over(top=top, bottom=bottom):
            return ex.Over(_rename_bound(top, old, new), _rename_bound(bottom, old, new))
        case ex.Total(indices=indices, body=body):
            return ex.Total(indices, _rename_bound(body, old, new))
    return x
