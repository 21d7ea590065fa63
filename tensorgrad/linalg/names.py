"""The functions of linear algebra that stand at the top level as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tensorgrad.functions.shape import movedim
from tensorgrad.linalg import checks, factoring, solving
from tensorgrad.linalg.householder import geqrf, orgqr, ormqr
from tensorgrad.linalg.solving import inv, logdet, matrix_exp, matrix_power, pinv
from tensorgrad.return_types import returned_by

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "adjoint",
    "cholesky",
    "cholesky_inverse",
    "cholesky_solve",
    "det",
    "geqrf",
    "inverse",
    "logdet",
    "lu_solve",
    "matrix_exp",
    "matrix_power",
    "orgqr",
    "ormqr",
    "pinverse",
    "slogdet",
    "triangular_solve",
]


@returned_by("triangular_solve")
class triangular_solve_(NamedTuple):
    """The solution, and a copy of the triangular matrix."""

    solution: Tensor
    cloned_coefficient: Tensor


def lu_solve(input: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """X with A X = input, from what `linalg.lu_factor` made of A."""
    return factoring.lu_solve(LU_data, LU_pivots, input)


def triangular_solve(
    input: Tensor,
    A: Tensor,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
) -> triangular_solve_:
    """X with A X = input (A^T X = input) for one triangle of A; see `linalg.solve_triangular`."""
    checks.check_square("triangular_solve", A)
    matrix = movedim(A, -1, -2) if transpose else A
    solution = solving.solve_triangular(
        matrix, input, upper=upper != transpose, unitriangular=unitriangular
    )
    return triangular_solve_(solution, A.clone())


def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """The Cholesky factor of Hermitian positive-definite matrices; see `linalg.cholesky`."""
    return factoring.cholesky(input, upper=upper)


def adjoint(input: Tensor) -> Tensor:
    """The conjugate transpose of matrices."""
    return checks.adjoint(input)


def cholesky_solve(input: Tensor, input2: Tensor, upper: bool = False) -> Tensor:
    """X with A X = input, where input2 is A's Cholesky factor."""
    return factoring.cholesky_solve(input, input2, upper)


def cholesky_inverse(input: Tensor, upper: bool = False) -> Tensor:
    """The inverse of A, where input is A's Cholesky factor."""
    return factoring.cholesky_inverse(input, upper)


def det(input: Tensor) -> Tensor:
    """The determinant of square matrices; see `linalg.det`."""
    return solving.det(input)


def slogdet(input: Tensor) -> solving.slogdet_:
    """The sign and the log of the size of a determinant; see `linalg.slogdet`."""
    return solving.slogdet(input)


def inverse(input: Tensor) -> Tensor:
    """The inverse of square matrices; see `linalg.inv`."""
    return inv(input)


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The Moore-Penrose inverse; see `linalg.pinv`."""
    return pinv(input, rcond)
