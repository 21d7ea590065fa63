"""The generalized Pareto distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.distributions.distribution import Distribution
from tensorgrad.distributions.parameters import broadcast_all
from tensorgrad.tensor import Tensor

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """P(X > x) = (1 + c z)**(-1 / c) with z = (x - loc) / scale; exp(-z) where c is 0.

    c, the concentration, is that of the tail: with c < 0 there is a largest outcome.
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True
    _parameters = ("loc", "scale", "concentration")

    def __init__(
        self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None
    ) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @constraints.dependent_property
    def support(self) -> Any:
        end = self.loc - self.scale / self.concentration
        return constraints.interval(self.loc, tg.where(self.concentration < 0, end, math.inf))

    @property
    def mean(self) -> Tensor:
        valid = self.concentration < 1
        c = tg.where(valid, self.concentration, 0.5)
        return tg.where(valid, self.loc + self.scale / (1 - c), math.nan)  # type: ignore[no-any-return]

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        valid = self.concentration < 0.5
        c = tg.where(valid, self.concentration, 0.25)
        found = self.scale**2 / ((1 - c) ** 2 * (1 - 2 * c))
        return tg.where(valid, found, math.nan)  # type: ignore[no-any-return]

    def _split(self) -> tuple[Tensor, Tensor]:
        """Where the concentration counts as 0, and a concentration to divide by elsewhere."""
        flat = tg.isclose(self.concentration, tg.zeros_like(self.concentration))
        return flat, tg.where(flat, tg.ones_like(self.concentration), self.concentration)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.icdf(tg.rand(shape, dtype=self.loc.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        z = (value - self.loc) / self.scale
        flat, c = self._split()
        power = 1 / c + tg.ones_like(z)
        bent = tg.where(power == 0, power, power * (c * z).log1p())
        return -self.scale.log() - tg.where(flat, z, bent)  # type: ignore[no-any-return]

    def log_survival_function(self, value: Tensor) -> Tensor:
        """log P(X > value)."""
        self._validate_sample(value)
        z = (value - self.loc) / self.scale
        flat, c = self._split()
        return tg.where(flat, -z, -(c * z).log1p() / c)  # type: ignore[no-any-return]

    def log_cdf(self, value: Tensor) -> Tensor:
        """log P(X <= value)."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        return self.log_cdf(value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        flat, c = self._split()
        log = (-value).log1p()
        bent = self.loc + self.scale / c * (-c * log).expm1()
        return tg.where(flat, self.loc - self.scale * log, bent)  # type: ignore[no-any-return]

    def entropy(self) -> Tensor:
        return self.scale.log() + self.concentration + 1
