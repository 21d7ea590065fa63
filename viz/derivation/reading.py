"""From a declared formula and the shapes of its arguments to an expression that a person writes.

Matrices are read as in the program, y = x W: a vector is a row.  `convention.turned` makes of it
the same formula for columns, y = W x.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from tensorgrad.formula import parse
from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.expression import Expr, Num, Symbol
from tensorgrad.viz.derivation.notation import call
from tensorgrad.viz.derivation.parts import COMPARISONS, Counts, Read, index_of, product, together

__all__ = ["Reader", "conjugated", "turns"]


class Reader:
    """Reads the formulas of one operation."""

    def __init__(self, names: Mapping[str, Read], counts: Counts) -> None:
        self.names, self.counts = names, counts

    def read(self, formula: str) -> Read:
        """A formula in the grammar of `tensorgrad.formula`."""
        return self.part(parse(formula))

    def part(self, node: ast.expr) -> Read:
        """Any part of it."""
        match node:
            case ast.Name(id=name):
                return self.names.get(name) or Read(Symbol(name), None)
            case ast.Constant(value=int() | float() | complex() as value):
                return Read(Num(value), ())
            case ast.BinOp(op=ast.MatMult(), left=left, right=right):
                return product(self.part(left), self.part(right))
            case ast.BinOp(op=op, left=left, right=right):
                return self.arithmetic(op, self.part(left), self.part(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self.part(operand)
                return Read(ex.minus(inner.expr), inner.shape)
            case ast.UnaryOp(operand=operand):
                inner = self.part(operand)
                return Read(ex.Call("not", (inner.expr,)), inner.shape)
            case ast.Compare(left=first, ops=ops, comparators=rest):
                parts = [self.part(first), *map(self.part, rest)]
                signs = tuple(COMPARISONS[type(op)] for op in ops)
                made = ex.Relation(tuple(p.expr for p in parts), signs)
                return Read(made, together(*(p.shape for p in parts)))
            case ast.BoolOp(op=op, values=values):
                parts = [self.part(value) for value in values]
                sign = "∧" if isinstance(op, ast.And) else "∨"
                made = ex.Relation(tuple(p.expr for p in parts), (sign,) * (len(parts) - 1))
                return Read(made, together(*(p.shape for p in parts)))
            case ast.List(elts=[condition]):
                inner = self.part(condition)
                return Read(ex.Indicator(inner.expr), inner.shape)
            case ast.Tuple(elts=elements):
                return Read(ex.Call("", tuple(self.part(e).expr for e in elements)), None)
            case ast.Attribute(value=value):
                inner = self.part(value)
                shape = inner.shape
                if shape is not None and len(shape) < 2:
                    return inner
                turned_shape = None if shape is None else (*shape[:-2], shape[-1], shape[-2])
                return Read(ex.transposed(inner.expr), turned_shape)
            case ast.Subscript(value=value, slice=ast.Name(id=name)):
                index = self.names.get(name)
                return Read(ex.At(self.part(value).expr, index_of(index), True), None)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return call(self, name, [self.part(a) for a in arguments])
        raise AssertionError(ast.dump(node))

    def arithmetic(self, op: ast.operator, a: Read, b: Read) -> Read:
        """+, -, *, /, ** of two parts, elementwise."""
        shape = together(a.shape, b.shape)
        match op:
            case ast.Add():
                return Read(ex.plus(a.expr, b.expr), shape)
            case ast.Sub():
                return Read(ex.plus(a.expr, ex.minus(b.expr)), shape)
            case ast.Mult():
                if isinstance(b.expr, ex.Over) and ex.is_one(b.expr.top) and _number(b):
                    return Read(ex.over(a.expr, b.expr.bottom), shape)
                kind: Any = "num" if _number(a) or _number(b) else "had"
                first, second = (b, a) if _number(b) and not _number(a) else (a, b)
                return Read(ex.times(kind, first.expr, second.expr), shape)
            case ast.Div():
                return Read(ex.over(a.expr, b.expr), shape)
            case _:
                return Read(ex.power(a.expr, _reduced(b.expr)), shape)


def _number(x: Read) -> bool:
    """Whether it multiplies as a number does: it has no axes."""
    return x.shape is not None and len(x.shape) == 0


def _reduced(x: Expr) -> Expr:
    """A sum of numbers as one: x**(p - 1) for p = 2 is x."""
    if isinstance(x, ex.Plus):
        total: float | complex = 0
        for term in x.terms:
            sign, inner = (-1, term.x) if isinstance(term, ex.Minus) else (1, term)
            if not isinstance(inner, Num):
                return x
            total += sign * inner.value
        return Num(total)
    return x


def turns(node: Any) -> bool:
    """Whether the engine conjugates around an operation's rule: its numbers are complex."""
    dtypes = node.dtype if isinstance(node.dtype, tuple) else (node.dtype,)
    return bool(node.op.holomorphic) and any(map(_is_complex, dtypes))


def conjugated(node: Any, reader: Reader) -> Reader:
    """The reader for what the engine computes of a rule r where numbers are complex.

    That is conj(r(conj(g), x, ...)), which is r(g, conj(x), ...): a gradient is that of a loss by
    the conjugate of a variable.  Names of gradients begin with g and have a number behind it.
    """
    if not turns(node):
        return reader
    specs = dict(zip(node.op.arguments, node.input_specs, strict=False))
    dtypes = {name: getattr(spec, "dtype", None) for name, spec in specs.items()}
    for name, edge in zip(node.op.arguments, node.inputs, strict=False):
        dtypes[name] = dtypes[name] if edge is None else edge.dtype
    several = node.dtype if isinstance(node.dtype, tuple) else ()
    dtypes |= {"y": node.dtype, **{f"y{k}": dtype for k, dtype in enumerate(several)}}
    names = {
        name: read._replace(expr=_conj(read.expr)) if _is_complex(dtypes.get(name)) else read
        for name, read in reader.names.items()
    }
    return Reader(names, reader.counts)


def _is_complex(dtype: Any) -> bool:
    return getattr(dtype, "kind", "") == "c"


def _conj(x: Expr) -> Expr:
    if isinstance(x, Num):
        return Num(x.value.conjugate())
    return ex.Call("conj", (x,))
