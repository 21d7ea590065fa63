"""The recorder of operations on three arrays: linear layers, convolutions, choices.

As those of `tensorgrad.recording.recorders`, it does what `tensorgrad.recording.general` does, in
less time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from numpy import asarray, ndarray

from tensorgrad.graph.node import (
    ALL,
    Node,
    Spec,
    accumulator,
    hook,
    local,
    mark_inference,
    new,
    numbers,
)
from tensorgrad.graph.provenance import caller
from tensorgrad.graph.storages import BY_ARRAY, SAVED, Storage
from tensorgrad.recording.general import failed, general, held, watch

if TYPE_CHECKING:
    from tensorgrad.primitive import Primitive

__all__ = ["ternary"]


def ternary(op: Primitive) -> Callable[..., Any]:
    """The recorder of an operation on three arrays that are not promoted, or None."""
    forward, name, of_first = op.forward, op.name, op.rules[0] is not None
    keeps, keep_flag = op.keeps, op.keep_flag
    general_record = general(op)
    places = {n: op.places((bool(n & 1), bool(n & 2), bool(n & 4))) for n in range(8)}

    def record(*args: Any, **params: Any) -> Any:
        context = local.context
        if context.dispatch is not None or len(args) != 3:
            return general_record(*args, **params)
        a, b, c = args
        try:
            x, z, w = a._array, b._array, None if c is None else c._array
        except AttributeError:  # numbers, or NumPy's arrays
            return general_record(*args, **params)
        edge_a: Any = None
        edge_b: Any = None
        edge_c: Any = None
        needs = 0
        if context.grad_enabled:
            # As in `edge_of`, three times.
            if of_first:
                if a._view is not None and a._held.stamp > a._view[3]:
                    hook.refresh_view(a)
                if a._requires_grad:
                    edge_a, needs = a._node, 1
                    if edge_a is None:
                        edge_a = accumulator(a)
            if b._view is not None and b._held.stamp > b._view[3]:
                hook.refresh_view(b)
            if b._requires_grad:
                edge_b, needs = b._node, needs + 2
                if edge_b is None:
                    edge_b = accumulator(b)
            if c is not None:
                if c._view is not None and c._held.stamp > c._view[3]:
                    hook.refresh_view(c)
                if c._requires_grad:
                    edge_c, needs = c._node, needs + 4
                    if edge_c is None:
                        edge_c = accumulator(c)
        try:
            if keep_flag:
                y = forward(x, z, w, keep=needs > 0, **params)
            else:
                y = forward(x, z, w, **params)
        except Exception as error:
            raise failed(op, args, params, error) from error
        if keeps:
            extras = {word: getattr(y, word) for word in keeps}
            y = y.y
        if type(y) is not ndarray:
            y = asarray(y)
        out = new(hook.tensor)
        out._array = y
        out._grad = out._held = out._view = out._accumulator = out._hooks = None
        if needs:
            keep_y, keep_a, keep_b, keep_c = places[needs]
            node = Node()
            node.op = op
            node.first, node.second = (edge_a, edge_b, edge_c), ALL
            node.params = params or None
            node.shape = y.shape
            node.dtype = y.dtype
            node.hooks = None
            node.scope = context.scope
            node.seq = next(numbers)
            node.code, node.lasti = context.place or caller(2)
            node.storages = None
            if keep_y or keep_a or keep_b or keep_c or keeps:
                if keep_y:
                    out._held = SAVED
                by_a = by_b = by_c = SAVED
                if keep_a and type(by_a := a._held) is not Storage:
                    by_a = held(a, x, name)
                if keep_b and type(by_b := b._held) is not Storage:
                    by_b = held(b, z, name)
                if keep_c and c is not None and type(by_c := c._held) is not Storage:
                    by_c = held(c, w, name)
                if by_a is by_b is by_c is SAVED:
                    node.storages = BY_ARRAY
                else:
                    node.storages = (SAVED, by_a, by_b, by_c)
            node.saved = (
                y if keep_y else None,
                x if keep_a else edge_a or Spec(x.shape, x.dtype),
                z if keep_b else edge_b or Spec(z.shape, z.dtype),
                w if keep_c or w is None else edge_c or Spec(w.shape, w.dtype),
            )
            if keeps:
                node.saved += (extras,)
            out._node = node
            out._requires_grad = True
            if context.on_forward:
                watch(node, out)
            return out
        out._node = None
        out._requires_grad = False
        if hook.inference:
            mark_inference(out)
        return out

    return record
