"""The same elements in another arrangement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.array_api.dtypes import INTEGER, array, cast, result_type
from tensorgrad.functions import joining, rearranging
from tensorgrad.functions import shape as functions
from tensorgrad.functions.shape import wrap_dim
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.ops import elementwise

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "broadcast_arrays", "broadcast_to", "concat", "expand_dims", "flip", "moveaxis",
    "permute_dims", "repeat", "reshape", "roll", "squeeze", "stack", "tile", "unstack",
]  # fmt: skip


def _axes(axis: Any) -> tuple[int, ...]:
    return (axis,) if isinstance(axis, int) else tuple(axis)


def broadcast_arrays(*arrays: Tensor) -> list[Tensor]:
    """The arrays expanded to their common shape, as views."""
    for x in arrays:
        array("broadcast_arrays", x)
    return list(functions.broadcast_tensors(*arrays))


def broadcast_to(x: Tensor, /, shape: tuple[int, ...]) -> Tensor:
    """x expanded to a shape, as a view."""
    return functions.expand(array("broadcast_to", x), *shape)


def _joined(name: str, arrays: Sequence[Tensor]) -> list[Any]:
    """Arrays of their common type."""
    for x in arrays:
        array(name, x)
    if not arrays:
        raise ValueError(f"{name}: expected at least one array")
    kind = result_type(*arrays).dtype
    return [cast(x, kind) for x in arrays]


def concat(arrays: Sequence[Tensor], /, *, axis: int | None = 0) -> Tensor:
    """Arrays joined along an axis that they have; flattened first if it is None."""
    parts = _joined("concat", arrays)
    if axis is None:
        parts, axis = [functions.ravel(x) for x in parts], 0
    ranks = {x._array.ndim for x in parts}
    if len(ranks) > 1 or ranks == {0}:
        raise ValueError(f"concat: expected arrays of one number of dimensions, got {ranks}")
    return joining.cat(parts, axis)


def stack(arrays: Sequence[Tensor], /, *, axis: int = 0) -> Tensor:
    """Arrays of one shape joined along a new axis."""
    return joining.stack(_joined("stack", arrays), axis)


def unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices along an axis, without it."""
    if not array("unstack", x)._array.ndim:
        raise ValueError("unstack: a 0-d array has no axis to take apart")
    return joining.unbind(x, axis)


def expand_dims(x: Tensor, /, axis: int = 0) -> Tensor:
    """x with a new axis of length 1, as a view; IndexError for a place that is not there."""
    return functions.unsqueeze(array("expand_dims", x), axis)


def squeeze(x: Tensor, /, axis: int | tuple[int, ...]) -> Tensor:
    """x without axes of length 1, as a view; ValueError for longer ones."""
    shape = array("squeeze", x)._array.shape
    places = [wrap_dim(a, len(shape)) for a in _axes(axis)]
    if long := [a for a in places if not shape or shape[a] != 1]:
        raise ValueError(f"squeeze: axes {long} of an array of shape {shape} are not of length 1")
    if len(set(places)) != len(places):
        raise ValueError(f"squeeze: axis {axis} names an axis twice")
    return functions.squeeze(x, tuple(places))


def flip(x: Tensor, /, *, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """x reversed along axes, all of them by default."""
    ndim = array("flip", x)._array.ndim
    if not ndim and axis not in (None, ()):  # PyTorch lets a 0-d tensor have an axis
        raise IndexError(f"flip: axis {axis} is out of bounds for an array of 0 dimensions")
    return functions.flip(x, tuple(range(ndim)) if axis is None else axis)


def moveaxis(
    x: Tensor, source: int | tuple[int, ...], destination: int | tuple[int, ...], /
) -> Tensor:
    """Axes moved to other places, the rest keeping their order; a view."""
    return functions.movedim(array("moveaxis", x), source, destination)


def permute_dims(x: Tensor, /, axes: tuple[int, ...]) -> Tensor:
    """The axes in another order, as a view."""
    return functions.permute(array("permute_dims", x), axes)


def reshape(x: Tensor, /, shape: tuple[int, ...], *, copy: bool | None = None) -> Tensor:
    """The elements in row-major order under another shape.

    copy: True always copies, None only where it must, False raises ValueError where it would.
    """
    out = functions.reshape(array("reshape", x), shape)
    if out._array.size and not np.shares_memory(out._array, x._array):
        if copy is False:
            raise ValueError(
                f"reshape: {tuple(x.shape)} with strides {x.stride()} does not become "
                f"{tuple(shape)} without a copy"
            )
        return out
    return elementwise.clone(out) if copy else out


def roll(
    x: Tensor, /, shift: int | tuple[int, ...], *, axis: int | tuple[int, ...] | None = None
) -> Tensor:
    """The elements moved along axes, those that fall off coming back; flattened without axis."""
    array("roll", x)
    if axis is None:
        if isinstance(shift, tuple):
            raise ValueError("roll: a tuple of shifts needs a tuple of axes")
        return rearranging.roll(x, shift)
    places = _axes(axis)
    steps = (shift,) * len(places) if isinstance(shift, int) else tuple(shift)
    if len(steps) != len(places):
        raise ValueError(f"roll: {len(steps)} shifts for {len(places)} axes")
    if not x._array.ndim or not places:
        return elementwise.clone(x)
    return rearranging.roll(x, steps, places)


def tile(x: Tensor, repetitions: tuple[int, ...], /) -> Tensor:
    """x repeated along each axis."""
    return joining.tile(array("tile", x), repetitions)


def repeat(x: Tensor, repeats: Any, /, *, axis: int | None = None) -> Tensor:
    """Each element repeated, a number of times or one of its own; flattened without axis."""
    array("repeat", x)
    if isinstance(repeats, TensorBase):
        counts: Any = array("repeat", repeats, INTEGER)._array.astype(np.int64)
    else:
        counts = np.asarray(repeats, np.int64)
    counts = wrap(counts.reshape(-1) if counts.ndim else counts)
    return rearranging.repeat_interleave(x, counts, axis)
