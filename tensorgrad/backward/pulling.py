"""A node's rules on arrays, as the short cuts of the walk call them: see `backward.shortcuts`."""

from __future__ import annotations

from typing import Any

from numpy import ndarray

from tensorgrad.graph.node import Node
from tensorgrad.machine.blocks import LARGE, gradients
from tensorgrad.machine.constants import constant
from tensorgrad.primitive import Primitive, raw, scalars

__all__ = ["pull", "pull_number"]


def pull(op: Primitive, node: Node, g: Any, saved: Any, inputs: tuple[Any, ...]) -> Any:
    """The contributions of a plain node to its inputs' gradients, one each; None where not needed.

    This is `engine._contributions` for a real gradient on arrays and an operation of which the
    rules take what was saved and no more.
    """
    params = node.params
    if op.keeps:
        *saved, extras = saved
        params = {**params, **extras} if params else extras
    elif g.size >= LARGE and op.joint is None:
        given = saved or (None, *inputs)
        found = gradients(op, raw, g, given, inputs, params or {})
        if found is not None:
            return found
    if params is None:
        count = op.rule_count
        if count == 1:
            y, x = saved or (None, inputs[0])
            return (op.rules[0](raw, g, y, x),)  # type: ignore[misc]
        if count == 2:
            edge_a, edge_b = inputs
            if saved:
                y, a, b = saved
                if op.ufunc is not None:  # which takes an array faster than a number
                    if type(b) is float:
                        b = constant(b, node.dtype)
                    elif type(a) is float:
                        a = constant(a, node.dtype)
            else:
                y, a, b = None, edge_a, edge_b
            first, second = op.rules
            return (
                None if edge_a is None else first(raw, g, y, a, b),  # type: ignore[misc]
                None if edge_b is None else second(raw, g, y, a, b),  # type: ignore[misc]
            )
        if count == 3:
            edge_a, edge_b, edge_c = inputs
            y, a, b, c = saved or (None, *inputs)
            first, second, third = op.rules
            return (
                None if edge_a is None else first(raw, g, y, a, b, c),  # type: ignore[misc]
                None if edge_b is None else second(raw, g, y, a, b, c),  # type: ignore[misc]
                None if edge_c is None else third(raw, g, y, a, b, c),  # type: ignore[misc]
            )
        params = {}
    elif op.rule_count == 1:
        y, x = saved or (None, inputs[0])
        return (op.rules[0](raw, g, y, x, **params),)  # type: ignore[misc]
    if op.joint is not None:
        needs = tuple([edge is not None for edge in inputs])
        return op.joint(raw, g, *saved, needs=needs, **params)
    return [
        None if edge is None else rule(raw, g, *saved, **params)  # type: ignore[misc]
        for rule, edge in zip(op.rules, inputs)
    ]


def pull_number(op: Primitive, g: Any, saved: Any) -> Any:
    """`pull` of an arithmetic operation on one single number, without the tuple around it."""
    y, x = saved or (None, None)
    if type(y) is ndarray:
        y = y[()]
    if type(x) is ndarray:
        x = x[()]
    return op.rules[0](scalars, g, y, x)  # type: ignore[misc]
