"""Kumaraswamy's distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.distributions.elementwise_transforms import AffineTransform, PowerTransform
from tensorgrad.distributions.parameters import EULER, broadcast_all
from tensorgrad.distributions.transformed_distribution import TransformedDistribution
from tensorgrad.distributions.uniform import Uniform
from tensorgrad.tensor import Tensor

__all__ = ["Kumaraswamy"]


class Kumaraswamy(TransformedDistribution):
    """P(X > x) = (1 - x**a)**b on [0, 1], with a and b the concentrations 1 and 0."""

    arg_constraints: ClassVar[Any] = {
        "concentration1": constraints.positive,
        "concentration0": constraints.positive,
    }
    support = constraints.unit_interval
    _parameters = ("concentration1", "concentration0")

    def __init__(
        self, concentration1: Any, concentration0: Any, validate_args: bool | None = None
    ) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        base = Uniform(
            tg.zeros_like(self.concentration0),
            tg.ones_like(self.concentration0),
            validate_args=validate_args,
        )
        transforms = [
            PowerTransform(self.concentration0.reciprocal()),
            AffineTransform(1.0, -1.0),
            PowerTransform(self.concentration1.reciprocal()),
        ]
        super().__init__(base, transforms, validate_args=validate_args)

    def _moment(self, order: int) -> Tensor:
        """The mean of x**order: b B(1 + order / a, b)."""
        a, b = self.concentration1, self.concentration0
        first = 1 + order / a
        return (first.lgamma() + (b + 1).lgamma() - (first + b).lgamma()).exp()

    @property
    def mean(self) -> Tensor:
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        # By PyTorch's formula, which is not the textbook's ((a - 1) / (a b - 1))**(1 / a).
        log_mode = b.reciprocal() * (-b).log1p() - (-b * a).log1p()
        return tg.where((b < 1) | (a < 1), math.nan, log_mode).exp()  # type: ignore[no-any-return]

    @property
    def variance(self) -> Tensor:
        return self._moment(2) - self.mean**2

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        harmonic = (b + 1).digamma() + EULER
        return (1 - b.reciprocal()) + (1 - a.reciprocal()) * harmonic - a.log() - b.log()
