"""The distribution of Lewandowski, Kurowicka and Joe: Cholesky factors of correlations.

Source: Generating random correlation matrices based on vines and extended onion method (2009).
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.distributions.beta import Beta
from tensorgrad.distributions.distribution import Distribution
from tensorgrad.distributions.parameters import broadcast_all
from tensorgrad.tensor import Tensor

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """L with L L^T a correlation matrix of density proportional to det**(concentration - 1)."""

    arg_constraints: ClassVar[Any] = {"concentration": constraints.positive}
    support = constraints.corr_cholesky
    _parameters = ("concentration",)

    def __init__(
        self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None
    ) -> None:
        if dim < 2:
            raise ValueError(
                f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}."
            )
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        super().__init__(self.concentration.shape, (dim, dim), validate_args=validate_args)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Outcomes by the onion method: row after row, a length and a direction."""
        n, kind = self.dim, self.concentration.dtype
        with tg.no_grad():
            # The squared length of row i is Beta(i / 2, ...); the first row is (1, 0, ...).
            row = tg.arange(1, n, dtype=kind)
            rest = self.concentration.unsqueeze(-1) + (n - 1 - row) / 2
            square = Beta((row / 2).expand(rest.shape), rest, validate_args=False)
            length = square.sample(sample_shape).sqrt().unsqueeze(-1)
            shape = (*self._extended_shape(sample_shape)[:-2], n - 1, n)
            direction = tg.randn(shape, dtype=kind).tril()
            below = length * direction / direction.norm(dim=-1, keepdim=True)
            below = tg.cat([tg.zeros_like(below[..., :1, :]), below], -2)
            left = (1 - below.square().sum(-1)).clamp(min=tg.finfo(kind).tiny)
            return below + tg.diag_embed(left.sqrt())

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n, kind = self.dim, self.concentration.dtype
        power = 2 * (self.concentration - 1).unsqueeze(-1) + n - tg.arange(2, n + 1, dtype=kind)
        density = (power * value.diagonal(dim1=-2, dim2=-1)[..., 1:].log()).sum(-1)
        half = self.concentration + 0.5 * (n - 1)
        norm = tg.mvlgamma(half - 0.5, n - 1) - half.lgamma() * (n - 1)
        return density - norm - 0.5 * (n - 1) * math.log(math.pi)
