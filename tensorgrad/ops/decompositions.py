"""Decompositions of matrices.  Gradients are PyTorch's, with its caveats: they exist where singular
values or eigenvalues differ, and vectors only up to sign or phase, on which a loss must not depend.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching import families
from tensorgrad.errors import LinAlgError
from tensorgrad.kernels.triangular import lu_in_place
from tensorgrad.ops.kinds import is_complex
from tensorgrad.ops.transposes import (
    adjoint,
    as_column,
    as_row,
    halved,
    main_diagonal,
    on_main,
    product,
    transposed,
)
from tensorgrad.primitive import primitive


def _triangular(xp: Any, a: Any, b: Any, upper: bool) -> Any:
    return xp.solve_triangular(a, b, upper=upper, unit=False)


# --- Cholesky, QR, LU -----------------------------------------------------------------------------


def _cholesky_rule(xp: Any, g: Any, y: Any, a: Any) -> Any:
    h = adjoint(xp, y)
    inner = xp.mul(xp.tril(xp.matmul(h, g), diagonal=0), halved(g))
    left = _triangular(xp, h, inner, True)  # l^-h inner
    whole = adjoint(xp, _triangular(xp, h, adjoint(xp, left), True))  # ... l^-1
    return xp.mul(xp.add(whole, adjoint(xp, whole)), 0.5)


@primitive(
    _cholesky_rule,
    saves="y",
    formula="symmetric(inv(y).T @ half_tril(y.T @ g) @ inv(y))",
    holomorphic=False,
    batch=families.matrices,
)
def cholesky(a: Any) -> Any:
    """The lower l with l @ l^h = a, of Hermitian positive-definite matrices; reads one triangle."""
    try:
        return np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        raise LinAlgError(
            "the factorization could not be completed because the input is not positive-definite; "
            "add a small multiple of the identity"
        ) from None


def _qr_rule(xp: Any, g: Any, y: Any, a: Any, *, mode: str, needs: Any) -> list[Any]:
    of_q, of_r = g
    q, r = y
    if mode == "complete" and a.shape[-2] > a.shape[-1]:
        raise RuntimeError(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols; "
            "use mode='reduced'"
        )
    inner = None if of_r is None else xp.matmul(of_r, adjoint(xp, r))
    if of_q is not None:
        turned = xp.matmul(adjoint(xp, q), of_q)
        inner = xp.neg(turned) if inner is None else xp.sub(inner, turned)
    upper = xp.triu(inner, diagonal=0)
    whole = xp.matmul(q, xp.mul(xp.add(upper, adjoint(xp, upper)), halved(upper)))
    if of_q is not None:
        whole = xp.add(whole, of_q)
    # whole @ r^-h
    return [adjoint(xp, _triangular(xp, r, adjoint(xp, whole), True))]


@primitive(
    joint=_qr_rule,
    saves="y",
    formula="(y0 @ mirrored(g1 @ y1.T - y0.T @ g0) + g0) @ inv(y1).T",
    outputs=True,
    holomorphic=False,
    batch=families.matrices,
)
def qr(a: Any, *, mode: str) -> Any:
    """Orthonormal q and upper r with q @ r = a, of matrices with no more columns than rows."""
    whole: Any = mode
    return tuple(np.linalg.qr(a, mode=whole))


def _lu_rule(xp: Any, g: Any, y: Any, a: Any) -> Any:
    n = a.shape[-1]
    lower = xp.add(xp.tril(y, diagonal=-1), np.eye(n, dtype=a.dtype))
    upper = xp.triu(y, diagonal=0)
    inner = xp.add(
        xp.tril(xp.matmul(transposed(xp, lower), xp.tril(g, diagonal=-1)), diagonal=-1),
        xp.triu(xp.matmul(xp.triu(g, diagonal=0), transposed(xp, upper)), diagonal=0),
    )
    left = xp.solve_triangular(transposed(xp, y), inner, upper=True, unit=True)
    return transposed(xp, _triangular(xp, y, transposed(xp, left), True))


@primitive(
    _lu_rule,
    saves="y",
    formula="inv(triangle(y, 0, 1, 1)).T @ (tril(triangle(y, 0, 1, 1).T @ tril(g, -1), -1)"
    " + triu(triu(g, 0) @ triu(y, 0).T, 0)) @ inv(triu(y, 0)).T",
    batch=families.matrices,
)
def lu_packed(a: Any) -> Any:
    """l (below the diagonal, 1 on it) and u packed in one square matrix; no rows are exchanged."""
    return lu_in_place(np.array(a, order="C"))


# --- Eigenvalues and singular values --------------------------------------------------------------


def _gaps(xp: Any, values: Any) -> Any:
    """values_j - values_i, with 1 on the diagonal."""
    n = values.shape[-1]
    return xp.add(xp.sub(as_row(xp, values), as_column(xp, values)), np.eye(n, dtype=values.dtype))


def _off_diagonal(xp: Any, m: Any) -> Any:
    mask = np.broadcast_to(~np.eye(m.shape[-1], dtype=bool), m.shape)
    return xp.mask(m, mask=mask)


def _check_phase(xp: Any, diagonal: Any, name: str) -> None:
    """Complex vectors are defined up to a phase: refuse the gradient of a loss that reads it."""
    part = np.imag(getattr(diagonal, "_array", diagonal))
    if not np.allclose(part, 0, rtol=1e-2, atol=1e-2):
        raise RuntimeError(
            f"{name}_backward: The {'singular' if name == 'svd' else 'eigen'}vectors in the "
            "complex case are specified up to multiplication by e^{i phi}. The specified loss "
            "function depends on this quantity, so it is ill-defined."
        )


def _eigh_rule(xp: Any, g: Any, y: Any, a: Any, *, lower: bool, needs: Any) -> list[Any]:
    of_w, of_v = g
    w, v = y
    h = adjoint(xp, v)
    if of_v is None:
        return [xp.matmul(xp.mul(v, as_row(xp, of_w)), h)]
    inner = xp.matmul(h, of_v)
    if is_complex(v):
        _check_phase(xp, main_diagonal(xp, inner), "linalg_eigh")
    # Only the skew-Hermitian part turns the vectors; of it the gradient is Hermitian, as a is.
    skew = xp.mul(xp.sub(inner, adjoint(xp, inner)), 0.5)
    inner = _off_diagonal(xp, xp.div(skew, _gaps(xp, w)))
    if of_w is not None:
        inner = xp.add(inner, on_main(xp, of_w))
    return [product(xp, v, inner, h)]


@primitive(
    joint=_eigh_rule,
    saves="y",
    formula="y1 @ (off_diagonal(skew(y1.T @ g1) / (2 * gaps(y0))) + main(g0)) @ y1.T",
    outputs=True,
    holomorphic=False,
    batch=families.matrices,
)
def eigh(a: Any, *, lower: bool) -> Any:
    """Eigenvalues, ascending, and eigenvectors of Hermitian matrices; reads one half."""
    return tuple(np.linalg.eigh(a, UPLO="L" if lower else "U"))


def _eig_rule(xp: Any, g: Any, y: Any, a: Any, *, needs: Any) -> list[Any]:
    of_w, of_v = g
    w, v = y
    h = adjoint(xp, v)
    if of_v is None:
        return [xp.solve(h, xp.mul(as_column(xp, of_w), h))]
    inner = xp.matmul(h, of_v)
    diagonal = main_diagonal(xp, inner)
    _check_phase(xp, diagonal, "linalg_eig")
    # Vectors of length 1: what would lengthen them is taken out.
    length = xp.matmul(xp.matmul(h, v), on_main(xp, xp.astype(xp.real(diagonal), dtype=w.dtype)))
    inner = _off_diagonal(xp, xp.div(xp.sub(inner, length), xp.conj(_gaps(xp, w))))
    if of_w is not None:
        inner = xp.add(inner, on_main(xp, of_w))
    return [xp.solve(h, xp.matmul(inner, h))]


@primitive(
    joint=_eig_rule,
    saves="y",
    prose="v^-h (diag(ḡ_w) + (v^h ḡ_v - v^h v Re diag(v^h ḡ_v)) / conj(w_j - w_i)) v^h: of complex "
    "numbers throughout, for which the grammar has no conjugate transpose",
    outputs=True,
    holomorphic=False,
    batch=families.matrices,
)
def eig(a: Any) -> Any:
    """Eigenvalues and eigenvectors of length 1 of square matrices, always complex."""
    kind = np.complex64 if a.dtype.char in "fF" else np.complex128
    return tuple(part.astype(kind) for part in np.linalg.eig(a))


def _svd_rule(xp: Any, g: Any, y: Any, a: Any, *, full: bool, needs: Any) -> list[Any]:
    (of_u, of_s, of_vh), (u, s, vh) = g, y
    m, n, k = a.shape[-2], a.shape[-1], s.shape[-1]
    if full:  # the vectors beyond the k-th are any basis of what is left: no loss may read them
        columns, rows = (Ellipsis, slice(0, k)), (Ellipsis, slice(0, k), slice(None))
        u, vh = xp.getitem(u, index=columns), xp.getitem(vh, index=rows)
        of_u = None if of_u is None else xp.getitem(of_u, index=columns)
        of_vh = None if of_vh is None else xp.getitem(of_vh, index=rows)
    if of_u is None and of_vh is None:
        return [xp.matmul(xp.mul(u, as_row(xp, of_s)), vh)]
    uh, v = adjoint(xp, u), adjoint(xp, vh)
    squared = _gaps(xp, xp.mul(s, s))
    inner = None if of_s is None else on_main(xp, of_s)

    def plus(term: Any) -> Any:
        return term if inner is None else xp.add(inner, term)

    phase = None
    if of_u is not None:
        turned = xp.matmul(uh, of_u)
        skew = xp.sub(turned, adjoint(xp, turned))
        inner = plus(_off_diagonal(xp, xp.mul(xp.div(skew, squared), as_row(xp, s))))
        if is_complex(a):
            phase = main_diagonal(xp, skew)
            inner = plus(on_main(xp, xp.div(phase, xp.mul(s, 2))))
    if of_vh is not None:
        turned = xp.matmul(vh, adjoint(xp, of_vh))
        skew = xp.sub(turned, adjoint(xp, turned))
        inner = plus(_off_diagonal(xp, xp.mul(as_column(xp, s), xp.div(skew, squared))))
        if is_complex(a):
            other = main_diagonal(xp, skew)
            phase = other if phase is None else xp.add(phase, other)
    if phase is not None:
        _check_phase(xp, phase, "svd")
    whole = product(xp, u, inner, vh)
    if of_u is not None and m > k:  # what leaves the space of u
        outside = xp.div(xp.sub(of_u, xp.matmul(u, xp.matmul(uh, of_u))), as_row(xp, s))
        whole = xp.add(whole, xp.matmul(outside, vh))
    if of_vh is not None and n > k:
        outside = xp.div(xp.sub(of_vh, xp.matmul(xp.matmul(of_vh, v), vh)), as_column(xp, s))
        whole = xp.add(whole, xp.matmul(u, outside))
    return [whole]


@primitive(
    joint=_svd_rule,
    saves="y",
    formula="y0 @ (off_diagonal(skew(y0.T @ g0) / gaps(y1**2)) * as_row(y1)"
    " + as_column(y1) * off_diagonal(skew(y2 @ g2.T) / gaps(y1**2)) + main(g1)) @ y2"
    " + ((g0 - y0 @ y0.T @ g0) / as_row(y1)) @ y2"
    " + y0 @ ((g2 - g2 @ y2.T @ y2) / as_column(y1))",
    outputs=True,
    holomorphic=False,
    batch=families.matrices,
)
def svd(a: Any, *, full: bool) -> Any:
    """u, s, v^h with u @ diag(s) @ v^h = a, s descending; ``full``: square u and v^h."""
    return tuple(np.linalg.svd(a, full_matrices=full))
