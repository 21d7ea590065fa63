"""Inverses, determinants and factors of matrices as methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.linalg import names, old_names

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["MatrixMethods"]


class MatrixMethods:
    """Inverses, determinants and factors of matrices as methods."""

    __slots__ = ()

    def adjoint(self: Any) -> Tensor:
        """The conjugate transpose of matrices."""
        return names.adjoint(self)

    def cholesky(self: Any, upper: bool = False) -> Tensor:
        """The Cholesky factor of Hermitian positive-definite matrices; see `linalg.cholesky`."""
        return names.cholesky(self, upper)

    def cholesky_inverse(self: Any, upper: bool = False) -> Tensor:
        """The inverse of A from its Cholesky factor."""
        return names.cholesky_inverse(self, upper)

    def cholesky_solve(self: Any, input2: Tensor, upper: bool = False) -> Tensor:
        """X with A X = this, from A's Cholesky factor."""
        return names.cholesky_solve(self, input2, upper)

    def det(self: Any) -> Tensor:
        """The determinant of square matrices."""
        return names.det(self)

    def geqrf(self: Any) -> Any:
        """The QR factors as LAPACK packs them."""
        return names.geqrf(self)

    def inverse(self: Any) -> Tensor:
        """The inverse of square matrices; see `linalg.inv`."""
        return names.inverse(self)

    def lu(self: Any, pivot: bool = True, get_infos: bool = False) -> Any:
        """L and U in one matrix and the row exchanges; see `linalg.lu_factor`."""
        return old_names.lu(self, pivot, get_infos)

    def qr(self: Any, some: bool = True) -> Any:
        """Orthonormal Q and upper triangular R; see `linalg.qr`."""
        return old_names.qr(self, some)

    def svd(self: Any, some: bool = True, compute_uv: bool = True) -> Any:
        """U, S, V with U diag(S) V^H = this; see `linalg.svd`."""
        return old_names.svd(self, some, compute_uv)

    def logdet(self: Any) -> Tensor:
        """log det: NaN for a negative determinant, -inf for a singular matrix."""
        return names.logdet(self)

    def lu_solve(self: Any, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
        """X with A X = self, from A's LU factors."""
        return names.lu_solve(self, LU_data, LU_pivots)

    def matrix_exp(self: Any) -> Tensor:
        """e**A as a power series of square matrices."""
        return names.matrix_exp(self)

    def matrix_power(self: Any, n: int) -> Tensor:
        """The n-th power of square matrices; a negative n inverts first."""
        return names.matrix_power(self, n)

    def orgqr(self: Any, input2: Tensor) -> Tensor:
        """The product of Householder reflections; see `linalg.householder_product`."""
        return names.orgqr(self, input2)

    def ormqr(
        self: Any, input2: Tensor, input3: Tensor, left: bool = True, transpose: bool = False
    ) -> Tensor:
        """A matrix times the Q of `geqrf`."""
        return names.ormqr(self, input2, input3, left, transpose)

    def pinverse(self: Any, rcond: float = 1e-15) -> Tensor:
        """The Moore-Penrose inverse; see `linalg.pinv`."""
        return names.pinverse(self, rcond)

    def slogdet(self: Any) -> Any:
        """The sign of the determinant (a unit number for complex matrices) and log |det|."""
        return names.slogdet(self)

    def triangular_solve(
        self: Any,
        A: Tensor,
        upper: bool = True,
        transpose: bool = False,
        unitriangular: bool = False,
    ) -> Any:
        """X with A X = self for one triangle of A, and a copy of A."""
        return names.triangular_solve(self, A, upper, transpose, unitriangular)
