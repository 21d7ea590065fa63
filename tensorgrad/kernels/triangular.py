"""What NumPy's linalg lacks: triangular systems, LU, the exponential of a matrix.

All take batches, and loop in Python over columns or blocks of them only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["exponential", "lu_in_place", "pivoted", "substitute"]

_BLOCK = 32


def substitute(a: Any, b: Any, upper: bool, unit: bool) -> Any:
    """The solution x of t x = b, with t the upper or lower triangle of a; inf where t is singular.

    Rows within a block one by one, blocks by matrix products.
    """
    n = a.shape[-1]
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    x = np.array(np.broadcast_to(b, (*batch, *b.shape[-2:])), dtype=np.result_type(a, b))
    starts = list(range(0, n, _BLOCK))
    for start in reversed(starts) if upper else starts:
        stop = min(start + _BLOCK, n)
        done = slice(stop, n) if upper else slice(0, start)
        if done.stop > done.start:
            x[..., start:stop, :] -= np.matmul(a[..., start:stop, done], x[..., done, :])
        for i in range(stop - 1, start - 1, -1) if upper else range(start, stop):
            near = slice(i + 1, stop) if upper else slice(start, i)
            if near.stop > near.start:
                x[..., i, :] -= np.matmul(a[..., i : i + 1, near], x[..., near, :])[..., 0, :]
            if not unit:
                x[..., i, :] /= a[..., i, i, None]
    return x


def _magnitude(x: Any) -> Any:
    """What LAPACK chooses pivots by: of a complex number |re| + |im|."""
    return np.abs(x.real) + np.abs(x.imag) if x.dtype.kind == "c" else np.abs(x)


def lu_in_place(a: Any, order: Any = None) -> Any:
    """Overwrite (..., m, n) by L below the diagonal and U above, the rows of `order` following.

    With ``order`` (..., m) the rows are exchanged so that pivots are largest; without, they stay.
    """
    m, n = a.shape[-2:]
    flat = a.reshape(-1, m, n)
    rows = None if order is None else order.reshape(-1, m)
    each = np.arange(flat.shape[0])
    for k in range(min(m, n)):
        if rows is not None:
            p = k + np.argmax(_magnitude(flat[:, k:, k]), axis=1)
            held = flat[each, k].copy()
            flat[each, k] = flat[each, p]
            flat[each, p] = held
            places = rows[each, k].copy()
            rows[each, k] = rows[each, p]
            rows[each, p] = places
        pivot = flat[:, k, k, None]
        # A zero pivot under a zero column leaves it: LAPACK's factor of a singular matrix.
        below = flat[:, k + 1 :, k]
        zero = (pivot == 0) & (below == 0).all(axis=1, keepdims=True)
        below /= np.where(zero, 1, pivot)
        if k + 1 < n:
            flat[:, k + 1 :, k + 1 :] -= flat[:, k + 1 :, k, None] * flat[:, k, None, k + 1 :]
    return flat.reshape(a.shape)


def pivoted(a: Any) -> tuple[Any, Any]:
    """(packed LU, order of rows): a[..., order, :] = L @ U."""
    order = np.broadcast_to(np.arange(a.shape[-2]), a.shape[:-1]).copy()
    return lu_in_place(np.array(a, order="C"), order), order


# Coefficients of the Padé approximant of degree 13 to e**x: (26-j)! 13! / (26! j! (13-j)!),
# scaled to integers.  It holds to 2**-53 for norms up to 5.37 (Higham, 2005).
_PADE = (
    64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000,
    10559470521600, 670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
)  # fmt: skip
_NORM = 5.371920351148152


def exponential(a: Any) -> Any:
    """e**a for square matrices, by scaling and squaring, in double precision."""
    kind = a.dtype
    n = a.shape[-1]
    if a.size == 0:
        return a.copy()
    a = a.astype(np.complex128 if kind.kind == "c" else np.float64)
    size = np.abs(a).sum(-2).max(-1)
    with np.errstate(all="ignore"):
        times = np.maximum(np.ceil(np.log2(size / _NORM)), 0)
    times = np.where(np.isfinite(times), times, 0).astype(np.int64)
    a = a / np.exp2(times)[..., None, None]
    eye = np.eye(n)
    c = [float(value) for value in _PADE]
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    odd = a6 @ (c[13] * a6 + c[11] * a4 + c[9] * a2) + c[7] * a6 + c[5] * a4 + c[3] * a2
    odd = a @ (odd + c[1] * eye)
    even = a6 @ (c[12] * a6 + c[10] * a4 + c[8] * a2) + c[6] * a6 + c[4] * a4 + c[2] * a2
    even = even + c[0] * eye
    bad = ~np.isfinite(size)[..., None, None]
    y = np.linalg.solve(np.where(bad, eye, even - odd), even + odd)
    for k in range(int(times.max(initial=0))):
        y = np.where((times > k)[..., None, None], y @ y, y)
    return np.where(bad, np.nan, y).astype(kind)
