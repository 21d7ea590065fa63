"""Transforms onto positive definite matrices, and onto the Cholesky factors of correlations."""

from __future__ import annotations

import math
from typing import Any

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.distributions.parameters import softplus
from tensorgrad.distributions.simplex_transforms import LowerCholeskyTransform
from tensorgrad.distributions.transform import Transform
from tensorgrad.size import Size
from tensorgrad.tensor import Tensor

__all__ = ["CorrCholeskyTransform", "PositiveDefiniteTransform"]


class PositiveDefiniteTransform(Transform):
    """A matrix to L L^T, with L its LowerCholeskyTransform."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform()._inv_call(tg.linalg.cholesky(y))


def _places(n: int, below: int = 1) -> tuple[Tensor, Tensor]:
    """Rows and columns of what is at least so far below the diagonal of an n x n matrix."""
    rows, columns = tg.tril_indices(n, n, -below).unbind(0)
    return rows, columns


def _below(n: int, numbers: Tensor) -> Tensor:
    """n x n zeros with the numbers below the diagonal, row by row."""
    rows, columns = _places(n)
    batch = tuple(numbers.shape)[:-1]
    flat = tg.zeros((*batch, n * n), dtype=numbers.dtype)
    index = (rows * n + columns).expand(numbers.shape)
    return flat.scatter(-1, index, numbers).reshape(*batch, n, n)


class CorrCholeskyTransform(Transform):
    """D (D - 1) / 2 numbers to the Cholesky factor of a D x D correlation matrix.

    tanh gives partial correlations r, row by row; each takes its share r of what is left of the
    unit length of its row, and the diagonal takes the rest.
    """

    bijective = True
    domain, codomain = constraints.real_vector, constraints.corr_cholesky

    def _call(self, x: Tensor) -> Tensor:
        n = self.forward_shape(x.shape)[-1]
        eps = tg.finfo(x.dtype).eps
        r = x.tanh().clamp(-1 + eps, 1 - eps)
        partial = _below(n, r)
        left = (1 - partial**2).sqrt().cumprod(-1)
        before = tg.nn.functional.pad(left[..., :-1], [1, 0], value=1)
        return (partial + tg.eye(n, dtype=x.dtype)) * before

    def _inverse(self, y: Tensor) -> Tensor:
        left = 1 - (y * y).cumsum(-1)
        before = tg.nn.functional.pad(left[..., :-1], [1, 0], value=1)
        rows, columns = _places(y.shape[-1])
        return (y[..., rows, columns] / before[..., rows, columns].sqrt()).atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Of x to what is below the diagonal of y: the diagonal follows from it."""
        left = 1 - (y * y).cumsum(-1)
        rows, columns = _places(y.shape[-1], 2)
        sticks = 0.5 * left[..., rows, columns].log().sum(-1)
        return sticks - 2 * (x + softplus(-2 * x) - math.log(2.0)).sum(-1)

    def forward_shape(self, shape: Any) -> Size:
        shape = tuple(shape)
        if not shape:
            raise ValueError("Too few dimensions on input")
        n = round((0.25 + 2 * shape[-1]) ** 0.5 + 0.5)
        if n * (n - 1) // 2 != shape[-1]:
            raise ValueError(
                f"Input is not a flattened lower-diagonal number: {shape[-1]} is not "
                "D (D - 1) / 2 for any D"
            )
        return Size((*shape[:-1], n, n))

    def inverse_shape(self, shape: Any) -> Size:
        shape = tuple(shape)
        if len(shape) < 2:
            raise ValueError("Too few dimensions on input")
        if shape[-1] != shape[-2]:
            raise ValueError(f"Input is not square: {shape}")
        return Size((*shape[:-2], shape[-1] * (shape[-1] - 1) // 2))
