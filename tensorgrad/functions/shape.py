"""Shape functions with PyTorch's arguments."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from tensorgrad.dtypes import as_dtype, numpy_dtype
from tensorgrad.graph.node import TensorBase, local, storage_of, strided
from tensorgrad.ops import indexing
from tensorgrad.ops import shape as ops
from tensorgrad.primitive import primitives
from tensorgrad.recording.viewing import piece, reshaped, shared
from tensorgrad.views.strides import view_as_shape

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "broadcast_shapes",
    "broadcast_tensors",
    "broadcast_to",
    "expand",
    "flatten",
    "flip",
    "moveaxis",
    "movedim",
    "narrow",
    "numel",
    "permute",
    "ravel",
    "reshape",
    "select",
    "squeeze",
    "swapaxes",
    "swapdims",
    "t",
    "transpose",
    "tril",
    "triu",
    "unflatten",
    "unsqueeze",
    "view",
]

RESHAPE = primitives["reshape"]
_PERMUTE = primitives["permute"]


def dimension(dim: Any) -> int:
    """A dimension as an int; TypeError for True and False: `x.sum(True)` would mean keepdim."""
    if dim is True or dim is False:
        raise TypeError(f"a dimension must be an int, got {dim}")
    return operator.index(dim)


def wrap_dim(dim: Any, ndim: int, *, extra: int = 0) -> int:
    """A dimension counted from the front; IndexError for one that is not there."""
    place = dim if type(dim) is int else dimension(dim)
    span = max(ndim + extra, 1)
    if not -span <= place < span:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-span}, {span - 1}], but got "
            f"{dim})"
        )
    return place % span


def _filled(shape: tuple[int, ...], target: Sequence[int], name: str) -> tuple[int, ...]:
    """The target shape with its -1, if any, computed."""
    sizes, total = tuple(target), prod(shape)
    if sizes and min(sizes) > 0 and prod(sizes) == total:
        return sizes
    if -1 in sizes:
        if sizes.count(-1) > 1:
            raise RuntimeError(f"{name}: only one dimension can be inferred, got {sizes}")
        known = prod(n for n in sizes if n != -1)
        if known == 0 or total % known:
            raise RuntimeError(
                f"{name}: shape '{list(sizes)}' is invalid for input of size {total}"
            )
        sizes = tuple(total // known if n == -1 else n for n in sizes)
    if prod(sizes) != total or min(sizes, default=0) < 0:
        raise RuntimeError(
            f"{name}: shape '{list(sizes)}' is invalid for input of size {total}, shape {shape}"
        )
    return sizes


def sizes_of(size: Any) -> tuple[int, ...]:
    """Sizes given as ints or as one sequence of them."""
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        size = size[0]
    return tuple(map(operator.index, size))


def dims_of(dims: Any) -> tuple[int, ...]:
    """Dimensions given as ints or as one sequence of them."""
    if len(dims) == 1 and isinstance(dims[0], (tuple, list)):
        dims = dims[0]
    return tuple(dims) if {*map(type, dims)} == {int} else tuple(map(dimension, dims))


def given_once(name: str, several: tuple[Any, ...], one: Any) -> tuple[Any, ...]:
    """Sizes given by keyword, as if by position; TypeError if they are given in both ways."""
    if several:
        raise TypeError(f"{name}() got multiple values: {several} and, by keyword, {one}")
    return (one,)


def reshape(input: Tensor, shape: Sequence[int]) -> Tensor:
    """The elements in row-major order under another shape; a view where that is possible."""
    if isinstance(shape, tuple) and (quick := reshaped(RESHAPE, input, shape, False)) is not None:
        return quick
    return reshape_closely(input, shape)


def reshape_closely(input: Tensor, shape: Sequence[int]) -> Tensor:
    """`reshape` where something is recorded, or copied, or wrong."""
    array = input._array
    sizes = _filled(array.shape, sizes_of((shape,)), "reshape")
    if type(array) is ndarray and array.flags.c_contiguous:  # no question of sharing its memory
        return ops.reshape(input, shape=sizes)
    found: Tensor | None = view_as_shape(input, sizes)
    return ops.reshape(input, shape=sizes) if found is None else found


def view(input: Tensor, shape: tuple[Any, ...]) -> Tensor:
    """A reshape that shares memory; RuntimeError where the strides forbid it."""
    sizes = _filled(input._array.shape, sizes_of(shape), "view")
    found: Tensor | None = view_as_shape(input, sizes)
    if found is None:
        raise RuntimeError(
            f"view size {list(sizes)} is not compatible with input tensor's size "
            f"{tuple(input.shape)} and "
            f"stride {input.stride()} (at least one dimension spans across two contiguous "
            "subspaces). "
            "Use .reshape(...) instead."
        )
    return found


def view_as_dtype(input: Tensor, dtype: Any) -> Tensor:
    """The tensor's bytes as elements of another dtype, sharing memory; without a gradient."""
    kind, array = numpy_dtype(dtype), input._array
    if kind == array.dtype:
        return view(input, array.shape)
    if input.requires_grad and kind.kind in "fc":
        raise RuntimeError(
            f"view: the bytes of {input.dtype} as {as_dtype(kind)} have no gradient; use "
            ".to(dtype), or .detach() first"
        )
    if kind.itemsize != array.itemsize:
        if not array.ndim:
            raise RuntimeError(
                f"view: a 0-dim tensor cannot be viewed as {as_dtype(kind)} (different element "
                "sizes)"
            )
        if array.shape[-1] * array.itemsize % kind.itemsize or (
            array.shape[-1] > 1 and array.strides[-1] != array.itemsize
        ):
            raise RuntimeError(
                f"view: the last dimension, of {array.shape[-1]} elements of {input.dtype}, must "
                f"be contiguous and divide into elements of {as_dtype(kind)}"
            )
    out = strided(array.view(kind))
    out._storage = storage_of(input)  # so that writes to one are noticed by the other
    return out


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Join the dimensions from start_dim to end_dim into one."""
    shape = input._array.shape
    if not shape:
        wrap_dim(start_dim, 1), wrap_dim(end_dim, 1)
        return reshape(input, (1,))
    start, end = wrap_dim(start_dim, len(shape)), wrap_dim(end_dim, len(shape))
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if start == end:
        return input
    return reshape(input, (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Split one dimension into several."""
    dim = wrap_dim(dim, input.ndim)
    shape = input._array.shape
    inner = _filled((shape[dim],), tuple(sizes), "unflatten")
    return reshape(input, (*shape[:dim], *inner, *shape[dim + 1 :]))


def ravel(input: Tensor) -> Tensor:
    """One dimension, in row-major order."""
    return reshape(input, (-1,))


def permute(input: Tensor, dims: Sequence[int]) -> Tensor:
    """The dimensions in another order, as a view."""
    return ops.permute(input, axes=_order(input._array.ndim, dims_of((tuple(dims),))))


@lru_cache(maxsize=256)
def _order(ndim: int, dims: tuple[int, ...]) -> tuple[int, ...]:
    """The dimensions, all of them, counted from the front."""
    order = tuple([wrap_dim(d, ndim) for d in dims])
    if sorted(order) != list(range(ndim)):
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the "
            f"length of the desired ordering of dimensions i.e. input.dim() = {ndim} is not equal "
            f"to len(dims) = {len(order)}"
            if len(order) != ndim
            else f"permute: duplicate dims are not allowed, got {dims}"
        )
    return order


@lru_cache(maxsize=256)
def _exchanged(ndim: int, dim0: int, dim1: int) -> tuple[int, ...]:
    """The order of dimensions in which two have changed places."""
    order = list(range(ndim))
    dim0, dim1 = wrap_dim(dim0, ndim), wrap_dim(dim1, ndim)
    if order:
        order[dim0], order[dim1] = order[dim1], order[dim0]
    return tuple(order)


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Exchange two dimensions, as a view."""
    array = input._array
    ndim = array.ndim
    if not (dim0.__class__ is int is dim1.__class__):
        dim0, dim1 = wrap_dim(dim0, ndim), wrap_dim(dim1, ndim)
    axes, context = _exchanged(ndim, dim0, dim1), local.context
    if context.grad_enabled or context.dispatch or array.__class__ is not ndarray:
        return ops.permute(input, axes=axes)
    return shared(_PERMUTE, input, array.transpose(axes), {"axes": axes})


swapdims = transpose


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """`transpose`, with NumPy's name and arguments."""
    return transpose(input, axis0, axis1)


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; a vector as it is."""
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return transpose(input, 0, 1) if input.ndim == 2 else input


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Move dimensions to other places, the rest keeping their order."""
    sources = (source,) if isinstance(source, int) else tuple(source)
    places = (destination,) if isinstance(destination, int) else tuple(destination)
    if len(sources) != len(places):
        raise RuntimeError(f"movedim: got {len(sources)} source and {len(places)} destination dims")
    sources = tuple(wrap_dim(d, input.ndim) for d in sources)
    places = tuple(wrap_dim(d, input.ndim) for d in places)
    if len(set(sources)) != len(sources) or len(set(places)) != len(places):
        raise RuntimeError("movedim: repeated dim")
    rest = [i for i in range(input.ndim) if i not in sources]
    for place, origin in sorted(zip(places, sources, strict=True)):
        rest.insert(place, origin)
    return ops.permute(input, axes=tuple(rest))


moveaxis = movedim


def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Drop dimensions of size 1: all, or those named."""
    shape = input._array.shape
    named: Any = range(len(shape))
    if dim is not None:
        named = {wrap_dim(d, len(shape)) for d in ((dim,) if isinstance(dim, int) else dim)}
    index = tuple([0 if n == 1 and i in named else slice(None) for i, n in enumerate(shape)])
    return piece(indexing.getitem, input, index)


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """Insert a dimension of size 1."""
    dim = wrap_dim(dim, input._array.ndim, extra=1)
    index = (*(slice(None),) * dim, None)
    return piece(indexing.getitem, input, index)


def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """Repeat along dimensions of size 1, as a view; the gradient sums over the repeats."""
    return expand(input, *size)


def expand(input: Tensor, *size: Any) -> Tensor:
    """As broadcast_to; -1 keeps a dimension."""
    sizes = sizes_of(size)
    shape = input._array.shape
    lead = len(sizes) - len(shape)
    if lead < 0:
        raise RuntimeError(
            f"expand: the number of sizes provided ({len(sizes)}) must be greater or equal to the "
            f"number of dimensions in the tensor ({len(shape)})"
        )
    full = []
    for i, n in enumerate(sizes):
        if n == -1:
            if i < lead:
                raise RuntimeError("expand: -1 is not allowed in a leading, non-existing dimension")
            n = shape[i - lead]
        elif i >= lead and shape[i - lead] not in (1, n):
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size "
                f"({shape[i - lead]}) at non-singleton dimension {i}. Target sizes: {sizes}. "
                f"Tensor sizes: {shape}"
            )
        full.append(n)
    return ops.broadcast_to(input, shape=tuple(full))


def broadcast_shapes(*shapes: Any) -> Any:
    """The shape to which all the shapes broadcast."""
    from tensorgrad.size import Size

    try:
        return Size(
            np.broadcast_shapes(*(tuple(s) if not isinstance(s, int) else (s,) for s in shapes))
        )
    except ValueError as error:
        raise RuntimeError(
            f"Shape mismatch: objects cannot be broadcast to a single shape: {error}"
        ) from None


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors expanded to their common shape."""
    shape = broadcast_shapes(*(t.shape for t in tensors))
    return tuple(expand(t, *shape) for t in tensors)


def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """``length`` slices from ``start`` (a number or a 0-d tensor) along a dimension, as a view."""
    if not input.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, input.ndim)
    size = input._array.shape[dim]
    if isinstance(start, TensorBase) and (start._array.ndim or start._array.dtype.kind not in "iu"):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    start = int(start)
    if not -size <= start <= size:
        raise IndexError(
            f"start out of range (expected to be in range of [{-size}, {size}], but got {start})"
        )
    start = start + size if start < 0 else start
    if length < 0 or start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    index = (*(slice(None),) * dim, slice(start, start + length))
    return piece(indexing.getitem, input, index)


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """One slice along a dimension, as a view without it."""
    dim = wrap_dim(dim, input.ndim)
    size = input._array.shape[dim] if input.ndim else 0
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at "
            f"dimension {dim}"
        )
    places = (*(slice(None),) * dim, int(index))
    return piece(indexing.getitem, input, places)


def flip(input: Tensor, dims: Any) -> Tensor:
    """Reversed along dimensions, as a copy."""
    dims = (dims,) if isinstance(dims, int) else tuple(dims)
    axes = tuple(wrap_dim(d, input.ndim) for d in dims)
    return ops.flip(input, axes=axes if input.ndim else ())


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of matrices; the rest is 0."""
    return ops.tril(input, diagonal=diagonal)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of matrices; the rest is 0."""
    return ops.triu(input, diagonal=diagonal)


def numel(input: Tensor) -> int:
    """The number of elements."""
    return input._array.size
