"""What reading a formula works with: parts with their shapes, letters for axes, names of sizes."""

from __future__ import annotations

import ast
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.expression import Expr, Num, Symbol

__all__ = [
    "COMPARISONS",
    "Counts",
    "Read",
    "Shape",
    "index_letters",
    "index_of",
    "product",
    "together",
]

Shape = tuple[int, ...] | None
COMPARISONS: dict[type[ast.AST], str] = {
    ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥", ast.Eq: "=", ast.NotEq: "≠",
}  # fmt: skip
_LETTERS = {1: "i", 2: "ni", 3: "nti", 4: "nchw", 5: "ncdhw"}


def index_letters(ndim: int) -> tuple[str, ...]:
    """A letter for each axis: n for the batch, i for features, ..."""
    return tuple(_LETTERS.get(ndim, "nabcdefgh"[:ndim]))


class Counts:
    """Numbers of elements, which a formula calls N: the legend says what N is."""

    def __init__(self) -> None:
        self.symbols: dict[int, Symbol] = {}

    def symbol(self, n: int) -> Expr:
        """The letter for a number of elements: N for the first that a derivation meets."""
        if n == 1:
            return ex.ONE
        if n not in self.symbols:
            names = ("N", "M", "K", "P", "Q")
            k = len(self.symbols)
            self.symbols[n] = Symbol(names[k] if k < len(names) else f"N{k}")
        return self.symbols[n]


class Read(NamedTuple):
    """An expression and its shape; None where that is not known."""

    expr: Expr
    shape: Shape
    value: Any = None  # of a parameter

    @property
    def scalar(self) -> bool:
        return self.shape is not None and int(np.prod(self.shape, dtype=np.int64)) == 1


def together(*shapes: Shape) -> Shape:
    """The shape of an elementwise operation; None where one is not known."""
    if any(shape is None for shape in shapes):
        return None
    try:
        return np.broadcast_shapes(*(s for s in shapes if s is not None))
    except ValueError:
        return None


def product(a: Read, b: Read) -> Read:
    """A product of matrices, with vectors as rows."""
    if a.shape is None or b.shape is None:
        return Read(ex.times("mat", a.expr, b.expr), None)
    if not a.shape or not b.shape:
        return Read(ex.times("num", a.expr, b.expr), together(a.shape, b.shape))
    if len(b.shape) == 1:
        if len(a.shape) == 1:
            return Read(ex.times("mat", a.expr, ex.transposed(b.expr)), ())
        return Read(ex.times("mat", b.expr, ex.transposed(a.expr)), a.shape[:-1])
    if len(a.shape) == 1:
        return Read(ex.times("mat", a.expr, b.expr), (*b.shape[:-2], b.shape[-1]))
    lead = together(a.shape[:-2], b.shape[:-2]) or ()
    return Read(ex.times("mat", a.expr, b.expr), (*lead, a.shape[-2], b.shape[-1]))


def index_of(index: Read | None) -> tuple[Expr, ...]:
    """What stands in brackets, from an index parameter's value."""
    if index is None:
        return (ex.Words("…"),)
    if isinstance(index.expr, ex.Words):  # as the program has it
        return (index.expr,)
    value = index.value
    parts = value if isinstance(value, tuple) else (value,)
    return tuple(_index_part(part) for part in parts)


def _index_part(part: Any) -> Expr:
    if isinstance(part, (int, np.integer)) and not isinstance(part, (bool, np.bool_)):
        return Num(int(part))
    if isinstance(part, slice):
        ends = ["" if end is None else str(end) for end in (part.start, part.stop)]
        step = "" if part.step in (None, 1) else f":{part.step}"
        return ex.Words(":".join(ends) + step)
    if part is Ellipsis:
        return ex.Words("…")
    if part is None:
        return ex.Words("new axis")
    if isinstance(part, np.ndarray) and part.size <= 4 and part.dtype.kind in "iu":
        return ex.Words(str(part.tolist()))
    return ex.Words("index")
