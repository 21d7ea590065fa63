"""Activation functions: which there are, and where on them nothing passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tensorgrad.graph.node import Node

__all__ = ["OPERATIONS", "Kind", "inside", "kind_of"]

Array = NDArray[np.floating]
Mask = NDArray[np.bool_]


class Kind(NamedTuple):
    """An activation function.

    ``stuck`` says of its outputs which lie where the derivative is 0 or below 0.02.  If it ``dies``
    these are at one end, and a unit that is there for every example learns nothing more; otherwise
    it saturates at its bounds.  If ``whole``, one output is judged by comparing its elements.
    """

    name: str
    stuck: Callable[[Array], Mask]
    dies: bool
    whole: bool = False


def _at_the_ends(y: Array) -> Mask:
    # Bounds are not recorded; but where a function is cut off, many outputs are exactly equal.
    if y.size < 2 or y.min() == y.max():
        return np.zeros(y.shape, np.bool_)
    found: Mask = (y == y.min()) | (y == y.max())
    return found if found.sum() > 2 else np.zeros(y.shape, np.bool_)


_OPS = {
    "relu": Kind("relu", lambda y: y == 0, True),
    # A derivative below 0.02 at x < -2.7, and, which cannot be told from it, at a few x close to 0.
    "gelu": Kind("gelu", lambda y: (y <= 0) & (y > -0.012), True),
    "sigmoid": Kind("sigmoid", lambda y: np.abs(y - 0.5) > 0.49, False),
    "tanh": Kind("tanh", lambda y: np.abs(y) > 0.99, False),
}
# Modules whose function is composed, with the operation that comes last.  Not softmax: of many
# classes most are close to 0, as they should be.  Not leaky ReLU and its kin, where all passes.
_MODULES = {
    ("ReLU6", "keep"): Kind("relu6", lambda y: (y == 0) | (y == 6), True),
    ("SiLU", "mul"): Kind("silu", lambda y: (y <= 0) & (y > -0.025), True),
    ("Mish", "mul"): Kind("mish", lambda y: (y <= 0) & (y > -0.025), True),
    ("Hardtanh", "keep"): Kind("hardtanh", _at_the_ends, False, True),
    ("Hardsigmoid", "keep"): Kind("hardsigmoid", lambda y: (y <= 0) | (y >= 1), False),
}
OPERATIONS = {*_OPS, *(op for _, op in _MODULES)}  # that an activation function may be


def kind_of(node: Node) -> Kind | None:
    """The activation function that an operation is, or is the last part of."""
    kind = _OPS.get(node.op.name)
    if kind is None and node.scope is not None:
        kind = _MODULES.get((node.scope.cls, node.op.name))
    return kind


def inside(node: Node, reader: Node) -> bool:
    """Whether an operation is but a part of another function: elu has a relu, silu a sigmoid.

    Those are made by the same call in the user's program, in the same module.  A sigmoid that
    something is multiplied by is a gate, which is meant to be open or shut.
    """
    if node.op.name == "sigmoid" and reader.op.name == "mul":
        return True
    same = node.code is reader.code and node.lasti == reader.lasti
    return same and node.scope is reader.scope
