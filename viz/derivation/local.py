"""The local derivative of a step, in the notation of the derivation, and the gradient in all."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from tensorgrad.formula import parse
from tensorgrad.viz.derivation import algebra as al
from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.between import key_of
from tensorgrad.viz.derivation.expression import Expr, Symbol
from tensorgrad.viz.derivation.indexing import ELEMENTWISE
from tensorgrad.viz.derivation.parts import Read
from tensorgrad.viz.derivation.reading import Reader

if TYPE_CHECKING:
    from tensorgrad.viz.derivation.build import Builder

__all__ = ["closed_form", "local_derivative"]

Pair = tuple[Expr, Expr]


def local_derivative(
    builder: Builder, node: Any, i: int, formula: str, reader: Reader
) -> tuple[Pair | None, Pair | None]:
    """∂y/∂x of one operation, and the same case by case where an index decides.

    In matrix notation a function of each element has the derivative of one element; anything else
    is shown with indices, for a matrix of matrices has no notation that is shorter.
    """
    if builder.notation == "matrix" and _of_each(node, i, formula):
        plain = Reader({**reader.names, "g": Read(ex.ONE, ())}, builder.counts)
        made = builder.oriented(plain.read(formula).expr)
        if isinstance(made, ex.Num) or (isinstance(made, ex.Minus) and isinstance(made.x, ex.Num)):
            return None, None  # a sum, a copy: what comes in goes on
        return (ex.Gradient(builder.symbol(node), builder.symbol(node.inputs[i])), made), None
    found = builder.forms.jacobian(node, i, formula)
    if found is None:
        return None, None
    left, right, _ = found
    diagonal = _diagonal(left, right)
    if diagonal is not None and builder.notation == "matrix":
        if isinstance(diagonal, ex.Num):
            return None, None  # a sum, a copy: what comes in goes on
        plain = Reader({**reader.names, "g": Read(ex.ONE, ())}, builder.counts)
        made = builder.oriented(plain.read(formula).expr)
        return (ex.Gradient(builder.symbol(node), builder.symbol(node.inputs[i])), made), None
    if isinstance(right, ex.Num) or ex.is_one(builder.gradient(node)):
        return None, None  # of the loss, it is what comes in
    right = _outwards(left, right)
    return (left, right), _cases(left, right) if diagonal is None else None


def _of_each(node: Any, i: int, formula: str) -> bool:
    """Whether a formula plainly works on each element alone, and nothing is broadcast."""
    if node.op.outputs or tuple(node.inputs[i].shape) != tuple(node.shape):
        return False
    parts = list(ast.walk(parse(formula)))
    calls = {id(p.func) for p in parts if isinstance(p, ast.Call)}
    named = [p.id for p in parts if isinstance(p, ast.Name) and id(p) in calls]
    odd = (ast.MatMult, ast.Attribute, ast.Subscript, ast.Tuple)
    return all(name in ELEMENTWISE for name in named) and not any(isinstance(p, odd) for p in parts)


def _diagonal(left: Expr, right: Expr) -> Expr | None:
    """What stands beside the deltas of a function of each element; None for any other."""
    assert isinstance(left, ex.Gradient)
    out = left.of.index if isinstance(left.of, ex.At) else ()
    into = left.by.index if isinstance(left.by, ex.At) else ()
    if len(out) != len(into):
        return None
    for a, b in zip(out, into, strict=True):
        if a == b:
            continue
        right = al.without(right, al.delta(a, b))
        if right is None:
            return None
        right = al.substitute(right, b.name, a) if isinstance(b, Symbol) else right
    return right


def _last(left: Expr) -> tuple[Symbol, Symbol] | None:
    """The last index of what is differentiated, and of what by."""
    assert isinstance(left, ex.Gradient)
    out = left.of.index if isinstance(left.of, ex.At) else ()
    into = left.by.index if isinstance(left.by, ex.At) else ()
    if not out or not into or out[-1] == into[-1]:
        return None
    i, j = out[-1], into[-1]
    return (i, j) if isinstance(i, Symbol) and isinstance(j, Symbol) else None


def _outwards(left: Expr, right: Expr) -> Expr:
    """A Jacobian that is symmetric, as one writes it: yᵢ (δᵢⱼ − yⱼ), not yⱼ (δᵢⱼ − yᵢ)."""
    pair = _last(left)
    if pair is None:
        return right
    i, j = pair
    turned = al.substitute(al.substitute(right, i.name, Symbol("0", -1)), j.name, i)
    turned = al.substitute(turned, "0", j)
    return turned if al.expanded(turned) == al.expanded(right) else right


def _cases(left: Expr, right: Expr) -> Pair | None:
    """A Jacobian whose delta stands in a sum: y (δ − y) is y (1 − y) where i = j, else −y y."""
    pair = _last(left)
    if pair is None or not _in_a_sum(right, *pair):
        return None
    i, j = pair
    equal = al.substitute(right, j.name, i)
    other = _vanished(right, i, j)
    conditions = (ex.Relation((i, j), ("=",)), ex.Relation((i, j), ("≠",)))
    return left, ex.Cases(((equal, conditions[0]), (other, conditions[1])))


def _in_a_sum(x: Expr, i: Expr, j: Expr) -> bool:
    wanted = al.delta(i, j)
    if isinstance(x, ex.Plus):
        return any(_has(t, wanted) for t in x.terms)
    return any(_in_a_sum(c, i, j) for c in al.children(x))


def _has(x: Expr, wanted: Expr) -> bool:
    return x == wanted or any(_has(c, wanted) for c in al.children(x))


def _vanished(x: Expr, i: Expr, j: Expr) -> Expr:
    """An expression where δᵢⱼ is 0."""
    match x:
        case ex.Delta() if x == al.delta(i, j):
            return ex.Num(0)
        case ex.Plus(terms=terms):
            return al.add(*(_vanished(t, i, j) for t in terms))
        case ex.Minus(x=inner):
            return al.negative(_vanished(inner, i, j))
        case ex.Times(factors=factors):
            return al.multiply(*(_vanished(f, i, j) for f in factors))
        case ex.Over(top=top, bottom=bottom):
            return al.divide(_vanished(top, i, j), _vanished(bottom, i, j))
    return x


def closed_form(builder: Builder, edge: Any, right: Expr | None) -> Pair | None:
    """The gradient in terms of values alone; None if it is long, or what stands there already.

    It is shown only if it has the numbers of the gradient.
    """
    found = builder.forms.closed(edge)
    if found is None:
        return None
    letters, x = found
    if isinstance(x, ex.Num) or (right is not None and x == right):
        return None
    gradients = builder.gradients
    key = key_of(edge)
    if gradients is not None and key in gradients.arrays:
        exact = gradients.within.get(key, 0.0) <= 1e-7
        if builder.forms.agrees(letters, x, gradients.arrays[key], exact=exact) is False:
            return None
    return ex.Gradient(builder.loss, builder.forms.element(edge)(letters)), x
