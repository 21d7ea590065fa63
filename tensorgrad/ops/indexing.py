"""Indexing: getitem and its adjoint, gather and its adjoint."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from tensorgrad.batching import Batch, each_example, indexing
from tensorgrad.ops.kinds import still
from tensorgrad.primitive import primitive

_CHOICES = (ndarray, Batch, list, bool, np.bool_)


def is_basic(index: tuple[Any, ...]) -> bool:
    """Whether an index gives a view: no arrays in it."""
    for part in index:
        kind = type(part)
        if kind is not slice and kind is not int and isinstance(part, _CHOICES):
            return False
    return True


@primitive(
    lambda xp, g, y, x, *, index: xp.put(g, index=index, shape=x.shape),
    formula="put(g, x, index)",
    view=True,
    batch=indexing.getitem,
)
def getitem(x: Any, *, index: tuple[Any, ...]) -> Any:
    """x[index] with NumPy's and PyTorch's rules; a view for a basic index."""
    for part in index:
        kind = type(part)
        if part is Ellipsis or (
            kind is not slice and kind is not int and isinstance(part, _CHOICES)
        ):
            break
    else:
        return x[(*index, Ellipsis)]  # the Ellipsis makes even a single element a view
    return x[index]


@primitive(
    lambda xp, g, y, x, *, index, shape: xp.getitem(g, index=index),
    formula="g[index]",
    batch=indexing.put,
)
def put(x: Any, *, index: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """Zeros of a shape with x added at an index: the adjoint of getitem."""
    out = np.zeros(shape, x.dtype)
    if is_basic(index):
        out[index] = x
    elif all(part is Ellipsis or isinstance(part, slice) or _is_mask(part) for part in index):
        out[index] = x  # a mask names every place once
    else:
        np.add.at(out, index, x)
    return out


def _is_mask(part: Any) -> bool:
    return isinstance(part, ndarray) and part.dtype == np.bool_


def _kept(xp: Any, g: Any, y: Any, x: Any, v: Any, *, index: tuple[Any, ...]) -> Any:
    return xp.mask(g, mask=each_example(lambda places: _not_at(g.shape, places), index))


def _not_at(shape: tuple[int, ...], index: tuple[Any, ...]) -> Any:
    outside = np.ones(shape, bool)
    outside[index] = False
    return outside


def _written(xp: Any, g: Any, y: Any, x: Any, v: Any, *, index: tuple[Any, ...]) -> Any:
    """Of several values written to one place the last one stays, and has the gradient."""
    part = xp.getitem(g, index=index)
    return xp.mask(part, mask=each_example(lambda i: _is_last(g.shape, part.shape, i), index))


def _is_last(shape: tuple[int, ...], taken: tuple[int, ...], index: tuple[Any, ...]) -> Any:
    order = np.arange(prod(taken)).reshape(taken)
    last = np.zeros(shape, np.int64)
    last[index] = order
    return last[index] == order


@primitive(
    _kept,
    _written,
    formula=("blank(g, index)", "g[index] * [last(index, x)]"),
    batch=indexing.index_fill,
)
def index_fill(x: Any, v: Any, *, index: tuple[Any, ...]) -> Any:
    """x with v, broadcast, in place of the elements at an index."""
    out = x.copy(order="K")
    out[index] = v
    return out


def _along(shape: tuple[int, ...], index: Any, axis: int) -> tuple[Any, ...]:
    """The full integer index that takes, at each place, element index[place] along one axis."""
    grid = np.ogrid[tuple(slice(n) for n in index.shape)]
    return tuple(index if i == axis else part for i, part in enumerate(grid))


@primitive(
    lambda xp, g, y, x, *, index, axis: xp.scatter_add(g, index=index, axis=axis, shape=x.shape),
    formula="scatter(g, x, index, axis)",
    batch=indexing.gather,
)
def gather(x: Any, *, index: Any, axis: int) -> Any:
    """out[.., i, ..] = x[.., index[.., i, ..], ..]: one element along an axis for each place."""
    if x.ndim == 0:
        return x.reshape(1)[index]
    return x[_along(x.shape, index, axis % x.ndim)]


@primitive(
    lambda xp, g, y, x, *, index, axis, shape: xp.gather(g, index=index, axis=axis),
    formula="gather(g, index, axis)",
    batch=indexing.scatter_add,
)
def scatter_add(x: Any, *, index: Any, axis: int, shape: tuple[int, ...]) -> Any:
    """Zeros of a shape with x added at the places gather would read: gather's adjoint."""
    out = np.zeros(shape, x.dtype)
    if not shape:
        return out + np.add.reduce(x, axis=None, dtype=x.dtype)  # not int64 for int8
    np.add.at(out, _along(shape, index, axis % len(shape)), x)
    return out


@primitive(
    lambda xp, g, y, x, *, index, axis: xp.index_put_rows(g, index=index, axis=axis, shape=x.shape),
    formula="put_slices(g, x, index, axis)",
    batch=indexing.take_rows,
)
def take_rows(x: Any, *, index: Any, axis: int) -> Any:
    """Whole slices at integer positions along an axis: index_select, embedding."""
    return x.take(index, axis=axis)


def _continued_rule(xp: Any, g: Any, y: Any, x: Any, *, index: Any, axis: int) -> Any:
    return still(xp, xp.index_put_rows(g, index=index, axis=axis, shape=x.shape), x)


@primitive(_continued_rule, formula="put_slices(g, x, index, axis)", batch=indexing.take_rows)
def continue_edges(x: Any, *, index: Any, axis: int) -> Any:
    """`take_rows` for padding with x's own slices, with a gradient that may be differentiated."""
    return x.take(index, axis=axis)


@primitive(
    lambda xp, g, y, x, *, index, axis, shape: xp.take_rows(g, index=index, axis=axis),
    formula="take(g, index, axis)",
    batch=indexing.put_rows,
)
def index_put_rows(x: Any, *, index: Any, axis: int, shape: tuple[int, ...]) -> Any:
    """Zeros of a shape with x's slices added at positions along an axis: take_rows' adjoint."""
    out = np.zeros(shape, x.dtype)
    moved = np.moveaxis(out, axis, 0)
    source = np.moveaxis(x, tuple(range(axis, axis + index.ndim)), tuple(range(index.ndim)))
    if source.size < 4096:
        np.add.at(moved, index, source)
        return out
    # Sorted, the slices of one position are neighbours, and are summed by one call: four times
    # faster than add.at for the rows of an embedding.
    places = index.reshape(-1) % len(moved)
    order = np.argsort(places, kind="stable")
    places = places[order]
    first = np.flatnonzero(np.concatenate([[True], places[1:] != places[:-1]]))
    parts = source.reshape(index.size, *moved.shape[1:])[order]
    moved[places[first]] = np.add.reduceat(parts, first, axis=0)
    return out
