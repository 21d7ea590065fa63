"""Tensors with strides of one's own: windows over the memory of others."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.functions.shape import permute
from tensorgrad.graph.node import hook
from tensorgrad.ops import elementwise, indexing, shape
from tensorgrad.ops import strided as ops
from tensorgrad.views.following import base_of
from tensorgrad.views.strides import logical_offset, logical_strides, make_contiguous

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["as_strided", "as_strided_copy", "as_strided_scatter"]


def _checked(name: str, size: Any, stride: Any, offset: int) -> tuple[Any, Any]:
    sizes, strides = tuple(int(n) for n in size), tuple(int(s) for s in stride)
    if len(sizes) != len(strides):
        raise RuntimeError(
            f"{name}: mismatch in length of strides and shape: {len(strides)} strides for "
            f"{len(sizes)} dimensions"
        )
    if any(s < 0 for s in strides):
        raise RuntimeError(
            f"{name}: Negative strides are not supported at the moment, got strides: "
            f"{list(strides)}; flip() afterwards"
        )
    if any(n < 0 for n in sizes):
        raise RuntimeError(f"{name}: sizes must not be negative, got {list(sizes)}")
    if offset < 0:
        raise RuntimeError(f"{name}: invalid storage offset {offset}")
    return sizes, strides


def _reach(size: Any, stride: Any, offset: int) -> int:
    """How many elements from the start of the memory a window needs."""
    if 0 in size:
        return 0
    return int(offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) + 1)


def _flat(x: Tensor) -> tuple[Tensor, int] | None:
    """A view of x whose elements are in memory's order without a gap, and its start in memory.

    None where there is none: a part of a tensor with gaps, an expanded tensor.
    """
    strides, sizes = logical_strides(x), tuple(x._array.shape)
    axes = sorted(range(len(sizes)), key=lambda i: (-strides[i], -sizes[i]))
    expected = 1
    for axis in reversed(axes):
        if sizes[axis] != 1 and strides[axis] != expected:
            return None
        expected *= sizes[axis]
    start = logical_offset(x)
    laid_out_by_user = x._storage is not None and x._storage.strided
    if not laid_out_by_user and type(x._array) is not hook.batch:
        make_contiguous(x)
    return (x if axes == sorted(axes) else permute(x, axes)), start


def _parent(name: str, input: Tensor, size: Any, stride: Any, offset: int) -> tuple[Tensor, int]:
    """What a window is a view of, and its offset there: the tensor itself, else its base."""
    base = base_of(input)
    whole = _flat(base)
    for x in (input, base):
        found = _flat(x) if x is not base else whole
        if found is None:
            continue
        flat, start = found
        if start <= offset and _reach(size, stride, offset) <= start + flat._array.size:
            if x is base and x is not input and input.is_leaf and input.requires_grad:
                break  # its gradient would not arrive
            return flat, offset - start
    if whole is None:
        raise RuntimeError(
            f"{name}: the tensor's memory was not laid out by tensorgrad and has gaps; clone() it "
            "first"
        )
    raise RuntimeError(
        f"{name}: sizes {list(size)}, strides {list(stride)} and storage offset {offset} need "
        f"{_reach(size, stride, offset)} elements, out of bounds for the "
        f"{whole[1] + base._array.size} from the start of memory that this tensor may reach"
    )


def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """The elements at storage_offset + i . stride of the tensor's memory, as a view.

    size, stride: one number a dimension; strides in elements, as PyTorch counts them (the engine's
        own layouts do not show).
    storage_offset: where the first element lies; default where the tensor's own does.
    Every element must lie in memory; gradients of places that the window has several times are
    added.  A window that has a place twice cannot be written.
    """
    return _window("as_strided", input, size, stride, storage_offset)


def _window(name: str, input: Tensor, size: Any, stride: Any, start: int | None) -> Tensor:
    offset = logical_offset(input) if start is None else start
    sizes, strides = _checked(name, size, stride, offset)
    if 0 in sizes:
        return ops.as_strided(input, size=sizes, stride=strides, offset=0)
    parent, inside = _parent(name, input, sizes, strides, offset)
    return ops.as_strided(parent, size=sizes, stride=strides, offset=inside)


def as_strided_copy(
    input: Tensor, size: Any, stride: Any, storage_offset: int | None = None
) -> Tensor:
    """`as_strided` as a copy."""
    return elementwise.clone(_window("as_strided_copy", input, size, stride, storage_offset))


def as_strided_scatter(
    input: Tensor, src: Tensor, size: Any, stride: Any, storage_offset: int | None = None
) -> Tensor:
    """A copy of input with ``src`` in the place of its `as_strided` window.

    Where the window has a place twice, the later element stays, and has the gradient.
    """
    name = "as_strided_scatter"
    sizes = tuple(int(n) for n in size)
    if tuple(src.shape) != sizes:
        raise RuntimeError(
            f"{name}: expected src to have a size equal to the slice of self. src size = "
            f"{list(src.shape)}, slice size = {list(sizes)}"
        )
    found = _flat(input)
    if found is None:
        raise RuntimeError(
            f"{name}: input has gaps between its elements (strides "
            f"{list(logical_strides(input))}); clone() it first"
        )
    flat, start = found
    offset = start if storage_offset is None else storage_offset
    sizes, strides = _checked(name, size, stride, offset)
    if offset < start or _reach(sizes, strides, offset) > start + prod(flat._array.shape):
        raise RuntimeError(
            f"{name}: sizes {list(sizes)}, strides {list(strides)} and storage offset {offset} are "
            f"out of bounds for the {flat._array.size} elements from {start} of input"
        )
    # Not by a write into a view: this way it also runs under vmap, whatever is mapped.
    written = indexing.index_fill(
        shape.reshape(flat, shape=(flat._array.size,)),
        shape.reshape(src, shape=(src._array.size,)),
        index=(ops.places(sizes, strides, offset - start).reshape(-1),),
    )
    out = shape.reshape(written, shape=flat._array.shape)
    if flat is input:
        return out
    axes = sorted(range(input.ndim), key=lambda i: (-logical_strides(input)[i], -input.shape[i]))
    return permute(out, [int(i) for i in np.argsort(axes)])
