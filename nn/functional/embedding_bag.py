"""Sums, means and maxima of bags of table rows, without keeping the rows of every bag apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.graph.provenance import warn
from tensorgrad.nn.functional.checks import expect_tensor, optional_tensor
from tensorgrad.nn.functional.linear import _shrink, by_frequency
from tensorgrad.ops import elementwise, indexing
from tensorgrad.ops import shape as shape_ops
from tensorgrad.tensor import Tensor

__all__ = ["embedding_bag"]

Array = np.ndarray[Any, Any]


def _bags(
    input: Tensor, offsets: Tensor | None, include_last_offset: bool
) -> tuple[Array, Array, int]:
    """The indices in one row, the number of each one's bag, and how many bags there are."""
    name = "embedding_bag"
    index = input._array
    if index.ndim == 2:
        if offsets is not None:
            raise ValueError(
                f"{name}(): if input is 2D, then offsets has to be None: every row is a bag; got "
                f"input {describe(input)} and offsets {describe(offsets)}"
            )
        return index.reshape(-1), np.repeat(np.arange(len(index)), index.shape[1]), len(index)
    if index.ndim != 1:
        raise ValueError(f"{name}(): input has to be 1D or 2D Tensor, but got {describe(input)}")
    if offsets is None or offsets.ndim != 1:
        got = "None" if offsets is None else describe(offsets)
        raise ValueError(f"{name}(): offsets has to be a 1D Tensor for a 1D input, but got {got}")
    starts = offsets._array
    if starts.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"{name}(): expected offsets of int64 or int32, got {describe(offsets)}")
    if include_last_offset and not len(starts):
        raise RuntimeError(f"{name}(): include_last_offset needs at least one offset, got none")
    if len(starts) and starts[0] != 0:
        raise RuntimeError(
            f"{name}(): offsets[0] has to be 0, where the first bag starts, but got {starts[0]}"
        )
    if len(starts) and (starts[-1] > len(index) or (np.diff(starts) < 0).any()):
        raise RuntimeError(
            f"{name}(): offsets must not decrease, nor be greater than input's length "
            f"{len(index)}, but got {starts.tolist()}"
        )
    starts = starts[:-1] if include_last_offset else starts
    index = index if len(starts) else index[:0]
    return index, np.searchsorted(starts, np.arange(len(index)), side="right") - 1, len(starts)


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or maximum of the rows of ``weight`` (n, d) in each bag: (bags, d).

    input: bags of one size (B, L), or all indices in one row, with ``offsets`` where each bag
    starts (include_last_offset: with one more, for the end).  An empty bag gives zeros.
    per_sample_weights: factors for mode="sum", of input's shape.  padding_idx: a row that counts
    nothing.  max_norm, norm_type, scale_grad_by_freq: as for `embedding`.
    """
    name = "embedding_bag"
    expect_tensor(name, "input", input)
    expect_tensor(name, "weight", weight)
    optional_tensor(name, "offsets", offsets)
    optional_tensor(name, "per_sample_weights", per_sample_weights)
    if weight._array.dtype == np.int64 and input._array.dtype.kind == "f":
        warn(
            "Argument order of nn.functional.embedding_bag was changed. Usage "
            "`embedding_bag(weight, input, ...)` is deprecated, and should now be "
            "`embedding_bag(input, weight, ...)`."
        )
        input, weight = weight, input
    if sparse:
        raise NotImplementedError(f"{name}(): sparse=True is not supported; leave it out")
    if weight.ndim != 2:
        raise ValueError(f"{name}(): weight has to be a 2D Tensor, but got {describe(weight)}")
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"{name}(): mode has to be one of sum, mean or max, got {mode!r}")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError(f"{name}(): max mode does not support scaling the gradient by frequency")
    if per_sample_weights is not None:
        if per_sample_weights._array.shape != input._array.shape:
            raise ValueError(
                f"{name}(): per_sample_weights must have the same shape as the input, got "
                f"{describe(per_sample_weights)} and {describe(input)}"
            )
        if mode != "sum":
            raise NotImplementedError(
                f"{name}(): per_sample_weights is only supported for mode='sum' (got mode={mode!r})"
            )
    if input._array.dtype not in (np.int64, np.int32):
        raise RuntimeError(
            f"{name}(): expected indices of int64 or int32, got {describe(input)}; convert them "
            "with .long()"
        )
    if weight._array.dtype.kind != "f":
        raise RuntimeError(f"{name}(): expected a weight of floats, got {describe(weight)}")
    index, bag, count = _bags(input, offsets, include_last_offset)
    rows, width = weight._array.shape
    if index.size and not (index.min() >= 0 and index.max() < rows):
        bad = index[(index < 0) | (index >= rows)][0]
        raise RuntimeError(f"{name}(): index {bad} out of range for a weight {describe(weight)}")
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise RuntimeError(
            f"{name}(): padding_idx must be within the number of embeddings, {-rows} through "
            f"{rows - 1}, but got {padding_idx}"
        )
    if max_norm is not None:
        _shrink(weight, index, max_norm, norm_type)
    places = np.arange(len(index))
    if padding_idx is not None:
        places = np.flatnonzero(index != padding_idx % rows)
    index, bag = index[places].astype(np.int64), bag[places]
    taken: Any = indexing.take_rows(weight, index=index, axis=0)
    if scale_grad_by_freq:
        taken = by_frequency(taken, index)
    if mode == "max":
        return _largest(taken, bag, count)
    if per_sample_weights is not None:
        flat = shape_ops.reshape(per_sample_weights, shape=(-1, 1))
        taken = elementwise.mul(taken, indexing.take_rows(flat, index=places, axis=0))
    total = indexing.index_put_rows(taken, index=bag, axis=0, shape=(count, width))
    if mode == "sum":
        return total
    sizes = np.maximum(np.bincount(bag, minlength=count), 1)
    return elementwise.div(total, sizes[:, None].astype(weight._array.dtype))


def _largest(taken: Any, bag: Array, count: int) -> Tensor:
    """The first largest row of each bag in each column; zeros for an empty bag."""
    values = taken._array
    ends = np.searchsorted(bag, np.arange(count + 1))
    won = np.zeros((count, values.shape[1]), np.int64)
    for i in range(count):
        if ends[i + 1] > ends[i]:
            won[i] = ends[i] + values[ends[i] : ends[i + 1]].argmax(0)
    filled = np.broadcast_to((ends[1:] > ends[:-1])[:, None], won.shape)
    if not len(values):
        return indexing.index_put_rows(taken, index=bag, axis=0, shape=won.shape)
    return elementwise.mask(indexing.gather(taken, index=won, axis=0), mask=filled)
