"""Recording: a primitive's forward, wrapped so that it takes Tensors and leaves a node behind.

`general` does it for every operation.  It is the one to read: the recorders of
`tensorgrad.recording.recorders` do the same for the commonest operations in a third of the time.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import asarray, ndarray

from tensorgrad.errors import explain
from tensorgrad.graph.node import (
    Kept,
    Node,
    OutputNode,
    SeveralNode,
    Spec,
    Storage,
    TensorBase,
    accumulator,
    hook,
    local,
    new,
    number,
    storage_of,
    wrap,
)
from tensorgrad.graph.provenance import caller, locate
from tensorgrad.graph.storages import SAVED, InferenceStorage, inference_saved
from tensorgrad.promotion import promote

if TYPE_CHECKING:
    from tensorgrad.primitive import Primitive

__all__ = [
    "as_argument",
    "as_operand",
    "as_view",
    "attach",
    "brought_together",
    "failed",
    "general",
    "held",
    "watch",
]


def as_argument(value: Any, name: str) -> Any:
    """What a forward works on: a Tensor's array, an ndarray, or a Python scalar as it is."""
    if isinstance(value, TensorBase):
        return value._array
    if isinstance(value, np.number):  # to PyTorch a Python number: it has no say in the dtype
        return value.item()
    if value is None or isinstance(value, (bool, int, float, complex)):
        return value
    if isinstance(value, (ndarray, np.generic)):
        array = asarray(value)
        return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    raise _no_operand(value, name)


def _no_operand(value: Any, name: str) -> TypeError:
    return TypeError(
        f"{name}: expected a Tensor, an ndarray or a number, got {type(value).__name__} "
        f"({value!r:.60}); make a tensor of it with tensorgrad.tensor(...)"
    )


def as_operand(value: Any, name: str) -> Any:
    """`as_argument` of what cannot be left out: NumPy takes None for NaN, or for an object."""
    if value is None:
        raise _no_operand(value, name)
    return as_argument(value, name)


def brought_together(op: Primitive, values: Sequence[Any]) -> list[Any]:
    """The arguments as arrays and scalars of the types the forward wants."""
    arrays = [
        value._array if isinstance(value, TensorBase) else as_operand(value, op.name)
        for value in values
    ]
    return arrays if op.promote is None else _promoted(op, arrays)


def _promoted(op: Primitive, arrays: list[Any]) -> list[Any]:
    kind = getattr(arrays[0], "dtype", None)
    if kind is not None and (op.promote == "common" or kind.kind in "fc"):
        for array in arrays:
            if type(array) is not ndarray or array.dtype is not kind:
                break
        else:
            return arrays  # nothing to do, as mostly
    present = [i for i, array in enumerate(arrays) if array is not None]
    together = promote([arrays[i] for i in present], to_float=op.promote == "float")
    for i, array in zip(present, together, strict=True):
        arrays[i] = array
    return arrays


def failed(op: Primitive, args: Sequence[Any], params: Any, error: Exception) -> Exception:
    """The error to raise, with the line of the user's program added."""
    better = explain(op.name, args, params, error)
    place = locate(*caller(3))
    if place is not None and better is not error:
        better.args = (f"{better.args[0]} [{place}]",)
    return better


def watch(node: Node, out: Any) -> None:
    """Tell the forward observers of a node and its output."""
    context = local.context
    place, context.place = context.place, None  # what an observer does has lines of its own
    try:
        for observer in context.on_forward:
            observer(node, out)
    finally:
        context.place = place


def as_view(op: Primitive, parent: Any, out: Any, params: Any) -> None:
    """Let an output that shares its input's memory share its storage and remember its origin."""
    array, parent_array = out._array, parent._array
    base = array.base
    if base is None or not (base is parent_array or base is parent_array.base):
        return
    storage = out._held = storage_of(parent)
    out._view = (parent, op, params, storage.stamp)
    # Aliases are listed where strides cannot tell how the memory is laid out.
    if storage.aliases is not None or not (storage.plain or parent_array.flags.c_contiguous):
        hook.register_alias(parent, out)


def held(tensor: Any, array: Any, name: str) -> Storage:
    """What a node that saves a tensor's array keeps beside it: the storage, or SAVED."""
    storage: Storage | None = tensor._held
    if storage is None or storage is SAVED:
        if type(array) is not ndarray:  # but a value under vmap
            return storage_of(tensor)
        tensor._held = storage = SAVED
    elif type(storage) is InferenceStorage:
        raise inference_saved(name)
    return storage


def general(op: Primitive) -> Callable[..., Any]:
    """The recorder of any operation: any number of arguments, outputs, extras."""
    forward, name, plain = op.forward, op.name, not (op.keeps or op.outputs)
    differentiable, promotes, view = op.differentiable, op.promote is not None, op.view
    rules, keep_flag = op.rules if op.joint is None else None, op.keep_flag

    def record(*args: Any, **params: Any) -> Any:
        context = local.context
        if (dispatch := context.dispatch) is not None:
            answer = dispatch(op, args, params)
            if answer is not NotImplemented:
                return answer
        arrays = [a._array if isinstance(a, TensorBase) else as_argument(a, name) for a in args]
        if promotes:
            arrays = _promoted(op, arrays)
        edges: tuple[Node | None, ...] = ()
        recorded = False
        if differentiable and context.grad_enabled:
            found: list[Node | None] = []
            # A joint rule is one for all arguments.
            for a, rule in zip(args, rules or args):
                edge = None
                if rule is not None and isinstance(a, TensorBase):
                    if (seen := a._view) is not None and a._held.stamp > seen[3]:  # type: ignore[union-attr]
                        hook.refresh_view(a)
                    if a._requires_grad:
                        recorded = True
                        edge = a._node
                        if edge is None:
                            edge = accumulator(a)
                found.append(edge)
            edges = tuple(found)
        try:
            if keep_flag:
                result = forward(*arrays, **params, keep=recorded)
            else:
                result = forward(*arrays, **params)
        except Exception as error:
            raise failed(op, args, params, error) from error
        if plain:
            out = wrap(result)
            if recorded:
                attach(op, args, arrays, params, edges, (out,), None)
            if view and isinstance(args[0], TensorBase):
                as_view(op, args[0], out, params)
            return out
        extras: dict[str, Any] | None = None
        if op.keeps:
            kept: Kept = result
            result = kept.y
            extras = {word: getattr(kept, word) for word in op.keeps}
        outs = [wrap(array) for array in result] if op.outputs else [wrap(result)]
        if recorded:
            attach(op, args, arrays, params, edges, outs, extras)
        if view:
            for out in outs:
                if isinstance(args[0], TensorBase):
                    as_view(op, args[0], out, params)
        return tuple(outs) if op.outputs else outs[0]

    return record


def attach(
    op: Primitive,
    args: Sequence[Any],
    arrays: Sequence[Any],
    params: dict[str, Any],
    edges: tuple[Node | None, ...],
    outs: Sequence[Any],
    extras: dict[str, Any] | None,
) -> None:
    """Make the node (and one OutputNode per output) and hang it on the outputs."""
    several = op.outputs
    out = outs[0]
    needs = tuple([edge is not None for edge in edges])
    places = iter(op.places(needs))
    saved: list[Any] = [None]
    storages: list[Storage | None] = [None]
    anything = extras is not None
    if next(places):
        anything = True
        saved[0] = tuple([o._array for o in outs]) if several else out._array
        if not several:
            storages[0] = held(out, out._array, op.name)
    for arg, array, edge, kept in zip(args, arrays, edges, places):
        storage = None
        if kept:
            anything = True
            saved.append(array)
            if isinstance(arg, TensorBase) and array is arg._array:
                storage = held(arg, array, op.name)
        elif edge is not None:
            saved.append(edge)
        elif isinstance(array, (ndarray, hook.batch)):
            saved.append(Spec(array.shape, array.dtype))
        else:
            saved.append(array)
        storages.append(storage)
    if extras is not None:
        saved.append(extras)
    node = SeveralNode() if several else Node()
    node.op, node.inputs, node.saved, node.params = op, edges, tuple(saved), params or None
    node.storages = tuple(storages) if anything else None
    node.hooks = None
    node.scope = local.context.scope
    node.seq = number()
    node.code, node.lasti = local.context.place or caller(3)
    watched = local.context.on_forward
    if not several:
        array = out._array
        node.shape, node.dtype = array.shape, array.dtype
        out._node = node
        out._requires_grad = True
        if watched:
            watch(node, out)
        return
    shapes: Any = tuple([o._array.shape for o in outs])
    dtypes: Any = tuple([o._array.dtype for o in outs])
    node.shape, node.dtype = shapes, dtypes
    assert isinstance(node, SeveralNode)
    node.outputs = [None] * len(outs)
    for index, out in enumerate(outs):
        if out._array.dtype.kind not in "fc":
            continue
        made = new(OutputNode)
        made.op, made.inputs, made.params, made.saved = op, (node,), None, ()
        made.storages = made.hooks = None
        made.shape, made.dtype = out._array.shape, out._array.dtype
        made.code, made.lasti, made.scope = node.code, node.lasti, node.scope
        made.seq, made.index = number(), index
        node.outputs[index] = weakref.ref(made)
        out._node = made
        out._requires_grad = True
        if watched:
            watch(made, out)
