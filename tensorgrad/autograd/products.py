"""Products with Jacobians of what was recorded: J^T u by the rules, J v by reverse mode twice.

`func`, `autograd.functional` and `autograd.forward_ad` are three ways to ask for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad.autograd.core import grad
from tensorgrad.autograd.grad_mode import enable_grad
from tensorgrad.batching import Batch, is_batched, lift
from tensorgrad.custom.context import by_jvp
from tensorgrad.graph.node import AccumulateGrad, Node, TensorBase, hook, wrap

__all__ = ["cut", "leaf_of_zeros", "pull", "push", "reached", "settle", "zeros_like"]


def pull(
    outputs: Sequence[Any], inputs: Sequence[Any], seeds: Sequence[Any], create: bool
) -> tuple[Any, ...]:
    """J^T seeds for each input; None where no output depends on it.  The graph is kept."""
    pairs = [(o, s) for o, s in zip(outputs, seeds, strict=True) if o.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    return grad(
        [o for o, _ in pairs],
        inputs,
        [s for _, s in pairs],
        retain_graph=True,
        create_graph=create,
        allow_unused=True,
    )


def push(
    outputs: Sequence[Any], inputs: Sequence[Any], tangents: Sequence[Any], create: bool
) -> tuple[tuple[Any, ...], list[Any]]:
    """(J tangents for each output, the leaves that were differentiated on the way).

    J^T u is linear in u, so its own vjp at any u, applied to the tangents, is J applied to them.
    None where an output depends on no input, or not in a way that could be differentiated.
    """
    dummies = [leaf_of_zeros(o) for o in outputs]
    with by_jvp():
        pulled = pull(outputs, inputs, dummies, True)
    pairs = [
        (p, t) for p, t in zip(pulled, tangents, strict=True) if p is not None and p.requires_grad
    ]
    if not pairs:
        return (None,) * len(dummies), dummies
    return pull([p for p, _ in pairs], dummies, [t for _, t in pairs], create), dummies


def _transposed(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
    """The gradients of a Function's arguments from its jvp, a linear map whose transpose it is.

    The jvp is run once, recorded, at tangents of zero.
    """
    with enable_grad():
        if ctx._linear is None:
            tangents: list[Any] = [
                None if spec is None else wrap(np.zeros(*spec)) for spec in ctx._arguments
            ]
            for tangent, needed in zip(tangents, ctx.needs_input_grad, strict=True):
                if needed:
                    tangent.requires_grad_()
            saved = ctx._saved
            if ctx._saved_forward is not None:
                ctx._saved = ctx._saved_forward
            try:
                outputs = ctx._function.jvp(ctx, *tangents)
            finally:
                ctx._saved = saved
            ctx._linear = tangents, outputs if isinstance(outputs, tuple) else (outputs,)
        tangents, outputs = ctx._linear
        if len(outputs) != len(gradients):
            raise RuntimeError(
                f"{ctx._function.__name__}.jvp returned {len(outputs)} tangents, expected "
                f"{len(gradients)}, one per output of forward"
            )
        pairs = [
            (o, g)
            for o, g in zip(outputs, gradients, strict=True)
            if o is not None and g is not None
        ]
        leaves = [t for t in tangents if t is not None and t.requires_grad]
        found = iter(pull([o for o, _ in pairs], leaves, [g for _, g in pairs], True))
        return tuple(next(found) if needed else None for needed in ctx.needs_input_grad)


hook.by_jvp = _transposed


def zeros_like(tensor: Any) -> Any:
    """Zeros of a tensor's shape and dtype, not recorded."""
    return wrap(np.zeros(tensor._array.shape, tensor._array.dtype))


def leaf_of_zeros(like: Any) -> Any:
    """Zeros that require grad, of a tensor's shape and dtype."""
    return lift(zeros_like(like)).requires_grad_()


def cut(tensor: Any) -> Any:
    """The tensor outside the graph; a batched one outside the graph of its examples only."""
    if not isinstance(tensor._array, Batch):
        return tensor.detach()
    out = wrap(tensor._array)
    out._storage = tensor._storage
    return out


def reached(tensors: Sequence[Any]) -> set[Node]:
    """All nodes that lead to the tensors."""
    seen: set[Node] = set()
    stack = [t._node for t in tensors if isinstance(t, TensorBase) and t._node is not None]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(edge for edge in node.inputs if edge is not None)
    return seen


def settle(results: list[Any], fresh: Sequence[Any]) -> list[Any]:
    """Cut the results off unless something outside, beside the fresh leaves, leads to them.

    Under vmap the graph of the examples and that of each larger Tensor are settled by themselves.
    """
    batched = [t for t in results if is_batched(t)]
    physical = settle([t._array.physical for t in batched], fresh) if batched else []
    for tensor, inner in zip(batched, physical, strict=True):
        if inner is not tensor._array.physical:
            out = wrap(Batch(tensor._array.frame, inner, tensor._array.batched), tensor._node)
            results = [out if t is tensor else t for t in results]
    own = {id(t) for t in fresh if t.is_leaf}
    for node in reached(results):
        if isinstance(node, AccumulateGrad) and id(node.variable) not in own:
            return results
    return [cut(t) if isinstance(t, TensorBase) else t for t in results]
