"""The functions of linear algebra that stand at the top level as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorgrad.linalg.checks import adjoint
from tensorgrad.linalg.factoring import cholesky as _cholesky
from tensorgrad.linalg.factoring import cholesky_inverse, cholesky_solve
from tensorgrad.linalg.solving import det, inv, logdet, matrix_exp, matrix_power, pinv, slogdet

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "adjoint",
    "cholesky",
    "cholesky_inverse",
    "cholesky_solve",
    "det",
    "inverse",
    "logdet",
    "matrix_exp",
    "matrix_power",
    "pinverse",
    "slogdet",
]


def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """The Cholesky factor of Hermitian positive-definite matrices; see `linalg.cholesky`."""
    return _cholesky(input, upper=upper)


def inverse(input: Tensor) -> Tensor:
    """The inverse of square matrices; see `linalg.inv`."""
    return inv(input)


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The Moore-Penrose inverse; see `linalg.pinv`."""
    return pinv(input, rcond)
