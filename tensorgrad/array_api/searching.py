"""Finding, sorting, taking, and the sets of an array's values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tensorgrad.array_api.dtypes import ANY, BOOL, INTEGER, REAL, array, together
from tensorgrad.functions import indexing as functions
from tensorgrad.functions import sorting
from tensorgrad.functions.shape import reshape, wrap_dim
from tensorgrad.graph.node import wrap
from tensorgrad.ops import elementwise, indexing
from tensorgrad.ops import reduction as ops

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "argmax", "argmin", "argsort", "nonzero", "searchsorted", "sort", "take", "take_along_axis",
    "unique_all", "unique_counts", "unique_inverse", "unique_values", "where",
]  # fmt: skip


def argmax(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the first maximum along an axis, or in the flattened array."""
    return ops.argmax(array("argmax", x, REAL), axis=axis, keepdims=keepdims)


def argmin(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the first minimum along an axis, or in the flattened array."""
    return ops.argmin(array("argmin", x, REAL), axis=axis, keepdims=keepdims)


def nonzero(x: Tensor, /) -> tuple[Tensor, ...]:
    """Where x is not 0: a vector of indices for each dimension."""
    if not array("nonzero", x, ANY)._array.ndim:
        raise ValueError("nonzero: a 0-d array has no indices; reshape it to (1,)")
    return tuple(wrap(i) for i in np.nonzero(x._array))


def searchsorted(
    x1: Tensor, x2: Any, /, *, side: str = "left", sorter: Tensor | None = None
) -> Tensor:
    """Where the values x2 would be inserted into the sorted vector x1 to keep it sorted."""
    x1, x2 = together("searchsorted", x1, x2, kinds=REAL)
    if x1._array.ndim != 1:
        raise ValueError(f"searchsorted: x1 must be a vector, got shape {tuple(x1.shape)}")
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right', got {side!r}")
    if sorter is not None:
        array("searchsorted", sorter, INTEGER)
    return sorting.searchsorted(x1, x2, side=side, sorter=sorter)


def where(condition: Tensor, x1: Any, x2: Any, /) -> Tensor:
    """x1 where the condition holds, else x2."""
    array("where", condition, BOOL)
    a, b = together("where", x1, x2)
    return elementwise.where(condition, a, b)


def sort(x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """Sorted along an axis, always stably; NaN counts as the largest."""
    return sorting.sort(array("sort", x, REAL), axis, descending, stable).values  # type: ignore[no-any-return]


def argsort(
    x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True
) -> Tensor:
    """The indices that sort along an axis, always stably; NaN counts as the largest."""
    return sorting.argsort(array("argsort", x, REAL), axis, descending, stable)


def take(x: Tensor, indices: Tensor, /, *, axis: int | None = None) -> Tensor:
    """The slices at integer positions along an axis, which vectors need not name."""
    array("take", x)
    places = array("take", indices, INTEGER)._array
    if places.ndim != 1:
        raise ValueError(f"take: indices must be a vector, got shape {places.shape}")
    if axis is None:
        if x._array.ndim != 1:
            raise ValueError(f"take: axis must be given for an array of {x._array.ndim} dimensions")
        axis = 0
    return indexing.take_rows(x, index=places.astype(np.int64), axis=wrap_dim(axis, x.ndim))


def take_along_axis(x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """Along an axis the element that ``indices`` names at each place; the other axes broadcast."""
    array("take_along_axis", x)
    places = array("take_along_axis", indices, INTEGER)._array.astype(np.int64)
    if places.ndim != x._array.ndim:
        raise ValueError(
            f"take_along_axis: x and indices must have as many dimensions, got {x._array.ndim} and "
            f"{places.ndim}"
        )
    size = x._array.shape[wrap_dim(axis, x._array.ndim)]
    return functions.take_along_dim(x, wrap(np.where(places < 0, places + size, places)), axis)


class unique_all_(NamedTuple):
    """Values, their first places in the flattened array, and where each element went."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class unique_counts_(NamedTuple):
    """Values and how often each occurs."""

    values: Tensor
    counts: Tensor


class unique_inverse_(NamedTuple):
    """Values and, in the array's shape, which of them each element is."""

    values: Tensor
    inverse_indices: Tensor


def unique_all(x: Tensor, /) -> unique_all_:
    """The different values in order (each NaN is one of its own), first places, inverse, counts.

    The gradient of a value goes to its first place.
    """
    data = array("unique_all", x)._array
    _, first, inverse, counts = np.unique(
        data, return_index=True, return_inverse=True, return_counts=True, equal_nan=False
    )
    values = indexing.take_rows(reshape(x, (-1,)), index=first, axis=0)
    whole = (wrap(i.astype(np.int64)) for i in (first, inverse.reshape(data.shape), counts))
    return unique_all_(values, *whole)


def unique_counts(x: Tensor, /) -> unique_counts_:
    """The different values in order and how often each occurs."""
    found = unique_all(x)
    return unique_counts_(found.values, found.counts)


def unique_inverse(x: Tensor, /) -> unique_inverse_:
    """The different values in order and which of them each element is."""
    found = unique_all(x)
    return unique_inverse_(found.values, found.inverse_indices)


def unique_values(x: Tensor, /) -> Tensor:
    """The different values in order."""
    return unique_all(x).values
