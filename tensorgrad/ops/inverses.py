"""Inverses, linear systems, determinants, the exponential of a matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.batching import families
from tensorgrad.errors import LinAlgError
from tensorgrad.kernels.triangular import exponential, substitute
from tensorgrad.ops.kinds import is_complex
from tensorgrad.ops.transposes import adjoint, lifted, product, transposed
from tensorgrad.primitive import primitive


def _or_say_which(call: Callable[..., Any], a: Any, *others: Any) -> Any:
    """NumPy's answer; LinAlgError naming the matrix of the batch that is singular."""
    try:
        return call(a, *others)
    except np.linalg.LinAlgError:
        which = ""
        if a.ndim > 2:
            flat = a.reshape(-1, *a.shape[-2:])
            bad = next((i for i, m in enumerate(flat) if np.linalg.det(m) == 0), None)
            if bad is not None:
                which = f"(Batch element {bad}): "
        raise LinAlgError(
            f"{which}the input matrix is singular; use pinv or lstsq, or add a small multiple of "
            "the identity"
        ) from None


@primitive(
    lambda xp, g, y, a: xp.neg(product(xp, transposed(xp, y), g, transposed(xp, y))),
    saves="y",
    formula="-y.T @ g @ y.T",
    batch=families.matrices,
)
def inv(a: Any) -> Any:
    """The inverse of square matrices."""
    return _or_say_which(np.linalg.inv, a)


def _solve_rule(xp: Any, g: Any, y: Any, a: Any, b: Any, *, needs: Any) -> list[Any]:
    back = xp.solve(transposed(xp, a), g)
    return [xp.neg(xp.matmul(back, transposed(xp, y))) if needs[0] else None, back]


@primitive(
    joint=_solve_rule,
    saves="y a",
    formula=("-inv(a).T @ g @ y.T", "inv(a).T @ g"),
    batch=families.matrices,
)
def solve(a: Any, b: Any) -> Any:
    """The solution of a @ y = b, for matrices b (..., n, k)."""
    return _or_say_which(np.linalg.solve, a, b)


def _triangular_rule(
    xp: Any, g: Any, y: Any, a: Any, b: Any, *, upper: bool, unit: bool, needs: Any
) -> list[Any]:
    back = xp.solve_triangular(transposed(xp, a), g, upper=not upper, unit=unit)
    if not needs[0]:
        return [None, back]
    whole = xp.neg(xp.matmul(back, transposed(xp, y)))
    if upper:
        return [xp.triu(whole, diagonal=int(unit)), back]
    return [xp.tril(whole, diagonal=-int(unit)), back]


@primitive(
    joint=_triangular_rule,
    saves="y a",
    formula=(
        "-triangle(inv(triangle(a, upper, unit, unit)).T @ g @ y.T, upper, unit, 0)",
        "inv(triangle(a, upper, unit, unit)).T @ g",
    ),
    batch=families.matrices,
)
def solve_triangular(a: Any, b: Any, *, upper: bool, unit: bool) -> Any:
    """The solution of t @ y = b with t one triangle of a, its diagonal taken as 1 if ``unit``."""
    return substitute(a, b, upper, unit)


def _pinv_rule(xp: Any, g: Any, y: Any, x: Any, *, atol: Any, rtol: Any, hermitian: bool) -> Any:
    # d pinv(x) by Golub and Pereyra (1973); the two last terms vanish where x has full rank there.
    h, yh = adjoint(xp, g), adjoint(xp, y)
    first = xp.neg(product(xp, yh, g, yh))
    left = product(xp, h, y, yh)
    right = product(xp, yh, y, h)
    second = xp.sub(left, product(xp, x, xp.matmul(y, left)))
    third = xp.sub(right, product(xp, xp.matmul(right, y), x))
    return xp.add(first, xp.add(second, third))


@primitive(
    _pinv_rule,
    saves="y x",
    formula="-y.T @ g @ y.T + g.T @ y @ y.T - x @ y @ g.T @ y @ y.T + y.T @ y @ g.T"
    " - y.T @ y @ g.T @ y @ x",
    holomorphic=False,
    batch=families.matrices,
)
def pinv(x: Any, *, atol: Any, rtol: Any, hermitian: bool) -> Any:
    """The Moore-Penrose inverse: singular values up to max(atol, rtol * largest) count as 0."""
    if 0 in x.shape[-2:]:
        return np.zeros((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)
    if hermitian:
        w, u = np.linalg.eigh(x)
        s, v = np.abs(w), u * np.where(w < 0, -1, 1)[..., None, :]
        vh = np.conj(np.swapaxes(v, -1, -2))
    else:
        u, s, vh = np.linalg.svd(x, full_matrices=False)
    bound = np.maximum(atol, rtol * s.max(-1))[..., None]
    kept = s > bound
    inverse = np.where(kept, 1 / np.where(kept, s, 1), 0).astype(s.dtype)
    uh = np.conj(np.swapaxes(u, -1, -2))
    return np.matmul(np.conj(np.swapaxes(vh, -1, -2)) * inverse[..., None, :], uh)


# --- Determinants ---------------------------------------------------------------------------------


@primitive(
    lambda xp, g, y, a: xp.mul(lifted(xp, g), xp.cofactor(a)),
    saves="a",
    formula="lift(g) * cofactors(a)",
    batch=families.matrices,
)
def det(a: Any) -> Any:
    """The determinant of square matrices."""
    return np.asarray(np.linalg.det(a))


@primitive(
    lambda xp, g, y, a: xp.cofactor_along(a, g),
    saves="a",
    formula="(lift(dot(g, y)) * y - y @ g.T @ y) / lift(det(a))",
    batch=families.matrices,
)
def cofactor(a: Any) -> Any:
    """The gradient of det: each element's cofactor.  By the SVD: exact for singular matrices too,
    where det(a) * inv(a).T is not there.
    """
    u, s, vh = np.linalg.svd(a)
    n = s.shape[-1]
    others = np.ones_like(s)
    for i in range(n):
        others[..., i] = np.prod(np.delete(s, i, axis=-1), axis=-1)
    sign = np.asarray(np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    return sign * np.matmul(np.conj(u) * others[..., None, :], np.conj(vh))


def _third_derivative(xp: Any, h: Any, y: Any, a: Any, g: Any) -> Any:
    """Of <h, y>, with y = (<g, c> c - c g^T c) / det a and c the cofactors of a."""
    if a.shape[-1] < 3:  # det is quadratic at most
        return xp.mul(h, 0)
    d = xp.det(a)
    if np.any(getattr(d, "_array", d) == 0):
        raise LinAlgError(
            "det: the third derivative at a singular matrix is not available; add a small "
            "multiple of the identity"
        )
    c = xp.cofactor(a)

    def dot(p: Any, q: Any) -> Any:
        return lifted(xp, xp.sum(xp.mul(p, q), axis=(-2, -1), keepdims=False))

    d = lifted(xp, d)
    of_c = xp.sub(
        xp.add(xp.mul(dot(h, c), g), xp.mul(dot(g, c), h)),
        xp.add(product(xp, h, transposed(xp, c), g), product(xp, g, transposed(xp, c), h)),
    )
    of_d = xp.div(xp.neg(dot(h, y)), d)
    return xp.add(xp.cofactor_along(a, xp.div(of_c, d)), xp.mul(of_d, c))


@primitive(
    _third_derivative,
    lambda xp, h, y, a, g: xp.cofactor_along(a, h),
    saves=("y a g", "a"),
    prose="the second derivative of det is symmetric, so the gradient of g is the same function of "
    "its own; that of a, the third derivative, is seven products of cofactors and both directions",
    batch=families.matrices,
)
def cofactor_along(a: Any, g: Any) -> Any:
    """How the cofactors change along g: the second derivative of det, at singular matrices too.

    With a = u diag(s) v^h the cofactors of a diagonal matrix are what changes: along k = u^h g v
    each pair i, j contributes the product of the other s times k_ii k_jj - k_ij k_ji.
    """
    u, s, vh = np.linalg.svd(a)
    n = s.shape[-1]
    others = np.ones((*s.shape, n), s.dtype)
    for i in range(n):
        for j in range(n):
            rest = [k for k in range(n) if k not in (i, j)]
            others[..., i, j] = np.prod(s[..., rest], axis=-1) if i != j else 0
    k = np.conj(np.swapaxes(u, -1, -2)) @ g @ np.conj(np.swapaxes(vh, -1, -2))
    inner = -np.swapaxes(others * k, -1, -2)
    diagonal = (others @ np.diagonal(k, 0, -2, -1)[..., None])[..., 0]
    inner[..., range(n), range(n)] = diagonal
    sign = np.asarray(np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    return sign * (np.conj(u) @ inner @ np.conj(vh))


def _slogdet_rule(xp: Any, g: Any, y: Any, a: Any, *, needs: Any) -> list[Any]:
    of_sign, of_log = g
    weight = of_log
    if of_sign is not None and is_complex(a):
        turn = xp.mul(xp.imag(xp.mul(xp.conj(of_sign), y[0])), 1j)
        weight = xp.neg(turn) if weight is None else xp.sub(weight, turn)
    if weight is None:  # the sign of a real determinant is constant
        return [xp.mul(lifted(xp, of_sign), 0)]
    return [xp.mul(lifted(xp, weight), adjoint(xp, xp.inv(a)))]


@primitive(
    joint=_slogdet_rule,
    saves="y a",
    formula="lift(g1) * inv(a).T",
    outputs=True,
    holomorphic=False,
    batch=families.matrices,
)
def slogdet(a: Any) -> Any:
    """The sign of the determinant (a unit number for complex matrices) and log |det|."""
    sign, size = np.linalg.slogdet(a)
    return np.asarray(sign), np.asarray(size)


def _exp_rule(xp: Any, g: Any, y: Any, x: Any) -> Any:
    # exp([[x, g], [0, x]]) has the directional derivative in its corner (Najfeld and Havel, 1995).
    n = x.shape[-1]
    t = transposed(xp, x)
    zero = np.zeros(t.shape, t.dtype)
    block = xp.cat(xp.cat(t, g, axis=-1), xp.cat(zero, t, axis=-1), axis=-2)
    return xp.getitem(xp.matrix_exp(block), index=(Ellipsis, slice(0, n), slice(n, 2 * n)))


@primitive(_exp_rule, saves="x", formula="expm_along(x.T, g)", batch=families.matrices)
def matrix_exp(x: Any) -> Any:
    """e**x as a power series of square matrices."""
    return exponential(x)
