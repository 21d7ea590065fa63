"""Approximations of low rank, and a few eigenpairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions.linalg import matmul
from tensorgrad.functions.reduction import mean
from tensorgrad.functions.shape import broadcast_to, flip
from tensorgrad.linalg.checks import adjoint, check_square
from tensorgrad.linalg.factoring import cholesky, eigh, qr, svd
from tensorgrad.linalg.solving import solve_triangular
from tensorgrad.ops import elementwise, indexing
from tensorgrad.sampling import randn

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["lobpcg", "pca_lowrank", "svd_lowrank"]


def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """U, S, V of about the q largest singular values of A (of A - M), from random projections.

    niter: rounds of subspace iteration; more bring the values nearer to the true ones.
    Algorithm 5.1 of Halko, Martinsson and Tropp, Finding structure with randomness (2009).
    """
    q, niter = 6 if q is None else q, 2 if niter is None else niter
    if M is not None:
        A = elementwise.sub(A, broadcast_to(M, A.shape))
    m, n = A._array.shape[-2:]
    if m < n:
        right, values, left = svd_lowrank(adjoint(A), q, niter)
        return left, values, right
    basis = qr(matmul(A, randn(n, q, dtype=A.dtype))).Q
    for _ in range(niter):
        basis = qr(matmul(adjoint(A), basis)).Q
        basis = qr(matmul(A, basis)).Q
    left, values, right = svd(matmul(adjoint(basis), A), full_matrices=False)
    return matmul(basis, left), values, adjoint(right)


def pca_lowrank(
    A: Tensor, q: int | None = None, center: bool = True, niter: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """Principal components of rows: U, S, V of `svd_lowrank` of the centred matrix.

    q: how many, min(6, m, n) unless given.  The columns of V are the directions.
    """
    m, n = A._array.shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        raise ValueError(
            f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}"
        )
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    if center:
        A = elementwise.sub(A, mean(A, -2, True))
    return svd_lowrank(A, q, niter)


def lobpcg(
    A: Tensor,
    k: int | None = None,
    B: Tensor | None = None,
    X: Tensor | None = None,
    n: int | None = None,
    iK: Tensor | None = None,
    niter: int | None = None,
    tol: float | None = None,
    largest: bool | None = None,
    method: str | None = None,
    tracker: None = None,
    ortho_iparams: dict[str, int] | None = None,
    ortho_fparams: dict[str, float] | None = None,
    ortho_bparams: dict[str, bool] | None = None,
) -> tuple[Tensor, Tensor]:
    """The k largest (or smallest) eigenvalues of A x = E B x, and their vectors as columns.

    k: X's number of columns, or 1, unless given.
    The matrices are decomposed as a whole, which for dense ones is as quick: the results are exact,
    and what steers an iteration (the start X, ``n``, the preconditioner iK, niter, tol, ``method``,
    the ortho parameters) has nothing to steer.  A ``tracker``, which is called in every round, is
    refused.
    """
    check_square("lobpcg", A)
    if A._array.dtype.kind != "f" or (B is not None and B._array.dtype.kind != "f"):
        raise ValueError(f"lobpcg: expected real floating-point matrices, got {A.dtype}")
    if tracker is not None:
        raise NotImplementedError("lobpcg: there is no iteration that a tracker could follow")
    if method not in (None, "basic", "ortho"):
        raise ValueError(f"lobpcg: method must be 'basic' or 'ortho', got {method!r}")
    size = A._array.shape[-1]
    count = k if k is not None else X._array.shape[-1] if X is not None else 1
    if not 0 < count <= size:
        raise ValueError(f"lobpcg: k={count} eigenpairs of a {size} x {size} matrix")
    if B is None:
        values, vectors = eigh(A)
    else:  # A = L C L^T with the Cholesky factor of B: C has the same eigenvalues
        check_square("lobpcg", B)
        factor = cholesky(B)
        half = solve_triangular(factor, A, upper=False)
        values, turned = eigh(solve_triangular(factor, adjoint(half), upper=False))
        vectors = solve_triangular(adjoint(factor), turned, upper=True)
    if largest is None or largest:
        values, vectors = flip(values, (-1,)), flip(vectors, (-1,))
    first: Any = slice(0, count)
    return (
        indexing.getitem(values, index=(Ellipsis, first)),
        indexing.getitem(vectors, index=(Ellipsis, first)),
    )
