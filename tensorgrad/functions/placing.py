"""Writing and reading at places of the flattened tensor, under a mask, and whole slices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.batching import everything
from tensorgrad.functions.indexing import index_of, mask_of, taken_shape, whole_index
from tensorgrad.functions.scattering import index_put
from tensorgrad.functions.shape import broadcast_shapes, broadcast_to, reshape, wrap_dim
from tensorgrad.graph.node import wrap
from tensorgrad.ops import elementwise, indexing

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["masked_scatter", "put", "select_scatter", "slice_scatter", "take"]


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """input with the first elements of source, in order, where the mask holds.

    input and mask are broadcast to one shape.
    """
    held = mask_of(mask, "masked_scatter")
    input = broadcast_to(input, broadcast_shapes(input.shape, held.shape))
    held = np.broadcast_to(held, input._array.shape)
    order = np.add.accumulate(held.reshape((-1,)).astype(np.int64), axis=0)
    count = int(order.max(initial=0))
    if source._array.dtype != input._array.dtype:
        raise RuntimeError("masked_scatter: expected self and source to have same dtypes")
    if source._array.size < count:
        raise RuntimeError(
            f"masked_scatter: Expected source to have at least {count} elements, got "
            f"{source._array.size}"
        )
    if not count:
        return elementwise.clone(input)
    index = np.maximum(order - 1, 0).reshape(input._array.shape)
    taken = indexing.take_rows(reshape(source, (-1,)), index=index, axis=0)
    return elementwise.where(held, taken, input)


def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements of the flattened input at integer positions, in index's shape."""
    places = _flat_places("take", input, index)
    return indexing.take_rows(reshape(input, (-1,)), index=places, axis=0)


def _flat_places(name: str, input: Tensor, index: Tensor) -> Any:
    """Positions in the flattened input, none negative; IndexError for those outside."""
    places = whole_index(index, name)
    size = input._array.size
    if places.size and not (-size <= places.min() and places.max() < size):
        seen = everything(places)
        wrong = seen[(seen < -size) | (seen >= size)].flat[0]
        raise IndexError(f"{name}(): index {wrong} is out of range for a tensor of {size} elements")
    return places % max(size, 1)


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """input, taken as flat, with source written or added at integer positions."""
    places = _flat_places("put_", input, index).reshape(-1)
    if places.size != source._array.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got "
            f"{source._array.size} and {places.size}"
        )
    flat, given = reshape(input, (-1,)), reshape(source, (-1,))
    out = index_put(flat, (wrap(places),), given, accumulate)
    return reshape(out, input._array.shape)


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """input with src in place of one slice along ``dim``."""
    axis = wrap_dim(dim, input.ndim)
    place = index_of((slice(None),) * axis + (int(index),), input._array.shape)
    _same(src, taken_shape(input._array.shape, place), "select_scatter")
    return indexing.index_fill(input, src, index=place)


def slice_scatter(
    input: Tensor,
    src: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Tensor:
    """input with src in place of a range of slices along ``dim``."""
    axis = wrap_dim(dim, input.ndim)
    place = index_of((slice(None),) * axis + (slice(start, end, step),), input._array.shape)
    _same(src, taken_shape(input._array.shape, place), "slice_scatter")
    return indexing.index_fill(input, src, index=place)


def _same(src: Tensor, shape: tuple[int, ...], name: str) -> None:
    if src._array.shape != shape:
        raise RuntimeError(
            f"{name}: expected src to have a size equal to the slice of self. src size = "
            f"{list(src.shape)}, slice size = {list(shape)}"
        )
