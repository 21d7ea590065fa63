"""What the user's program calls things: read from the source line that made a node."""

from __future__ import annotations

import ast
import itertools
import linecache
from types import CodeType
from typing import Any

__all__ = ["Sources", "visits"]

Span = tuple[int, int, int, int]


class Sources:
    """The syntax trees of the files in which nodes were made, parsed when first needed."""

    def __init__(self) -> None:
        self._files: dict[str, dict[Span, tuple[ast.AST, ast.AST | None]]] = {}

    def target(self, node: Any, output: int | None = None) -> str | None:
        """The name to which the program assigns what this node's expression gives."""
        found = self._at(node)
        if found is None:
            return None
        here, parent = found
        if isinstance(here, ast.AugAssign):
            return _name(here.target)
        match parent:
            case ast.Assign(targets=[*_, target], value=value) if value is here:
                if isinstance(target, (ast.Tuple, ast.List)):
                    few = target.elts
                    return _name(few[output]) if output is not None and output < len(few) else None
                return _name(target)
            case (
                ast.AnnAssign(target=target, value=value)
                | ast.NamedExpr(target=target, value=value)
            ) if value is here:
                return _name(target)
        return None

    def operands(self, node: Any) -> tuple[str | None, ...]:
        """What the expression calls the arguments of the operation, as far as it names them."""
        found = self._at(node)
        match found[0] if found is not None else None:
            case ast.BinOp(left=left, right=right):
                return _name(left), _name(right)
            case ast.AugAssign(target=target, value=value):
                return _name(target), _name(value)
            case ast.UnaryOp(operand=operand):
                return (_name(operand),)
            case ast.Subscript(value=value):
                return (_name(value),)
            case ast.Call(func=func, args=arguments):
                names = [_name(a) for a in arguments]
                # x.exp() has its operand in front; nn.functional.relu(x) has a module there.
                if isinstance(func, ast.Attribute) and len(names) < len(node.op.arguments):
                    front = _name(func.value)
                    if front is not None and not _module_like(func.value, node):
                        names.insert(0, front)
                return tuple(names)
        return ()

    def index(self, node: Any) -> str | None:
        """What stands in the brackets of an indexing expression."""
        found = self._at(node)
        if found is None or not isinstance(found[0], ast.Subscript):
            return None
        inside = ast.unparse(found[0].slice)
        return inside.removeprefix("(").removesuffix(")") if "," in inside else inside

    def _at(self, node: Any) -> tuple[ast.AST, ast.AST | None] | None:
        code: CodeType | None = node.code
        if code is None:
            return None
        places = itertools.islice(code.co_positions(), node.lasti // 2, node.lasti // 2 + 1)
        line, end, column, last = next(places, (None, None, None, None))
        if line is None or end is None or column is None or last is None:
            return None
        return self._spans(code.co_filename).get((line, column, end, last))

    def _spans(self, filename: str) -> dict[Span, tuple[ast.AST, ast.AST | None]]:
        if filename not in self._files:
            self._files[filename] = _index("".join(linecache.getlines(filename)))
        return self._files[filename]


def _index(source: str) -> dict[Span, tuple[ast.AST, ast.AST | None]]:
    """Every expression and statement by its place, with what it is part of."""
    spans: dict[Span, tuple[ast.AST, ast.AST | None]] = {}
    try:
        stack: list[tuple[ast.AST, ast.AST | None]] = [(ast.parse(source), None)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return spans
    while stack:
        here, parent = stack.pop()
        if isinstance(here, (ast.expr, ast.stmt)):
            span = _span(here)
            # An expression that is a statement has its place twice; the expression is wanted.
            if span not in spans or isinstance(here, ast.expr):
                spans[span] = (here, parent)
        stack.extend((child, here) for child in ast.iter_child_nodes(here))
    return spans


def _span(node: ast.expr | ast.stmt) -> Span:
    """The place that the interpreter gives to a node's instruction."""
    start = node.lineno, node.col_offset
    match node:
        # A method on a line below its object's: its call begins at the method's name.
        case ast.Call(func=ast.Attribute(attr=name, end_lineno=int(line), end_col_offset=int(end))):
            if line != node.lineno:
                start = line, end - len(name)
    return (*start, node.end_lineno or 0, node.end_col_offset or 0)


def _name(node: ast.AST) -> str | None:
    """A plain name, or the last part of a dotted one; None for any other expression."""
    match node:
        case ast.Name(id=name):
            return None if name in ("_", "self") else name
        case ast.Attribute(attr="T" | "mT", value=value):
            return _name(value)
        case ast.Attribute(attr=name):
            return name
    return None


def _module_like(node: ast.AST, made: Any) -> bool:
    """Whether the name in front of a call is a module of functions, as ``F`` or ``tg``."""
    name = _name(node)
    if isinstance(node, ast.Attribute):
        return True
    return name in made.code.co_names  # a global; a program's tensors in functions are locals


def visits(nodes: list[Any]) -> list[list[Any]]:
    """Nodes in the order of the program, grouped by visits to one place of it.

    A call of a module makes many nodes at one place; a loop comes back to the place.  Nodes that
    follow each other belong to one visit if they were made in one call of a module, or else if
    their operations are not a shorter sequence repeated.
    """
    groups: list[list[Any]] = []
    for _, run in itertools.groupby(nodes, key=lambda n: (id(n.code), n.lasti, id(_outermost(n)))):
        same = list(run)
        size = len(same) if same[0].scope is not None else _period([n.op.name for n in same])
        groups += [same[i : i + size] for i in range(0, len(same), size)]
    return groups


def _outermost(node: Any) -> Any:
    scope = node.scope
    while scope is not None and scope.parent is not None:
        scope = scope.parent
    return scope


def _period(names: list[str]) -> int:
    n = len(names)
    for size in range(1, n):
        if n % size == 0 and names == names[:size] * (n // size):
            return size
    return n
