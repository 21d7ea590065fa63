"""A primitive meets a batched argument: its batching rule runs, and the graph records the examples.

A rule is a function of a `Call`.  It returns the primitive's output (or outputs) for all examples,
computed with primitives on the larger Tensors, so that an outer gradient or an outer mapped call
sees ordinary operations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from tensorgrad.batching.value import ESCAPED, Batch, Frame, raw_physical
from tensorgrad.dtypes import default_float
from tensorgrad.errors import explain
from tensorgrad.graph.node import Node, TensorBase, edge_of, hook, local, new_storage, wrap
from tensorgrad.promotion import result_type
from tensorgrad.recording.general import as_argument, attach

if TYPE_CHECKING:
    from tensorgrad.primitive import Primitive

__all__ = ["Call", "Rule", "batched"]


class Call:
    """One call of a primitive as its batching rule sees it.

    ``args`` are Tensors of all examples where ``flags`` say so (examples along the first axis),
    else what every example shares: a Tensor, a number or None.  ``xp`` has the primitives.
    """

    __slots__ = ("args", "flags", "frame", "op", "params", "xp")

    def __init__(
        self, op: Primitive, frame: Frame, args: list[Any], flags: list[bool], params: Any
    ) -> None:
        self.op, self.frame, self.args, self.flags, self.params = op, frame, args, flags, params
        self.xp: Any = hook.recorded

    @property
    def size(self) -> int:
        """The number of examples."""
        return self.frame.size

    def ndim(self, i: int) -> int:
        """The dimensions of argument i for one example."""
        array = getattr(self.args[i], "_array", None)
        return 0 if array is None else int(array.ndim) - self.flags[i]

    def shape(self, i: int) -> tuple[int, ...]:
        """The shape of argument i for one example."""
        array = getattr(self.args[i], "_array", None)
        return () if array is None else tuple(array.shape)[int(self.flags[i]) :]

    def lead(self, i: int) -> Any:
        """Argument i for all examples, repeated (without a copy) if they share it."""
        x = self.args[i]
        if self.flags[i] or x is None:
            return x
        x = x if isinstance(x, TensorBase) else wrap(np.asarray(x))
        return self.xp.broadcast_to(x, shape=(self.size, *x._array.shape))

    def padded(self, i: int, rank: int) -> Any:
        """Argument i with axes of length 1 put after that of the examples, to ``rank`` others."""
        x = self.args[i]
        if not self.flags[i] or self.ndim(i) == rank:
            return x
        shape = self.shape(i)
        return self.xp.reshape(x, shape=(self.size, *(1,) * (rank - len(shape)), *shape))

    def param(self, name: str) -> tuple[Any, bool]:
        """An array among the parameters, and whether it has all the examples."""
        value = self.params[name]
        if isinstance(value, Batch) and value.frame is self.frame:
            return raw_physical(value), value.batched
        return value, False

    def run(self, *args: Any, **params: Any) -> Any:
        """The primitive itself on other arguments."""
        return getattr(self.xp, self.op.name)(*args, **params)


Rule = Callable[[Call], Any]


def batched(op: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """The outputs as batched Tensors; NotImplemented where no argument is one."""
    frame = _innermost(args, params)
    if frame is None:
        return NotImplemented
    if frame not in local.context.vmaps:
        raise RuntimeError(f"{op.name}: {ESCAPED}")
    for arg in args:
        if isinstance(arg, TensorBase) and arg._view is not None:
            hook.refresh_view(arg)
    if op.composed is not None:
        return op.composed(*args, **params)
    values = [_of_frame(arg, frame, op.name) for arg in args]
    if op.promote is not None:
        values = _promoted(values, args, to_float=op.promote == "float")
    flags = [isinstance(v, Batch) and v.batched for v in values]
    call = Call(op, frame, [_physical(v) for v in values], flags, params)
    if not any(flags) and not any(_has_examples(p, frame) for p in params.values()):
        result, has_examples = call.run(*call.args, **_shared(params, frame)), False
    else:
        try:
            result, has_examples = (op.batch or loop)(call), True
        except Exception as error:
            better = explain(op.name, args, params, error)
            if better is not error:
                raise better from error
            raise
    outs = [wrap(Batch(frame, out, has_examples)) for out in (result if op.outputs else (result,))]
    _record(op, frame, args, values, params, outs)
    return tuple(outs) if op.outputs else outs[0]


def _innermost(args: Sequence[Any], params: dict[str, Any]) -> Frame | None:
    frame: Frame | None = None
    arrays = [arg._array for arg in args if isinstance(arg, TensorBase)]
    for value in (*arrays, *params.values(), *args):
        parts = value if type(value) is tuple else (value,)
        for part in parts:
            if type(part) is Batch and (frame is None or part.frame.level > frame.level):
                frame = part.frame
    return frame


def _has_examples(value: Any, frame: Frame) -> bool:
    parts = value if type(value) is tuple else (value,)
    return any(type(p) is Batch and p.frame is frame and p.batched for p in parts)


def _shared(params: dict[str, Any], frame: Frame) -> dict[str, Any]:
    """The parameters with this frame's unbatched Batches replaced by what they hold."""

    def plain(value: Any) -> Any:
        if type(value) is tuple:
            return tuple(plain(p) for p in value)
        if type(value) is Batch and value.frame is frame:
            return raw_physical(value)
        return value

    return {name: plain(value) for name, value in params.items()}


def _of_frame(arg: Any, frame: Frame, name: str) -> Any:
    """A Tensor's or array's value for this frame: a Batch, or a number or None as it is."""
    if isinstance(arg, TensorBase):
        array: Any = arg._array
        if type(array) is Batch and array.frame is frame:
            return array
        return Batch(frame, arg, batched=False)
    if type(arg) is Batch:
        return arg if arg.frame is frame else Batch(frame, wrap(arg), batched=False)
    value = as_argument(arg, name)
    if isinstance(value, ndarray):
        return Batch(frame, wrap(value), batched=False)
    return value


def _physical(value: Any) -> Any:
    return value.physical if isinstance(value, Batch) else value


def _promoted(values: list[Any], args: Sequence[Any], to_float: bool) -> list[Any]:
    """The values in their common type, which depends on the examples' dimensions."""
    stand_ins = [
        np.empty((0,) * min(v.ndim, 1), v.dtype) if isinstance(v, Batch) else v for v in values
    ]
    target = result_type(*(s for s in stand_ins if s is not None))
    if to_float and target.kind in "biu":
        target = default_float()
    cast = []
    for value in values:
        if isinstance(value, Batch):
            if value.dtype != target:
                moved = hook.recorded.astype(value.physical, dtype=target)
                value = Batch(value.frame, moved, value.batched)
        elif value is not None and np.dtype(target).kind != _kind(value):
            value = np.asarray(value).astype(target).item()
        cast.append(value)
    return cast


def _kind(value: Any) -> str:
    return np.result_type(type(value)).kind


def _record(
    op: Primitive,
    frame: Frame,
    args: Sequence[Any],
    values: list[Any],
    params: dict[str, Any],
    outs: list[Any],
) -> None:
    """A node for what was asked to be differentiated inside the mapped function."""
    edges: tuple[Node | None, ...] = ()
    if op.differentiable and local.context.grad_enabled:
        rules = [True] * len(args) if op.joint else op.rules
        edges = tuple(
            edge_of(a) if rule and _is_of(a, frame) else None
            for a, rule in zip(args, rules, strict=False)
        )
    if any(edge is not None for edge in edges):
        extras = dict.fromkeys(op.keeps) if op.keeps else None
        attach(op, args, values, params, edges, outs, extras)
    if op.view and _is_of(args[0], frame):
        parent = args[0]
        if parent._storage is None:
            parent._storage = new_storage()
        for out in outs:
            out._storage = parent._storage
            out._view = (parent, op, params, parent._storage.stamp)


def _is_of(arg: Any, frame: Frame) -> bool:
    array = getattr(arg, "_array", None)
    return type(array) is Batch and array.frame is frame


def loop(call: Call) -> Any:
    """The rule of a primitive that has none: one call per example, and the results stacked."""
    if call.size == 0:
        raise RuntimeError(f"vmap: {call.op.name} has no batching rule for a batch of no examples")
    xp = call.xp
    rows = []
    for k in range(call.size):
        own = [
            xp.getitem(arg, index=(k,)) if flag else arg
            for arg, flag in zip(call.args, call.flags, strict=True)
        ]
        params = {
            name: raw_physical(value)[k] if _has_examples(value, call.frame) else value
            for name, value in call.params.items()
        }
        rows.append(call.run(*own, **_shared(params, call.frame)))
    if call.op.outputs:
        return tuple(_stacked(xp, parts) for parts in zip(*rows, strict=True))
    return _stacked(xp, rows)


def _stacked(xp: Any, parts: Sequence[Any]) -> Any:
    return xp.cat(*(xp.reshape(p, shape=(1, *p._array.shape)) for p in parts), axis=0)
