"""From a declared formula to index notation: the derivative of each element.

A formula is linear in the gradient g that comes in.  With Kronecker's deltas in place of g it
gives the Jacobian: that is how the machine gets ∂yᵢ/∂xⱼ from a rule that never forms it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.formula import parse
from tensorgrad.viz.derivation import algebra as al
from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.expression import Expr, Num, Symbol
from tensorgrad.viz.derivation.parts import COMPARISONS, Counts

__all__ = ["ELEMENTWISE", "Indexed", "Letters", "NoIndexForm", "Variable", "index"]

Letters = tuple[str | None, ...]  # None: an axis of length 1, which needs no index
ELEMENTWISE = {
    "exp", "log", "sin", "cos", "sign", "floor", "abs", "sqrt", "sinh", "cosh", "trunc", "tanh",
}  # fmt: skip


class NoIndexForm(Exception):
    """A formula that has no index notation here."""


class Variable(NamedTuple):
    """What a name of a formula stands for: a shape, and its element at given indices."""

    shape: tuple[int, ...]
    element: Callable[[Letters], Expr]
    value: Any = None  # of a parameter


def index(letter: str) -> Symbol:
    """An index as a symbol."""
    return Symbol(letter, -1)


class Indexed:
    """Reads the formulas of one operation in index notation."""

    def __init__(self, names: Mapping[str, Variable], counts: Counts, used: set[str]) -> None:
        self.names, self.counts = names, counts
        self.used = used  # letters that stand for something already

    def read(self, formula: str, letters: Letters, shape: tuple[int, ...]) -> Expr:
        """The element of a formula's value at these indices of an array of this shape.

        Where the value has more axes, or longer ones, than the array, a broadcast is undone.
        """
        node = parse(formula)
        made = self.shape(node)
        if made is None:
            raise NoIndexForm(formula)
        lead = len(made) - len(shape)
        if lead < 0:
            return self.at(node, letters[-len(made) :] if made else ())
        own: list[str | None] = []
        bound: list[str] = []
        for axis, n in enumerate(made):
            wanted = letters[axis - lead] if axis >= lead else None
            length = shape[axis - lead] if axis >= lead else 1
            if length == 1 and n != 1:
                wanted = self.fresh("n" if axis == 0 else "k")
                bound.append(wanted)
            own.append(wanted if n != 1 else None)
        found = self.at(node, tuple(own))
        for letter in reversed(bound):
            found = al.sum_over(letter, found)
        return found

    def fresh(self, hint: str) -> str:
        """A letter that stands for nothing yet."""
        letter: str
        for letter in (*hint, *"klpqrsuv"):
            if letter not in self.used:
                self.used.add(letter)
                return letter
        raise NoIndexForm("the letters run out")

    # --- Shapes -------------------------------------------------------------------------------

    def shape(self, node: ast.expr) -> tuple[int, ...] | None:
        """The shape of a part of a formula; None where this does not know it."""
        match node:
            case ast.Name(id=name):
                return self.names[name].shape if name in self.names else None
            case ast.Constant():
                return ()
            case ast.BinOp(op=ast.MatMult(), left=left, right=right):
                a, b = self.shape(left), self.shape(right)
                if not a or not b or max(len(a), len(b)) > 2:
                    return None
                return (*a[:-1], *b[1:]) if len(b) == 2 else a[:-1]
            case ast.BinOp(left=left, right=right):
                return self._together(left, right)
            case ast.UnaryOp(operand=inner) | ast.List(elts=[inner]):
                return self.shape(inner)
            case ast.Compare(left=left, comparators=rest):
                return self._together(left, *rest)
            case ast.Attribute(value=value):
                shape = self.shape(value)
                return None if shape is None else (*shape[:-2], *reversed(shape[-2:]))
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._shape_of_call(name, arguments)
        return None

    def _together(self, *parts: ast.expr) -> tuple[int, ...] | None:
        shapes = [self.shape(part) for part in parts]
        known = [shape for shape in shapes if shape is not None]
        return np.broadcast_shapes(*known) if len(known) == len(shapes) else None

    def _shape_of_call(self, name: str, arguments: list[ast.expr]) -> tuple[int, ...] | None:
        first = self.shape(arguments[0]) if arguments else None
        second = self.shape(arguments[1]) if len(arguments) > 1 else None
        if name in ELEMENTWISE or name in ("softmax", "normal", "standard"):
            return first
        if name in ("spread", "onehot", "put", "reshape_like"):
            return second
        if first is None:
            return None
        if name in ("sum", "mean"):
            axes = self._axes(arguments[1], len(first))
            return tuple(1 if i in axes else n for i, n in enumerate(first))
        if name == "column":
            return (first[0], 1) if len(first) == 1 else None
        if name == "rows":
            return first if len(first) == 2 else None
        if name == "outer":
            return None if second is None or len(first) != 1 else (*first, *second)
        if name == "channels" and second is not None:
            return (1, second[1], *(1,) * (len(second) - 2))
        if name == "sum_channels":
            return (first[1],)
        if name in ("mean_channels", "deviation"):
            return (1, first[1], *(1,) * (len(first) - 2))
        return () if name in ("count", "pi") else None

    def _axes(self, node: ast.expr, ndim: int) -> tuple[int, ...]:
        match node:
            case ast.Constant(value=int() as value):
                given: Any = value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as value)):
                given = -value
            case ast.Name(id=name) if name in self.names:
                given = self.names[name].value
            case _:
                raise NoIndexForm(ast.unparse(node))
        if given is None:
            return tuple(range(ndim))
        axes = given if isinstance(given, tuple) else (given,)
        return tuple(int(a) % ndim for a in axes) if ndim else ()

    # --- Elements -----------------------------------------------------------------------------

    def at(self, node: ast.expr, letters: Letters) -> Expr:
        """The element of a part of a formula at these indices."""
        match node:
            case ast.Name(id=name) if name in self.names:
                return self.names[name].element(letters)
            case ast.Constant(value=int() | float() | complex() as value):
                return Num(value)
            case ast.BinOp(op=ast.MatMult(), left=left, right=right):
                return self._product(left, right, letters)
            case ast.BinOp(op=op, left=left, right=right):
                a, b = self._aligned(left, letters), self._aligned(right, letters)
                return self._arithmetic(op, a, b)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return al.negative(self.at(operand, letters))
            case ast.UnaryOp(operand=operand):
                return ex.Call("not", (self.at(operand, letters),))
            case ast.Compare(left=first, ops=ops, comparators=rest):
                parts = tuple(self._aligned(part, letters) for part in (first, *rest))
                return ex.Relation(parts, tuple(COMPARISONS[type(op)] for op in ops))
            case ast.List(elts=[condition]):
                return ex.Indicator(self.at(condition, letters))
            case ast.Attribute(value=value):
                turned = (*letters[:-2], *reversed(letters[-2:])) if len(letters) > 1 else letters
                return self.at(value, turned)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._call(name, arguments, letters)
        raise NoIndexForm(ast.unparse(node))

    def _aligned(self, node: ast.expr, letters: Letters) -> Expr:
        """An operand of an elementwise operation: its own axes, the last ones of the result."""
        shape = self.shape(node)
        if shape is None:
            raise NoIndexForm(ast.unparse(node))
        own = letters[len(letters) - len(shape) :]
        return self.at(node, tuple(None if n == 1 else a for n, a in zip(shape, own, strict=True)))

    def _arithmetic(self, op: ast.operator, a: Expr, b: Expr) -> Expr:
        match op:
            case ast.Add():
                return al.add(a, b)
            case ast.Sub():
                return al.add(a, al.negative(b))
            case ast.Mult():
                return al.multiply(a, b)
            case ast.Div():
                return al.divide(a, b)
        if isinstance(b, Num) and b.value == 1:
            return a
        return ex.ONE if b == Num(0) else ex.Power(a, b)

    def _product(self, left: ast.expr, right: ast.expr, letters: Letters) -> Expr:
        a, b = self.shape(left), self.shape(right)
        if a is None or b is None:
            raise NoIndexForm("a product of unknown shapes")
        # A sum over the rows of both, as in x.T @ g, is one over the batch.
        hint = "n" if isinstance(left, ast.Attribute) and len(b) == 2 else "k"
        inner: str | None = self.fresh(hint) if a[-1] != 1 else None
        own = letters[: len(a) - 1]
        others = letters[len(a) - 1 :]
        body = al.multiply(
            self.at(left, (*own, inner)),
            self.at(right, (inner, *others) if len(b) == 2 else (inner,)),
        )
        return body if inner is None else al.sum_over(inner, body)

    def _call(self, name: str, arguments: list[ast.expr], letters: Letters) -> Expr:
        if name in ELEMENTWISE:
            inner = self.at(arguments[0], letters)
            if name == "sqrt":
                return ex.Fence("√", inner, "")
            return ex.Fence("|", inner, "|") if name == "abs" else ex.Call(name, (inner,))
        found = getattr(self, f"_{name}", None)
        if found is None:
            raise NoIndexForm(name)
        made: Expr = found(arguments, letters)
        return made

    def _sum(self, arguments: list[ast.expr], letters: Letters, *, mean: bool = False) -> Expr:
        shape = self.shape(arguments[0])
        if shape is None:
            raise NoIndexForm("a sum of unknown shape")
        axes = self._axes(arguments[1], len(shape))
        own, bound = list(letters), []
        for axis in axes:
            if shape[axis] != 1:
                own[axis] = self.fresh("n" if axis == 0 and len(shape) > 1 else "k")
                bound.append(own[axis])
        body = self.at(arguments[0], tuple(own))
        for letter in reversed(bound):
            body = al.sum_over(str(letter), body)
        if mean:
            n = int(np.prod([shape[a] for a in axes], dtype=np.int64))
            return al.divide(body, self.counts.symbol(n))
        return body

    def _mean(self, arguments: list[ast.expr], letters: Letters) -> Expr:
        return self._sum(arguments, letters, mean=True)

    def _count(self, arguments: list[ast.expr], letters: Letters) -> Expr:
        shape = self.shape(arguments[0]) or ()
        axes = self._axes(arguments[1], len(shape))
        return self.counts.symbol(int(np.prod([shape[a] for a in axes], dtype=np.int64)))

    def _pi(self, arguments: list[ast.expr], letters: Letters) -> Expr:
        return Symbol("π")

    def _spread(self, arguments: list[ast.expr], letters: Letters) -> Expr:
        shape, given = self.shape(arguments[1]) or (), self.shape(arguments[0])
        axes = self._axes(arguments[2], len(shape))
        if given is not None and len(given) == len(shape):
            return self.at(
                arguments[0], tuple(None if i in axes else a for i, a in enumerate(letters))
            )
        return self.at(arguments[0], tuple(a for i, a in enumerate(letters) if i not in axes))

    def _reshape_like(self, arguments: list[ast.expr], letters: Letters) -> Expr:
        given, wanted = self.shape(arguments[0]), self.shape(arguments[1])
        if given is None or wanted is None:
            raise NoIndexForm("reshape")
        long = [(n, a) for n, a in zip(wanted, letters, strict=True) if n != 1]
        if [n for n in given if n != 1] != [n for n, _ in long]:
            raise NoIndexForm("reshape")
        rest = iter(a for _, a in long)
        return self.at(arguments[0], tuple(None if n == 1 else next(rest) for n in given))

    def _permute_back(self, arguments: list[ast.expr], letters: Letters) -> Expr:
        match arguments[1]:
            case ast.Name(id=name) if name in self.names:
                axes = self.names[name].value
                return self.at(arguments[0], tuple(letters[a] for a in axes))
        raise NoIndexForm("permute")

    def _softmax(self, arguments: list[ast.expr], letters: Letters) -> Expr:
        match arguments[0]:
            case ast.Name(id=name) if name in self.names:
                whole = self.names[name].element(())
                return _element(ex.Call("softmax", (whole,)), letters)
        raise NoIndexForm("softmax")

    def _onehot(self, arguments: list[ast.expr], letters: Letters) -> Expr:
        row, column = letters
        if column is None:
            return ex.ONE
        return al.delta(index(column), self.at(arguments[0], (row,)))

    def _column(self, arguments: list[ast.expr], letters: Letters) -> Expr:
        return self.at(arguments[0], letters[:1])

    def _rows(self, arguments: list[ast.expr], letters: Letters) -> Expr:
        return self.at(arguments[0], letters)

    def _outer(self, arguments: list[ast.expr], letters: Letters) -> Expr:
        return al.multiply(self.at(arguments[0], letters[:1]), self.at(arguments[1], letters[1:]))

    def _channels(self, arguments: list[ast.expr], letters: Letters) -> Expr:
        return self.at(arguments[0], letters[1:2])

    def _sum_channels(self, arguments: list[ast.expr], letters: Letters) -> Expr:
        return self._over_channels(arguments[0], letters[0])[0]

    def _mean_channels(self, arguments: list[ast.expr], letters: Letters) -> Expr:
        body, n = self._over_channels(arguments[0], letters[1])
        return al.divide(body, self.counts.symbol(n))

    def _over_channels(self, node: ast.expr, channel: str | None) -> tuple[Expr, int]:
        """The sum of one channel, and of how many elements."""
        shape = self.shape(node)
        if shape is None:
            raise NoIndexForm("channels")
        own: list[str | None] = [None] * len(shape)
        own[1] = channel
        bound = []
        for axis in (0, *range(2, len(shape))):
            if shape[axis] != 1:
                # Not the row at hand: the mean of batch norm runs over all of them.
                own[axis] = self.fresh("m" if axis == 0 else "k")
                bound.append(str(own[axis]))
        body = self.at(node, tuple(own))
        for letter in reversed(bound):
            body = al.sum_over(letter, body)
        return body, int(np.prod(shape)) // max(shape[1], 1)

    def _normal(self, arguments: list[ast.expr], letters: Letters) -> Expr:
        match arguments[0]:
            case ast.Name(id=name) if name in self.names:
                whole = self.names[name].element(())
                if isinstance(whole, Symbol):
                    return _element(Symbol(whole.name, whole.ndim, "hat"), letters)
        raise NoIndexForm("normal")

    def _deviation(self, arguments: list[ast.expr], letters: Letters) -> Expr:
        return _element(Symbol("σ"), letters[1:2])

    def _put(self, arguments: list[ast.expr], letters: Letters) -> Expr:
        match arguments[2]:
            case ast.Name(id=name) if name in self.names:
                like = self.shape(arguments[1])
                return self._placed(arguments[0], self.names[name], letters, like)
        raise NoIndexForm("put")

    def _placed(self, g: ast.expr, given: Variable, letters: Letters, shape: Any) -> Expr:
        """g where an index picks, else 0: a delta for each index that picks one element."""
        places = given.value if isinstance(given.value, tuple) else (given.value,)
        if len(places) > len(letters):
            raise NoIndexForm("put")
        own: list[str | None] = []
        deltas: list[Expr] = []
        arrays: list[tuple[str | None, np.ndarray[Any, Any], int]] = []
        for axis, place in enumerate(places):
            if isinstance(place, (int, np.integer)) and not isinstance(place, bool):
                wanted = given.element((str(axis),)) if len(places) == 1 else None  # a variable's
                at = int(place) if shape is None else int(place) % shape[axis]
                name = wanted if isinstance(wanted, Symbol) else Num(at)
                if letters[axis] is not None:
                    deltas.append(al.delta(index(str(letters[axis])), name))
            elif isinstance(place, slice) and place == slice(None):
                own.append(letters[axis])
            elif isinstance(place, np.ndarray) and place.ndim == 1 and place.dtype.kind in "iu":
                arrays.append((letters[axis], place, axis))
            else:
                raise NoIndexForm("put")
        if arrays:
            row, first, _ = arrays[0]
            plain = np.array_equal(first, np.arange(len(first)))
            if not plain or len(arrays) != 2 or own or deltas:
                raise NoIndexForm("put")
            own.append(row)
            picked = given.element((None,))
            if picked is None or not isinstance(picked, Symbol):
                picked = Symbol("t")
            deltas.append(al.delta(index(str(arrays[1][0])), _element(picked, (row,))))
        own += letters[len(places) :]
        return al.multiply(self.at(g, tuple(own)), *deltas)


def _element(x: Expr, letters: Letters) -> Expr:
    kept = tuple(index(letter) for letter in letters if letter is not None)
    return ex.At(x, kept) if kept else x
