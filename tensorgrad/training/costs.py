"""What the operations that take the time cost, in multiply-adds, from the shapes alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorgrad.backward.engine import FunctionNode
from tensorgrad.graph.node import Node, OutputNode

__all__ = ["multiply_adds"]

Shape = tuple[int, ...]


def multiply_adds(node: Node) -> int:
    """The multiply-adds of the operation that a node records; 0 for all but (multi)linear ones.

    The addition of a bias is not counted, nor is anything elementwise, a reduction, a normalisation
    or a pooling.
    """
    out = tuple(node.shape)
    if isinstance(node, OutputNode):  # one of several outputs: the first stands for all
        if node.index or node.inputs[0] is None:
            return 0
        node = node.inputs[0]
    cost = _COSTS.get(node.op.name)
    if cost is None or isinstance(node, FunctionNode):  # a user's may have the name of one of ours
        return 0
    shapes = [None if edge is None else tuple(edge.shape) for edge in node.inputs]
    params = dict(node.params or {})
    if cost is _recurrent:
        params["weights"] = [
            shape
            for name, shape in zip(node.op.arguments, shapes, strict=False)
            if name.startswith("w_") and shape is not None
        ]
    return int(cost(shapes, out, params))


def _linear(shapes: list[Shape | None], out: Shape, params: Any) -> int:
    x, weight = shapes[0], shapes[1]
    features = weight[1] if weight else x[-1] if x else 0
    return math.prod(out) * features


def _matmul(shapes: list[Shape | None], out: Shape, params: Any) -> int:
    a, b = shapes[0], shapes[1]
    inner = a[-1] if a else (b[-2] if len(b) > 1 else b[0]) if b else 0
    return math.prod(out) * inner


def _conv(shapes: list[Shape | None], out: Shape, params: Any) -> int:
    """Each output is a sum over a kernel's window of the channels of its group."""
    weight = shapes[1]
    return math.prod(out) * math.prod(weight[1:]) if weight else 0


def _conv_input(shapes: list[Shape | None], out: Shape, params: Any) -> int:
    """A transposed convolution: each input goes into a window of every channel of its group."""
    x, weight = shapes[0], shapes[1]
    return math.prod(x) * math.prod(weight[1:]) if x and weight else 0


def _attention(shapes: list[Shape | None], out: Shape, params: Any) -> int:
    """Query times key and the weights times the values, whether or not a mask hides a part."""
    q, k = shapes[0], shapes[1]
    if not q or not k:
        return 0
    scores = math.prod(out[:-1]) * k[-2]
    return scores * (q[-1] + out[-1])


def _einsum(shapes: list[Shape | None], out: Shape, params: Any) -> int:
    """A sum of products over all letters: one multiply-add per further argument."""
    inputs, _, result = params["equation"].partition("->")
    sizes: dict[str, int] = dict(zip(result, out, strict=False))
    for letters, shape in zip(inputs.split(","), shapes, strict=False):
        if shape is not None:
            sizes.update(zip(letters, shape, strict=False))
    letters = {letter for letter in inputs if letter.isalpha()}
    if any(letter not in sizes for letter in letters):
        return 0
    return max(len(shapes) - 1, 0) * math.prod(sizes[letter] for letter in letters)


def _recurrent(shapes: list[Shape | None], out: Shape, params: Any) -> int:
    """Every step of every sequence goes through the matrices of the inputs and of the state."""
    weights: list[Shape] = params["weights"]
    return math.prod(out[:-1]) * sum(math.prod(shape) for shape in weights)


_COSTS: dict[str, Callable[[list[Shape | None], Shape, Any], int]] = {
    "attention": _attention,
    "conv": _conv,
    "conv_input": _conv_input,
    "einsum": _einsum,
    "gru": _recurrent,
    "linear": _linear,
    "lstm": _recurrent,
    "matmul": _matmul,
    "rnn": _recurrent,
}
