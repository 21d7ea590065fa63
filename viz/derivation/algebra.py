"""Algebra of index notation: sums of products, with Kronecker's deltas worked off.

Expressions are trees of elements (`At` with letters), numbers, `Delta`, `Total`, `Plus`, `Minus`,
`Over`, `Power`, functions of such.  The functions here build them already simplified: a sum over a
delta is a substitution, equal factors above and below a fraction go, a sum of terms over one
denominator is one fraction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.expression import Expr, Num, Symbol

__all__ = [
    "add",
    "children",
    "contains",
    "delta",
    "divide",
    "expanded",
    "multiply",
    "negative",
    "rebuilt",
    "size",
    "substitute",
    "sum_over",
    "without",
]


def children(x: Expr) -> list[Expr]:
    """The expressions of which one is made."""
    found: list[Expr] = []
    for field in fields(x):  # type: ignore[arg-type]  # every kind of Expr is a dataclass
        value = getattr(x, field.name)
        if isinstance(value, Expr):
            found.append(value)
        elif isinstance(value, tuple):
            found += [item for item in value if isinstance(item, Expr)]
    return found


def size(x: Expr) -> int:
    """How many symbols, numbers and operations an expression has."""
    return 1 + sum(map(size, children(x)))


def contains(x: Expr, letter: str) -> bool:
    """Whether an index occurs in it."""
    if isinstance(x, Symbol):
        return x.name == letter and x.ndim == -1
    if isinstance(x, ex.Total) and letter in x.indices:
        return False
    return any(contains(c, letter) for c in children(x))


def rebuilt(x: Expr, new: Callable[[ex.Total], Expr | None]) -> Expr:
    """The expression with sums exchanged by a function, simplified anew; None leaves a sum."""
    match x:
        case ex.Total(indices=indices, body=body):
            found = new(x)
            return ex.Total(indices, rebuilt(body, new)) if found is None else found
        case ex.Plus(terms=terms):
            return add(*(rebuilt(t, new) for t in terms))
        case ex.Minus(x=inner):
            return negative(rebuilt(inner, new))
        case ex.Times(factors=factors):
            return multiply(*(rebuilt(f, new) for f in factors))
        case ex.Over(top=top, bottom=bottom):
            return divide(rebuilt(top, new), rebuilt(bottom, new))
    return x


def substitute(x: Expr, letter: str, by: Expr) -> Expr:
    """The expression with another index in place of one, simplified anew."""
    match x:
        case Symbol(name=name, ndim=-1):
            return by if name == letter else x
        case ex.Delta(i=i, j=j):
            return delta(substitute(i, letter, by), substitute(j, letter, by))
        case ex.Plus(terms=terms):
            return add(*(substitute(t, letter, by) for t in terms))
        case ex.Minus(x=inner):
            return negative(substitute(inner, letter, by))
        case ex.Times(factors=factors):
            return multiply(*(substitute(f, letter, by) for f in factors))
        case ex.Over(top=top, bottom=bottom):
            return divide(substitute(top, letter, by), substitute(bottom, letter, by))
        case ex.Total(indices=indices, body=body):
            if letter in indices:
                return x
            return ex.Total(indices, substitute(body, letter, by))
    return _mapped(x, letter, by)


def _mapped(x: Expr, letter: str, by: Expr) -> Expr:
    changed: dict[str, Any] = {}
    for field in fields(x):  # type: ignore[arg-type]  # every kind of Expr is a dataclass
        value = getattr(x, field.name)
        if isinstance(value, Expr):
            changed[field.name] = substitute(value, letter, by)
        elif isinstance(value, tuple) and any(isinstance(item, Expr) for item in value):
            changed[field.name] = tuple(substitute(item, letter, by) for item in value)
    return replace(x, **changed) if changed else x  # type: ignore[type-var]


# --- Building -------------------------------------------------------------------------------------


def delta(i: Expr, j: Expr) -> Expr:
    """Kronecker's delta; of an index and itself it is 1, of two different numbers 0."""
    if i == j:
        return ex.ONE
    if isinstance(i, Num) and isinstance(j, Num):
        return Num(0)
    # A letter before what is none, letters by the alphabet: δᵢⱼ is δⱼᵢ.
    return ex.Delta(*sorted((i, j), key=_order))


def _order(x: Expr) -> tuple[bool, str]:
    letter = isinstance(x, Symbol) and x.ndim == -1
    return not letter, x.name if isinstance(x, Symbol) else ""


def negative(x: Expr) -> Expr:
    """-x."""
    if isinstance(x, Num):
        return Num(-x.value)
    if isinstance(x, ex.Plus) and all(isinstance(t, ex.Minus) for t in x.terms):
        return add(*(negative(t) for t in x.terms))
    return ex.minus(x)


def add(*terms: Expr) -> Expr:
    """A sum: numbers together, equal terms of opposite sign gone, one denominator in common."""
    found: dict[Expr, float | complex] = {}  # what stands beside a number, and the number
    number: float | complex = 0
    for term in terms:
        parts = term.terms if isinstance(term, ex.Plus) else (term,)
        if isinstance(term, ex.Minus) and isinstance(term.x, ex.Plus):
            parts = tuple(negative(t) for t in term.x.terms)
        for part in parts:
            if isinstance(part, Num):
                number += part.value
                continue
            above, below, share = _taken_apart((part,))
            rest = _fraction(above, below)
            found[rest] = found.get(rest, 0) + share
    flat = [multiply(Num(share), rest) for rest, share in found.items() if share != 0]
    if not flat:
        return Num(number)
    if number != 0:
        flat.append(Num(number) if _positive(number) else ex.Minus(Num(-number)))
    if len(flat) == 1:
        return flat[0]
    # A positive term first: y - δ, not -δ + y.
    flat.sort(key=lambda t: isinstance(t, ex.Minus))
    common = _common_denominator(flat)
    if common is not None:
        return divide(add(*(_without_denominator(t) for t in flat)), common)
    shared = _common_delta(flat)
    if shared is not None:
        return multiply(add(*(without(t, shared) for t in flat)), shared)
    return ex.Plus(tuple(flat))


def _positive(number: float | complex) -> bool:
    return isinstance(number, complex) or number > 0


def _common_denominator(terms: list[Expr]) -> Expr | None:
    found = {_bare(t).bottom if isinstance(_bare(t), ex.Over) else None for t in terms}  # type: ignore[attr-defined]
    return found.pop() if len(found) == 1 else None


def _common_delta(terms: list[Expr]) -> Expr | None:
    """A delta that is a factor of every term."""
    found = [[f for f in _taken_apart((t,))[0] if isinstance(f, ex.Delta)] for t in terms]
    shared = [d for d in found[0] if all(d in others for others in found[1:])]
    return shared[0] if shared else None


def without(x: Expr, *factors: Expr) -> Any:
    """A product without one of these factors; None if it has none of them."""
    above, below, number = _taken_apart((x,))
    rest = [f for f in above if f not in factors]
    if len(rest) == len(above):
        return None
    return divide(multiply(Num(number), *rest), _product(below, 1))


def expanded(x: Expr) -> list[tuple[Any, ...]]:
    """The terms of an expression multiplied out, in an order of their own, to be compared.

    Where δᵢⱼ stands, j is i.
    """
    if isinstance(x, ex.Plus):
        return sorted((t for term in x.terms for t in expanded(term)), key=repr)
    above, below, number = _taken_apart((x,))
    for k, factor in enumerate(above):
        if isinstance(factor, ex.Plus):
            rest = [*above[:k], *above[k + 1 :], *(ex.Over(ex.ONE, b) for b in below)]
            parts = [_raw((Num(number), *rest, term)) for term in factor.terms]
            return sorted((t for part in parts for t in expanded(part)), key=repr)
    for factor in above:
        if isinstance(factor, ex.Delta) and isinstance(factor.j, Symbol) and factor.j.ndim == -1:
            keep = factor.i
            above = [f if f == factor else substitute(f, factor.j.name, keep) for f in above]
            below = [substitute(f, factor.j.name, keep) for f in below]
    return [(number, sorted(map(repr, above)), sorted(map(repr, below)))]


def _raw(factors: tuple[Expr, ...]) -> Expr:
    above, below, number = _taken_apart(factors)
    return _fraction(above, below, number)


def _bare(term: Expr) -> Expr:
    return term.x if isinstance(term, ex.Minus) else term


def _without_denominator(term: Expr) -> Expr:
    inner = _bare(term)
    assert isinstance(inner, ex.Over)
    return negative(inner.top) if isinstance(term, ex.Minus) else inner.top


def multiply(*factors: Expr) -> Expr:
    """A product: signs and numbers in front, fractions as one, equal factors cancelled."""
    above, below, number = _taken_apart(factors)
    if number == 0:
        return Num(0)
    for factor in list(below):
        if factor in above:
            above.remove(factor)
            below.remove(factor)
    _cancel_by_deltas(above, below)
    # y (a / y + b) is a + y b: worth it only where something goes.
    for i, factor in enumerate(above):
        if isinstance(factor, ex.Plus) and _cancels(factor, above[:i] + above[i + 1 :]):
            others = above[:i] + above[i + 1 :]
            spread = add(*(multiply(*others, term) for term in factor.terms))
            return multiply(Num(number), _fraction([spread], below))
    negated = _positive(number) is False
    made = _fraction(above, below, -number if negated else number)
    return negative(made) if negated else made


def _cancel_by_deltas(above: list[Expr], below: list[Expr]) -> None:
    """Beside δᵢ꜀ an element at i is the one at c: yᵢ δᵢ꜀ / y꜀ is δᵢ꜀."""
    for factor in list(above):
        if not isinstance(factor, ex.Delta):
            continue
        for old, new in ((factor.i, factor.j), (factor.j, factor.i)):
            if not isinstance(old, Symbol) or old.ndim != -1:
                continue
            for other in list(above):
                there = other if other is factor else substitute(other, old.name, new)
                if other is not factor and there in below:
                    above.remove(other)
                    below.remove(there)


def _taken_apart(
    factors: tuple[Expr, ...],
) -> tuple[list[Expr], list[Expr], float | complex]:
    above: list[Expr] = []
    below: list[Expr] = []
    number: float | complex = 1
    stack = list(reversed(factors))
    while stack:
        factor = stack.pop()
        match factor:
            case Num(value=value):
                number *= value
            case ex.Minus(x=inner):
                number = -number
                stack.append(inner)
            case ex.Times(factors=inside):
                stack.extend(reversed(inside))
            case ex.Over(top=top, bottom=bottom):
                below += bottom.factors if isinstance(bottom, ex.Times) else (bottom,)
                stack.append(top)
            case _:
                above.append(factor)
    return above, below, number


def _cancels(total: ex.Plus, others: list[Expr]) -> bool:
    for term in total.terms:
        inner = _bare(term)
        if isinstance(inner, ex.Over):
            below = inner.bottom.factors if isinstance(inner.bottom, ex.Times) else (inner.bottom,)
            above = inner.top.factors if isinstance(inner.top, ex.Times) else (inner.top,)
            top, under = [*above, *others], list(below)
            _cancel_by_deltas(top, under)
            if len(under) < len(below) or any(b in others for b in below):
                return True
    return False


def _fraction(above: list[Expr], below: list[Expr], number: float | complex = 1) -> Expr:
    numbers = [b.value for b in below if isinstance(b, Num)]
    rest = [b for b in below if not isinstance(b, Num)]
    for value in numbers:
        number = number / value
    number, under = ex.ratio(number)
    # A number by itself stays under the line: 1 / 2 x, not 0.5 x, where it divides evenly.
    top = _product(above, number)
    return ex.Over(top, _product(rest, under)) if rest or under != 1 else top


def _product(factors: list[Expr], number: float | complex) -> Expr:
    if not factors:
        return Num(number)
    # Deltas and sums last, as one writes them: y δ, y (δ - y).
    factors = sorted(factors, key=_rank)
    factors = _powers(factors)
    if number != 1:
        factors = [Num(number), *factors]
    return factors[0] if len(factors) == 1 else ex.Times(tuple(factors), "num")


def _rank(x: Expr) -> int:
    if isinstance(x, ex.Gradient):
        return 0
    if isinstance(x, (ex.Delta, ex.Indicator)):
        return 2
    return 3 if isinstance(x, (ex.Plus, ex.Total)) else 1


def _powers(factors: list[Expr]) -> list[Expr]:
    out: list[Expr] = []
    for factor in factors:
        if isinstance(factor, (ex.Delta, ex.Indicator)) and factor in out:
            continue  # 1 or 0, squared
        if factor in out:
            out[out.index(factor)] = ex.Power(factor, Num(2))
        else:
            out.append(factor)
    return out


def divide(top: Expr, bottom: Expr) -> Expr:
    """A quotient."""
    if isinstance(bottom, Num):
        return multiply(Num(1 / bottom.value), top) if bottom.value != 1 else top
    if isinstance(bottom, ex.Minus):
        return negative(divide(top, bottom.x))
    if isinstance(bottom, ex.Over):
        return multiply(top, ex.Over(bottom.bottom, bottom.top))
    return multiply(top, ex.Over(ex.ONE, bottom))


def sum_over(letter: str, body: Expr) -> Expr:
    """Σ over an index: of a delta it is a substitution; what lacks the index stays outside."""
    if not contains(body, letter):
        return ex.Total((letter,), body)
    index = Symbol(letter, -1)
    if isinstance(body, ex.Plus):
        return add(*(sum_over(letter, term) for term in body.terms))
    if isinstance(body, ex.Minus):
        return negative(sum_over(letter, body.x))
    above, below, number = _taken_apart((body,))
    for factor in above:
        if isinstance(factor, ex.Delta) and index in (factor.i, factor.j):
            other = factor.j if factor.i == index else factor.i
            rest = [f for f in above if f is not factor]
            made = divide(multiply(Num(number), *rest), _product(below, 1))
            return substitute(made, letter, other)
    for i, factor in enumerate(above):
        if isinstance(factor, ex.Plus) and _has_delta(factor, index):
            others = above[:i] + above[i + 1 :]
            terms = (
                divide(multiply(Num(number), *others, term), _product(below, 1))
                for term in factor.terms
            )
            return add(*(sum_over(letter, term) for term in terms))
    inside = [f for f in above if contains(f, letter)]
    outside = [f for f in above if not contains(f, letter)]
    under = [f for f in below if contains(f, letter)]
    outer = [f for f in below if not contains(f, letter)]
    core = _fraction(inside, under)
    if isinstance(core, ex.Total):
        made = ex.Total((letter, *core.indices), core.body)
    else:
        made = ex.Total((letter,), core)
    return divide(multiply(Num(number), *outside, made), _product(outer, 1))


def _has_delta(x: ex.Plus, index: Expr) -> bool:
    def inside(term: Expr) -> bool:
        above, _, _ = _taken_apart((term,))
        return any(isinstance(f, ex.Delta) and index in (f.i, f.j) for f in above)

    return any(inside(term) for term in x.terms)
