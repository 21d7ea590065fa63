"""A tensor that becomes another view of its own memory: ``transpose_``, ``squeeze_`` and kin."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from tensorgrad.graph.node import edge_of, local, new_storage, storage_of, strided, wrap
from tensorgrad.views.following import Former, as_view, bump, check_not_leaf

__all__ = ["reform"]


def reform(tensor: Any, change: Callable[[Any], Any], name: str) -> Any:
    """``tensor`` becomes ``change(tensor)``, a view: transpose_, squeeze_; returns tensor.

    A hidden tensor takes its former place, and ``tensor`` becomes a view of that: its former views
    and those made later can both be followed, because `_parent` knows which came when.
    """
    check_not_leaf(tensor, name)
    if tensor._requires_grad and tensor._node is None:  # under no_grad: another leaf altogether
        tensor._array = change(strided(tensor._array))._array
        tensor._storage = new_storage(strided=True)
        tensor._view = tensor._accumulator = None
        return tensor
    edge = edge_of(tensor)
    former = wrap(tensor._array, edge)
    former._storage, former._view = storage_of(tensor), tensor._view
    context = local.context
    recording, context.grad_enabled = context.grad_enabled, True  # the shape needs its node always
    try:
        out = change(former)
    finally:
        context.grad_enabled = recording
    if out is former:
        bump(tensor)
        return tensor
    storage = tensor._storage
    for i, (reference, steps) in enumerate(storage.aliases or ()):
        if reference() is tensor:
            storage.aliases[i] = (weakref.ref(former), steps)
    bump(tensor)
    parent, op, params, _ = out._view
    mark = Former(storage.stamp, tensor)
    former.__dict__["_former"] = mark
    step = parent
    while step is not former:  # a change of several steps
        step.__dict__["_former"] = mark
        step._view = (*step._view[:3], storage.stamp)  # derived from what came before it, always
        step = step._view[0]
    if former._view is not None:
        former._view = (*former._view[:3], storage.stamp)
    tensor._array, tensor._node = out._array, out._node
    tensor._requires_grad = former._requires_grad
    return as_view(op, parent, tensor, params)
