"""Reductions over segments of a dimension, and over the bits of all elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.functions.indexing import whole_index
from tensorgrad.functions.reduction import axis_of
from tensorgrad.functions.scattering import scatter_reduce
from tensorgrad.graph.node import wrap
from tensorgrad.ops import elementwise
from tensorgrad.ops.reduction import axes_of

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["hash_tensor", "segment_reduce"]


_REDUCTIONS = {"sum": "sum", "mean": "mean", "max": "amax", "min": "amin", "prod": "prod"}
_EMPTY = {"sum": 0.0, "mean": float("nan"), "max": -np.inf, "min": np.inf, "prod": 1.0}


def segment_reduce(
    data: Tensor,
    reduce: str,
    *,
    lengths: Tensor | None = None,
    indices: Tensor | None = None,
    offsets: Tensor | None = None,
    axis: int = 0,
    unsafe: bool = False,
    initial: float | None = None,
) -> Tensor:
    """Reduce consecutive segments of a dimension: "sum", "mean", "max", "min" or "prod".

    lengths: of the segments, along its last dimension; the dimensions before ``axis`` are its own.
    offsets: instead, where the segments start, and where the last one ends.
    initial: takes part in every segment; without it an empty one gives 0, NaN, -inf, inf or 1.
    unsafe: accepted; the lengths are checked all the same.
    """
    if reduce not in _REDUCTIONS:
        raise RuntimeError(f"segment_reduce(): unsupported reduction: {reduce}")
    if data._array.dtype.kind != "f":
        raise NotImplementedError(f"segment_reduce is not implemented for {data.dtype}")
    if indices is not None:
        raise RuntimeError("segment_reduce(): indices based reduction is not supported yet.")
    if (lengths is None) == (offsets is None):
        raise RuntimeError("segment_reduce(): give either lengths or offsets")
    if axis < 0 or axis >= data.ndim:
        raise RuntimeError(f"segment_reduce(): axis {axis} is out of range for {data.ndim} dims")
    if offsets is not None:
        ends = whole_index(offsets, "segment_reduce")
        sizes = np.diff(ends, axis=-1)
    else:
        sizes = whole_index(lengths, "segment_reduce")
    shape = data._array.shape
    if sizes.ndim != axis + 1 or sizes.shape[:-1] != shape[:axis]:
        raise RuntimeError(
            f"segment_reduce(): lengths of shape {list(sizes.shape)} do not fit data of shape "
            f"{list(shape)} at axis {axis}"
        )
    if (sizes < 0).any() or (sizes.sum(-1) != shape[axis]).any():
        raise RuntimeError(
            "segment_reduce(): Expected all rows of lengths along axis to sum to "
            f"data.size({axis}) = {shape[axis]}, got {sizes.tolist()}"
        )
    count = sizes.shape[-1]
    places = np.empty(shape[: axis + 1], np.int64)
    for row in np.ndindex(*sizes.shape[:-1]):
        places[row] = np.repeat(np.arange(count), sizes[row])
    tail = (1,) * (len(shape) - axis - 1)
    full = wrap(np.ascontiguousarray(np.broadcast_to(places.reshape(*places.shape, *tail), shape)))
    start = _EMPTY[reduce] if initial is None else initial
    if reduce == "mean" and initial is not None:
        # As in PyTorch: the initial value joins the sum, but not the number of its elements.
        how, divisor = "sum", np.maximum(sizes, 1).reshape(*sizes.shape, *tail)
    else:
        how, divisor = _REDUCTIONS[reduce], None
    held = wrap(np.full((*shape[:axis], count, *shape[axis + 1 :]), start, data._array.dtype))
    found = scatter_reduce(held, axis, full, data, how, include_self=initial is not None)
    return found if divisor is None else elementwise.div(found, divisor.astype(data._array.dtype))


def hash_tensor(input: Tensor, dim: Any = None, *, keepdim: bool = False, mode: int = 0) -> Tensor:
    """A uint64 that changes when the elements do: all of them as 64 bits, exclusive-or.

    mode: 0, the exclusive-or of floats as float64 and of integers as int64.
    """
    if mode != 0:
        raise RuntimeError(f"Unknown hash_tensor mode: {mode}")
    array = input._array
    if array.dtype.kind == "c":
        raise NotImplementedError(f"hash_tensor is not implemented for {input.dtype}")
    if not array.size and dim is None:
        raise RuntimeError(
            "hash_tensor: Expected reduction dim to be specified for input.numel() == 0. Specify "
            "the reduction dim with the 'dim' argument."
        )
    if array.dtype != np.uint64:
        array = array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
    axes = axes_of(axis_of(dim), input.ndim)
    words: Any = np.bitwise_xor.reduce
    return wrap(words(array.view(np.uint64), axis=axes, keepdims=keepdim))
