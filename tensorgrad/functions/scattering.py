"""Writing at indices, out of place: scatter, index_*, masked_scatter, put."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.batching import each_example
from tensorgrad.functions.indexing import check_within, index_of, taken_shape, whole_index
from tensorgrad.functions.shape import reshape, wrap_dim
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.ops import elementwise, indexing, reduction
from tensorgrad.scalars import element

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "index_add",
    "index_copy",
    "index_fill",
    "index_put",
    "index_reduce",
    "scatter",
    "scatter_add",
    "scatter_reduce",
]


def _places(name: str, input: Tensor, dim: int, index: Tensor, src: Any) -> tuple[int, Any, Any]:
    """The axis, the integer index, and the part of ``src`` that it covers (or the number)."""
    axis = wrap_dim(dim, input.ndim)
    places = whole_index(index, name)
    if places.ndim != input.ndim and not (input.ndim == 0 or places.ndim == 0):
        raise RuntimeError(
            f"{name}(): Index tensor must have the same number of dimensions as self tensor, got "
            f"{places.ndim} and {input.ndim}"
        )
    size = input._array.shape[axis] if input.ndim else 1
    check_within(places, size, name, axis, RuntimeError)
    for d in range(input.ndim):
        if d != axis and places.shape[d] > input._array.shape[d]:
            raise RuntimeError(
                f"{name}(): Expected index {list(places.shape)} to be no larger than self "
                f"{list(input.shape)} apart from dimension {axis}"
            )
    if isinstance(src, TensorBase):
        given: Any = src
        if given._array.dtype != input._array.dtype:
            raise RuntimeError(
                f"{name}(): Expected self.dtype to be equal to src.dtype, got {input.dtype} and "
                f"{given.dtype}"
            )
        if given.ndim != places.ndim or any(
            n > m for n, m in zip(places.shape, given._array.shape, strict=True)
        ):
            raise RuntimeError(
                f"{name}(): Expected index {list(places.shape)} to be no larger than src "
                f"{list(given.shape)} in every dimension"
            )
        if places.shape != given._array.shape:
            given = indexing.getitem(given, index=tuple(slice(n) for n in places.shape))
        return axis, places, given
    return axis, places, src


def _grid(places: Any, axis: int) -> tuple[Any, ...]:
    grid = np.ogrid[tuple(slice(n) for n in places.shape)]
    return tuple(places if i == axis else part for i, part in enumerate(grid))


def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Any = None,
    *,
    value: Any = None,
    reduce: str | None = None,
) -> Tensor:
    """input with src (or a number) written at index along ``dim``: the inverse of gather.

    reduce: "add" or "multiply" combines with what is there instead of writing over it.
    """
    given = src if src is not None else value
    if given is None:
        raise TypeError("scatter(): expected src or value")
    given = element("scatter", given, input._array.dtype)
    axis, places, part = _places("scatter", input, dim, index, given)
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise RuntimeError(f"reduce argument must be either add or multiply, got {reduce!r}")
        if not isinstance(part, TensorBase):
            part = wrap(np.full(places.shape, part, input._array.dtype))
        how = {"add": "sum", "multiply": "prod"}[reduce]
        return scatter_reduce(input, dim, index, part, how)
    if input.ndim == 0:
        return elementwise.where(np.ones((), bool), reshape(_as_tensor(part, input), ()), input)
    return indexing.index_fill(input, part, index=_grid(places, axis))


def _as_tensor(value: Any, like: Tensor) -> Any:
    if isinstance(value, TensorBase):
        return value
    dtype = like._array.dtype
    return wrap(np.asarray(element("index_fill", value, dtype), dtype))


def _tensor_needed(name: str, src: Any) -> None:
    if not isinstance(src, TensorBase):
        raise TypeError(
            f"{name}(): argument 'src' must be Tensor, not {type(src).__name__}; "
            "give a tensor of index's shape"
        )


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """input with src added at index along ``dim``; repeated places add up."""
    _tensor_needed("scatter_add", src)
    axis, places, part = _places("scatter_add", input, dim, index, src)
    added = indexing.scatter_add(part, index=places, axis=axis, shape=input._array.shape)
    return elementwise.add(input, added)


_REDUCTIONS = {"sum", "prod", "mean", "amax", "amin"}
_SHORT = {"max": "amax", "min": "amin"}  # taken, as by PyTorch, though not documented there


def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """input combined with all of src that falls on each place: sum, prod, mean, amax or amin.

    include_self: whether input's own elements take part where something falls on them.
    """
    _tensor_needed("scatter_reduce", src)
    reduce = _SHORT.get(reduce, reduce)
    if reduce not in _REDUCTIONS:
        raise RuntimeError(
            f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}."
        )
    axis, places, part = _places("scatter_reduce", input, dim, index, src)
    if input._array.dtype == np.bool_:
        return _of_truths(input, dim, index, src, reduce, include_self)
    shape = input._array.shape
    hits = indexing.scatter_add(
        wrap(np.ones(places.shape, np.int64)), index=places, axis=axis, shape=shape
    )._array
    hit = hits > 0
    if reduce in ("sum", "mean"):
        added = indexing.scatter_add(part, index=places, axis=axis, shape=shape)
        base = input if include_self else elementwise.where(hit, 0, input)
        total = elementwise.add(base, added)
        if reduce == "sum":
            return total
        count = np.maximum(hits + include_self, 1)
        if input._array.dtype.kind in "biu":
            return elementwise.floor_divide(total, count.astype(input._array.dtype))
        return elementwise.div(total, np.where(hit, count, 1).astype(input._array.dtype))
    base = input if include_self else elementwise.where(hit, _identity(reduce, input), input)
    if reduce == "prod":
        return _products(base, part, places, axis)
    better = np.maximum if reduce == "amax" else np.minimum

    def extremes(best: Any, places: Any, values: Any) -> Any:
        if not best.ndim:
            return better(best, better.reduce(values, axis=None))
        best = best.copy()
        better.at(best, _grid(places, axis), values)
        return best

    best = each_example(extremes, base._array, places, part._array)
    return _shared_extreme(base, part, places, axis, best)


def _of_truths(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, include_self: bool
) -> Tensor:
    """Bools as numbers: a sum or maximum is "or", a product or minimum "and"."""
    if reduce == "mean":
        raise NotImplementedError("scatter_reduce: the mean of bools is not defined; use .float()")
    how = {"sum": "amax", "prod": "amin"}.get(reduce, reduce)
    numbers = [elementwise.astype(t, dtype=np.uint8) for t in (input, src)]
    found = scatter_reduce(numbers[0], dim, index, numbers[1], how, include_self=include_self)
    return elementwise.astype(found, dtype=np.bool_)


def _identity(reduce: str, like: Tensor) -> Any:
    kind = like._array.dtype
    if reduce == "prod":
        return 1
    low, high = (-np.inf, np.inf) if kind.kind == "f" else (np.iinfo(kind).min, np.iinfo(kind).max)
    return low if reduce == "amax" else high


def _products(base: Tensor, part: Tensor, places: Any, axis: int) -> Tensor:
    """Multiply src in, the k-th that falls on each place in the k-th round: exact with zeros."""
    if not base.ndim:
        product = reduction.prod(part, axis=None, keepdims=False)  # of integers as int64
        return elementwise.mul(base, elementwise.astype(product, dtype=base._array.dtype))
    ranks = each_example(lambda places: _ranks(places, axis), places)
    out = base
    for k in range(int(ranks.max(initial=-1)) + 1):
        now = ranks == k
        there = {"index": places, "axis": axis, "shape": base._array.shape}
        factor = indexing.scatter_add(elementwise.mask(part, mask=now), **there)
        fallen = indexing.scatter_add(wrap(now.astype(part._array.dtype)), **there)
        out = elementwise.mul(out, elementwise.add(factor, elementwise.sub(1, fallen)))
    return out


def _ranks(places: Any, axis: int) -> Any:
    """Of each element, how many before it along an axis fall on the same place."""
    order = np.argsort(places, axis=axis, kind="stable")
    ranks = np.zeros(places.shape, np.int64)
    ordered = np.take_along_axis(places, order, axis)
    size = places.shape[axis]
    counts = np.arange(size).reshape([-1 if i == axis else 1 for i in range(places.ndim)])
    starts = np.ones(places.shape, bool)
    head = (slice(None),) * axis
    starts[(*head, slice(1, None))] = (
        ordered[(*head, slice(1, None))] != ordered[(*head, slice(None, -1))]
    )
    first = np.maximum.accumulate(np.where(starts, counts, 0), axis=axis)
    np.put_along_axis(ranks, order, counts - first, axis)
    return ranks


def _shared_extreme(base: Tensor, part: Tensor, places: Any, axis: int, best: Any) -> Tensor:
    """The extremes, as a mean of all that attain them: ties share the gradient evenly."""
    kind = best.dtype
    mine = (base._array == best).astype(kind)
    at: Any = best
    if base.ndim:
        at = indexing.gather(wrap(best), index=places, axis=axis)._array
    theirs = (part._array == at).astype(kind)
    count = (
        mine
        + indexing.scatter_add(
            wrap(theirs), index=places, axis=axis, shape=base._array.shape
        )._array
    )
    if kind.kind != "f":
        return wrap(best)
    held = elementwise.where(mine > 0, base, 0)  # not a product: an infinity times 0 is NaN
    fallen = indexing.scatter_add(
        elementwise.where(theirs > 0, part, 0), index=places, axis=axis, shape=base._array.shape
    )
    return elementwise.div(elementwise.add(held, fallen), np.maximum(count, 1))


# --- Slices at positions -----------------------------------------------------------------------


def _rows(
    name: str, input: Tensor, dim: int, index: Tensor, kind: type[Exception] = IndexError
) -> tuple[int, Any, Tensor]:
    places = whole_index(index, name)
    if places.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be 1-dimensional, got {places.ndim}")
    axis = wrap_dim(dim, input.ndim)
    source = input if input.ndim else reshape(input, (1,))
    check_within(places, source._array.shape[axis], name, axis, kind)
    return axis, places.reshape(-1), source


def _same_dtype(name: str, base: Tensor, source: Tensor) -> None:
    if base._array.dtype != source._array.dtype:
        raise RuntimeError(
            f"{name}(): self ({base.dtype}) and source ({source.dtype}) must have the same dtype"
        )


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """input with alpha * source's slices added at positions along ``dim``."""
    kind = RuntimeError if input.ndim > 1 else IndexError  # as PyTorch raises them
    axis, places, base = _rows("index_add", input, dim, index, kind)
    given = source if source.ndim else reshape(source, (1,))
    if [n for i, n in enumerate(given.shape) if i != axis] != [
        n for i, n in enumerate(base.shape) if i != axis
    ]:
        raise RuntimeError(
            "index_add(): source tensor shape must match self tensor shape, excluding the "
            f"specified dimension. Got self.shape = {list(base.shape)} source.shape = "
            f"{list(given.shape)}"
        )
    if given._array.shape[axis] != places.size:
        raise RuntimeError(
            f"index_add(): Number of indices ({places.size}) should be equal to source.size(dim): "
            f"({given._array.shape[axis]})"
        )
    _same_dtype("index_add", base, given)
    if isinstance(alpha, float) and base._array.dtype.kind in "biu":
        alpha = int(alpha)  # PyTorch converts alpha to the tensor's type
    scaled = given if alpha == 1 else elementwise.mul(given, alpha)
    if scaled._array.dtype != base._array.dtype:
        scaled = elementwise.astype(scaled, dtype=base._array.dtype)
    added = indexing.index_put_rows(scaled, index=places, axis=axis, shape=base._array.shape)
    return reshape(elementwise.add(base, added), input._array.shape)


def _written(base: Tensor, axis: int, places: Any, value: Any) -> Tensor:
    index = (*(slice(None),) * axis, places)
    return indexing.index_fill(base, value, index=index)


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """input with source's slices in place of those at positions along ``dim``."""
    axis, places, base = _rows("index_copy", input, dim, index)
    given = source if source.ndim else reshape(source, (1,))
    if given._array.shape[axis] != places.size:
        raise IndexError(
            f"index_copy_(): Number of indices ({places.size}) should be equal to source.size(dim) "
            f"({given._array.shape[axis]})"
        )
    _same_dtype("index_copy", base, given)
    return reshape(_written(base, axis, places, given), input._array.shape)


def index_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    source: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
) -> Tensor:
    """input combined with source's slices that fall on positions along ``dim``: prod, mean, amax or
    amin; include_self: whether input's own elements take part there.
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(
            "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got "
            f"{reduce}."
        )
    axis, places, base = _rows("index_reduce", input, dim, index)
    given = source if source.ndim else reshape(source, (1,))
    if given._array.shape[axis] != places.size:
        raise RuntimeError(
            f"index_reduce(): Number of indices ({places.size}) should be equal to "
            f"source.size(dim): ({given._array.shape[axis]})"
        )
    _same_dtype("index_reduce", base, given)
    across = np.broadcast_to(
        places.reshape(tuple(-1 if i == axis else 1 for i in range(base.ndim))), given._array.shape
    )
    found = scatter_reduce(base, axis, wrap(across), given, reduce, include_self=include_self)
    return reshape(found, input._array.shape)


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """input with a number (or 0-d tensor) in the slices at positions along ``dim``."""
    if isinstance(value, TensorBase) and value._array.ndim:
        raise RuntimeError(
            "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value._array.ndim} dimension(s)."
        )
    axis = wrap_dim(dim, input.ndim)
    base = input if input.ndim else reshape(input, (1,))
    places = whole_index(index, "index_fill")
    if places.ndim > 1:
        raise IndexError(f"index_fill(): Index is supposed to be a vector, got {places.ndim}")
    size = base._array.shape[axis]
    if places.size and places.min() < 0:  # counted from the end, here alone
        places = np.where(places < 0, places + size, places)
    check_within(places, size, "index_fill", axis)
    places = places.reshape(-1)
    return reshape(_written(base, axis, places, _as_tensor(value, input)), input._array.shape)


def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """input with values written (or added, repeated places too) at a tuple of index tensors."""
    if not isinstance(indices, (tuple, list)) or not all(
        isinstance(i, TensorBase) for i in indices
    ):
        raise TypeError("index_put(): argument 'indices' must be tuple of Tensors")
    if not isinstance(values, TensorBase):
        raise TypeError(
            f"index_put(): argument 'values' must be Tensor, not {type(values).__name__}"
        )
    _same_dtype("index_put", input, values)
    index = index_of(tuple(indices), input._array.shape)
    if not accumulate:
        return indexing.index_fill(input, values, index=index)
    shape = taken_shape(input._array.shape, index)
    wide: Any = values if values._array.shape == shape else values.expand(*shape)
    return elementwise.add(input, indexing.put(wide, index=index, shape=input._array.shape))
