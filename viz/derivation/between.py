"""The part of a graph between a loss and what it is differentiated by: nodes, never paths."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Key", "Part", "between", "key_of", "leaf_of", "operation_of", "target_node"]

Key = int | tuple[int, int]


def operation_of(edge: Any) -> Any:
    """The operation behind an edge: an output of one with several stands for the whole."""
    return edge.inputs[0] if hasattr(edge, "index") else edge


def leaf_of(edge: Any) -> Any:
    """The leaf tensor whose gradient this node accumulates, or None."""
    return getattr(edge, "variable", None)


def key_of(edge: Any) -> Key:
    """What identifies a variable: a leaf, an operation's output, one of several outputs."""
    leaf = leaf_of(edge)
    if leaf is not None:
        return id(leaf)
    return (id(edge.inputs[0]), edge.index) if hasattr(edge, "index") else id(edge)


def target_node(tensor: Any) -> Any:
    """The node of a tensor that an operation made; None for a leaf."""
    return tensor.grad_fn


class Part(NamedTuple):
    """A part of a graph: its operations, inputs before consumers, and the ways through it."""

    operations: list[Any]
    reached: set[Key]  # the variables from which a target can be reached, targets included
    targets: dict[Key, Any]  # those of the targets that the loss depends on: key -> node
    paths: dict[Key, int]  # how many ways lead from the loss to each target
    everything: list[Any]  # all operations behind the loss, for names and values


def between(root: Any, wanted: list[Any]) -> Part:
    """What lies between a root node and tensors, by two walks over the nodes.

    The number of ways is counted by adding up, step by step: there may be more of them than atoms.
    """
    operations, edges = _reachable(root)
    keys = {id(t) if t.grad_fn is None else key_of(t.grad_fn) for t in wanted}
    targets = {key: edge for key, edge in edges.items() if key in keys}
    reached = set(targets)
    outputs: dict[int, list[Key]] = {}  # of operations with several
    for key in edges:
        if isinstance(key, tuple):
            outputs.setdefault(key[0], []).append(key)
    leading = []
    for node in operations:  # inputs first
        if any(edge is not None and key_of(edge) in reached for edge in node.inputs):
            leading.append(node)
            reached.add(id(node))
            reached.update(outputs.get(id(node), ()))
    return Part(leading, reached, targets, _ways(root, leading, reached, targets), operations)


def _reachable(root: Any) -> tuple[list[Any], dict[Key, Any]]:
    """All operations behind a root in the order in which they were made, and all edges met."""
    edges: dict[Key, Any] = {key_of(root): root}
    seen: dict[int, Any] = {}
    stack = [root]
    while stack:
        edge = stack.pop()
        if leaf_of(edge) is not None:
            continue
        node = operation_of(edge)
        if id(node) in seen:
            continue
        seen[id(node)] = node
        for below in node.inputs:
            if below is not None:
                edges.setdefault(key_of(below), below)
                stack.append(below)
    return sorted(seen.values(), key=lambda node: node.seq), edges


def _ways(
    root: Any, leading: list[Any], reached: set[Key], targets: dict[Key, Any]
) -> dict[Key, int]:
    ways: dict[Key, int] = {key_of(root): 1}
    several: dict[int, int] = {}
    for node in reversed(leading):
        here = ways.get(id(node), 0) + several.get(id(node), 0)
        if isinstance(key_of(root), tuple) and operation_of(root) is node:
            here += 1
        for edge in node.inputs:
            if edge is None or key_of(edge) not in reached:
                continue
            key = key_of(edge)
            ways[key] = ways.get(key, 0) + here
            if isinstance(key, tuple):
                several[key[0]] = several.get(key[0], 0) + here
    return {key: ways.get(key, 0) for key in targets}
