"""What to call a function, its arguments, its outputs and what it ran."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorgrad.custom.function import Function
from tensorgrad.graph.node import AccumulateGrad

__all__ = ["argument_names", "function_name", "output_element", "primitives_of"]


def function_name(func: Any) -> str:
    """What to call a function, a Module or a Function's apply; a lambda by its place."""
    if isinstance(func, functools.partial):
        return function_name(func.func)
    if isinstance(func, type):
        return func.__name__
    owner = getattr(func, "__self__", None)
    if isinstance(owner, type) and getattr(func, "__name__", "") == "apply":
        return owner.__name__
    name = getattr(func, "__qualname__", None)
    if name is None:
        return type(func).__name__
    name = str(name).rsplit("<locals>.", 1)[-1]
    code = getattr(func, "__code__", None)
    if name == "<lambda>" and code is not None:
        return f"<lambda> at {code.co_filename}:{code.co_firstlineno}"
    return name


def argument_names(func: Any, count: int) -> list[str | None]:
    """The names of the positional arguments, None where the function does not tell."""
    target: Callable[..., Any] = func
    owner = getattr(func, "__self__", None)
    skip = 0
    if isinstance(owner, type) and issubclass(owner, Function):
        target = owner.forward
        skip = 1 if owner.setup_context is Function.setup_context else 0  # forward's ctx
    elif callable(getattr(func, "forward", None)):
        target = func.forward
    try:
        kinds = list(inspect.signature(target).parameters.values())[skip:]
    except (TypeError, ValueError):  # some builtins have no signature
        kinds = []
    names = [p.name for p in kinds if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [names[i] if i < len(names) else None for i in range(count)]


def primitives_of(outputs: Sequence[Any]) -> tuple[str, ...]:
    """The names of the primitives behind the outputs, in the order in which they ran."""
    stack = [t._node for t in outputs if t._node is not None]
    seen = set(stack)
    nodes = []
    while stack:
        node = stack.pop()
        nodes.append(node)
        fresh = [edge for edge in node.inputs if edge is not None and edge not in seen]
        seen.update(fresh)
        stack += fresh
    nodes.sort(key=lambda node: node.seq)
    return tuple(dict.fromkeys(n.op.name for n in nodes if not isinstance(n, AccumulateGrad)))


def output_element(array: Any, row: int) -> tuple[tuple[int, ...], str]:
    """The index of the row-th real number of an output, and which part of a complex one it is."""
    part = ""
    if array.dtype.kind == "c":
        row, half = divmod(row, 2)
        part = (" (real part)", " (imaginary part)")[half]
    return tuple(int(i) for i in np.unravel_index(row, array.shape)), part
