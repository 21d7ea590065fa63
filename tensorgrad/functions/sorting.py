"""Order: sorting, the largest k, searching, counting what is there."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tensorgrad.batching import Batch, contiguous, each_example
from tensorgrad.functions.shape import reshape, wrap_dim
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.ops import elementwise, indexing
from tensorgrad.ops.kinds import refuse_complex
from tensorgrad.return_types import returned_by

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "argsort",
    "bincount",
    "bucketize",
    "histc",
    "kthvalue",
    "msort",
    "searchsorted",
    "sort",
    "topk",
    "unique",
    "unique_consecutive",
]


@returned_by("sort")
class sort_(NamedTuple):
    """Sorted values and where each came from."""

    values: Tensor
    indices: Tensor


@returned_by("topk")
class topk_(NamedTuple):
    """The largest (or smallest) values and where each came from."""

    values: Tensor
    indices: Tensor


@returned_by("kthvalue")
class kthvalue_(NamedTuple):
    """The k-th smallest values and where each came from."""

    values: Tensor
    indices: Tensor


def stable_order(array: Any, axis: int, descending: bool) -> Any:
    """Stable order along an axis, NaN counting as the largest."""
    refuse_complex("sort", array)
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    if not descending:
        return np.argsort(array, axis=axis, kind="stable")
    # Reversing a stable ascending order would reverse ties: reverse before and after instead.
    turned = np.argsort(np.flip(array, axis), axis=axis, kind="stable")
    return array.shape[axis] - 1 - np.flip(turned, axis)


def _picked(input: Tensor, places: Any, axis: int) -> Tensor:
    if input.ndim == 0:
        return elementwise.clone(input)
    return indexing.gather(input, index=contiguous(places), axis=axis)


def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """(values, indices) in order along a dimension; always stable, NaN last."""
    axis = wrap_dim(dim, input.ndim)
    if input.ndim == 0:
        return sort_(elementwise.clone(input), wrap(np.zeros((), np.int64)))
    places = stable_order(input._array, axis, descending)
    return sort_(_picked(input, places, axis), wrap(contiguous(places)))


def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The indices that sort along a dimension; always stable."""
    axis = wrap_dim(dim, input.ndim)
    if input.ndim == 0:
        return wrap(np.zeros((), np.int64))
    return wrap(contiguous(stable_order(input._array, axis, descending)))


def msort(input: Tensor) -> Tensor:
    """Sorted along dimension 0."""
    found: Tensor = sort(input, 0).values
    return found


def _no_bool(name: str, input: Tensor) -> None:
    if input._array.dtype == np.bool_ and (input.ndim or name == "topk"):
        raise RuntimeError(f"{name} does not support bool tensors; convert with .int()")


def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The k largest (or smallest) along a dimension, in order: (values, indices)."""
    _no_bool("topk", input)
    axis = wrap_dim(dim, input.ndim)
    size = input._array.shape[axis] if input.ndim else 1
    if not 0 <= k <= size:
        raise RuntimeError(f"selected index k out of range: topk with k={k} of {size}")
    if input.ndim == 0:
        return topk_(elementwise.clone(input), wrap(np.zeros((), np.int64)))
    places = np.take(stable_order(input._array, axis, largest), np.arange(k), axis=axis)
    return topk_(_picked(input, places, axis), wrap(contiguous(places)))


def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The k-th smallest (from 1) along a dimension: (values, indices)."""
    _no_bool("kthvalue", input)
    axis = wrap_dim(dim, input.ndim)
    size = input._array.shape[axis] if input.ndim else 1
    if not 1 <= k <= size:
        raise RuntimeError(
            f"kthvalue(): selected number k out of range for dimension {axis}: {k} of {size}"
        )
    if input.ndim == 0:
        return kthvalue_(elementwise.clone(input), wrap(np.zeros((), np.int64)))
    places = np.take(stable_order(input._array, axis, False), [k - 1], axis=axis)
    values, where = _picked(input, places, axis), wrap(contiguous(places))
    if keepdim:
        return kthvalue_(values, where)
    shape = tuple(n for i, n in enumerate(input._array.shape) if i != axis)
    return kthvalue_(reshape(values, shape), reshape(where, shape))


# --- Searching -------------------------------------------------------------------------------


def _side(right: bool, side: str | None, name: str) -> str:
    if side not in (None, "left", "right"):
        raise RuntimeError(f"{name}: side can only be 'left' or 'right' but got {side}")
    if right and side == "left":
        raise RuntimeError(f"{name}: side and right can't be set to opposites")
    return "right" if right or side == "right" else "left"


def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Where values would be inserted to keep the last dimension of a sequence sorted."""
    where: Any = _side(right, side, "searchsorted")
    edges = sorted_sequence._array
    if sorter is not None:
        edges = np.take_along_axis(edges, sorter._array, axis=-1)
    values = input._array if isinstance(input, TensorBase) else np.asarray(input)
    refuse_complex("searchsorted", edges, values)
    kind = np.int32 if out_int32 else np.int64
    if edges.ndim != 1 and edges.shape[:-1] != values.shape[:-1]:
        raise RuntimeError(
            "searchsorted: boundaries tensor should be 1 dimension or the first N-1 dimensions of "
            f"boundaries tensor and input value tensor must match, but we got boundaries tensor "
            f"{list(edges.shape)} and input value tensor {list(values.shape)}"
        )

    def places(edges: Any, values: Any) -> Any:
        if edges.ndim == 1:
            return np.asarray(np.searchsorted(edges, values, side=where)).astype(kind)
        found = np.empty(values.shape, kind)
        for place in np.ndindex(*edges.shape[:-1]):
            found[place] = np.searchsorted(edges[place], values[place], side=where)
        return found

    return wrap(each_example(places, edges, values))


def bucketize(
    input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False
) -> Tensor:
    """The number of the interval between sorted boundaries that holds each value."""
    if boundaries.ndim != 1:
        raise RuntimeError(
            f"bucketize: boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})"
        )
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


# --- Counting --------------------------------------------------------------------------------


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each whole number from 0 occurs, or the sum of its weights."""
    array = input._array
    if array.ndim != 1 or array.dtype.kind not in "iu" or (array.size and array.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and weights._array.shape != array.shape:
        raise RuntimeError("bincount: weights should be 1-d and have the same length as input")
    given = None if weights is None else weights._array
    if isinstance(array, Batch):
        array.refuse("bincount")
    counted = np.bincount(array, given, minlength)
    if given is not None and given.dtype == np.float32:
        return wrap(counted.astype(np.float32))
    return wrap(counted)


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """Counts in equal intervals from min to max; from the data's own when both are 0."""
    array = input._array
    if array.dtype.kind != "f":
        raise RuntimeError(f"histc: expected a floating-point tensor, got {array.dtype}")
    if bins <= 0:
        raise RuntimeError("bins must be > 0")

    def counted(array: Any) -> Any:
        low, high = float(min), float(max)
        if low == high == 0 and array.size:
            low, high = float(array.min()), float(array.max())
        if low == high:
            low, high = low - 1, high + 1
        if low > high:
            raise RuntimeError("max must be larger than min")
        inside = array[(array >= low) & (array <= high)]
        return np.histogram(inside, bins, (low, high))[0].astype(array.dtype)

    return wrap(each_example(counted, array))


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different elements, in order (of slices along ``dim``), with where and how often."""
    axis = None if dim is None else wrap_dim(dim, input.ndim)
    values, inverse, counts = np.unique(
        input._array, return_inverse=True, return_counts=True, axis=axis
    )
    inverse = inverse.reshape(input._array.shape) if axis is None else inverse.reshape(-1)
    return _several(values, inverse, counts, return_inverse, return_counts)


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements (or slices along ``dim``) with repeats that follow each other taken out."""
    array = input._array.reshape(-1) if dim is None else input._array
    if isinstance(array, Batch):
        array.refuse("unique_consecutive")
    axis = 0 if dim is None else wrap_dim(dim, input.ndim)
    size = array.shape[axis]
    others = prod(n for i, n in enumerate(array.shape) if i != axis)
    rows = np.moveaxis(array, axis, 0).reshape(size, others)
    new = np.ones(size, bool)
    new[1:] = np.any(rows[1:] != rows[:-1], axis=1)
    starts = np.flatnonzero(new)
    inverse = np.cumsum(new) - 1
    if dim is None:
        inverse = inverse.reshape(input._array.shape)
    counts = np.diff(np.append(starts, size))
    return _several(np.take(array, starts, axis), inverse, counts, return_inverse, return_counts)


def _several(values: Any, inverse: Any, counts: Any, with_inverse: bool, with_counts: bool) -> Any:
    found = [wrap(values)]
    if with_inverse:
        found.append(wrap(inverse.astype(np.int64)))
    if with_counts:
        found.append(wrap(counts.astype(np.int64)))
    return found[0] if len(found) == 1 else tuple(found)
