"""The categorical distribution made continuous: nearly one-hot samples with a gradient.

Source: Maddison, Mnih and Teh, The Concrete Distribution; Jang, Gu and Poole, Categorical
Reparametrization with Gumbel-Softmax (2017).
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.distributions.categorical import Categorical
from tensorgrad.distributions.distribution import Distribution
from tensorgrad.distributions.elementwise_transforms import ExpTransform
from tensorgrad.distributions.parameters import broadcast_all, clamp_probs
from tensorgrad.distributions.transformed_distribution import TransformedDistribution
from tensorgrad.size import Size
from tensorgrad.tensor import Tensor

__all__ = ["ExpRelaxedCategorical", "RelaxedOneHotCategorical"]

_CONSTRAINTS: dict[str, Any] = {"probs": constraints.simplex, "logits": constraints.real_vector}


class ExpRelaxedCategorical(Distribution):
    """log_softmax((logits + Gumbel numbers) / temperature)."""

    arg_constraints: ClassVar[Any] = _CONSTRAINTS
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        temperature: Tensor,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        self._categorical = Categorical(probs, logits)
        self.temperature = temperature
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = super().expand(batch_shape)
        new._categorical = self._categorical.expand(batch_shape)
        return new

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter that was given."""
        return self._categorical.param_shape

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return self._categorical.logits

    @property
    def probs(self) -> Tensor:
        """The probabilities that each class has the largest sample."""
        return self._categorical.probs

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        drawn = clamp_probs(tg.rand(shape, dtype=self.logits.dtype))
        gumbel = -(-drawn.log()).log()
        return ((self.logits + gumbel) / self.temperature).log_softmax(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        k = self._event_shape[0]
        logits, value = broadcast_all(self.logits, value)
        scores = (logits - value * self.temperature).log_softmax(-1).sum(-1)
        return scores + math.lgamma(k) + (k - 1) * self.temperature.log()  # type: ignore[no-any-return]


class RelaxedOneHotCategorical(TransformedDistribution):
    """Vectors of the simplex that near its corners as the temperature falls to 0."""

    arg_constraints: ClassVar[Any] = _CONSTRAINTS
    support = constraints.simplex
    base_dist: ExpRelaxedCategorical

    def __init__(
        self,
        temperature: Tensor,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)

    @property
    def temperature(self) -> Tensor:
        """How far from the corners samples stay."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        """The probabilities that each class has the largest sample."""
        return self.base_dist.probs
