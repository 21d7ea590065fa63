"""L D L^T factors of symmetric and Hermitian matrices, and systems solved by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tensorgrad.functions.shape import tril, triu
from tensorgrad.graph.node import local, wrap
from tensorgrad.kernels import ldl
from tensorgrad.linalg.checks import (
    LinAlgError,
    adjoint,
    check_not_mapped,
    check_numbers,
    check_square,
)
from tensorgrad.linalg.solving import solve_triangular
from tensorgrad.ops import elementwise, indexing, inverses
from tensorgrad.ops.transposes import transposed
from tensorgrad.primitive import recorded
from tensorgrad.return_types import returned_by

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["ldl_factor", "ldl_factor_ex", "ldl_solve"]


@returned_by("linalg_ldl_factor")
class ldl_factor_(NamedTuple):
    """L and D in one matrix, and LAPACK's exchanges and block sizes."""

    LD: Tensor
    pivots: Tensor


@returned_by("linalg_ldl_factor_ex")
class ldl_factor_ex_(NamedTuple):
    """As `ldl_factor`, and where D was found singular, from 1, or 0."""

    LD: Tensor
    pivots: Tensor
    info: Tensor


def ldl_factor_ex(
    A: Tensor, *, hermitian: bool = False, check_errors: bool = False
) -> ldl_factor_ex_:
    """LDL^T (LDL^H if ``hermitian``) of matrices whose lower triangle is read, as LAPACK packs it.

    By Bunch and Kaufman's pivoting: D has blocks of one and two, marked by negative pivots.  Not
    differentiable, as in PyTorch.
    """
    check_square("linalg.ldl_factor_ex", A)
    check_not_mapped("linalg.ldl_factor_ex", A)
    if A.requires_grad and local.context.grad_enabled:
        raise RuntimeError(
            "linalg.ldl_factor: the derivative is not implemented; detach() the matrix, or use "
            "linalg.solve, linalg.cholesky or linalg.eigh"
        )
    packed, batch = np.empty_like(A._array, order="C"), A._array.shape[:-2]
    pivots, info = np.empty(A._array.shape[:-1], np.int32), np.empty(batch, np.int32)
    for place in np.ndindex(batch):
        packed[place], pivots[place], info[place] = ldl.factor(
            A._array[place], hermitian and A.is_complex()
        )
    if check_errors and info.any():
        at = int(info.reshape(-1)[np.argmax(info.reshape(-1) != 0)])
        raise LinAlgError(
            f"linalg.ldl_factor_ex: The diagonal block {at} of D is zero: it cannot be inverted"
        )
    return ldl_factor_ex_(wrap(packed), wrap(pivots), wrap(info))


def ldl_factor(A: Tensor, *, hermitian: bool = False) -> ldl_factor_:
    """As `ldl_factor_ex`, without the codes."""
    return ldl_factor_(*ldl_factor_ex(A, hermitian=hermitian)[:2])


def ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False) -> Tensor:
    """X with A X = B from what `ldl_factor` made of A; differentiable in LD and B."""
    check_numbers("linalg.ldl_solve", LD, B)
    check_square("linalg.ldl_solve", LD)
    check_not_mapped("linalg.ldl_solve", LD, pivots)
    if pivots._array.dtype.kind not in "iu":
        raise RuntimeError(f"linalg.ldl_solve: Expected pivots to be integers. Got {pivots.dtype}")
    n = LD.shape[-1]
    if pivots._array.shape != LD._array.shape[:-1] or B.shape[-2] != n:
        raise RuntimeError(
            f"linalg.ldl_solve: Incompatible shapes of LD {tuple(LD.shape)}, pivots "
            f"{tuple(pivots.shape)} and B {tuple(B.shape)}"
        )
    batch = LD._array.shape[:-2]
    order = np.empty((*batch, n), np.int64)
    places = np.empty((*batch, n, n), np.int64)
    double = np.empty((*batch, n), bool)
    for place in np.ndindex(batch):
        order[place], places[place], double[place] = ldl.unpack(pivots._array[place])
    turned = hermitian and LD.is_complex()
    low = np.zeros((*batch, n, n), bool)  # D's second diagonal, below the first
    low[..., range(1, n), range(n - 1)] = double[..., :-1]
    corner = recorded.mask(LD, mask=low)
    other = adjoint(corner) if turned else transposed(recorded, corner)
    main = recorded.mask(LD, mask=np.broadcast_to(np.eye(n, dtype=bool), low.shape))
    middle = elementwise.add(elementwise.add(main, corner), other)
    strict = recorded.mask(tril(LD, -1), mask=~low)
    lower = indexing.gather(strict, index=places, axis=LD.ndim - 2)
    whole = np.broadcast_shapes(batch, B._array.shape[:-2])
    X: Any = B.expand(*whole, *B.shape[-2:])
    rows = np.broadcast_to(order[..., None], (*whole, *B.shape[-2:]))
    X = indexing.gather(X, index=rows, axis=X.ndim - 2)
    X = solve_triangular(lower, X, upper=False, unitriangular=True)
    X = inverses.solve(middle, X)
    back = adjoint(lower) if turned else transposed(recorded, lower)
    X = solve_triangular(triu(back, 1), X, upper=True, unitriangular=True)
    rows = np.broadcast_to(np.argsort(order, -1)[..., None], X._array.shape)
    return indexing.gather(X, index=rows, axis=X.ndim - 2)
