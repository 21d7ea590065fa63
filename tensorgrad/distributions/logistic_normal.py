"""The logistic normal distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from tensorgrad.distributions import constraints
from tensorgrad.distributions.normal import Normal
from tensorgrad.distributions.simplex_transforms import StickBreakingTransform
from tensorgrad.distributions.transformed_distribution import TransformedDistribution
from tensorgrad.tensor import Tensor

__all__ = ["LogisticNormal"]


class LogisticNormal(TransformedDistribution):
    """K probabilities, by stick breaking of K - 1 normal numbers."""

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.simplex

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        base = Normal(loc, scale, validate_args=validate_args)
        if not base.batch_shape:
            base = base.expand((1,))
        super().__init__(base, StickBreakingTransform(), validate_args=validate_args)

    @property
    def loc(self) -> Tensor:
        """The means of the normal numbers."""
        return self._normal.loc

    @property
    def scale(self) -> Tensor:
        """The standard deviations of the normal numbers."""
        return self._normal.scale

    @property
    def _normal(self) -> Normal:
        inner: Any = self.base_dist  # an Independent around it
        return inner.base_dist  # type: ignore[no-any-return]
