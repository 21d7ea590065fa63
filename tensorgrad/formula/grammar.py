"""Formulas of gradients: the grammar, its values and its looks.

A primitive's ``formula`` says what its rule computes, one Python expression per argument::

    g, y         the gradient of the output, and the output (g0, g1, ... of several outputs)
    x, w, axis   the primitive's arguments and parameters, by their names
    + - * / **   elementwise;  a @ b the product of matrices;  a.T with its last two axes exchanged
    [a > b]      1 where the condition holds, else 0; also a < b < c, ``and``, ``or``, ~a
    g[index]     the elements that a parameter picks
    f(a, b)      the functions of `tensorgrad.formula.functions`, and no others

The sum that undoes a broadcast is not written: the engine appends it, as `fit` does here.  The
syntax tree is walked, never compiled, so that a formula is data and can do nothing else.
"""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.formula.functions import FUNCTIONS

if TYPE_CHECKING:
    from tensorgrad.primitive import Primitive

__all__ = ["FormulaError", "Text", "evaluate", "fit", "formulas_of", "parse", "to_text"]


class FormulaError(ValueError):
    """A formula that is outside the grammar, or that names what is not there."""


# --- Reading --------------------------------------------------------------------------------------

_BINARY: dict[type[ast.AST], Any] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.true_divide,
    ast.Pow: np.power,
    ast.MatMult: np.matmul,
}
_COMPARE: dict[type[ast.AST], Any] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_JOIN: dict[type[ast.AST], Any] = {ast.And: np.logical_and, ast.Or: np.logical_or}


@cache
def parse(formula: str) -> ast.expr:
    """The syntax tree of a formula; FormulaError, naming the part, for what the grammar lacks."""
    try:
        tree = ast.parse(formula, mode="eval").body
        _check(tree, formula)
    except SyntaxError as error:
        raise FormulaError(f"formula {formula!r}: {error.msg}") from None
    except UnicodeEncodeError:
        raise FormulaError(f"formula {formula!r}: a lone surrogate is not a character") from None
    except FormulaError:
        raise
    except ValueError:  # Python 3.12 has a SyntaxError for it
        raise FormulaError(f"formula {formula!r}: there is a null character in it") from None
    except (RecursionError, MemoryError):
        start = f"{formula[:40]!r}..."
        raise FormulaError(f"formula {start}: it is nested too deeply to be read") from None
    return tree


def _check(node: ast.expr, formula: str) -> None:
    inner: Sequence[ast.expr]
    match node:
        case ast.Name():
            inner = ()
        case ast.Constant(value=value):
            if isinstance(value, bool) or not isinstance(value, (int, float, complex)):
                raise FormulaError(f"formula {formula!r}: {value!r} is not a number")
            inner = ()
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            inner = (left, right)
        case ast.UnaryOp(op=ast.USub() | ast.Invert(), operand=operand):
            inner = (operand,)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(
            type(op) in _COMPARE for op in ops
        ):
            inner = (left, *others)
        case ast.BoolOp(values=values) | ast.Tuple(elts=values):
            inner = values
        case ast.List(elts=[condition]):
            inner = (condition,)
        case ast.Attribute(value=value, attr="T"):
            inner = (value,)
        case ast.Subscript(value=value, slice=ast.Name()):
            inner = (value,)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            if name not in FUNCTIONS:
                raise FormulaError(
                    f"formula {formula!r}: there is no function {name!r}; "
                    "tensorgrad/formula/functions.py has those that there are"
                )
            inner = arguments
        case _:
            raise FormulaError(
                f"formula {formula!r}: {ast.unparse(node)!r} is outside the grammar of formulas"
            )
    for part in inner:
        _check(part, formula)


def formulas_of(
    op: Primitive, shapes: Sequence[tuple[int, ...] | None], params: Mapping[str, Any]
) -> tuple[str | None, ...]:
    """A primitive's formulas, one per argument, for inputs of these shapes (None: not given)."""
    declared = op.formula(shapes, params) if callable(op.formula) else op.formula
    if declared is None or isinstance(declared, str):
        declared = (declared,) * len(shapes)
    return tuple(declared)


# --- Values ---------------------------------------------------------------------------------------


def evaluate(formula: str, environment: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """The value of a formula, from arrays and parameters by name.

    Integers and bools among the values are allowed; a bracket is 1.0 or 0.0.
    """
    return np.asarray(_value(parse(formula), environment))


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Name(id=name):
            return _named(name, names)
        case ast.Constant(value=value):
            return value
        case ast.BinOp(left=left, op=op, right=right):
            return _BINARY[type(op)](_value(left, names), _value(right, names))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return np.negative(_value(operand, names))
        case ast.UnaryOp(operand=operand):
            return np.logical_not(_value(operand, names))
        case ast.Compare(left=first, ops=ops, comparators=rest):
            values = [_value(part, names) for part in (first, *rest)]
            held = [
                _COMPARE[type(op)](a, b) for op, a, b in zip(ops, values, values[1:], strict=False)
            ]
            return np.logical_and.reduce(held)
        case ast.BoolOp(op=op, values=parts):
            return _JOIN[type(op)].reduce([_value(part, names) for part in parts])
        case ast.Tuple(elts=parts):
            return tuple(_value(part, names) for part in parts)
        case ast.List(elts=[condition]):
            return np.asarray(_value(condition, names), bool).astype(np.float64)
        case ast.Attribute(value=value):
            return np.swapaxes(_value(value, names), -1, -2)
        case ast.Subscript(value=value, slice=ast.Name(id=index)):
            return _value(value, names)[_named(index, names)]
        case ast.Call(func=ast.Name(id=name), args=arguments):
            word = FUNCTIONS[name]
            extra = {key: _named(key, names) for key in word.parameters}
            return word.define(*(_value(part, names) for part in arguments), **extra)
    raise AssertionError(ast.dump(node))  # parse lets nothing else through


def _named(name: str, names: Mapping[str, Any]) -> Any:
    if name not in names:
        shown = ", ".join(repr(known) for known in sorted(names))
        raise FormulaError(f"a formula names {name!r}; there are {shown}")
    return names[name]


def fit(value: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """A gradient in its argument's shape: summed where that was broadcast, repeated if constant."""
    array = np.asarray(value)
    lead = array.ndim - len(shape)
    if lead < 0:
        return np.broadcast_to(array, shape)
    for i, n in enumerate(shape):
        if n == 1:
            array = array.sum(axis=lead + i, keepdims=True)
    array = array.sum(axis=tuple(range(lead)))
    return np.broadcast_to(array, shape)


# --- Looks ----------------------------------------------------------------------------------------

_LOGIC, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(
    6
)  # how tightly a piece of text holds together

_SUPERSCRIPTS = dict(zip("0123456789+-−pn", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ᵖⁿ", strict=True))
_SUBSCRIPTS = dict(zip("0123456789", "₀₁₂₃₄₅₆₇₈₉", strict=True))
_COMPARE_TEXT: dict[type[ast.AST], str] = {
    ast.Lt: "<",
    ast.LtE: "≤",
    ast.Gt: ">",
    ast.GtE: "≥",
    ast.Eq: "=",
    ast.NotEq: "≠",
}


def to_text(formula: str, argument: str | None = None) -> str:
    """A formula in Unicode, as an equation if the argument is named: ``ā = ȳ ⊙ b``."""
    shown = Text().show(parse(formula))
    return shown if argument is None else f"{Text().gradient(argument)} = {shown}"


class _Piece(str):
    """Rendered text that knows how tightly it holds together; ``{:a}`` asks for an atom."""

    strength: int

    def __new__(cls, text: str, strength: int) -> _Piece:
        made = super().__new__(cls, text)
        made.strength = strength
        return made

    def __format__(self, spec: str) -> str:
        return self.within(_ATOM if spec == "a" else _LOGIC)

    def within(self, strength: int) -> str:
        """Itself, or in parentheses where it would fall apart."""
        return str(self) if self.strength >= strength else f"({self})"


class Text:
    """Formulas as Unicode text.  Another notation overrides what differs; the walk is common."""

    def show(self, node: ast.expr) -> str:
        """A whole formula."""
        return str(self.piece(node))

    def gradient(self, name: str) -> str:
        """The gradient of what has this name: a bar over it."""
        return unicodedata.normalize("NFC", f"{name}̄")

    def name(self, name: str) -> str:
        """A name; g is shown as the gradient that it is, of y."""
        if name == "g":
            return self.gradient("y")
        if name[0] == "g" and name[1:].isdigit():
            return self.gradient("y") + "".join(_SUBSCRIPTS[c] for c in name[1:])
        return name

    def number(self, value: Any) -> str:
        """A constant."""
        if isinstance(value, complex):
            return "i" if value == 1j else str(value)
        return f"{value:g}"

    def power(self, base: _Piece, exponent: _Piece) -> str:
        """A power, with a raised exponent where Unicode has the characters."""
        tight = exponent.replace(" ", "")
        if all(c in _SUPERSCRIPTS for c in tight):
            return base.within(_ATOM) + "".join(_SUPERSCRIPTS[c] for c in tight)
        return f"{base.within(_ATOM)}^{exponent.within(_ATOM)}"

    def call(self, name: str, arguments: list[_Piece]) -> _Piece:
        """A function of formulas, in its own notation if it has one."""
        template = FUNCTIONS[name].text
        if template is None:
            return _Piece(f"{name}({', '.join(arguments)})", _ATOM)
        tight = " " not in template or template.endswith((")", "]"))
        return _Piece(template.format(*arguments), _ATOM if tight else _PRODUCT)

    def piece(self, node: ast.expr) -> _Piece:
        """Any part of a formula, with how tightly it holds together."""
        match node:
            case ast.Name(id=name):
                return _Piece(self.name(name), _ATOM)
            case ast.Constant(value=value):
                return _Piece(self.number(value), _ATOM)
            case ast.BinOp(op=ast.Pow()):
                return _Piece(self.power(self.piece(node.left), self.piece(node.right)), _POWER)
            case ast.BinOp(op=ast.Add() | ast.Sub() as op):
                sign = "+" if isinstance(op, ast.Add) else "−"
                left = self.piece(node.left).within(_SUM)
                return _Piece(f"{left} {sign} {self._right(node.right, _PRODUCT)}", _SUM)
            case ast.BinOp():
                return self._product(node)
            case ast.UnaryOp(op=ast.USub()):
                return _Piece(f"−{self.piece(node.operand).within(_PRODUCT)}", _PRODUCT)
            case ast.UnaryOp():
                return _Piece(f"¬{self.piece(node.operand).within(_ATOM)}", _SIGN)
            case ast.Compare(left=first, ops=ops, comparators=rest):
                text = str(self.piece(first))
                for how, other in zip(ops, rest, strict=True):
                    text += f" {_COMPARE_TEXT[type(how)]} {self.piece(other)}"
                return _Piece(text, _SUM)
            case ast.BoolOp(op=join, values=parts):
                sign = " ∧ " if isinstance(join, ast.And) else " ∨ "
                return _Piece(sign.join(self.piece(part).within(_SUM) for part in parts), _LOGIC)
            case ast.List(elts=[condition]):
                return _Piece(f"[{self.piece(condition)}]", _ATOM)
            case ast.Tuple(elts=parts):
                return _Piece(f"({', '.join(self.piece(part) for part in parts)})", _ATOM)
            case ast.Attribute(value=value):
                return _Piece(f"{self.piece(value).within(_ATOM)}ᵀ", _ATOM)
            case ast.Subscript(value=value, slice=index):
                return _Piece(f"{self.piece(value).within(_ATOM)}[{self.piece(index)}]", _ATOM)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self.call(name, [self.piece(part) for part in arguments])
        raise AssertionError(ast.dump(node))

    def _right(self, node: ast.expr, strength: int) -> str:
        """A right operand: a sign after an operator needs parentheses."""
        return self.piece(node).within(_ATOM if isinstance(node, ast.UnaryOp) else strength)

    def _product(self, node: ast.BinOp) -> _Piece:
        number = any(isinstance(side, ast.Constant) for side in (node.left, node.right))
        sign = {ast.Div: " / ", ast.MatMult: " "}.get(type(node.op), "·" if number else " ⊙ ")
        # A product on the right of a product needs no parentheses; as a divisor it does.
        loose = isinstance(node.op, ast.Mult)
        left = self.piece(node.left).within(_PRODUCT)
        right = self._right(node.right, _PRODUCT if loose else _SIGN)
        return _Piece(f"{left}{sign}{right}", _PRODUCT)
