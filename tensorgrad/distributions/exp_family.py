"""Exponential families: the base of distributions of one's own with a log-normaliser."""

from __future__ import annotations

from typing import Any

import tensorgrad as tg
from tensorgrad.distributions.distribution import Distribution
from tensorgrad.tensor import Tensor

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """Density exp(<t(x), theta> - F(theta) + k(x)).

    A subclass gives the natural parameters theta, the log-normaliser F and the mean of k; the
    entropy follows: F - <theta, dF/dtheta> - E[k].
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError(f"{type(self).__name__}._natural_params")

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__}._log_normalizer")

    @property
    def _mean_carrier_measure(self) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__}.entropy: no closed form (_mean_carrier_measure is not given)"
        )

    def entropy(self) -> Tensor:
        """The mean of -log_prob, by the derivative of the log-normaliser."""
        found: Any = -self._mean_carrier_measure
        theta = [p.detach().requires_grad_() for p in self._natural_params]
        log_norm = self._log_normalizer(*theta)
        slopes = tg.autograd.grad(log_norm.sum(), theta, create_graph=True)
        found = found + log_norm
        for p, slope in zip(theta, slopes, strict=True):
            found = found - (p * slope).reshape(*self._batch_shape, -1).sum(-1)
        return found  # type: ignore[no-any-return]
