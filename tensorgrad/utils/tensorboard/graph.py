"""A model's recorded operations as a graph that TensorBoard draws, a box for each module."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.grad_mode import enable_grad
from tensorgrad.graph.node import TensorBase
from tensorgrad.utils.tensorboard.summaries import protos

__all__ = ["graph"]


def graph(model: Any, inputs: Any, verbose: bool = False) -> bytes:
    """The graph of one call as a serialized GraphDef: operations, inputs and parameters by name."""
    from tensorboard.compat.proto import attr_value_pb2, graph_pb2, node_def_pb2, versions_pb2

    given = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    given = tuple(_watched(value) for value in given)
    with enable_grad():
        outputs = model(*given)
    root = type(model).__name__
    leaves = {id(p): (name, "Parameter") for name, p in model.named_parameters()}
    leaves |= {id(x): (f"input_{i}", "Input") for i, x in enumerate(given)}
    names: dict[Any, str] = {}
    made: list[Any] = []

    def add(name: str, op: str, parts: list[str], shape: Any) -> str:
        sizes = [protos().TensorShapeProto.Dim(size=n) for n in shape]
        shown = attr_value_pb2.AttrValue.ListValue(shape=[protos().TensorShapeProto(dim=sizes)])
        attributes = {"_output_shapes": attr_value_pb2.AttrValue(list=shown)}
        made.append(node_def_pb2.NodeDef(name=name, op=op, input=parts, attr=attributes))
        return name

    def named(node: Any) -> str:
        leaf = getattr(node, "variable", None)
        if leaf is None:
            path = "" if node.scope is None else node.scope.path.replace(".", "/")
            inputs = [names[n] for n, _ in node.next_functions if n is not None]
            place = "/".join(part for part in (root, path, f"{node.op.name}_{len(made)}") if part)
            return add(place, node.op.name, inputs, node.shape)
        name, kind = leaves.get(id(leaf), (f"leaf_{len(made)}", "Leaf"))
        place = f"{root}/{name.replace('.', '/')}" if kind == "Parameter" else name
        return add(place, kind, [], leaf.shape)

    results = [out for out in _tensors(outputs) if out.grad_fn is not None]
    if not results:
        raise ValueError(f"add_graph: the call of {root} recorded no operation")
    for result in results:  # inputs before what is made of them, without recursion
        stack = [result.grad_fn]
        while stack:
            node = stack[-1]
            missing = (
                []
                if getattr(node, "variable", None) is not None
                else [n for n, _ in node.next_functions if n is not None and n not in names]
            )
            if missing and node not in names:
                stack += missing
                continue
            stack.pop()
            if node not in names:
                names[node] = named(node)
    for i, result in enumerate(results):
        add(f"output_{i}", "Output", [names[result.grad_fn]], result.shape)
    if verbose:
        print("\n".join(f"{node.name}({', '.join(node.input)})" for node in made))
    definition = graph_pb2.GraphDef(node=made, versions=versions_pb2.VersionDef(producer=22))
    return bytes(definition.SerializeToString())


def _watched(value: Any) -> Any:
    """An input that is recorded: of whole numbers nothing is."""
    if isinstance(value, TensorBase) and value._array.dtype.kind in "fc":
        return value.detach().requires_grad_()  # type: ignore[attr-defined]
    return value


def _tensors(value: Any) -> list[Any]:
    if isinstance(value, TensorBase):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [t for part in value for t in _tensors(part)] if isinstance(value, (tuple, list)) else []
