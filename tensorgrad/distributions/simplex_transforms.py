"""Transforms of whole vectors and matrices: onto the simplex, onto Cholesky factors."""

from __future__ import annotations

from typing import Any

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.distributions.parameters import softplus
from tensorgrad.distributions.transform import Transform
from tensorgrad.size import Size
from tensorgrad.tensor import Tensor

__all__ = ["LowerCholeskyTransform", "SoftmaxTransform", "StickBreakingTransform"]


class SoftmaxTransform(Transform):
    """y = softmax(x); not invertible, log(y) is taken for the inverse."""

    domain, codomain = constraints.real_vector, constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return x.softmax(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()


class StickBreakingTransform(Transform):
    """K - 1 numbers to K probabilities: each breaks its share off what is left of a stick."""

    bijective = True
    domain, codomain = constraints.real_vector, constraints.simplex

    def _offset(self, like: Tensor) -> Tensor:
        k = like.shape[-1]
        return tg.arange(k, 0, -1, dtype=like.dtype).log()

    def _call(self, x: Tensor) -> Tensor:
        share = (x - self._offset(x)).sigmoid()
        left = (1 - share).cumprod(-1)
        pad = tg.nn.functional.pad
        return pad(share, [0, 1], value=1) * pad(left, [1, 0], value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        first = y[..., :-1]
        left = (1 - first.cumsum(-1)).clamp(min=tg.finfo(y.dtype).tiny)
        return first.log() - left.log() + self._offset(first)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        x = x - self._offset(x)
        return (-x - softplus(-x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Any) -> Size:
        return Size((*tuple(shape)[:-1], tuple(shape)[-1] + 1))

    def inverse_shape(self, shape: Any) -> Size:
        return Size((*tuple(shape)[:-1], tuple(shape)[-1] - 1))


class LowerCholeskyTransform(Transform):
    """A matrix to the lower triangular one with e^x on the diagonal."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + tg.diag_embed(x.diagonal(dim1=-2, dim2=-1).exp())

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + tg.diag_embed(y.diagonal(dim1=-2, dim2=-1).log())
