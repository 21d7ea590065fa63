"""Medians, quantiles, running extremes and products, differences, NaN-blind sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tensorgrad.batching import Batch, contiguous, each_example
from tensorgrad.dtypes import default_float
from tensorgrad.functions.reduction import as_asked, axis_of
from tensorgrad.functions.shape import permute, reshape, wrap_dim
from tensorgrad.functions.sorting import stable_order
from tensorgrad.graph.node import wrap
from tensorgrad.graph.provenance import warn
from tensorgrad.ops import elementwise, indexing, kinks, reduction
from tensorgrad.ops import shape as shapes
from tensorgrad.ops import softmax as soft
from tensorgrad.ops.kinds import refuse_kinds
from tensorgrad.ops.reduction import axes_of
from tensorgrad.return_types import returned_by

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "aminmax",
    "corrcoef",
    "cov",
    "cummax",
    "cummin",
    "cumprod",
    "diff",
    "logcumsumexp",
    "median",
    "mode",
    "nanmean",
    "nanmedian",
    "nansum",
]


@returned_by("median")
class median_(NamedTuple):
    """Medians along a dimension and where each stands."""

    values: Tensor
    indices: Tensor


@returned_by("nanmedian")
class nanmedian_(NamedTuple):
    """Medians of the numbers along a dimension and where each stands."""

    values: Tensor
    indices: Tensor


@returned_by("mode")
class mode_(NamedTuple):
    """The commonest values along a dimension and where each stands last."""

    values: Tensor
    indices: Tensor


@returned_by("cummax")
class cummax_(NamedTuple):
    """Running maxima along a dimension and where each stands."""

    values: Tensor
    indices: Tensor


@returned_by("cummin")
class cummin_(NamedTuple):
    """Running minima along a dimension and where each stands."""

    values: Tensor
    indices: Tensor


@returned_by("aminmax")
class aminmax_(NamedTuple):
    """Minimum and maximum."""

    min: Tensor
    max: Tensor


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """(min, max), of all elements or along a dimension; ties share the gradient."""
    if dim is None and not input._array.size:
        raise RuntimeError("aminmax(): an empty tensor has no least element; give a dim")
    axis = axis_of(dim)
    return aminmax_(
        reduction.amin(input, axis=axis, keepdims=keepdim),
        reduction.amax(input, axis=axis, keepdims=keepdim),
    )


# --- One of the elements -----------------------------------------------------------------------


def _element(input: Tensor, places: Any, axis: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    """The elements at ``places`` along an axis (kept as size 1), and the places."""
    if input.ndim == 0:
        return elementwise.clone(input), wrap(np.zeros((), np.int64))
    values = indexing.gather(input, index=places, axis=axis)
    where = wrap(places.astype(np.int64))
    if keepdim:
        return values, where
    shape = tuple(n for i, n in enumerate(input._array.shape) if i != axis)
    return reshape(values, shape), reshape(where, shape)


def _median(input: Tensor, dim: Any, keepdim: bool, blind: bool, name: str) -> Any:
    refuse_kinds(name, "b", input)
    if dim is None:
        flat = reshape(input, (-1,))
        if not flat._array.size:
            return wrap(np.asarray(np.nan, input._array.dtype))
        value = _median(flat, 0, False, blind, name).values
        if isinstance(flat._array, Batch):  # each example has as many ties as it has
            return value
        same = flat._array == value._array
        ties = np.flatnonzero(same if same.any() else np.isnan(flat._array))
        return reduction.amax(  # which shares the gradient evenly, as PyTorch does
            indexing.take_rows(flat, index=ties, axis=0), axis=None, keepdims=False
        )
    axis = wrap_dim(dim, input.ndim)
    array = input._array
    made = nanmedian_ if blind else median_
    if input.ndim == 0:
        return made(*_element(input, None, 0, keepdim))
    if not array.shape[axis]:
        raise IndexError(f"{name}(): Expected reduction dim {axis} to have non-zero size.")
    places = each_example(lambda array: _middle(array, axis, blind), array)
    return made(*_element(input, places, axis, keepdim))


def _middle(array: Any, axis: int, blind: bool) -> Any:
    """The places of the lower medians; any NaN is it, unless NaN are to be overlooked."""
    order = stable_order(array, axis, False)  # NaN last
    nans = np.isnan(array).sum(axis, keepdims=True) if array.dtype.kind == "f" else 0
    size = array.shape[axis]
    middle = np.broadcast_to(
        np.asarray((size - 1) // 2), [1 if i == axis else n for i, n in enumerate(array.shape)]
    )
    if np.any(nans):
        valid = np.maximum(size - nans, 1)
        middle = (valid - 1) // 2 if blind else np.where(nans > 0, size - nans, middle)
    return np.take_along_axis(order, np.asarray(middle), axis)


def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower median of all elements, or (values, indices) along a dimension."""
    return _median(input, dim, keepdim, False, "median")


def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """As `median`, overlooking NaN."""
    return _median(input, dim, keepdim, True, "nanmedian")


def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """The commonest value along a dimension, the smallest of several: (values, indices)."""
    axis = wrap_dim(dim, input.ndim)
    array = np.moveaxis(input._array, axis, -1) if input.ndim else input._array
    if input.ndim == 0:
        return mode_(*_element(input, None, 0, keepdim))
    if not array.shape[-1]:
        raise IndexError(f"mode(): Expected reduction dim {axis} to have non-zero size.")
    places = each_example(_commonest, array)
    return mode_(*_element(input, np.moveaxis(places, -1, axis), axis, keepdim))


def _commonest(array: Any) -> Any:
    places = np.empty((*array.shape[:-1], 1), np.int64)
    for row in np.ndindex(*array.shape[:-1]):
        values, counts = np.unique(array[row], return_counts=True)
        places[(*row, 0)] = np.flatnonzero(array[row] == values[counts.argmax()])[-1]
    return places


def _running(input: Tensor, dim: int, better: Any, kind: Any) -> Any:
    axis = wrap_dim(dim, input.ndim)
    if input.ndim == 0:
        return kind(elementwise.clone(input), wrap(np.zeros((), np.int64)))
    places = each_example(lambda array: _bests(np.moveaxis(array, axis, 0), better), input._array)
    back = contiguous(np.moveaxis(places, 0, axis))
    return kind(indexing.gather(input, index=back, axis=axis), wrap(back))


def _bests(array: Any, better: Any) -> Any:
    """The place of the best element so far, along the first axis."""
    places = np.zeros(array.shape, np.int64)
    for i in range(1, len(array)):  # the later of equal values counts, and NaN stays
        held = np.take_along_axis(array, places[i - 1][None], 0)[0]
        newer = better(array[i], held)
        if array.dtype.kind == "f":
            newer |= np.isnan(array[i])
            newer &= ~(np.isnan(held) & ~np.isnan(array[i]))
        places[i] = np.where(newer, i, places[i - 1])
    return places


def cummax(input: Tensor, dim: int) -> Any:
    """The running maximum along a dimension: (values, indices)."""
    return _running(input, dim, np.greater_equal, cummax_)


def cummin(input: Tensor, dim: int) -> Any:
    """The running minimum along a dimension: (values, indices)."""
    return _running(input, dim, np.less_equal, cummin_)


# --- Sums and products -------------------------------------------------------------------------


def nansum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum, NaN counting as 0."""
    refuse_kinds("nansum", "c", input)
    x = input if dtype is None else input.to(dtype)
    if x._array.dtype.kind == "f":
        x = elementwise.where(np.isnan(x._array), 0, x)
    return as_asked(reduction.sum(x, axis=axis_of(dim), keepdims=keepdim), dtype)


def nanmean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of what is not NaN."""
    x = input if dtype is None else input.to(dtype)
    if x._array.dtype.kind != "f":
        raise RuntimeError(f"nanmean(): expected input to have floating point dtype, got {x.dtype}")
    axes = axes_of(axis_of(dim), x.ndim)
    numbers: Any = ~np.isnan(x._array)
    count = numbers.sum(axis=axes, keepdims=keepdim).astype(x._array.dtype)
    return elementwise.div(nansum(x, dim, keepdim), count)


def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The running product along a dimension."""
    x = input if dtype is None else input.to(dtype)
    axis = wrap_dim(dim, x.ndim)
    if x.ndim == 0:
        whole = x._array.dtype.kind in "biu"
        found = elementwise.astype(x, dtype=np.int64) if whole else elementwise.clone(x)
        return as_asked(found, dtype)
    if not x.requires_grad or np.all(x._array):
        return as_asked(reduction.cumprod(x, axis=axis), dtype)
    # Zeros: every prefix as a row of its own, whose product has a gradient without a division.
    square = _prefixes(x, axis, 1)
    return _back(reduction.prod(square, axis=-1, keepdims=False), axis)


def _prefixes(x: Tensor, axis: int, blank: float) -> Tensor:
    """(..., n, n): row i holds the first i + 1 elements along an axis, ``blank`` in the rest."""
    size = x._array.shape[axis]
    moved = permute(x, [*(i for i in range(x.ndim) if i != axis), axis])
    square = shapes.broadcast_to(
        indexing.getitem(moved, index=(Ellipsis, None, slice(None))),
        shape=(*moved._array.shape[:-1], size, size),
    )
    below = np.tril(np.ones((size, size), bool))
    return elementwise.where(np.broadcast_to(below, square._array.shape), square, blank)


def _back(x: Tensor, axis: int) -> Tensor:
    """The last axis moved to where it came from."""
    order = list(range(x.ndim - 1))
    order.insert(axis, x.ndim - 1)
    return permute(x, order)


def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """log of the running sum of exponentials along a dimension, stable."""
    refuse_kinds("logcumsumexp", "biu", input)
    axis = wrap_dim(dim, input.ndim)
    if input.ndim == 0:
        return elementwise.clone(input)
    size = input._array.shape[axis]
    if not size:
        return elementwise.clone(input)
    # A running maximum of its own for every prefix keeps it stable.
    total = soft.logsumexp(_prefixes(input, axis, -np.inf), axis=-1, keepdims=False)
    return _back(total, axis)


def diff(
    input: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Tensor:
    """n times the difference of neighbours along a dimension."""
    if input.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    axis = wrap_dim(dim, input.ndim)
    # No difference, nothing before or after: PyTorch and NumPy return the input.
    parts = [t for t in (prepend, input, append) if t is not None] if n else [input]
    out = shapes.cat(*parts, axis=axis) if len(parts) > 1 else elementwise.clone(input)
    head = (slice(None),) * axis
    for _ in range(n):
        if out._array.shape[axis] == 0:
            break
        later = indexing.getitem(out, index=(*head, slice(1, None)))
        earlier = indexing.getitem(out, index=(*head, slice(None, -1)))
        subtract = elementwise.logical_xor if out._array.dtype.kind == "b" else elementwise.sub
        out = subtract(later, earlier)
    return out


# --- Covariance --------------------------------------------------------------------------------


def cov(
    input: Tensor,
    *,
    correction: int = 1,
    fweights: Tensor | None = None,
    aweights: Tensor | None = None,
) -> Tensor:
    """The covariance matrix of variables (rows) over observations (columns)."""
    if input.ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got {input.ndim}"
        )
    if input._array.dtype == np.bool_:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    x = reshape(input, (1, -1)) if input.ndim < 2 else input
    if aweights is not None and x._array.dtype.kind in "iu":
        x = elementwise.astype(x, dtype=aweights._array.dtype)
    elif x._array.dtype.kind in "iu":
        x = elementwise.astype(x, dtype=default_float())
    for name, given, kinds in (("fweights", fweights, "iu"), ("aweights", aweights, "f")):
        if given is None:
            continue
        array = given._array
        if array.dtype.kind not in kinds:
            wanted = "integral" if kinds == "iu" else "floating point"
            raise RuntimeError(f"cov(): expected {name} to have {wanted} dtype, got {given.dtype}")
        if array.shape != (x._array.shape[1],):
            raise RuntimeError("cov(): expected one weight per observation")
        if not isinstance(array, Batch) and array.size and array.min() < 0:
            raise RuntimeError(f"cov(): {name} cannot be negative")
    weights: Any = fweights
    if aweights is not None:
        weights = aweights if fweights is None else elementwise.mul(fweights, aweights)
    count = x._array.shape[1]
    norm: Any = count - correction
    if weights is None:
        mean = reduction.mean(x, axis=(1,), keepdims=True)
    else:
        total = reduction.sum(weights, axis=None, keepdims=False)
        mean = elementwise.div(
            reduction.sum(elementwise.mul(x, weights), axis=(1,), keepdims=True), total
        )
        spread: Any = 1
        if aweights is not None and correction:
            squares = elementwise.mul(weights, aweights)
            spread = elementwise.div(reduction.sum(squares, axis=None, keepdims=False), total)
        norm = elementwise.sub(total, elementwise.mul(spread, correction)) if correction else total
    free = norm if weights is None else norm._array
    if not isinstance(free, Batch) and free <= 0:  # each example of vmap has its own
        warn(
            "cov(): degrees of freedom is <= 0. Correction should be strictly less than the "
            f"number of observations, but {count} observations and a correction of {correction} "
            "were given."
        )
    centred = elementwise.sub(x, mean)
    weighed = centred if weights is None else elementwise.mul(centred, weights)
    across = permute(centred, (1, 0))
    product = weighed @ (elementwise.conj(across) if _complex(x) else across)
    divisor = float(max(norm, 0)) if weights is None else kinks.relu(norm)
    out = elementwise.div(product, divisor)
    return reshape(out, ()) if x._array.shape[0] == 1 else out


def _complex(x: Tensor) -> bool:
    return bool(x._array.dtype.kind == "c")


def corrcoef(input: Tensor) -> Tensor:
    """The matrix of correlation coefficients of variables (rows)."""
    c = cov(input)
    if c.ndim == 0:
        return elementwise.div(c, c)
    places = np.arange(c._array.shape[0])
    deviation = elementwise.sqrt(indexing.getitem(c, index=(places, places)))
    return elementwise.div(
        elementwise.div(c, reshape(deviation, (-1, 1))), reshape(deviation, (1, -1))
    )
