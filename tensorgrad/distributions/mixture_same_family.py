"""Mixtures of laws of one family."""

from __future__ import annotations

from typing import Any, ClassVar

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.distributions.categorical import Categorical
from tensorgrad.distributions.distribution import Distribution
from tensorgrad.tensor import Tensor

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """One of k laws, the last batch dimension of a distribution, chosen by a Categorical."""

    arg_constraints: ClassVar[Any] = {}

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:
        for value, kind, what in (
            (mixture_distribution, Categorical, "Mixture"),
            (component_distribution, Distribution, "Component"),
        ):
            if not isinstance(value, kind):
                raise ValueError(
                    f"The {what} distribution needs to be an instance of {kind.__name__}, got "
                    f"{type(value).__name__}"
                )
        ours = tuple(component_distribution.batch_shape)
        for i, j in zip(
            reversed(mixture_distribution.batch_shape), reversed(ours[:-1]), strict=False
        ):
            if i != 1 and j != 1 and i != j:
                raise ValueError(
                    f"`mixture_distribution.batch_shape` ({mixture_distribution.batch_shape}) is "
                    f"not compatible with `component_distribution.batch_shape`({ours})"
                )
        k = mixture_distribution.logits.shape[-1]
        if k != ours[-1]:
            raise ValueError(
                f"`mixture_distribution component` ({k}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({ours[-1]})"
            )
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        event = component_distribution.event_shape
        super().__init__(ours[:-1], event, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = super().expand(batch_shape)
        shape = tuple(batch_shape)
        k = self._component_distribution.batch_shape[-1]
        new._component_distribution = self._component_distribution.expand((*shape, k))
        new._mixture_distribution = self._mixture_distribution.expand(shape)
        return new

    @constraints.dependent_property
    def support(self) -> Any:
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Categorical:
        """The law that chooses."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        """The laws among which it chooses."""
        return self._component_distribution

    @property
    def _place(self) -> int:
        """The dimension of the k laws in their samples."""
        return -1 - len(self._event_shape)

    def _weighted(self, value: Tensor) -> Tensor:
        """The mean over the k laws of something of theirs."""
        probs = self._mixture_distribution.probs
        probs = probs.reshape(*probs.shape, *(1,) * len(self._event_shape))
        return (probs * value).sum(self._place)

    @property
    def mean(self) -> Tensor:
        return self._weighted(self._component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        within = self._component_distribution.variance
        off = self._component_distribution.mean - self.mean.unsqueeze(self._place)
        return self._weighted(within) + self._weighted(off**2)

    def cdf(self, value: Tensor) -> Tensor:
        found = self._component_distribution.cdf(value.unsqueeze(self._place))
        return (found * self._mixture_distribution.probs).sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        inside = self._component_distribution.log_prob(value.unsqueeze(self._place))
        return (inside + self._mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with tg.no_grad():
            chosen = self._mixture_distribution.expand(self._batch_shape).sample(sample_shape)
            drawn = self._component_distribution.sample(sample_shape)
            event = tuple(self._event_shape)
            index = chosen.reshape(*chosen.shape, 1, *(1,) * len(event))
            return drawn.gather(self._place, index.expand(*chosen.shape, 1, *event)).squeeze(
                self._place
            )

    def __repr__(self) -> str:
        return (
            f"MixtureSameFamily(\n  {self._mixture_distribution},\n  "
            f"{self._component_distribution})"
        )
