"""Matrices that stay orthogonal, as functions of any matrix.

M. Lezcano-Casado, Trivializations for gradient-based optimization on manifolds, 2019.
"""

from __future__ import annotations

import numpy as np

from tensorgrad.autograd import no_grad
from tensorgrad.creation import empty, eye, zeros, zeros_like
from tensorgrad.functions.joining import cat
from tensorgrad.linalg import householder_product, matrix_exp, solve
from tensorgrad.linalg.householder import geqrf
from tensorgrad.nn.module import Module
from tensorgrad.tensor import Tensor

__all__ = ["MAPS"]

MAPS = ("matrix_exp", "cayley", "householder")


def _is_orthogonal(q: Tensor) -> bool:
    n, k = q.shape[-2:]
    tolerance = 10.0 * n * np.finfo(q._array.dtype).eps
    product = np.swapaxes(q._array.conj(), -1, -2) @ q._array
    return bool(np.allclose(product, np.eye(k), rtol=1e-5, atol=tolerance))


def _made_orthogonal(a: Tensor) -> Tensor:
    """The Q of a tall matrix's decomposition QR whose R has a positive diagonal."""
    found = geqrf(a)
    q = householder_product(found[0], found[1])
    return q * found[0].diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


class _Orthogonal(Module):
    """An orthogonal (or unitary) matrix made of the lower triangle of any other."""

    base: Tensor | None  # what the map's result is multiplied with, so that it can start anywhere

    def __init__(
        self, weight: Tensor, orthogonal_map: str, *, use_trivialization: bool = True
    ) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            # The reflectors of n(n-1) real numbers cannot give the n**2 of the unitary matrices.
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Tensor:
        wide = X.shape[-2] < X.shape[-1]
        if wide:
            X = X.mT
        q = self._by_reflections(X) if self.orthogonal_map == "householder" else self._by_skew(X)
        if "base" in self._buffers:
            q = self._buffers["base"] @ q
        return q.mT if wide else q

    def _by_skew(self, x: Tensor) -> Tensor:
        """By exp(A) or (I - A/2)^-1 (I + A/2), of A = X - X^H, the lower triangle in a square."""
        n, k = x.shape[-2:]
        x = x.tril()
        if n != k:
            x = cat([x, zeros((*x.shape[:-1], n - k), dtype=x.dtype)], dim=-1)
        a = x - x.mH
        if self.orthogonal_map == "matrix_exp":
            q = matrix_exp(a)
        else:
            one = eye(n, dtype=a.dtype)
            q = solve(one - 0.5 * a, one + 0.5 * a)
        return q[..., :k] if n != k else q

    def _by_reflections(self, x: Tensor) -> Tensor:
        """By the reflections whose vectors stand below the diagonal, which has only signs."""
        a = x.tril(diagonal=-1)
        tau = 2.0 / (1.0 + (a * a).sum(dim=-2))
        signs = x.detach().diagonal(dim1=-2, dim2=-1).trunc()
        return householder_product(a, tau) * signs.unsqueeze(-2)

    def right_inverse(self, Q: Tensor) -> Tensor:
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {tuple(self.shape)}. Got a "
                f"tensor of shape {tuple(Q.shape)}."
            )
        with no_grad():
            return self._inverse(Q.detach())

    def _inverse(self, given: Tensor) -> Tensor:
        wide = given.shape[-2] < given.shape[-1]
        q = given.mT if wide else given
        n, k = q.shape[-2:]
        if "base" not in self._buffers:
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley "
                    "parametrizations when use_trivialization=False."
                )
            found = geqrf(q)
            array, tau = found[0]._array.copy(), found[1]._array
            signs = np.sign(np.diagonal(array, axis1=-2, axis2=-1))
            # LAPACK gives exactly 0 for a reflection that it left out: then Q has the other sign.
            at = np.arange(k)
            array[..., at, at] = np.where(tau == 0, -signs, signs)
            made = empty(array.shape, dtype=q.dtype)
            made._array[...] = array
            return made.mT if wide else made
        if n == k:
            self.base = q.clone() if _is_orthogonal(q) else _made_orthogonal(q)
        else:
            rest = empty((*q.shape[:-2], n, n - k), dtype=q.dtype).normal_()
            self.base = _made_orthogonal(cat([q, rest], dim=-1))
        start = zeros_like(given)
        start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)  # of which every map makes the identity
        return start
