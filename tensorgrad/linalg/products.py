"""Products under the names that they have in linalg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tensorgrad.functions import diagonals, products
from tensorgrad.functions.combining import powers
from tensorgrad.functions.linalg import matmul
from tensorgrad.functions.shape import reshape
from tensorgrad.ops import elementwise, reduction

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["cross", "diagonal", "matmul", "multi_dot", "vander", "vecdot"]


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The vector product along a dimension of size 3."""
    return products.cross(input, other, dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonal of matrices as a new last dimension, as a view."""
    return diagonals.diagonal(A, offset, dim1, dim2)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The inner products of vectors along a dimension, the first ones conjugated."""
    if x._array.dtype != y._array.dtype:
        raise RuntimeError(
            f"linalg.vecdot: Expected inputs of one dtype, but got {x.dtype} and {y.dtype}"
        )
    if x._array.dtype.kind not in "fc":
        raise RuntimeError(
            f"linalg.vecdot: Expected a floating point or complex tensor as input. Got {x.dtype}; "
            "convert it with .float()"
        )
    left = elementwise.conj(x) if x.is_complex() else x
    return reduction.sum(elementwise.mul(left, y), axis=dim, keepdims=False)


def vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """The powers 0, 1, ..., N - 1 of the last dimension's elements, as columns."""
    if x.ndim == 0:
        if N is None:
            raise RuntimeError(
                "linalg.vander: x must have at least 1 dimension where N is not given, got a 0-d "
                "tensor"
            )
        x = reshape(x, (1,))
    if x._array.dtype.kind == "b":
        raise RuntimeError(
            "linalg.vander supports floating point, complex, and integer tensors, but got bool"
        )
    count = x._array.shape[-1] if N is None else N
    if count <= 1 and N is not None:
        raise RuntimeError(f"N must be greater than 1, got {N}")
    return powers(x, count, True)


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of matrices in the cheapest order; the first and the last may be vectors."""
    chain = list(tensors)
    if len(chain) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(chain)}")
    for i, t in enumerate(chain):
        inside = 0 < i < len(chain) - 1
        if t.ndim != 2 and (inside or t.ndim != 1):
            raise RuntimeError(
                f"multi_dot(): tensor {i} must be {'2D' if inside else '1D or 2D'} but got "
                f"{t.ndim}D"
            )
    row, column = chain[0].ndim == 1, chain[-1].ndim == 1
    if row:
        chain[0] = reshape(chain[0], (1, -1))
    if column:
        chain[-1] = reshape(chain[-1], (-1, 1))
    result = products.multiplied(chain, "multi_dot")
    shape = tuple(result.shape)
    return reshape(result, shape[int(row) : len(shape) - int(column)])
