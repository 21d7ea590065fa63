"""Views, writes in place, and how the graph follows them.

A view keeps (parent, primitive, parameters) and shares its parent's `Storage`.  A write anywhere
moves the storage's version; the base's node is rebound to `copy_slices`, and every view derives its
node anew when it is next used.  The alternative, telling all views at once, would need references
from bases to views, and cycles.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from numpy import asarray, ndarray

from tensorgrad.batching import Batch
from tensorgrad.graph.hooks import move_retained
from tensorgrad.graph.node import (
    Storage,
    accumulator,
    edge_of,
    hook,
    local,
    make_node,
    number,
    storage_of,
    wrap,
)
from tensorgrad.graph.provenance import caller
from tensorgrad.graph.storages import note_stamp
from tensorgrad.primitive import Primitive, recorded, structural
from tensorgrad.recording.general import watch

__all__ = [
    "as_view",
    "base_of",
    "bump",
    "chain",
    "refresh_view",
    "root_of",
    "through",
    "write",
]


def bump(tensor: Any) -> None:
    """Record that the tensor's memory was written, and by which line of the program."""
    storage = storage_of(tensor)
    storage.version += 1
    storage.stamp = stamp = number()
    storage.writer = caller(2)
    note_stamp(stamp)


def as_view(op: Primitive, parent: Any, out: Any, params: dict[str, Any]) -> Any:
    """Make ``out`` a view of ``parent``, derived by ``op(parent, **params)``."""
    storage = out._storage = storage_of(parent)
    out._view = (parent, op, params, storage.stamp)
    hook.register_alias(parent, out)
    return out


def refresh_view(view: Any) -> None:
    """Derive the node of a view anew if its memory was written since."""
    storage: Storage = view._storage
    if storage.stamp <= view._view[3] or (view._requires_grad and view._node is None):
        return
    stale = [view]
    parent = _parent(view)
    while parent._view is not None and storage.stamp > parent._view[3]:
        stale.append(parent)
        parent = _parent(parent)
    for tensor in reversed(stale):
        parent, op, params, _ = tensor._view
        if isinstance(parent._array, Batch):
            anew = getattr(recorded, op.name)(parent, **(params or {}))
            tensor._array, tensor._node = anew._array, anew._node
            tensor._requires_grad = anew._requires_grad
        elif parent._requires_grad:
            edge = parent._node if parent._node is not None else accumulator(parent)
            array = tensor._array
            tensor._node = make_node(
                op, (edge,), (None, edge), params or None, array.shape, array.dtype
            )
            tensor._requires_grad = True
            if local.context.on_forward:
                watch(tensor._node, tensor)
        else:
            tensor._node = None
            tensor._requires_grad = False
        tensor._view = (parent, op, params, storage.stamp)


# --- A tensor that becomes another view of its memory -------------------------------------------


class Former:
    """What a tensor was before `reforming.reform`: until which stamp, and which tensor."""

    __slots__ = ("owner", "since")

    def __init__(self, since: int, owner: Any) -> None:
        self.since, self.owner = since, weakref.ref(owner)


def _parent(view: Any) -> Any:
    """The tensor that a view is derived from; not what that tensor has become since."""
    parent, op, params, stamp = view._view
    found = parent
    while found._view is not None:
        former = found._view[0].__dict__.get("_former")
        if former is None or stamp >= former.since:
            break
        found = found._view[0]
    if found is not parent:
        view._view = (found, op, params, stamp)
    return found


def base_of(tensor: Any) -> Any:
    """The tensor whose memory a view shares; itself if it is no view."""
    while tensor._view is not None:
        tensor = tensor._view[0]
    former = tensor.__dict__.get("_former")
    owner = former.owner() if former is not None else None
    return tensor if owner is None else owner


# --- Writing ------------------------------------------------------------------------------------


def chain(view: Any) -> tuple[Any, list[tuple[Primitive, dict[str, Any]]]]:
    """The root of a view and the steps from the root to it."""
    steps: list[tuple[Primitive, dict[str, Any]]] = []
    while view._view is not None:
        parent = _parent(view)
        steps.append((view._view[1], view._view[2] or {}))
        view = parent
    return view, steps[::-1]


def root_of(view: Any) -> Any:
    """The root of a view, as `chain` finds it."""
    while view._view is not None:
        view = _parent(view)
    return view


def _follow(xp: Any, x: Any, steps: Any) -> Any:
    for op, params in steps:
        x = getattr(xp, op.name)(x, **params)
    return x


def through(array: ndarray[Any, Any], steps: Any) -> ndarray[Any, Any]:
    for op, params in steps:
        array = asarray(op.forward(array, **params))
    return array


def _outside(xp: Any, g: Any, y: Any, base: Any, value: Any, *, steps: Any) -> Any:
    mask = np.ones(g.shape, bool)
    through(mask, steps)[...] = False
    return xp.mask(g, mask=mask)


COPY_SLICES = structural(
    "copy_slices",
    "What the base of a view becomes when the view is written: itself, with the new part in place.",
)
COPY_SLICES.rules = (
    _outside,
    lambda xp, g, y, base, value, *, steps: _follow(xp, g, steps),
)
COPY_SLICES.arguments = ("base", "value")


def check_writable(tensor: Any, name: str) -> None:
    """Refuse a write that would make the gradient of a leaf meaningless."""
    if not isinstance(tensor._array, Batch) and not tensor._array.flags.writeable:
        raise RuntimeError(
            f"{name}: the tensor's memory is read-only (it was expanded, made from a "
            "read-only array, or handed through by an autograd.Function or a module's full "
            "backward hook): a write would change more than this tensor. clone() it first, or "
            "leave out inplace=True."
        )
    if tensor._storage is not None and tensor._storage.inference and not local.context.inference:
        raise RuntimeError(
            f"{name}: Inplace update to inference tensor outside InferenceMode is not allowed. You "
            "can make a clone to get a normal tensor before doing inplace update."
        )
    for watcher in local.context.before_write:
        watcher(tensor)
    check_not_leaf(tensor, name)


# What `handed_through` made, by id, and the memory behind it.
_handed: dict[int, tuple[weakref.ref[Any], ndarray[Any, Any]]] = {}


def handed_through(tensor: Any) -> Any:
    """The same memory, which must not be written through it: the input's graph would not follow."""
    array = tensor._array.view()
    array.flags.writeable = False
    out: Any = wrap(array)
    out._storage = storage_of(tensor)
    key = id(out)
    _handed[key] = weakref.ref(out, lambda _: _handed.pop(key, None)), unguarded(tensor)
    return out


def unguarded(tensor: Any) -> Any:
    """The tensor's array, to be written outside the graph (``.data``): writable too if it is memory
    that was `handed_through`.
    """
    array = tensor._array
    if not array.flags.writeable and (entry := _handed.get(id(tensor))) is not None:
        behind = entry[1]
        if behind.shape == array.shape and np.may_share_memory(behind, array):
            return behind
    return array


def check_not_leaf(tensor: Any, name: str) -> None:
    """Refuse to change a leaf that requires grad, or a view of one, under recording."""
    if not local.context.grad_enabled:
        return
    root = tensor
    while root._view is not None:
        root = root._view[0]
    for which, what in ((tensor, "a leaf Variable"), (root, "a view of a leaf Variable")):
        if which._requires_grad and which._node is None:
            raise RuntimeError(
                f"{name}: {what} that requires grad is being used in an in-place operation. "
                f"Write it out of place (y = x.{name.rstrip('_')}(...)), or under "
                "tensorgrad.no_grad() if it should not be recorded."
            )


def before_write(tensor: Any, *others: Any) -> Any:
    """The tensor an in-place operation should read: a copy if a rule may need the old values."""
    if not local.context.grad_enabled:
        return tensor
    if not any(getattr(t, "_requires_grad", False) for t in (tensor, *others)):
        return tensor
    return wrap(tensor._array.copy(order="K"), edge_of(tensor))


_RANK = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}  # a write in place must not lower the category


def write(tensor: Any, value: Any, name: str) -> Any:
    """``tensor[...] = value`` in the tensor's own memory, followed by the graph; returns tensor.

    ``value`` is a Tensor that broadcasts to the tensor's shape; it is cast to its dtype.  Nothing
    is changed if it does not fit.
    """
    array = tensor._array
    source = value._array
    check_writable(tensor, name)
    if (source.dtype.kind == "c" and array.dtype.kind != "c") or (
        name not in ("copy_", "__setitem__") and _RANK[source.dtype.kind] > _RANK[array.dtype.kind]
    ):
        raise RuntimeError(
            f"{name}: result type {source.dtype} can't be cast to the desired output type "
            f"{array.dtype}"
        )
    if source.shape != array.shape:
        try:
            fits = np.broadcast_shapes(source.shape, array.shape) == array.shape
        except ValueError:
            fits = False
        if not fits:
            raise RuntimeError(
                f"{name}: a value of shape {source.shape} cannot be written into shape "
                f"{array.shape}"
            )
    if isinstance(array, Batch) or isinstance(source, Batch):
        return _write_batched(tensor, value, name)
    recording = local.context.grad_enabled
    old = edge_of(tensor) if recording else None
    new = edge_of(value) if recording else None
    root, steps = chain(tensor)
    old_root = edge_of(root) if recording else None
    np.copyto(array, source, casting="unsafe")
    bump(tensor)
    if old is None and new is None and old_root is None:
        return tensor
    if new is not None:
        if source.shape != array.shape:
            value = recorded.broadcast_to(value, shape=array.shape)
        if source.dtype != array.dtype:
            value = recorded.astype(value, dtype=array.dtype)
        new = value._node if value._node is not None else accumulator(value)
    _rebind(root, old_root, new, steps)
    return tensor


def _rebind(root: Any, old: Any, new: Any, steps: Any) -> None:
    """The base of a written view: what it was, with the new part in place."""
    root._node = make_node(
        COPY_SLICES,
        (old, new),
        (None, old, new),
        {"steps": tuple(steps)},
        root._array.shape,
        root._array.dtype,
    )
    root._requires_grad = True
    if old is not None and old.hooks is not None:
        move_retained(root, old, root._node)
    if local.context.on_forward:
        watch(root._node, root)


def written(view: Any, place: Any) -> None:
    """A view's memory now holds the output of a node: its base, and so it itself, follow."""
    root, steps = chain(view)
    old = edge_of(root)
    bump(view)
    _rebind(root, old, place, steps)


def _write_batched(tensor: Any, value: Any, name: str) -> Any:
    """A write under vmap.  Batched values have no memory of their own to write into: the base gets
    a new value, from which its views derive theirs when they are next used.
    """
    array, source = tensor._array, value._array
    depth = array.frame.level if isinstance(array, Batch) else 0
    if isinstance(source, Batch) and source.frame.level > depth:
        if source.batched:
            raise RuntimeError(
                f"vmap: {name}: a value that depends on the example cannot be written into a "
                f"tensor{tuple(array.shape)} from outside the mapped function, which all examples "
                "share. Write it out of place, or start from zeros_like or a clone of a mapped "
                "tensor"
            )
        return write(tensor, source.physical, name)
    root, steps = chain(tensor)
    if source.dtype != array.dtype:
        value = recorded.astype(value, dtype=array.dtype)
    new = recorded.broadcast_to(value, shape=array.shape)
    if steps:
        size = root._array.size
        places = through(np.arange(size).reshape(root._array.shape), steps).reshape(-1)
        flat = recorded.index_fill(
            recorded.reshape(root, shape=(size,)),
            recorded.reshape(new, shape=(places.size,)),
            index=(places,),
        )
        new = recorded.reshape(flat, shape=root._array.shape)
    root._array, root._node, root._requires_grad = new._array, new._node, new._requires_grad
    bump(tensor)
    if tensor._view is not None:
        refresh_view(tensor)
    return tensor
