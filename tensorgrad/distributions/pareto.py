"""Pareto's distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from tensorgrad.distributions import constraints
from tensorgrad.distributions.elementwise_transforms import AffineTransform, ExpTransform
from tensorgrad.distributions.exponential import Exponential
from tensorgrad.distributions.parameters import broadcast_all
from tensorgrad.distributions.transformed_distribution import TransformedDistribution
from tensorgrad.tensor import Tensor

__all__ = ["Pareto"]


class Pareto(TransformedDistribution):
    """Density alpha scale**alpha / x**(alpha + 1) from scale on."""

    arg_constraints: ClassVar[Any] = {"alpha": constraints.positive, "scale": constraints.positive}
    _parameters = ("scale", "alpha")

    def __init__(self, scale: Any, alpha: Any, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast_all(scale, alpha)
        base = Exponential(self.alpha, validate_args=validate_args)
        transforms = [ExpTransform(), AffineTransform(0, self.scale)]
        super().__init__(base, transforms, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        a = self.alpha.clamp(min=1)  # infinite from there down
        return a * self.scale / (a - 1)

    @property
    def mode(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        a = self.alpha.clamp(min=2)
        return self.scale.pow(2) * a / ((a - 1).pow(2) * (a - 2))

    @constraints.dependent_property
    def support(self) -> Any:
        return constraints.greater_than_eq(self.scale)

    def entropy(self) -> Tensor:
        return (self.scale / self.alpha).log() + (1 + self.alpha.reciprocal())
