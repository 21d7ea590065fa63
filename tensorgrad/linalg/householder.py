"""Householder reflections: QR factors as LAPACK keeps them, and products with their Q."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tensorgrad.functions.shape import tril
from tensorgrad.graph.node import local, wrap
from tensorgrad.linalg.checks import adjoint, check_not_mapped, check_numbers, constant_of
from tensorgrad.ops import elementwise, indexing
from tensorgrad.ops import linalg as products
from tensorgrad.return_types import returned_by

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["geqrf", "householder_product", "orgqr", "ormqr"]


@returned_by("geqrf")
class geqrf_(NamedTuple):
    """R above the diagonal and the reflections below it, and their factors."""

    a: Tensor
    tau: Tensor


def geqrf(input: Tensor) -> geqrf_:
    """The QR factors of matrices as LAPACK packs them: see `householder_product` for Q.

    Not differentiable, as in PyTorch; `linalg.qr` is.
    """
    check_numbers("geqrf", input)
    check_not_mapped("geqrf", input)
    if input.requires_grad and local.context.grad_enabled:
        raise RuntimeError("geqrf: the derivative is not implemented; use linalg.qr, or detach()")
    packed, tau = np.linalg.qr(input._array, mode="raw")
    return geqrf_(wrap(np.ascontiguousarray(np.swapaxes(packed, -1, -2))), wrap(tau))


def _check(name: str, A: Tensor, tau: Tensor, least: int = 0) -> None:
    """Raise unless tau has the batch of A and ``least`` to min(m, n) factors."""
    check_numbers(name, A)
    if tau._array.dtype != A._array.dtype:
        raise RuntimeError(f"{name}: tau dtype {tau.dtype} does not match input dtype {A.dtype}")
    most = min(A._array.shape[-2:])
    fits = tau.ndim == A.ndim - 1 and tau.shape[:-1] == A.shape[:-2]
    if not fits or not least <= tau.shape[-1] <= most:
        raise RuntimeError(
            f"{name}: tau must have the batch of input {tuple(A.shape)} and "
            f"{most if least else f'at most {most}'} factors, got shape {tuple(tau.shape)}"
        )


def _reflected(A: Tensor, tau: Tensor, C: Tensor, forward: bool) -> Tensor:
    """(I - t1 v1 v1^H) (I - t2 v2 v2^H) ... C; ``forward``: the adjoint of that product, times C.

    v_i is column i of A below the diagonal, with 1 on it.
    """
    k = tau.shape[-1]
    head = indexing.getitem(A, index=(Ellipsis, slice(0, k)))
    unit = np.eye(A.shape[-2], k, dtype=A._array.dtype)
    vectors = elementwise.add(tril(head, -1), unit)
    for i in range(k) if forward else reversed(range(k)):
        v = indexing.getitem(vectors, index=(Ellipsis, slice(i, i + 1)))
        t: Any = indexing.getitem(tau, index=(Ellipsis, slice(i, i + 1), None))
        if forward and tau.is_complex():
            t = elementwise.conj(t)
        along = products.matmul(adjoint(v), C)
        C = elementwise.sub(C, elementwise.mul(t, products.matmul(v, along)))
    return C


def householder_product(A: Tensor, tau: Tensor) -> Tensor:
    """The first columns of the product of reflections I - tau_i v_i v_i^H.

    A: (..., m, n) with m >= n, v_i below its diagonal (1 on it); tau: (..., k) with k <= n.
    """
    _check("linalg.householder_product", A, tau)
    if A.shape[-2] < A.shape[-1]:
        raise RuntimeError(
            "linalg.householder_product: input.shape[-2] must be greater than or equal to "
            f"input.shape[-1], got {tuple(A.shape)}"
        )
    eye = np.eye(A.shape[-2], A.shape[-1], dtype=A._array.dtype)
    # Without factors too the product requires grad.
    return _reflected(A, tau, constant_of(A, wrap(eye)), False)


def orgqr(input: Tensor, input2: Tensor) -> Tensor:
    """An old name of `linalg.householder_product`; input2 is tau."""
    return householder_product(input, input2)


def ormqr(
    input: Tensor, input2: Tensor, input3: Tensor, left: bool = True, transpose: bool = False
) -> Tensor:
    """Q input3 (input3 Q unless ``left``), with the square Q of `geqrf`'s input and tau, input2.

    input: (..., m, n), which may be wide: its first min(m, n) columns hold the reflections.
    transpose: Q^H in its place.
    """
    tau, other = input2, input3
    _check("ormqr", input, tau, least=min(input._array.shape[-2:]))
    check_numbers("ormqr", input, other)
    m = input.shape[-2]
    if other.shape[-2 if left else -1] != m:
        raise RuntimeError(
            f"ormqr: other.shape[{-2 if left else -1}] must be equal to input.shape[-2] = {m}, got "
            f"{tuple(other.shape)}"
        )
    if other.shape[:-2] != input.shape[:-2]:
        raise RuntimeError(
            f"ormqr: batch dimensions of other should be equal to input.shape[:-2], got "
            f"{tuple(other.shape)} and {tuple(input.shape)}"
        )
    if left:
        return _reflected(input, tau, other, transpose)
    return adjoint(_reflected(input, tau, adjoint(other), not transpose))
