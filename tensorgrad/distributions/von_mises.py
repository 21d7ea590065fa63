"""Von Mises' distribution on the circle."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.distributions.distribution import Distribution
from tensorgrad.distributions.parameters import broadcast_all
from tensorgrad.random import rng_of
from tensorgrad.tensor import Tensor

__all__ = ["VonMises"]


class VonMises(Distribution):
    """Angles with density exp(k cos(x - loc)) / (2 pi I0(k)), with k the concentration.

    Mean and variance are those of angles: the variance is 1 - I1(k) / I0(k).
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real,
        "concentration": constraints.positive,
    }
    support = constraints.real
    _parameters = ("loc", "concentration")

    def __init__(
        self, loc: Tensor, concentration: Tensor, validate_args: bool | None = None
    ) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        # the factors exp(-k) of both cancel
        return 1 - tg.special.i1e(self.concentration) / tg.special.i0e(self.concentration)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = tuple(self._extended_shape(sample_shape))
        loc, k = (v.detach().numpy().astype(np.float64) for v in (self.loc, self.concentration))
        drawn = loc + rng_of(None).vonmises(0.0, k, shape)
        wrapped = np.asarray((drawn + np.pi) % (2 * np.pi) - np.pi)
        return tg.from_numpy(wrapped).to(self.loc.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        k = self.concentration
        log_i0 = tg.special.i0e(k).log() + k
        return k * (value - self.loc).cos() - math.log(2 * math.pi) - log_i0
