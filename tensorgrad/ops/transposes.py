"""Shorthands for rules of linear algebra; they work on arrays and on Tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.ops.kinds import is_complex


def transposed(xp: Any, x: Any) -> Any:
    """The last two axes exchanged."""
    return xp.permute(x, axes=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def adjoint(xp: Any, x: Any) -> Any:
    """The conjugate transpose."""
    return xp.conj(transposed(xp, x)) if is_complex(x) else transposed(xp, x)


def as_row(xp: Any, v: Any) -> Any:
    """(..., n) as (..., 1, n)."""
    return xp.reshape(v, shape=(*v.shape[:-1], 1, v.shape[-1]))


def as_column(xp: Any, v: Any) -> Any:
    """(..., n) as (..., n, 1)."""
    return xp.reshape(v, shape=(*v.shape, 1))


def lifted(xp: Any, v: Any) -> Any:
    """(...) as (..., 1, 1), one number a matrix."""
    return xp.reshape(v, shape=(*v.shape, 1, 1))


def on_main(xp: Any, v: Any) -> Any:
    """(..., n) on the diagonal of (..., n, n)."""
    n = v.ndim - 1
    shape = (*v.shape, v.shape[-1])
    return xp.diag_embed(v, offset=0, axis1=n, axis2=n + 1, shape=shape)


def main_diagonal(xp: Any, m: Any) -> Any:
    """The main diagonal of matrices."""
    return xp.diagonal(m, offset=0, axis1=m.ndim - 2, axis2=m.ndim - 1)


def product(xp: Any, *factors: Any) -> Any:
    """A chain of matrix products, from the left."""
    out = factors[0]
    for factor in factors[1:]:
        out = xp.matmul(out, factor)
    return out


def halved(x: Any) -> Any:
    """A matrix of ones with halves on the diagonal, in x's real type."""
    kind = getattr(x, "_array", x).real.dtype
    n = x.shape[-1]
    return np.ones((n, n), kind) - np.eye(n, dtype=kind) / 2
