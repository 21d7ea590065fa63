"""Indexing functions, and how an index written by a user becomes the primitive's."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from tensorgrad.batching import Batch, everything
from tensorgrad.functions.shape import reshape, wrap_dim
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.graph.provenance import warn
from tensorgrad.ops import elementwise
from tensorgrad.ops import indexing as ops
from tensorgrad.recording.viewing import basic_index, piece
from tensorgrad.scalars import element
from tensorgrad.views.following import before_write, check_writable, write

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "argwhere",
    "gather",
    "index_select",
    "masked_fill",
    "masked_select",
    "nonzero",
    "take_along_dim",
]


def index_of(index: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """A user's index as a tuple of ints, slices, None, Ellipsis and arrays, checked against
    shape.
    """
    plain = basic_index(index, shape)
    if plain is not None:
        return plain
    parts = _parts(index)
    found = tuple(_part(part) for part in parts)
    axis = 0
    used = sum(p.ndim if _is_bool(p) else p is not None and p is not Ellipsis for p in found)
    if used > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    for part in found:
        if part is Ellipsis:
            axis += len(shape) - used
        elif _is_bool(part):
            for n in part.shape:
                if n != shape[axis]:
                    raise IndexError(
                        f"The shape of the mask {list(part.shape)} at index {axis} does not match "
                        "the "
                        f"shape of the indexed tensor {list(shape)} at index {axis}"
                    )
                axis += 1
        elif part is not None:
            size = shape[axis]
            if isinstance(part, int) and not -size <= part < size:
                raise IndexError(
                    f"index {part} is out of bounds for dimension {axis} with size {size}"
                )
            if (
                isinstance(part, (ndarray, Batch))
                and part.size
                and not (-size <= part.min() and part.max() < size)
            ):
                wrong = _outside(part, -size, size)
                raise IndexError(
                    f"index {wrong} is out of bounds for dimension {axis} with size {size}"
                )
            axis += 1
    return found


def _parts(index: Any) -> tuple[Any, ...]:
    if isinstance(index, tuple):
        return index
    nested = (TensorBase, ndarray, list, tuple, range, slice)
    if (
        isinstance(index, (list, range))
        and len(index) < 32
        and any(p is None or p is Ellipsis or isinstance(p, nested) for p in index)
    ):
        warn(
            "Using a non-tuple sequence for multidimensional indexing is deprecated: "
            "x[[a, b]] is read as x[a, b]; write x[tuple(seq)] or x[tensor(seq)]"
        )
        return tuple(index)
    return (index,)


def _numbers_first(index: tuple[Any, ...]) -> tuple[Any, Any] | None:
    """An index as two, the numbers' and the arrays', where NumPy would place dimensions otherwise.

    NumPy counts a number among the arrays: in x[0, :, [1, 2]] it sees arrays on both sides of a
    slice, and puts their dimension first.  PyTorch takes the numbers out before.
    """
    arrays = [i for i, part in enumerate(index) if isinstance(part, (ndarray, Batch))]
    if not arrays or not any(isinstance(part, int) for part in index):
        return None
    chosen = [i for i, part in enumerate(index) if i in arrays or isinstance(part, int)]
    if chosen == list(range(chosen[0], chosen[-1] + 1)):
        return None
    numbers: list[Any] = []
    for part in index:
        if isinstance(part, int) or part is Ellipsis:
            numbers.append(part)
        elif part is not None:
            numbers += [slice(None)] * (part.ndim if _is_bool(part) else 1)
    return tuple(numbers), tuple(part for part in index if not isinstance(part, int))


def _outside(array: Any, low: int, high: int) -> Any:
    """The first element that is not from low to high - 1."""
    seen = everything(array)
    return seen[(seen < low) | (seen >= high)].flat[0]


def taken_shape(shape: tuple[int, ...], index: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape that an index takes from an array of a shape."""
    probe = np.broadcast_to(np.empty((), np.bool_), shape)
    plain = tuple(np.zeros(p.shape, np.int64) if isinstance(p, Batch) else p for p in index)
    taken: tuple[int, ...] = probe[plain].shape
    return taken


def _is_bool(part: Any) -> bool:
    return isinstance(part, (ndarray, Batch)) and part.dtype == np.bool_


def _part(part: Any) -> Any:
    if part is None or part is Ellipsis or type(part) is int:
        return part
    if isinstance(part, slice):
        bounds = [_whole(v) for v in (part.start, part.stop, part.step)]
        if bounds[2] is not None and bounds[2] <= 0:
            raise ValueError("step must be greater than zero; use flip for a reversed order")
        return slice(*bounds)
    if isinstance(part, TensorBase):
        part = part._array
    elif isinstance(part, (list, tuple, range)):
        part = np.asarray([p._array if isinstance(p, TensorBase) else p for p in part])
        if part.size == 0:
            part = part.astype(np.int64)
        elif part.dtype.kind in "US":
            part = part.flat[0]
    elif isinstance(part, (bool, np.bool_)):
        return np.asarray(part)
    elif not isinstance(part, ndarray) and hasattr(part, "__index__"):  # ndarrays have it too
        return int(part)
    if isinstance(part, ndarray) and not part.size and part.dtype.kind == "f":
        part = part.astype(np.int64)  # NumPy's way to write no places
    if not isinstance(part, (ndarray, Batch)):
        raise (TypeError if isinstance(part, (str, bytes)) else IndexError)(
            "only integers, slices (`:`), ellipsis (`...`), None and long or bool tensors are "
            "valid "
            f"indices (got {type(part).__name__})"
        )
    if part.dtype == np.bool_:
        return part
    if part.dtype == np.uint8:
        warn(
            "indexing with dtype tensorgrad.uint8 is now deprecated, please use a dtype "
            "tensorgrad.bool instead"
        )
        return part != 0
    number = part.ndim == 0 and isinstance(part, ndarray) and part.dtype.kind in "iu"
    if not number and part.dtype not in (np.int64, np.int32):
        raise IndexError(
            f"tensors used as indices must be long, int, byte or bool tensors, got {part.dtype}"
        )
    return int(part) if number else part


def _whole(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, TensorBase):
        return int(value._array)
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(
            "slice indices must be integers or None or have an __index__ method"
        ) from None


def getitem(input: Tensor, index: Any) -> Tensor:
    """input[index]: a view for basic indices, a copy for arrays and masks."""
    shape = input._array.shape
    plain = basic_index(index, shape)
    if plain is not None:
        return piece(ops.getitem, input, plain)
    places = index_of(index, shape)
    steps = _numbers_first(places)
    if steps is not None:
        return ops.getitem(ops.getitem(input, index=steps[0]), index=steps[1])
    return ops.getitem(input, index=places)


def whole_index(index: Any, name: str) -> ndarray[Any, Any]:
    array = getattr(index, "_array", None)
    if array is None or array.dtype.kind not in "iu":
        what = type(index).__name__ if array is None else str(array.dtype)
        raise RuntimeError(f"{name}(): Expected dtype int64 for index, got {what}")
    return array  # type: ignore[no-any-return]


def check_within(
    array: Any, size: int, name: str, dim: int, kind: type[Exception] = IndexError
) -> None:
    if array.size and not (array.min() >= 0 and array.max() < size):
        wrong = _outside(array, 0, size)
        raise kind(f"{name}(): index {wrong} is out of bounds for dimension {dim} with size {size}")


def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """out[i][j] = input[index[i][j]][j] for dim 0: one element along ``dim`` for each place."""
    if sparse_grad:
        raise RuntimeError("gather: sparse_grad=True is not supported; gradients are dense")
    dim = wrap_dim(dim, input.ndim)
    places = whole_index(index, "gather")
    if not places.size and places.ndim != input.ndim:  # nothing is taken
        return reshape(input, (-1,))[:0].reshape(places.shape)
    if places.ndim != input.ndim and input.ndim:
        raise RuntimeError(
            f"gather: Index tensor must have the same number of dimensions as input tensor, got "
            f"{places.ndim} and {input.ndim}"
        )
    for d in range(input.ndim):
        if d != dim and places.shape[d] > input._array.shape[d]:
            raise RuntimeError(
                f"gather: Size does not match at dimension {d} expected index "
                f"{list(places.shape)} to be "
                f"no larger than self {list(input.shape)} apart from dimension {dim}"
            )
    size = input._array.shape[dim] if input.ndim else 1
    check_within(places, size, "gather", dim, RuntimeError)
    return ops.gather(input, index=places, axis=dim)


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """As gather, with broadcasting of all other dimensions and negative indices, which count from
    the end; flattened when dim is None.
    """
    if dim is None:
        return take_along_dim(input.reshape(-1), indices.reshape(-1), 0)
    dim = wrap_dim(dim, input.ndim)
    size = input._array.shape[dim] if input.ndim else 1
    whole = whole_index(indices, "take_along_dim")
    if whole.size and whole.min() < 0:
        indices = wrap(np.where(whole < 0, whole + size, whole))
    shape = list(
        np.broadcast_shapes(
            tuple(1 if i == dim else n for i, n in enumerate(input.shape)),
            tuple(1 if i == dim else n for i, n in enumerate(indices.shape)),
        )
    )
    wide, places = list(shape), list(shape)
    wide[dim], places[dim] = input.shape[dim], indices.shape[dim]
    return gather(input.expand(*wide), dim, indices.expand(*places))


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices at integer positions along a dimension."""
    places = whole_index(index, "index_select")
    if places.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    dim = wrap_dim(dim, input.ndim)
    if not input.ndim:
        if places.size != 1:
            raise IndexError("index_select(): a tensor without dimensions needs one index")
        check_within(places, 1, "index_select", dim)
        return elementwise.clone(input)
    kind = RuntimeError if dim else IndexError  # as PyTorch raises them
    check_within(places, input._array.shape[dim], "index_select", dim, kind)
    return ops.take_rows(input, index=places.reshape(-1), axis=dim)


def mask_of(mask: Any, name: str) -> Any:
    array = getattr(mask, "_array", mask)
    if getattr(array, "dtype", None) != np.bool_:
        raise RuntimeError(
            f"{name}: expected a bool mask, got {getattr(array, 'dtype', type(mask).__name__)}"
        )
    return array


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """``value`` (a number or 0-d tensor) where the mask holds, input elsewhere."""
    held = mask_of(mask, "masked_fill")
    if isinstance(value, TensorBase) and value._array.ndim:
        raise RuntimeError(
            "masked_fill only supports a 0-dimensional value tensor, but got tensor with "
            f"{value._array.ndim} dimension(s)."
        )
    if isinstance(value, TensorBase):
        if type(value._array) is ndarray:  # a tensor is held to what a number is
            element("masked_fill", value._array.item(), input._array.dtype)
    else:
        value = element("masked_fill", value, input._array.dtype)
    out = elementwise.where(held, value, input)
    return (
        out
        if out._array.dtype is input._array.dtype
        else elementwise.astype(out, dtype=input._array.dtype)
    )


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where the mask holds, in one dimension."""
    held = mask_of(mask, "masked_select")
    try:
        shape = np.broadcast_shapes(input._array.shape, held.shape)
    except ValueError:
        raise RuntimeError(
            f"masked_select: the mask's shape {held.shape} does not broadcast with the input's "
            f"{input._array.shape}"
        ) from None
    return ops.getitem(input.expand(*shape), index=(np.broadcast_to(held, shape),))


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The indices of nonzero elements: (count, ndim), or a tuple of one vector per dimension."""
    found = np.nonzero(np.atleast_1d(input._array))
    if as_tuple:
        return tuple(wrap(i) for i in found)
    return wrap(np.argwhere(input._array).astype(np.int64))


def argwhere(input: Tensor) -> Tensor:
    """The indices of nonzero elements, (count, ndim)."""
    return wrap(np.argwhere(input._array).astype(np.int64))


_NUMBERS = (bool, int, float, complex, np.number, np.bool_)


def setitem(input: Tensor, index: Any, value: Any) -> None:
    """input[index] = value, in place; the value is broadcast and cast to the input's dtype."""
    places = index_of(index, input._array.shape)
    source: Any = value
    if not isinstance(value, TensorBase):
        dtype = input._array.dtype
        if not isinstance(value, _NUMBERS) and np.asarray(value).dtype.kind not in "biufc":
            raise TypeError(  # NumPy would make NaN of None, and numbers of "1.5"
                f"__setitem__: can't assign a {type(value).__name__} to a tensor of {input.dtype}: "
                "a number, a Tensor, an array or a list of numbers is wanted"
            )
        if dtype.char != "e":  # float16 takes numbers beyond its range, as infinities
            value = element("__setitem__", value, dtype)
        source = wrap(np.asarray(value, dtype))
    steps = _numbers_first(places)
    if steps is not None:
        setitem(ops.getitem(input, index=steps[0]), steps[1], source)
        return
    if ops.is_basic(places):
        part = ops.getitem(input, index=places)
        given: Any = source
        while given._array.ndim > part._array.ndim and given._array.shape[0] == 1:
            given = given[0]  # NumPy and PyTorch let leading dimensions of size 1 go
        write(part, given, "__setitem__")
        return
    check_writable(input, "__setitem__")
    shape = taken_shape(input._array.shape, places)
    try:
        np.broadcast_to(source._array, shape)
    except ValueError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(source._array.shape)} cannot be "
            "broadcast to "
            f"indexing result of shape {list(shape)}"
        ) from None
    new = ops.index_fill(before_write(input, source), source, index=places)
    write(input, new, "__setitem__")
