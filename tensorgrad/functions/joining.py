"""Joining, splitting and repeating tensors."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tensorgrad.functions.shape import expand, reshape, squeeze, wrap_dim
from tensorgrad.graph.node import TensorBase, local
from tensorgrad.ops import elementwise, indexing
from tensorgrad.ops import shape as ops
from tensorgrad.primitive import primitives
from tensorgrad.recording.viewing import piece, shared
from tensorgrad.views.following import as_view

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "cat",
    "chunk",
    "concat",
    "concatenate",
    "hstack",
    "split",
    "stack",
    "tile",
    "unbind",
    "vstack",
]

_GETITEM = primitives["getitem"]


def _check_list(tensors: Any, name: str) -> tuple[Tensor, ...]:
    if isinstance(tensors, TensorBase):
        raise TypeError(f"{name}(): argument 'tensors' must be tuple of Tensors, not Tensor")
    tensors = tuple(tensors)
    if not tensors:
        kind = ValueError if name == "cat" else RuntimeError  # as PyTorch's differ
        raise kind(f"{name}(): expected a non-empty list of Tensors")
    for i, item in enumerate(tensors):
        if not isinstance(item, TensorBase):
            raise TypeError(
                f"{name}(): expected Tensor as element {i} in argument 0, but got "
                f"{type(item).__name__}"
            )
    return tensors  # type: ignore[no-any-return]


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors along a dimension that they have."""
    parts = _check_list(tensors, "cat")
    shape = parts[0]._array.shape
    if len({p._array.shape for p in parts}) == 1 and shape and shape != (0,):
        return ops.cat(*parts, axis=wrap_dim(dim, len(shape)))
    # PyTorch ignores a one-dimensional empty tensor, a habit of old code.
    real = [p for p in parts if p._array.shape != (0,)] or list(parts)
    ranks = {p.ndim for p in real}
    if ranks == {0}:
        raise RuntimeError("zero-dimensional tensor (at position 0) cannot be concatenated")
    if len(ranks) > 1:
        raise RuntimeError(
            f"cat: Tensors must have same number of dimensions: got {[p.ndim for p in parts]}"
        )
    dim = wrap_dim(dim, real[0].ndim)
    first = real[0]._array.shape
    for i, p in enumerate(real):
        for d, (n, m) in enumerate(zip(first, p._array.shape, strict=True)):
            if d != dim and n != m:
                raise RuntimeError(
                    f"cat: Sizes of tensors must match except in dimension {dim}. Expected size "
                    f"{n} but "
                    f"got size {m} for tensor number {i} in the list."
                )
    return ops.cat(*real, axis=dim)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors of one shape along a new dimension."""
    parts = _check_list(tensors, "stack")
    shape = parts[0]._array.shape
    for i, p in enumerate(parts):
        if p._array.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(parts[0].shape)} at "
                "entry 0 "
                f"and {list(p.shape)} at entry {i}"
            )
    return ops.stack(*parts, axis=wrap_dim(dim, len(shape), extra=1))


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join along dimension 1, or 0 for vectors."""
    parts = [reshape(p, (1,)) if p.ndim == 0 else p for p in _check_list(tensors, "hstack")]
    return cat(parts, 0 if parts[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join along dimension 0, vectors as rows."""
    parts = [reshape(p, (1, -1)) if p.ndim < 2 else p for p in _check_list(tensors, "vstack")]
    return cat(parts, 0)


def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces along a dimension: of one size (the last may be smaller), or of the sizes listed."""
    array = tensor._array
    ndim = array.ndim
    if dim.__class__ is not int or not 0 <= dim < ndim:
        dim = wrap_dim(dim, ndim)
        if not ndim:
            raise RuntimeError("split expects at least a 1-dimensional tensor")
    total = array.shape[dim]
    if isinstance(split_size_or_sections, int):
        sections = _even(total, split_size_or_sections)
    elif getattr(split_size_or_sections, "ndim", None) == 0:  # NumPy's number, or a Tensor of one
        sections = _even(total, operator.index(split_size_or_sections))
    else:
        sections = tuple(map(operator.index, split_size_or_sections))
        if sum(sections) != total or min(sections, default=0) < 0:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {total} (input tensor's "
                "size at "
                f"dimension {dim}), but got split_sizes={list(sections)}"
            )
    return _cut(tensor, sections, dim)


def _cut(tensor: Tensor, sections: tuple[int, ...], dim: int) -> tuple[Tensor, ...]:
    """Pieces of these sizes along a dimension, which they fill."""
    indices, context = _indices(sections, dim), local.context
    if not (context.grad_enabled or context.dispatch):
        array = tensor._array
        return tuple([shared(_GETITEM, tensor, array[i], {"index": i}) for i in indices])
    pieces: Any = ops.split(tensor, sections=sections, axis=dim)
    return tuple(
        as_view(_GETITEM, tensor, piece, {"index": i})
        for piece, i in zip(pieces, indices, strict=True)
    )


@lru_cache(maxsize=256)
def _even(total: int, size: int) -> tuple[int, ...]:
    """The sizes of the pieces of ``size`` into which so many are cut, the last one smaller."""
    if size < 0 or (size == 0 and total):
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    whole, rest = divmod(total, size) if size else (0, 0)
    return (size,) * whole + ((rest,) if rest or not whole else ())


@lru_cache(maxsize=256)
def _indices(sections: tuple[int, ...], dim: int) -> tuple[Any, ...]:
    """The index of each piece."""
    found, start, before = [], 0, (slice(None),) * dim
    for size in sections:
        found.append((*before, slice(start, start + size)))
        start += size
    return tuple(found)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` pieces of equal size along a dimension."""
    if chunks.__class__ is not int:
        chunks = operator.index(chunks)
    if chunks < 1:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    shape = input._array.shape
    if not shape:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if dim.__class__ is not int or not 0 <= dim < len(shape):
        dim = wrap_dim(dim, len(shape))
    total = shape[dim]
    if not total:  # as many pieces as asked for, with nothing in them
        return tuple(split(input, [0] * chunks, dim))
    return _cut(input, _even(total, -(-total // chunks)), dim)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along a dimension, without it."""
    if not input.ndim:
        raise IndexError(f"unbind: dimension {dim} of a tensor that has no dimensions")
    dim = wrap_dim(dim, input.ndim)
    count, context, before = input._array.shape[dim], local.context, (slice(None),) * dim
    if not count:
        return ()
    if not (context.grad_enabled or context.dispatch):
        return tuple([piece(indexing.getitem, input, (*before, i)) for i in range(count)])
    return tuple(squeeze(piece, dim) for piece in split(input, 1, dim))


def copied(out: Tensor) -> Tensor:
    """A result that must be memory of its own, copied where the steps to it were views alone."""
    return out if out._view is None else elementwise.clone(out)


def tile(input: Tensor, dims: Sequence[int]) -> Tensor:
    """Repeated along each dimension as often as ``dims`` says."""
    dims = tuple(dims)
    dims = (1,) * (input.ndim - len(dims)) + dims
    shape = (1,) * (len(dims) - input.ndim) + input._array.shape
    spread = reshape(input, [k for n in shape for k in (1, n)])
    wide = expand(spread, *[k for r, n in zip(dims, shape, strict=True) for k in (r, n)])
    return copied(ops.reshape(wide, shape=tuple(r * n for r, n in zip(dims, shape, strict=True))))


concat = concatenate = cat
