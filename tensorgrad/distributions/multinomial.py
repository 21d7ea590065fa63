"""The multinomial distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.distributions.binomial import Binomial
from tensorgrad.distributions.categorical import Categorical
from tensorgrad.distributions.distribution import Distribution
from tensorgrad.distributions.parameters import broadcast_all, whole_log
from tensorgrad.size import Size
from tensorgrad.tensor import Tensor

__all__ = ["Multinomial"]


class Multinomial(Distribution):
    """How often each class comes in ``total_count`` draws of a categorical law."""

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.simplex,
        "logits": constraints.real_vector,
    }

    def __init__(
        self,
        total_count: int = 1,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError(
                "Multinomial: inhomogeneous total_count is not supported; give one int"
            )
        self.total_count = total_count
        self._categorical = Categorical(probs, logits)
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = super().expand(batch_shape)
        new._categorical = self._categorical.expand(batch_shape)
        return new

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        return constraints.multinomial(self.total_count)

    @property
    def probs(self) -> Tensor:
        """The probabilities of the classes."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return self._categorical.logits

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter that was given."""
        return self._categorical.param_shape

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = Size(sample_shape)
        with tg.no_grad():
            drawn = self._categorical.sample((self.total_count, *shape)).movedim(0, -1)
            counts = tg.zeros(self._extended_shape(shape), dtype=self.probs.dtype)
            return counts.scatter_add(-1, drawn, tg.ones(drawn.shape, dtype=counts.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        # 0 times the logarithm of an impossible class counts as nothing
        logits = tg.where((value == 0) & logits.isinf() & (logits < 0), 0.0, logits)
        orders = whole_log(value.sum(-1)) - whole_log(value).sum(-1)
        return orders + (logits * value).sum(-1)  # type: ignore[no-any-return]

    def entropy(self) -> Tensor:
        # n times that of one draw, less the logarithm of how many orders give the same counts,
        # whose mean takes every count of every class as binomial
        n = self.total_count
        binomial = Binomial(n, probs=self.probs)
        counts = binomial.enumerate_support(expand=False)[1:]
        repeated = (binomial.log_prob(counts).exp() * whole_log(counts)).sum((0, -1))
        orders = whole_log(tg.tensor(n, dtype=self.probs.dtype))
        return n * self._categorical.entropy() - orders + repeated
