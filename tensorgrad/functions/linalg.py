"""Matrix products with PyTorch's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorgrad.ops import elementwise, shape
from tensorgrad.ops import linalg as ops
from tensorgrad.ops.kinds import refuse_kinds

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["bmm", "dot", "matmul", "mm", "mv", "outer"]


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product: vectors, matrices, and batches of them with broadcasting."""
    _one_dtype("matmul", input, other)
    return ops.matmul(input, other)


def _one_dtype(name: str, a: Tensor, b: Tensor) -> None:
    if a._array.dtype != b._array.dtype:
        raise RuntimeError(
            f"{name}: expected m1 and m2 to have the same dtype, but got: {a.dtype} != {b.dtype}"
        )
    if a._array.dtype.kind == "b":  # asked here: products are too many for one more call
        refuse_kinds(name, "b", a)


def _ranks(name: str, a: Tensor, b: Tensor, ranks: tuple[int, int]) -> None:
    if (a.ndim, b.ndim) != ranks:
        raise RuntimeError(
            f"{name}: expected tensors of {ranks[0]} and {ranks[1]} dimensions, got shapes "
            f"{tuple(a.shape)} and {tuple(b.shape)}"
        )
    _one_dtype(name, a, b)


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices."""
    _ranks("mm", input, mat2, (2, 2))
    return ops.matmul(input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two batches of matrices, (B, n, m) by (B, m, p)."""
    _ranks("bmm", input, mat2, (3, 3))
    if input.shape[0] != mat2.shape[0]:
        raise RuntimeError(f"bmm: batch sizes differ: {tuple(input.shape)} and {tuple(mat2.shape)}")
    return ops.matmul(input, mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """A matrix times a vector."""
    _ranks("mv", input, vec, (2, 1))
    return ops.matmul(input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The inner product of two vectors."""
    _ranks("dot", input, tensor, (1, 1))
    return ops.matmul(input, tensor)


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """The outer product of two vectors."""
    if (input.ndim, vec2.ndim) != (1, 1):
        raise RuntimeError(
            f"outer: expected two vectors, got {tuple(input.shape)} and {tuple(vec2.shape)}"
        )
    return elementwise.mul(shape.reshape(input, shape=(input.shape[0], 1)), vec2)
