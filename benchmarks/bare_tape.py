"""The least a graph in Python can be: what `graph` compares the libraries' chains with.

A node keeps its inputs, its rule and what the rule needs.  It has no place in the user's program,
no versions, scopes, hooks or broadcasting, and it knows two operations and a sum.
"""

import itertools
from operator import attrgetter
from typing import Any

import numpy as np

Array = Any
_new: Any = object.__new__
_numbers = itertools.count()
_number = attrgetter("number")


class Node:
    """One operation: its inputs' nodes, its rule, and what the rule needs."""

    __slots__ = ("grad", "inputs", "leaf", "number", "rule", "saved")


class Tensor:
    """An array and the node that made it."""

    __slots__ = ("data", "grad", "node")

    def __mul__(self, other: "Tensor") -> "Tensor":
        a, b = self.data, other.data
        return _recorded(a * b, (self.node, other.node), _of_product, (a, b))

    def __add__(self, other: "Tensor") -> "Tensor":
        return _recorded(self.data + other.data, (self.node, other.node), _of_sum, None)

    def sum(self) -> "Tensor":
        """Of all elements."""
        return _recorded(np.sum(self.data), (self.node,), _of_total, self.data.shape)

    def backward(self) -> None:
        """Gradients of the leaves."""
        found, waiting, order = {self.node}, [self.node], []
        while waiting:
            node = waiting.pop()
            order.append(node)
            for edge in node.inputs:
                if edge not in found:
                    found.add(edge)
                    waiting.append(edge)
        self.node.grad = np.ones_like(self.data)
        for node in sorted(order, key=_number, reverse=True):
            g, node.grad = node.grad, None
            if node.leaf is not None:
                node.leaf.grad = g
                continue
            for edge, part in zip(node.inputs, node.rule(g, node.saved)):
                edge.grad = part if edge.grad is None else edge.grad + part
            node.inputs, node.saved = (), None


def _recorded(data: Array, inputs: Any, rule: Any, saved: Any) -> Tensor:
    out: Tensor = _new(Tensor)
    node: Node = _new(Node)
    out.data, out.grad, out.node = data, None, node
    node.inputs, node.rule, node.saved, node.grad, node.leaf = inputs, rule, saved, None, None
    node.number = next(_numbers)
    return out


def _of_product(g: Array, saved: Any) -> Any:
    return g * saved[1], g * saved[0]


def _of_sum(g: Array, saved: Any) -> Any:
    return g, g


def _of_total(g: Array, shape: Any) -> Any:
    return (np.full(shape, g),)


def ones(size: int, requires_grad: bool) -> Tensor:
    """A leaf."""
    leaf = _recorded(np.ones(size, np.float32), (), None, None)
    leaf.node.leaf = leaf
    return leaf
