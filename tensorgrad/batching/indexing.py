"""Batching rules of indexing, where the array, the index or both may have examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorgrad.batching.dispatch import Call
from tensorgrad.batching.families import further
from tensorgrad.batching.value import Batch, raw_physical
from tensorgrad.graph.node import wrap

__all__ = ["gather", "getitem", "index_fill", "put", "put_rows", "scatter_add", "take_rows"]


@dataclass(frozen=True)
class _Plan:
    """An index into the array of all examples, and where it puts the axes of its result.

    ``axes`` takes the result's axes to (examples, axes of one example's result).
    """

    index: tuple[Any, ...]
    axes: tuple[int, ...]

    @property
    def back(self) -> tuple[int, ...]:
        return tuple(int(i) for i in np.argsort(self.axes))


def _parts(index: tuple[Any, ...], ndim: int) -> list[Any]:
    """The index with masks as whole numbers, and slices in place of the Ellipsis."""
    parts: list[Any] = []
    for part in index:
        if getattr(part, "dtype", None) != np.bool_:
            parts.append(part)
        elif isinstance(part, Batch):
            raise RuntimeError(
                "vmap: indexing with a batched mask: how many elements it takes depends on the "
                "example. Use where(mask, x, 0) or masked_fill"
            )
        elif part.ndim == 0:
            raise RuntimeError("vmap: indexing with a single bool is not supported")
        else:
            parts += list(np.nonzero(part))
    used = sum(part is not None and part is not Ellipsis for part in parts)
    rest = [slice(None)] * (ndim - used)
    if not any(part is Ellipsis for part in parts):
        return parts + rest
    place = next(i for i, part in enumerate(parts) if part is Ellipsis)
    return parts[:place] + rest + parts[place + 1 :]


def _plan(call: Call, index: tuple[Any, ...], ndim: int, examples: bool) -> _Plan:
    """``examples``: whether the array that is indexed has all of them along its first axis."""
    parts = _parts(index, ndim)
    if not any(isinstance(part, (np.ndarray, Batch)) for part in parts):
        kept = sum(not isinstance(part, int) for part in parts)
        return _Plan((slice(None), *parts), tuple(range(kept + 1)))
    places = [i for i, p in enumerate(parts) if p is not None and not isinstance(p, slice)]
    adjacent = places == list(range(places[0], places[-1] + 1))
    shapes = [np.shape(p) if not isinstance(p, Batch) else p.shape for p in parts]
    rank = len(np.broadcast_shapes(*(shapes[i] for i in places)))
    before = places[0] if adjacent else 0  # axes of one example's result before the indexed ones
    others = len(parts) - len(places)
    own = any(isinstance(p, Batch) and p.frame is call.frame and p.batched for p in parts)
    if not own:
        # Only the array has examples: their axis is in front, unless NumPy puts the indexed first.
        first = 0 if adjacent else rank
        axes = [i for i in range(1 + rank + others) if i != first]
        return _Plan((slice(None), *parts), (first, *axes))
    full: list[Any] = []
    for part in parts:
        if isinstance(part, Batch) and part.frame is call.frame:
            array = raw_physical(part)
            if part.batched:
                array = array.reshape((call.size, *(1,) * (rank - part.ndim), *part.shape))
            part = array
        full.append(part)
    if examples:
        full.insert(0, np.arange(call.size).reshape((-1, *(1,) * rank)))
        # The examples' axis is indexed too, and stands first: so do the indexed axes then,
        # whether NumPy finds them adjacent or not.
        indexed, rest = range(1, 1 + rank), range(1 + rank, 1 + rank + others)
        return _Plan(tuple(full), (0, *rest[:before], *indexed, *rest[before:]))
    first = before if adjacent else 0
    axes = [i for i in range(1 + rank + others) if i != first]
    return _Plan(tuple(full), (first, *axes))


def _ordered(call: Call, x: Any, axes: tuple[int, ...]) -> Any:
    return x if axes == tuple(range(len(axes))) else call.xp.permute(x, axes=axes)


def getitem(call: Call) -> Any:
    plan = _plan(call, call.params["index"], call.ndim(0), call.flags[0])
    return _ordered(call, call.run(call.args[0], index=plan.index), plan.axes)


def put(call: Call) -> Any:
    """Into zeros for every example."""
    shape = call.params["shape"]
    plan = _plan(call, call.params["index"], len(shape), examples=True)
    x = _ordered(call, call.lead(0), plan.back)
    return call.run(x, index=plan.index, shape=(call.size, *shape))


def index_fill(call: Call) -> Any:
    """Values are broadcast to what the index takes from one example, then put in its place."""
    x = call.lead(0)
    plan = _plan(call, call.params["index"], call.ndim(0), examples=True)
    v = call.args[1]
    if getattr(v, "_array", None) is None or (call.ndim(1) == 0 and not call.flags[1]):
        return call.run(x, v, index=plan.index)
    taken = call.xp.getitem(x, index=plan.index)._array.shape
    target = tuple(taken[i] for i in plan.axes)
    v = call.padded(1, len(target) - 1) if call.flags[1] else v
    wide = call.xp.broadcast_to(v, shape=target)
    return call.run(x, _ordered(call, wide, plan.back), index=plan.index)


def _all(call: Call, name: str) -> Any:
    """An index with the examples along its first axis, repeated if they share it."""
    array, flag = call.param(name)
    return array if flag else np.broadcast_to(array[None], (call.size, *array.shape))


def gather(call: Call) -> Any:
    index, x = _all(call, "index"), call.lead(0)
    if call.ndim(0) == 0:
        flat = call.run(
            call.xp.reshape(x, shape=(call.size, 1)), index=index.reshape((call.size, -1)), axis=1
        )
        return call.xp.reshape(flat, shape=index.shape)
    return call.run(x, index=index, axis=further(call.params["axis"], call.ndim(0)))


def scatter_add(call: Call) -> Any:
    x, shape = call.lead(0), tuple(call.params["shape"])
    if not shape:
        axes = tuple(range(1, x._array.ndim))
        return call.xp.sum(x, axis=axes, keepdims=False)
    axis = further(call.params["axis"], len(shape))
    return call.run(x, index=_all(call, "index"), axis=axis, shape=(call.size, *shape))


def take_rows(call: Call) -> Any:
    index, own = call.param("index")
    axis = further(call.params["axis"], call.ndim(0)) - 1
    x = call.args[0]
    if not own:
        return call.run(x, index=index, axis=axis + 1)
    if not call.flags[0]:
        y = call.run(x, index=index, axis=axis)
        return _ordered(call, y, (axis, *range(axis), *range(axis + 1, y._array.ndim)))
    before = (slice(None),) * axis
    inner = Batch(call.frame, wrap(index), True)
    plan = _plan(call, (*before, inner), call.ndim(0), True)
    return _ordered(call, call.xp.getitem(x, index=plan.index), plan.axes)


def put_rows(call: Call) -> Any:
    index, own = call.param("index")
    shape = tuple(call.params["shape"])
    axis = further(call.params["axis"], len(shape)) - 1
    x = call.lead(0)
    if not own:
        return call.run(x, index=index, axis=axis + 1, shape=(call.size, *shape))
    inner = Batch(call.frame, wrap(index), True)
    plan = _plan(call, ((slice(None),) * axis + (inner,)), len(shape), True)
    return call.xp.put(_ordered(call, x, plan.back), index=plan.index, shape=(call.size, *shape))
