"""The numbers of an expression in index notation: what is printed is tried before it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.algebra import children
from tensorgrad.viz.derivation.expression import Expr, Symbol

__all__ = ["Unevaluable", "evaluate_indexed"]

Array = np.ndarray[Any, Any]
_FUNCTIONS = {
    "exp": np.exp, "log": np.log, "sin": np.sin, "cos": np.cos, "sign": np.sign, "tanh": np.tanh,
    "sinh": np.sinh, "cosh": np.cosh, "trunc": np.trunc, "not": np.logical_not,
}  # fmt: skip
_RELATIONS = {
    "<": np.less, "≤": np.less_equal, ">": np.greater, "≥": np.greater_equal, "=": np.equal,
    "≠": np.not_equal,
}  # fmt: skip


class Unevaluable(Exception):
    """A symbol whose value is not known, or a mark that has none."""


def evaluate_indexed(
    x: Expr, letters: Sequence[str], sizes: Mapping[str, int], arrays: Mapping[Any, Array]
) -> Array:
    """An expression at all values of its free indices, as an array with an axis for each.

    ``arrays`` has the value of each symbol, by the symbol without its axes of length 1, and of
    each function of a symbol that has indices.  ``sizes`` are those of the free indices; the
    others follow from what they are indices of.
    """
    known = dict(sizes)
    _sizes_of(x, arrays, known)
    order = [*letters, *sorted(set(known) - set(letters))]
    found = np.asarray(_value(x, order, known, arrays))
    shape = [known[a] for a in letters] + [1] * (len(order) - len(letters))
    spread = np.broadcast_to(found, np.broadcast_shapes(found.shape, tuple(shape)))
    return spread.reshape([known[a] for a in letters])


def _base(x: Expr) -> Any:
    return ("", x.name, x.accent) if isinstance(x, Symbol) else x


def _sizes_of(x: Expr, arrays: Mapping[Any, Array], known: dict[str, int]) -> None:
    if isinstance(x, ex.At):
        array = arrays.get(_base(x.x))
        if array is not None and array.ndim == len(x.index):
            for letter, n in zip(x.index, array.shape, strict=True):
                if isinstance(letter, Symbol) and letter.ndim == -1:
                    known.setdefault(letter.name, n)
    if isinstance(x, ex.Gradient) and isinstance(x.by, ex.At) and isinstance(x.by.x, Symbol):
        # The gradient has the axes of what it is by; the value of that need not be known.
        array = arrays.get(("∂", x.by.x.name, ""))
        if array is not None:
            _sizes_of(x.by, {_base(x.by.x): array}, known)
        return
    for child in children(x):
        _sizes_of(child, arrays, known)


def _value(x: Expr, order: list[str], sizes: dict[str, int], arrays: Mapping[Any, Array]) -> Any:
    def of(part: Expr) -> Any:
        return _value(part, order, sizes, arrays)

    match x:
        case ex.Num(value=value):
            return value
        case Symbol(name=name, ndim=-1):
            return _along(np.arange(sizes[name]), order, [name])
        case Symbol() | ex.Call() if _base(x) in arrays:
            return arrays[_base(x)].reshape(()) if arrays[_base(x)].size == 1 else _fail(x)
        case ex.Gradient(by=ex.At(x=Symbol(name=name), index=letters)):
            return _picked(("∂", name, ""), letters, of, order, arrays)
        case ex.Gradient(by=Symbol(name=name)) if ("∂", name, "") in arrays:
            array = arrays["∂", name, ""]
            return array.reshape(()) if array.size == 1 else _fail(x)
        case ex.At(x=base, index=letters):
            return _picked(_base(base), letters, of, order, arrays)
        case ex.Delta(i=i, j=j):
            return np.equal(of(i), of(j)).astype(float)
        case ex.Plus(terms=terms):
            total = of(terms[0])
            for term in terms[1:]:
                total = total + of(term)
            return total
        case ex.Minus(x=inner):
            return -of(inner)
        case ex.Times(factors=factors):
            product = of(factors[0])
            for factor in factors[1:]:
                product = product * of(factor)
            return product
        case ex.Over(top=top, bottom=bottom):
            return of(top) / of(bottom)
        case ex.Power(base=base, exponent=exponent):
            return of(base) ** of(exponent)
        case ex.Total(indices=indices, body=body):
            return _summed(of(body), indices, order, sizes)
        case ex.Indicator(condition=condition):
            return np.asarray(of(condition)).astype(float)
        case ex.Relation(parts=parts, signs=signs) if all(s in _RELATIONS for s in signs):
            values = [of(part) for part in parts]
            held = [_RELATIONS[s](a, b) for s, a, b in zip(signs, values, values[1:], strict=False)]
            return np.logical_and.reduce(held)
        case ex.Call(name=name, arguments=(inner,)) if name in _FUNCTIONS:
            return _FUNCTIONS[name](of(inner))
        case ex.Fence(left="√", x=inner):
            return np.sqrt(of(inner))
        case ex.Fence(left="|", x=inner):
            return np.abs(of(inner))
    return _fail(x)


def _fail(x: Expr) -> Any:
    raise Unevaluable(repr(x))


def _along(array: Array, order: list[str], letters: list[str]) -> Array:
    """An array whose axes have these letters, among all the letters of an expression."""
    places = [order.index(letter) for letter in letters]
    turned = np.transpose(array, np.argsort(places))
    shape = [1] * len(order)
    for place, letter in zip(places, letters, strict=True):
        shape[place] = array.shape[letters.index(letter)]
    return turned.reshape(shape)


def _picked(
    base: Any, letters: tuple[Expr, ...], of: Any, order: list[str], arrays: Mapping[Any, Array]
) -> Any:
    array = arrays.get(base)
    if array is None or array.ndim != len(letters):
        raise Unevaluable(repr(base))
    names = [i.name for i in letters if isinstance(i, Symbol) and i.ndim == -1]
    if len(names) == len(letters) and len(set(names)) == len(names):
        return _along(array, order, names)
    places = tuple(np.asarray(of(i)).astype(np.int64) for i in letters)
    return array[np.broadcast_arrays(*places)] if len(places) > 1 else array[places]


def _summed(body: Any, indices: tuple[str, ...], order: list[str], sizes: dict[str, int]) -> Any:
    found = np.asarray(body)
    if found.ndim != len(order):
        found = found.reshape([1] * len(order)) if found.ndim == 0 else found
    for letter in indices:
        axis = order.index(letter)
        n = found.shape[axis]
        found = found.sum(axis=axis, keepdims=True)
        if n != sizes[letter]:
            found = found * sizes[letter]
    return found
