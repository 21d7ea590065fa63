"""Products with an addition, diagonals and products of vectors as methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions import combining, diagonals, products

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["ProductMethods"]


class ProductMethods:
    """Products with an addition, diagonals and products of vectors as methods."""

    __slots__ = ()

    def renorm(self: Any, p: float, dim: int, maxnorm: float) -> Tensor:
        """Slices along a dimension whose p-norm exceeds maxnorm, scaled down to it."""
        return combining.renorm(self, p, dim, maxnorm)

    def diag(self: Any, diagonal: int = 0) -> Tensor:
        """A matrix with a vector on its diagonal, or the diagonal of a matrix (a copy)."""
        return diagonals.diag(self, diagonal)

    def diag_embed(self: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
        """Zeros with the last dimension of ``input`` on the diagonal of two new dimensions."""
        return diagonals.diag_embed(self, offset, dim1, dim2)

    def diagflat(self: Any, offset: int = 0) -> Tensor:
        """A matrix with all elements, flattened, on its diagonal."""
        return diagonals.diagflat(self, offset)

    def diagonal(self: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
        """The diagonal of two dimensions as a new last one, as a view; ``offset`` > 0 is above."""
        return diagonals.diagonal(self, offset, dim1, dim2)

    def diagonal_scatter(
        self: Any, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1
    ) -> Tensor:
        """A copy of ``input`` with ``src`` on a diagonal."""
        return diagonals.diagonal_scatter(self, src, offset, dim1, dim2)

    def trace(self: Any) -> Tensor:
        """The sum of a matrix's diagonal."""
        return diagonals.trace(self)

    def addbmm(
        self: Any, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1
    ) -> Tensor:
        """beta * input + alpha * the sum over the batch of batch1 @ batch2."""
        return products.addbmm(self, batch1, batch2, beta=beta, alpha=alpha)

    def addmm(self: Any, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        """beta * input + alpha * (mat1 @ mat2)."""
        return products.addmm(self, mat1, mat2, beta=beta, alpha=alpha)

    def addmv(self: Any, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        """beta * input + alpha * (mat @ vec)."""
        return products.addmv(self, mat, vec, beta=beta, alpha=alpha)

    def addr(self: Any, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        """beta * input + alpha * (vec1 outer vec2)."""
        return products.addr(self, vec1, vec2, beta=beta, alpha=alpha)

    def baddbmm(
        self: Any, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1
    ) -> Tensor:
        """beta * input + alpha * (batch1 @ batch2), batch by batch."""
        return products.baddbmm(self, batch1, batch2, beta=beta, alpha=alpha)

    def cross(self: Any, other: Tensor, dim: int | None = None) -> Tensor:
        """The vector product along a dimension of size 3; by default the first that has it."""
        return products.cross(self, other, dim)

    def inner(self: Any, other: Tensor) -> Tensor:
        """The sum of products over the last dimensions; a scalar multiplies."""
        return products.inner(self, other)

    def kron(self: Any, other: Tensor) -> Tensor:
        """The Kronecker product: blocks of ``other``, each times an element of ``input``."""
        return products.kron(self, other)

    def vdot(self: Any, other: Tensor) -> Tensor:
        """The inner product of two vectors, the first one conjugated."""
        return products.vdot(self, other)
