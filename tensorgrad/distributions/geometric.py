"""The geometric distribution."""

from __future__ import annotations

from typing import Any

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.distributions.bernoulli import Bernoulli
from tensorgrad.distributions.binary import OfTrials, exactly_one
from tensorgrad.distributions.parameters import always, broadcast_all
from tensorgrad.tensor import Tensor

__all__ = ["Geometric"]


class Geometric(OfTrials):
    """How many trials fail before the first that succeeds: 0, 1, ..."""

    support = constraints.nonnegative_integer

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        exactly_one(probs, logits)
        if probs is not None:
            (self.probs,) = broadcast_all(probs)
        else:
            (self.logits,) = broadcast_all(logits)
        super().__init__(self._param.shape, validate_args=validate_args)
        if self._validate_args and probs is not None and not always(self.probs > 0):
            raise ValueError(
                f"Expected parameter probs (Tensor of shape {tuple(self.probs.shape)}) of "
                f"distribution {self!r} to be positive but found invalid values:\n{self.probs}"
            )

    @property
    def mean(self) -> Tensor:
        return 1 / self.probs - 1

    @property
    def mode(self) -> Tensor:
        return tg.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1 / self.probs - 1) / self.probs

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with tg.no_grad():
            tiny = tg.finfo(self.probs.dtype).tiny
            u = tg.rand(self._extended_shape(sample_shape), dtype=self.probs.dtype).clamp(min=tiny)
            return (u.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        # certain success: no failure has probability 1, and 0 * log(0) must be 0
        missed = tg.where((probs == 1) & (value == 0), 0.0, probs)
        return value * (-missed).log1p() + self.probs.log()  # type: ignore[no-any-return]

    def entropy(self) -> Tensor:
        return Bernoulli(logits=self.logits, validate_args=False).entropy() / self.probs
