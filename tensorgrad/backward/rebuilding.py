"""What a node saved, as Tensors at their places in the graph: for gradients that are recorded."""

from __future__ import annotations

import weakref
from typing import Any

from numpy import ndarray

from tensorgrad.graph.node import Node, OutputNode, hook, make_node, wrap

__all__ = ["output_node", "rebuilt"]


def rebuilt(node: Node, saved: tuple[Any, ...]) -> list[Any]:
    """The saved arrays as Tensors at their places in the graph."""
    storages = node.storages or (None,) * len(saved)
    y, *arguments = saved
    if isinstance(y, tuple):
        found: list[Any] = [
            tuple(wrap(array, output_node(node, k, array)) for k, array in enumerate(y))
        ]
    else:
        found = [y if y is None else wrap(y, node)]
        if y is not None:
            found[0]._held = storages[0]
    for i, entry in enumerate(arguments):
        if isinstance(entry, (ndarray, hook.batch)):
            tensor = wrap(entry, node.inputs[i])
            tensor._held = storages[i + 1]
            found.append(tensor)
        else:
            found.append(entry)
    return found


def output_node(node: Any, index: int, spec: Any) -> OutputNode:
    """The node of one output, of a shape and dtype: the one recorded, while it lives."""
    alive = node.outputs[index]
    found: Any = alive() if alive is not None else None
    if found is not None:
        return found  # type: ignore[no-any-return]
    made: Any = make_node(node.op, (node,), (), None, spec.shape, spec.dtype, OutputNode)
    made.index = index
    node.outputs[index] = weakref.ref(made)
    return made  # type: ignore[no-any-return]
