"""Gradient edges: places in the graph, named without a tensor."""

from __future__ import annotations

from typing import Any, NamedTuple

from tensorgrad.backward.engine import output_node
from tensorgrad.graph.inspection import named
from tensorgrad.graph.node import Node, OutputNode, SeveralNode, Spec, TensorBase, edge_of

__all__ = ["GradientEdge", "get_gradient_edge", "node_at"]


class GradientEdge(NamedTuple):
    """A node and the number of one of its outputs: where a gradient arrives.

    ownership_token: what else must stay alive; a tensorgrad node keeps all it needs, so None.
    """

    node: Node
    output_nr: int
    ownership_token: Any = None


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """The edge at which a tensor's gradient arrives: its ``grad_fn``, or a leaf's accumulator.

    `backward` and `grad` take it in place of the tensor, which need not be kept for it.
    """
    if not isinstance(tensor, TensorBase):
        raise TypeError(f"get_gradient_edge: expected a Tensor, got {type(tensor).__name__}")
    node = edge_of(tensor)
    if node is None:
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does not require "
            "gradients"
        )
    if isinstance(node, OutputNode):
        source = node.inputs[0]
        assert source is not None
        return GradientEdge(named(source), node.index)
    return GradientEdge(named(node), 0)


def node_at(edge: GradientEdge) -> Node:
    """The node that the engine walks for an edge."""
    node, index = edge.node, edge.output_nr
    if isinstance(node, SeveralNode) or (node.op.outputs and not isinstance(node, OutputNode)):
        shapes: Any = node.shape
        dtypes: Any = node.dtype
        if not 0 <= index < len(shapes):
            raise IndexError(f"{node.name()} has {len(shapes)} outputs, got output_nr={index}")
        return output_node(node, index, Spec(shapes[index], dtypes[index]))
    if index:
        raise IndexError(f"{node.name()} has one output, got output_nr={index}")
    return node
