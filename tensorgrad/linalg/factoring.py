"""Cholesky, QR, LU, eigenvalues, singular values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tensorgrad.batching import on_arrays
from tensorgrad.functions.joining import cat
from tensorgrad.functions.shape import tril, triu
from tensorgrad.graph.node import wrap
from tensorgrad.kernels.triangular import pivoted
from tensorgrad.linalg.checks import LinAlgError, adjoint, check_numbers, check_square, codes
from tensorgrad.linalg.solving import solve_triangular
from tensorgrad.ops import decompositions as ops
from tensorgrad.ops import elementwise, indexing
from tensorgrad.ops import linalg as products
from tensorgrad.return_types import returned_by

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "cholesky",
    "cholesky_ex",
    "cholesky_inverse",
    "cholesky_solve",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "qr",
    "svd",
    "svdvals",
]


@returned_by("linalg_cholesky_ex")
class cholesky_ex_(NamedTuple):
    """The factors, and 0 or the order of the leading minor that is not positive-definite."""

    L: Tensor
    info: Tensor


@returned_by("linalg_qr")
class qr_(NamedTuple):
    """Orthonormal and upper triangular factors."""

    Q: Tensor
    R: Tensor


@returned_by("linalg_lu")
class lu_(NamedTuple):
    """Permutations, unit lower and upper triangular factors."""

    P: Tensor
    L: Tensor
    U: Tensor


@returned_by("linalg_lu_factor")
class lu_factor_(NamedTuple):
    """L and U in one matrix, and LAPACK's row exchanges, counted from 1."""

    LU: Tensor
    pivots: Tensor


@returned_by("linalg_lu_factor_ex")
class lu_factor_ex_(NamedTuple):
    """As `lu_factor`, and where U has a 0 on its diagonal, from 1, or 0."""

    LU: Tensor
    pivots: Tensor
    info: Tensor


@returned_by("linalg_eig")
class eig_(NamedTuple):
    """Eigenvalues and eigenvectors."""

    eigenvalues: Tensor
    eigenvectors: Tensor


@returned_by("linalg_eigh")
class eigh_(NamedTuple):
    """Eigenvalues, ascending, and eigenvectors."""

    eigenvalues: Tensor
    eigenvectors: Tensor


@returned_by("linalg_svd")
class svd_(NamedTuple):
    """Left vectors, singular values, descending, and right vectors as rows."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """L with L L^H = A for Hermitian positive-definite matrices (U with U^H U = A if ``upper``)."""
    check_square("linalg.cholesky", A)
    if upper:
        return adjoint(ops.cholesky(adjoint(A)))
    return ops.cholesky(A)


def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False) -> cholesky_ex_:
    """As `cholesky`, with codes instead of an error; what has no factor gives NaN."""
    check_square("linalg.cholesky_ex", A)
    try:
        return cholesky_ex_(cholesky(A, upper=upper), codes(A))
    except LinAlgError:
        if check_errors:
            raise
    failed = np.zeros(A._array.shape[:-2], np.int32)
    for place in np.ndindex(failed.shape):
        matrix = A._array[place].T.conj() if upper else A._array[place]
        failed[place] = next((k for k in range(1, matrix.shape[0] + 1) if not _works(matrix, k)), 0)
    bad = (failed != 0)[..., None, None]
    eye = np.eye(A.shape[-1], dtype=A._array.dtype)
    factor = cholesky(elementwise.where(bad, eye, A), upper=upper)
    return cholesky_ex_(elementwise.where(bad, float("nan"), factor), codes(A, failed))


def _works(matrix: Any, size: int) -> bool:
    try:
        np.linalg.cholesky(matrix[:size, :size])
    except np.linalg.LinAlgError:
        return False
    return True


def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """X with A X = B from A's Cholesky factor."""
    check_numbers("cholesky_solve", B, L)
    lower = adjoint(L) if upper else L
    half = solve_triangular(lower, B, upper=False)
    return solve_triangular(adjoint(lower), half, upper=True)


def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """The inverse of A from its Cholesky factor."""
    check_square("cholesky_inverse", L)
    return cholesky_solve(wrap(np.eye(L.shape[-1], dtype=L._array.dtype)), L, upper)


def qr(A: Tensor, mode: str = "reduced") -> qr_:
    """Orthonormal Q and upper triangular R with Q R = A.

    mode: "reduced"; "complete", a square Q, not differentiable with more rows than columns; "r",
        only R, not differentiable at all.
    """
    check_numbers("linalg.qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), "
            "'r', or 'complete'"
        )
    m, n = A._array.shape[-2:]
    if mode == "r":
        if A.requires_grad:
            raise RuntimeError(
                "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. "
                "Please use linalg.qr(A, mode='reduced')."
            )
        return qr_(wrap(np.zeros(0, A._array.dtype)), wrap(np.linalg.qr(A._array, mode="r")))
    if m >= n:
        return qr_(*ops.qr(A, mode=mode))
    # Of a wide matrix the first m columns decide; the rest of R follows by products.
    first = indexing.getitem(A, index=(Ellipsis, slice(0, m)))
    rest = indexing.getitem(A, index=(Ellipsis, slice(m, n)))
    left, right = ops.qr(first, mode="reduced")
    return qr_(left, cat([right, products.matmul(adjoint(left), rest)], -1))


# --- LU -------------------------------------------------------------------------------------------


def _packed(A: Tensor, pivot: bool) -> tuple[Tensor, Any]:
    """L and U in one matrix, differentiable, and the order of A's rows."""
    m, n = A._array.shape[-2:]
    k = min(m, n)
    if pivot:
        order = on_arrays(pivoted, A._array)[1]
        index = np.broadcast_to(order[..., None], A._array.shape)
        A = indexing.gather(A, index=index, axis=A.ndim - 2)
    else:
        order = np.broadcast_to(np.arange(m), A._array.shape[:-1])
    everything, head = slice(None), slice(0, k)
    square = ops.lu_packed(indexing.getitem(A, index=(Ellipsis, head, head)))
    if m > k:
        below = indexing.getitem(A, index=(Ellipsis, slice(k, m), everything))
        square = cat([square, solve_triangular(square, below, upper=True, left=False)], -2)
    elif n > k:
        beside = indexing.getitem(A, index=(Ellipsis, everything, slice(k, n)))
        right = solve_triangular(square, beside, upper=False, unitriangular=True)
        square = cat([square, right], -1)
    return square, order


def lu(A: Tensor, *, pivot: bool = True) -> lu_:
    """P, L and U with P L U = A: a permutation, unit lower and upper triangular factors."""
    check_numbers("linalg.lu", A)
    packed, order = _packed(A, pivot)
    m, n = A._array.shape[-2:]
    k = min(m, n)
    left = tril(indexing.getitem(packed, index=(Ellipsis, slice(0, k))), -1)
    lower = elementwise.add(left, np.eye(m, k, dtype=A._array.dtype))
    upper = triu(indexing.getitem(packed, index=(Ellipsis, slice(0, k), slice(None))))
    if not pivot:
        return lu_(wrap(np.zeros(0, A._array.dtype)), lower, upper)
    return lu_(wrap(permutation(order, m, A._array.dtype)), lower, upper)


def lu_factor(A: Tensor, *, pivot: bool = True) -> lu_factor_:
    """LU in one matrix, and the pivots: row i was exchanged with row pivots[i], from 1."""
    check_numbers("linalg.lu_factor", A)
    return lu_factor_(*_factored("linalg.lu_factor", A, pivot, True)[:2])


def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> lu_factor_ex_:
    """As `lu_factor`, and instead of an error where U's diagonal has its first 0, from 1."""
    check_numbers("linalg.lu_factor_ex", A)
    return lu_factor_ex_(*_factored("linalg.lu_factor_ex", A, pivot, check_errors))


def _factored(name: str, A: Tensor, pivot: bool, check: bool) -> tuple[Tensor, Tensor, Tensor]:
    packed, order = _packed(A, pivot)
    k = min(A._array.shape[-2:])
    pivots = wrap(on_arrays(lambda order: _pivots_of(order, k), order))
    info = wrap(on_arrays(_first_zero, packed._array))
    found = info._array
    if check and type(found) is np.ndarray and found.any():  # under vmap U itself shows the 0
        at = int(found.reshape(-1)[np.argmax(found.reshape(-1) != 0)])
        raise LinAlgError(
            f"{name}: U[{at},{at}] is zero and using it on lu_solve would result in a division by "
            "zero. If you still want to perform the factorization, consider calling linalg.lu or "
            "linalg.lu_factor_ex"
        )
    return packed, pivots, info


def _first_zero(packed: Any) -> Any:
    zero = np.diagonal(packed, 0, -2, -1) == 0
    found = np.where(zero.any(-1), zero.argmax(-1) + 1, 0) if zero.shape[-1] else zero.sum(-1)
    return np.asarray(found, np.int32)


def _pivots_of(order: Any, k: int) -> Any:
    """The exchanges, one after the other, that bring rows into an order."""
    pivots = np.empty((*order.shape[:-1], k), np.int32)
    for place in np.ndindex(pivots.shape[:-1]):
        now = list(range(order.shape[-1]))
        for i, row in enumerate(order[place][:k].tolist()):
            j = now.index(row)
            now[i], now[j] = now[j], now[i]
            pivots[(*place, i)] = j + 1
    return pivots


def lu_solve(
    LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False
) -> Tensor:
    """X with A X = B (X A = B, A^H X = B) from what `lu_factor` made of A."""
    from tensorgrad.functions.shape import transpose

    check_numbers("linalg.lu_solve", LU, B)
    check_square("linalg.lu_solve", LU)
    if not left:  # X A = B is A^H X^H = B^H
        conjugate = (
            elementwise.conj(transpose(B, -2, -1)) if B.is_complex() else transpose(B, -2, -1)
        )
        back = lu_solve(LU, pivots, conjugate, adjoint=not adjoint)
        turned = transpose(back, -2, -1)
        return elementwise.conj(turned) if B.is_complex() else turned
    order = order_of(pivots._array, LU.shape[-1])
    if not adjoint:
        half = solve_triangular(LU, _rows(B, order), upper=False, unitriangular=True)
        return solve_triangular(LU, half, upper=True)
    turned = transpose(LU, -2, -1)
    turned = elementwise.conj(turned) if LU.is_complex() else turned
    half = solve_triangular(turned, B, upper=False)
    whole = solve_triangular(turned, half, upper=True, unitriangular=True)
    return _rows(whole, np.argsort(order, -1))


def order_of(pivots: Any, n: int) -> Any:
    """The order of rows that exchanges, one after the other, lead to."""
    return on_arrays(lambda pivots: _order_of(pivots, n), pivots)


def permutation(order: Any, n: int, kind: Any) -> Any:
    """The matrix P with P[order[i], i] = 1: L @ U has A's rows in that order."""
    return np.equal(order[..., None, :], np.arange(n)[:, None]).astype(kind)


def _order_of(pivots: Any, n: int) -> Any:
    order = np.broadcast_to(np.arange(n), (*pivots.shape[:-1], n)).copy()
    for place in np.ndindex(pivots.shape[:-1]):
        for i, j in enumerate(pivots[place].tolist()):
            order[(*place, i)], order[(*place, j - 1)] = (
                order[(*place, j - 1)],
                order[(*place, i)],
            )
    return order


def _rows(x: Tensor, order: Any) -> Tensor:
    """Rows of matrices in another order, one order a matrix."""
    batch = np.broadcast_shapes(x._array.shape[:-2], order.shape[:-1])
    if batch != x._array.shape[:-2]:
        x = x.expand(*batch, *x.shape[-2:])
    index = np.broadcast_to(order[..., None], (*batch, *x.shape[-2:]))
    return indexing.gather(x, index=index, axis=len(batch))


# --- Eigenvalues and singular values --------------------------------------------------------------


def eig(A: Tensor) -> eig_:
    """Eigenvalues and eigenvectors (columns of length 1) of square matrices, complex."""
    check_square("linalg.eig", A)
    _check_finite("linalg.eig", A)
    return eig_(*ops.eig(A))


def eigvals(A: Tensor) -> Tensor:
    """The eigenvalues of square matrices, complex."""
    return eig(A).eigenvalues


def eigh(A: Tensor, UPLO: str = "L") -> eigh_:
    """Eigenvalues and orthonormal eigenvectors of Hermitian matrices; reads one triangle."""
    check_square("linalg.eigh", A)
    if not isinstance(UPLO, str) or UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return eigh_(*ops.eigh(A, lower=UPLO.upper() == "L"))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues, ascending, of Hermitian matrices; reads one triangle."""
    return eigh(A, UPLO).eigenvalues


def _check_finite(name: str, A: Tensor) -> None:
    if not np.isfinite(A._array).all():
        raise LinAlgError(f"{name}: input tensor should not contain infs or NaNs.")


def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> svd_:
    """U, S, Vh with U diag(S) Vh = A, S descending; square U and Vh with ``full_matrices``.

    The gradient exists where singular values differ, for losses that do not depend on the signs
    (or phases) of the vectors, nor on those that ``full_matrices`` adds.
    """
    check_numbers("linalg.svd", A)
    if driver is not None:
        raise RuntimeError(
            "linalg.svd: keyword argument `driver=` is only supported on CUDA inputs"
        )
    _check_finite("linalg.svd", A)
    return svd_(*ops.svd(A, full=bool(full_matrices)))


def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """The singular values, descending."""
    if not A.requires_grad and driver is None:
        check_numbers("linalg.svdvals", A)
        _check_finite("linalg.svdvals", A)
        return wrap(np.linalg.svd(A._array, compute_uv=False))
    return svd(A, False, driver=driver).S
