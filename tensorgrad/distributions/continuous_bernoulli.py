"""The continuous Bernoulli distribution.

Source: Loaiza-Ganem and Cunningham, The continuous Bernoulli: fixing a pervasive error in
variational autoencoders (2019).
"""

from __future__ import annotations

import math
from typing import Any

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.distributions.binary import OfTrials, exactly_one
from tensorgrad.distributions.exp_family import ExponentialFamily
from tensorgrad.distributions.parameters import always, broadcast_all, clamp_probs
from tensorgrad.nn import functional as F
from tensorgrad.tensor import Tensor

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(OfTrials, ExponentialFamily):
    """Density proportional to probs**x (1 - probs)**(1 - x) on [0, 1].

    lims: between these probabilities, where the formulas divide 0 by 0, series around 1/2 are
    taken.
    """

    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        exactly_one(probs, logits)
        if probs is not None:
            (self.probs,) = broadcast_all(probs)
            inside = self.arg_constraints["probs"].check(self.probs)
            if validate_args is not None and not always(inside):
                raise ValueError("The parameter probs has invalid values")
            self.probs = clamp_probs(self.probs)
        else:
            (self.logits,) = broadcast_all(logits)
        self._lims = lims
        super().__init__(self._param.shape, validate_args=validate_args)

    def _derive(self, name: str) -> Any:
        found = super()._derive(name)
        if name == "probs":
            found = self.__dict__["probs"] = clamp_probs(found)
        return found

    def _split(self) -> tuple[Tensor, Tensor, Tensor]:
        """Where the formulas hold, probabilities for them, and the distance from 1/2."""
        low, high = self._lims
        apart = (self.probs <= low) | (self.probs > high)
        return apart, tg.where(apart, self.probs, low), self.probs - 0.5

    def _log_norm(self) -> Tensor:
        apart, p, off = self._split()
        exact = ((-p).log1p() - p.log()).abs().log() - (1 - 2 * p).abs().log()
        square = off**2
        series = math.log(2.0) + (4 / 3 + 104 / 45 * square) * square
        return tg.where(apart, exact, series)  # type: ignore[no-any-return]

    @property
    def mean(self) -> Tensor:
        apart, p, off = self._split()
        exact = p / (2 * p - 1) + 1 / ((-p).log1p() - p.log())
        return tg.where(apart, exact, 0.5 + (1 / 3 + 16 / 45 * off**2) * off)  # type: ignore[no-any-return]

    @property
    def variance(self) -> Tensor:
        apart, p, off = self._split()
        exact = p * (p - 1) / (1 - 2 * p) ** 2 + 1 / ((-p).log1p() - p.log()) ** 2
        square = off**2
        series = 1 / 12 - (1 / 15 - 128 / 945 * square) * square
        return tg.where(apart, exact, series)  # type: ignore[no-any-return]

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.icdf(tg.rand(shape, dtype=self.probs.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        trial = F.binary_cross_entropy_with_logits(logits, value, reduction="none")
        return self._log_norm() - trial

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        apart, p, _ = self._split()
        exact = (p**value * (1 - p) ** (1 - value) + p - 1) / (2 * p - 1)
        found = tg.where(apart, exact, value)
        found = tg.where(value <= 0, tg.zeros_like(found), found)
        return tg.where(value >= 1, tg.ones_like(found), found)  # type: ignore[no-any-return]

    def icdf(self, value: Tensor) -> Tensor:
        apart, p, _ = self._split()
        rise = (-p + value * (2 * p - 1)).log1p() - (-p).log1p()
        return tg.where(apart, rise / (p.log() - (-p).log1p()), value)  # type: ignore[no-any-return]

    def entropy(self) -> Tensor:
        zero, one = (-self.probs).log1p(), self.probs.log()
        return self.mean * (zero - one) - self._log_norm() - zero
