"""Recorders: a primitive's forward, wrapped so that it takes Tensors and leaves a node behind.

They are specialised by arity because here the overhead of an operation is made: on 4x4 arrays a
multiplication by NumPy alone takes about 1 us, and a generic recorder would double what the
specialised one adds.  The three do the same; `_general` is the one to read.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import asarray, ndarray

from tensorgrad.errors import explain
from tensorgrad.node import (
    Kept,
    Node,
    OutputNode,
    SeveralNode,
    Spec,
    Storage,
    TensorBase,
    accumulator,
    edge_of,
    hook,
    local,
    make_node,
    mark_inference,
    new,
    number,
    storage_of,
    wrap,
)
from tensorgrad.promotion import promote
from tensorgrad.provenance import caller, locate
from tensorgrad.storages import inference_saved

if TYPE_CHECKING:
    from tensorgrad.primitive import Primitive

__all__ = ["as_argument", "attach", "recorder"]


def as_argument(value: Any, name: str) -> Any:
    """What a forward works on: a Tensor's array, an ndarray, or a Python scalar as it is."""
    if isinstance(value, TensorBase):
        return value._array
    if value is None or isinstance(value, (bool, int, float, complex)):
        return value
    if isinstance(value, (ndarray, np.generic)):
        array = asarray(value)
        return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    raise TypeError(
        f"{name}: expected a Tensor, an ndarray or a number, got {type(value).__name__} "
        f"({value!r:.60}); make a tensor of it with tensorgrad.tensor(...)"
    )


def _arrays(op: Primitive, values: Sequence[Any]) -> list[Any]:
    """The arguments as arrays and scalars of the types the forward wants."""
    arrays = [as_argument(value, op.name) for value in values]
    if op.promote is None:
        return arrays
    present = [i for i, array in enumerate(arrays) if array is not None]
    together = promote([arrays[i] for i in present], to_float=op.promote == "float")
    for i, array in zip(present, together, strict=True):
        arrays[i] = array
    return arrays


def _failed(op: Primitive, args: Sequence[Any], params: Any, error: Exception) -> Exception:
    """The error to raise, with the line of the user's program added."""
    better = explain(op.name, args, params, error)
    place = locate(*caller(3))
    if place is not None and better is not error:
        better.args = (f"{better.args[0]} [{place}]",)
    return better


def recorder(op: Primitive) -> Callable[..., Any]:
    """The function that users and the recorded namespace call."""
    simple = not (op.keeps or op.outputs or op.variadic or op.joint)
    if simple and len(op.arguments) == 1 and op.differentiable:
        return _unary(op)
    if (
        simple
        and len(op.arguments) == 2
        and op.differentiable
        and not op.has_params
        and not op.view
    ):
        return _binary(op)
    return _general(op)


def _watch(node: Node, out: Any) -> None:
    for observer in local.context.on_forward:
        observer(node, out)


def _as_view(op: Primitive, parent: Any, out: Any, params: Any) -> None:
    """Let an output that shares its input's memory share its storage and remember its origin."""
    base, array = out._array.base, parent._array
    if base is None or not (base is array or base is array.base):
        return
    storage = out._storage = storage_of(parent)
    out._view = (parent, op, params, storage.stamp)
    hook.register_alias(parent, out)


def _unary(op: Primitive) -> Callable[..., Any]:
    forward, view, to_float = op.forward, op.view, op.promote == "float"
    save_y, save_x = "y" in op.saves[0], op.arguments[0] in op.saves[0]

    def record(a: Any, **params: Any) -> Any:
        context = local.context
        if context.vmaps and (answer := hook.batched(op, (a,), params)) is not NotImplemented:
            return answer
        if isinstance(a, TensorBase):
            x = a._array
            tracked = True
        else:
            x = asarray(as_argument(a, op.name))
            tracked = False
        if to_float and x.dtype.kind in "biu":
            (x,) = promote([x], to_float=True)
        try:
            y = forward(x, **params)
        except Exception as error:
            raise _failed(op, (a,), params, error) from error
        if type(y) is not ndarray:
            y = asarray(y)
        out = new(hook.tensor)
        out._array = y
        out._grad = out._storage = out._view = out._accumulator = out._hooks = None
        if tracked and context.grad_enabled:
            if a._view is not None:
                hook.refresh_view(a)
            if a._requires_grad:
                edge = a._node
                if edge is None:
                    edge = accumulator(a)
                node = new(Node)
                node.op = op
                node.inputs = (edge,)
                node.params = params or None
                node.shape = y.shape
                node.dtype = y.dtype
                node.hooks = None
                node.scope = context.scope
                node.seq = number()
                node.code, node.lasti = caller(2)
                if save_x:
                    storage = a._storage
                    if storage is None:
                        storage = a._storage = Storage()
                    elif storage.inference:
                        raise inference_saved(op.name)
                    if save_y:
                        out._storage = Storage()
                        node.saved = (y, x)
                        node.storages = (out._storage, storage)
                    else:
                        node.saved = (None, x)
                        node.storages = (None, storage)
                elif save_y:
                    out._storage = Storage()
                    node.saved = (y, edge)
                    node.storages = (out._storage, None)
                else:
                    node.saved = (None, edge)
                    node.storages = None
                out._node = node
                out._requires_grad = True
                if view:
                    _as_view(op, a, out, params)
                if context.on_forward:
                    _watch(node, out)
                return out
        out._node = None
        out._requires_grad = False
        if view and tracked:
            _as_view(op, a, out, params)
        if hook.inference:
            mark_inference(out)
        return out

    return record


def _binary(op: Primitive) -> Callable[..., Any]:
    forward = op.forward
    rule_a, rule_b = op.rules
    first, second = op.arguments
    # What to save, by (a needs its gradient) + 2 * (b needs its gradient).
    table = [
        tuple(name in op.wanted((bool(k & 1), bool(k & 2))) for name in ("y", first, second))
        for k in range(4)
    ]

    def record(a: Any, b: Any) -> Any:
        context = local.context
        if context.vmaps and (answer := hook.batched(op, (a, b), {})) is not NotImplemented:
            return answer
        has_a, has_b = isinstance(a, TensorBase), isinstance(b, TensorBase)
        if has_a and has_b:
            x, z = a._array, b._array
            if x.dtype is not z.dtype or (op.promote == "float" and x.dtype.kind in "biu"):
                x, z = _arrays(op, (a, b))
        elif has_a and type(b) is float and a._array.dtype.kind == "f":
            x, z = a._array, b  # NumPy gives a Python float no weight, as PyTorch does
        elif has_b and type(a) is float and b._array.dtype.kind == "f":
            x, z = a, b._array
        else:
            x, z = _arrays(op, (a, b))
        try:
            y = forward(x, z)
        except Exception as error:
            raise _failed(op, (a, b), None, error) from error
        if type(y) is not ndarray:
            y = asarray(y)
        out = new(hook.tensor)
        out._array = y
        out._grad = out._storage = out._view = out._accumulator = out._hooks = None
        if context.grad_enabled:
            edge_a: Any = None
            edge_b: Any = None
            if has_a:
                if a._view is not None:
                    hook.refresh_view(a)
                if a._requires_grad and rule_a is not None:
                    edge_a = a._node
                    if edge_a is None:
                        edge_a = accumulator(a)
            if has_b:
                if b._view is not None:
                    hook.refresh_view(b)
                if b._requires_grad and rule_b is not None:
                    edge_b = b._node
                    if edge_b is None:
                        edge_b = accumulator(b)
            if edge_a is not None or edge_b is not None:
                node = new(Node)
                node.op = op
                node.inputs = (edge_a, edge_b)
                node.params = None
                node.shape = y.shape
                node.dtype = y.dtype
                node.hooks = None
                node.scope = context.scope
                node.seq = number()
                node.code, node.lasti = caller(2)
                keep_y, keep_a, keep_b = table[(edge_a is not None) + 2 * (edge_b is not None)]
                # A scalar is always kept; a promoted copy has no storage that could be written.
                stored_a = stored_b = stored_y = None
                if keep_a and has_a and x is a._array:
                    stored_a = a._storage
                    if stored_a is None:
                        stored_a = a._storage = Storage()
                    elif stored_a.inference:
                        raise inference_saved(op.name)
                if keep_b and has_b and z is b._array:
                    stored_b = b._storage
                    if stored_b is None:
                        stored_b = b._storage = Storage()
                    elif stored_b.inference:
                        raise inference_saved(op.name)
                if keep_y:
                    stored_y = out._storage = Storage()
                node.saved = (
                    y if keep_y else None,
                    x if keep_a or not has_a else edge_a,
                    z if keep_b or not has_b else edge_b,
                )
                if keep_y or keep_a or keep_b:
                    node.storages = (stored_y, stored_a, stored_b)
                else:
                    node.storages = None
                out._node = node
                out._requires_grad = True
                if context.on_forward:
                    _watch(node, out)
                return out
        out._node = None
        out._requires_grad = False
        if hook.inference:
            mark_inference(out)
        return out

    return record


def _general(op: Primitive) -> Callable[..., Any]:
    forward = op.forward
    differentiable = op.differentiable

    def record(*args: Any, **params: Any) -> Any:
        context = local.context
        if context.vmaps and (answer := hook.batched(op, args, params)) is not NotImplemented:
            return answer
        arrays = _arrays(op, args)
        edges: tuple[Node | None, ...] = ()
        if differentiable and context.grad_enabled:
            per_argument = [True] * len(args) if op.joint else op.rules
            edges = tuple(
                edge_of(a) if isinstance(a, TensorBase) and rule else None
                for a, rule in zip(args, per_argument, strict=False)
            )
        needs = [edge is not None for edge in edges]
        try:
            words = {**params, "keep": any(needs)} if op.keep_flag else params
            result = forward(*arrays, **words)
        except Exception as error:
            raise _failed(op, args, params, error) from error
        extras: dict[str, Any] | None = None
        if op.keeps:
            kept: Kept = result
            result = kept.y
            extras = {word: getattr(kept, word) for word in op.keeps}
        if op.outputs:
            outs = [wrap(array) for array in result]
        else:
            outs = [wrap(result)]
        if any(needs):
            attach(op, args, arrays, params, edges, outs, extras)
        if op.view:
            for out in outs:
                if isinstance(args[0], TensorBase):
                    _as_view(op, args[0], out, params)
        return tuple(outs) if op.outputs else outs[0]

    return record


def attach(
    op: Primitive,
    args: Sequence[Any],
    arrays: Sequence[Any],
    params: dict[str, Any],
    edges: tuple[Node | None, ...],
    outs: list[Any],
    extras: dict[str, Any] | None,
) -> None:
    """Make the node (and one OutputNode per output) and hang it on the outputs."""
    wanted = op.wanted([edge is not None for edge in edges])
    saved: list[Any] = [None]
    storages: list[Storage | None] = [None]
    if "y" in wanted:
        saved[0] = tuple(out._array for out in outs) if op.outputs else outs[0]._array
        storages[0] = None if op.outputs else storage_of(outs[0])
    for i, (arg, array, edge) in enumerate(zip(args, arrays, edges, strict=True)):
        storage = None
        name = op.arguments[i] if i < len(op.arguments) else "*"
        if not isinstance(array, (ndarray, hook.batch)):
            saved.append(array)
        elif name in wanted or "*" in wanted:
            saved.append(array)
            if isinstance(arg, TensorBase) and array is arg._array:
                storage = storage_of(arg)
                if storage.inference:
                    raise inference_saved(op.name)
        else:
            saved.append(edge if edge is not None else Spec(array.shape, array.dtype))
        storages.append(storage)
    if extras is not None:
        saved.append(extras)
    shape: Any = outs[0]._array.shape
    dtype: Any = outs[0]._array.dtype
    if op.outputs:
        shape = tuple(out._array.shape for out in outs)
        dtype = tuple(out._array.dtype for out in outs)
    kind = SeveralNode if op.outputs else Node
    node = make_node(op, edges, tuple(saved), params or None, shape, dtype, kind)
    if wanted or extras is not None:
        node.storages = tuple(storages)
    watched = local.context.on_forward
    if isinstance(node, SeveralNode):
        node.outputs = [None] * len(outs)
    for index, out in enumerate(outs):
        if op.outputs:
            if out._array.dtype.kind not in "fc":
                continue
            made = new(OutputNode)
            made.op, made.inputs, made.params, made.saved = op, (node,), None, ()
            made.storages = made.hooks = None
            made.shape, made.dtype = out._array.shape, out._array.dtype
            made.code, made.lasti, made.scope = node.code, node.lasti, node.scope
            made.seq, made.index = number(), index
            node.outputs[index] = weakref.ref(made)  # type: ignore[attr-defined]
            out._node = made
        else:
            out._node = node
        out._requires_grad = True
        if watched:
            _watch(out._node, out)
