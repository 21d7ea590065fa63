"""Diagonals: reading, writing, and matrices made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.creation import check_options, finish
from tensorgrad.dtypes import numpy_dtype
from tensorgrad.functions.shape import ravel, wrap_dim
from tensorgrad.ops import diagonals as ops
from tensorgrad.ops import elementwise, reduction
from tensorgrad.ops.kinds import refuse_kinds

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "diag",
    "diag_embed",
    "diagflat",
    "diagonal",
    "diagonal_scatter",
    "trace",
    "tril_indices",
    "triu_indices",
]


def _two(name: str, dim1: int, dim2: int, ndim: int) -> tuple[int, int]:
    a, b = wrap_dim(dim1, ndim), wrap_dim(dim2, ndim)
    if a == b or ndim < 2:
        raise RuntimeError(
            f"{name}: dimensions cannot be identical {dim1}, {dim2}; a diagonal needs two of the "
            f"{ndim} dimensions"
        )
    return a, b


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of two dimensions as a new last one, as a view; ``offset`` > 0 is above."""
    a, b = _two("diagonal", dim1, dim2, input.ndim)
    return ops.diagonal(input, offset=offset, axis1=a, axis2=b)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Zeros with the last dimension of ``input`` on the diagonal of two new dimensions."""
    a, b = _two("diag_embed", dim1, dim2, input.ndim + 1)
    n = input._array.shape[-1] + abs(offset)
    shape = list(input._array.shape[:-1])
    for place in sorted((a, b)):
        shape.insert(place, n)
    return ops.diag_embed(input, offset=offset, axis1=a, axis2=b, shape=tuple(shape))


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A matrix with a vector on its diagonal, or the diagonal of a matrix (a copy)."""
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim == 2:
        return elementwise.clone(ops.diagonal(input, offset=diagonal, axis1=0, axis2=1))
    raise RuntimeError(
        f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D; use diagonal or diag_embed"
    )


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """A matrix with all elements, flattened, on its diagonal."""
    return diag_embed(ravel(input), offset)


def diagonal_scatter(
    input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """A copy of ``input`` with ``src`` on a diagonal."""
    a, b = _two("diagonal_scatter", dim1, dim2, input.ndim)
    shape = input._array.shape
    hole = np.ones(shape, bool)
    size = np.diagonal(hole, offset, a, b).shape
    if src._array.shape != size:
        raise RuntimeError(
            f"diagonal_scatter: expected src to have the diagonal's size {size}, got "
            f"{tuple(src.shape)}"
        )
    place = ops.diag_embed.primitive.forward(  # type: ignore[attr-defined]
        np.ones(size, bool), offset=offset, axis1=a, axis2=b, shape=shape
    )
    kept = elementwise.mask(input, mask=~place)
    new = ops.diag_embed(src, offset=offset, axis1=a, axis2=b, shape=shape)
    return elementwise.add(kept, elementwise.astype(new, dtype=input._array.dtype))


def trace(input: Tensor) -> Tensor:
    """The sum of a matrix's diagonal."""
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    refuse_kinds("trace", "b", input)
    values = ops.diagonal(input, offset=0, axis1=0, axis2=1)
    return reduction.sum(values, axis=None, keepdims=False)


def _indices(
    name: str,
    found: Any,
    row: int,
    col: int,
    dtype: Any,
    device: Any,
    layout: Any,
    pin: bool,
    grad: bool,
) -> Tensor:
    check_options(device, layout, pin)
    kind = np.dtype(np.int64) if dtype is None else numpy_dtype(dtype)
    if kind not in (np.int32, np.int64):
        raise RuntimeError(f"{name}: dtype must be int32 or int64, got {kind}")
    if row < 0 or col < 0:
        raise RuntimeError(f"{name}: row and col must be non-negative, got {row} and {col}")
    return finish(np.stack(found).astype(kind), grad)


def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: Any = None,
    device: Any = None,
    layout: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Rows and columns, (2, n), of the lower triangle's elements, row by row."""
    found = np.tril_indices(max(row, 0), offset, max(col, 0))
    return _indices(
        "tril_indices", found, row, col, dtype, device, layout, pin_memory, requires_grad
    )


def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: Any = None,
    device: Any = None,
    layout: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Rows and columns, (2, n), of the upper triangle's elements, row by row."""
    found = np.triu_indices(max(row, 0), offset, max(col, 0))
    return _indices(
        "triu_indices", found, row, col, dtype, device, layout, pin_memory, requires_grad
    )
