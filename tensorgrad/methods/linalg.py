"""Matrix products as methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions import linalg as functions

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["LinalgMethods"]


class LinalgMethods:
    """Matrix products as methods."""

    __slots__ = ()

    def bmm(self: Any, mat2: Tensor) -> Tensor:
        """The products of two batches of matrices, (B, n, m) by (B, m, p)."""
        return functions.bmm(self, mat2)

    def dot(self: Any, tensor: Tensor) -> Tensor:
        """The inner product of two vectors."""
        return functions.dot(self, tensor)

    def matmul(self: Any, other: Tensor) -> Tensor:
        """The matrix product: vectors, matrices, and batches of them with broadcasting."""
        return functions.matmul(self, other)

    def mm(self: Any, mat2: Tensor) -> Tensor:
        """The product of two matrices."""
        return functions.mm(self, mat2)

    def mv(self: Any, vec: Tensor) -> Tensor:
        """A matrix times a vector."""
        return functions.mv(self, vec)

    def outer(self: Any, vec2: Tensor) -> Tensor:
        """The outer product of two vectors."""
        return functions.outer(self, vec2)
