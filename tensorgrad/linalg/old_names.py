"""Factorizations and norms under the names they had before `torch.linalg`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tensorgrad.functions import reduction
from tensorgrad.functions.linalg import outer
from tensorgrad.functions.shape import tril, triu, unsqueeze, wrap_dim
from tensorgrad.graph.node import wrap
from tensorgrad.linalg import factoring
from tensorgrad.linalg.checks import adjoint
from tensorgrad.linalg.factoring import order_of, permutation
from tensorgrad.linalg.norms import matrix_norm
from tensorgrad.ops import elementwise, indexing
from tensorgrad.return_types import returned_by

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "dist",
    "frobenius_norm",
    "ger",
    "lu",
    "lu_unpack",
    "norm",
    "norm_except_dim",
    "nuclear_norm",
    "qr",
    "svd",
]


@returned_by("svd")
class svd_(NamedTuple):
    """Left vectors, singular values, descending, and right vectors as columns."""

    U: Tensor
    S: Tensor
    V: Tensor


@returned_by("qr")
class qr_(NamedTuple):
    """Orthonormal and upper triangular factors."""

    Q: Tensor
    R: Tensor


@returned_by("lu_unpack")
class lu_unpack_(NamedTuple):
    """Permutations, unit lower and upper triangular factors."""

    P: Tensor
    L: Tensor
    U: Tensor


def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> svd_:
    """U, S, V with U diag(S) V^H = input; square U and V unless ``some``.

    compute_uv: False gives zeros for U and V.  New programs use `linalg.svd`, whose third result is
    V^H.
    """
    if not compute_uv:
        m, n = input._array.shape[-2:]
        batch, kind = input._array.shape[:-2], input._array.dtype
        values = factoring.svdvals(input)
        return svd_(
            wrap(np.zeros((*batch, m, m), kind)), values, wrap(np.zeros((*batch, n, n), kind))
        )
    left, values, right = factoring.svd(input, full_matrices=not some)
    return svd_(left, values, adjoint(right))


def qr(input: Tensor, some: bool = True) -> qr_:
    """Orthonormal Q and upper triangular R with Q R = input; a square Q unless ``some``."""
    return qr_(*factoring.qr(input, "reduced" if some else "complete"))


def lu(A: Tensor, pivot: bool = True, get_infos: bool = False) -> Any:
    """L and U in one matrix and the row exchanges; with ``get_infos`` where U has its first 0."""
    found = factoring.lu_factor_ex(A, pivot=pivot)
    return tuple(found) if get_infos else tuple(found)[:2]


def lu_unpack(
    LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True
) -> lu_unpack_:
    """P, L and U from what `linalg.lu_factor` packed; empty what is not asked for."""
    kind = LU_data._array.dtype
    if unpack_pivots and LU_pivots._array.dtype != np.int32:
        raise RuntimeError(
            "lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype, got "
            f"{LU_pivots.dtype}"
        )
    m, n = LU_data._array.shape[-2:]
    k = min(m, n)
    lower = upper = exchanged = wrap(np.zeros(0, kind))
    if unpack_data:
        left = tril(indexing.getitem(LU_data, index=(Ellipsis, slice(0, k))), -1)
        lower = elementwise.add(left, np.eye(m, k, dtype=kind))
        upper = triu(indexing.getitem(LU_data, index=(Ellipsis, slice(0, k), slice(None))))
    if unpack_pivots:
        exchanged = wrap(permutation(order_of(LU_pivots._array, m), m, kind))
    return lu_unpack_(exchanged, lower, upper)


# --- Norms and products ---------------------------------------------------------------------------


def ger(input: Tensor, vec2: Tensor) -> Tensor:
    """The old name of `outer`."""
    return outer(input, vec2)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of input - other, over all elements."""
    difference = elementwise.sub(input, other)
    if difference._array.dtype.kind not in "fc":
        raise RuntimeError(
            "norm(): input dtype should be either floating point or complex. Got "
            f"{difference.dtype} instead (dist)."
        )
    if p != 2 or np.any(difference._array):
        return norm(difference, p)
    # At distance 0 the norm has no slope: 0 is one of those it could have, and PyTorch's.
    return elementwise.mul(norm(elementwise.add(elementwise.mul(difference, 0), 1), p), 0)


def frobenius_norm(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """The root of the sum of squares over dimensions."""
    return norm(input, "fro", dim, keepdim)


def nuclear_norm(input: Tensor, dim: Any = (-2, -1), keepdim: bool = False) -> Tensor:
    """The sum of the singular values of matrices."""
    if isinstance(dim, bool):  # nuclear_norm(input, keepdim), by position
        dim, keepdim = (-2, -1), dim
    return matrix_norm(input, "nuc", dim, keepdim)


def norm(
    input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The p-norm of the elements, over all or some dimensions; p "nuc" is that of matrices."""
    if p != "nuc":
        return reduction.norm(input, p, dim, keepdim, dtype=dtype)
    return matrix_norm(
        input, p, tuple(range(input.ndim)) if dim is None else dim, keepdim, dtype=dtype
    )


def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """The p-norm over all dimensions but one, which stay as 1; with dim=-1 over all of them."""
    if dim == -1:
        return norm(v, pow)
    kept = wrap_dim(dim, v.ndim)
    others = tuple(i for i in range(v.ndim) if i != kept)
    return norm(v, pow, others, True) if others else norm(unsqueeze(v, 1), pow, 1)
