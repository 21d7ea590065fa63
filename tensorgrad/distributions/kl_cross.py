"""Divergences between distributions of different families, and of exponential families.

KL(p || q) = -H(p) - E[log q(x)] with x of p: what q asks of p is its mean, its variance, E[log x]
or E[exp(-x / s)].
"""

from __future__ import annotations

import math
from typing import Any

import tensorgrad as tg
from tensorgrad.distributions.bernoulli import Bernoulli
from tensorgrad.distributions.beta import Beta
from tensorgrad.distributions.continuous_bernoulli import ContinuousBernoulli
from tensorgrad.distributions.exp_family import ExponentialFamily
from tensorgrad.distributions.exponential import Exponential
from tensorgrad.distributions.gamma import Gamma
from tensorgrad.distributions.gumbel import Gumbel
from tensorgrad.distributions.kl import infinite, register_kl
from tensorgrad.distributions.laplace import Laplace
from tensorgrad.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from tensorgrad.distributions.multivariate_normal import MultivariateNormal
from tensorgrad.distributions.normal import Normal
from tensorgrad.distributions.pareto import Pareto
from tensorgrad.distributions.poisson import Poisson
from tensorgrad.distributions.transform import sum_rightmost
from tensorgrad.distributions.uniform import Uniform

__all__: list[str] = []


def _beyond(p: Any, low: Any, high: Any, found: Any) -> Any:
    """Infinite where p, if it is uniform, has outcomes beyond the bounds of q."""
    if not isinstance(p, Uniform):
        return found
    return tg.where((p.low < low) | (p.high > high), math.inf, found)


def _mean_log(p: Any) -> Any:
    """E[log x]."""
    if isinstance(p, Beta):
        total = p.concentration1 + p.concentration0
        return p.concentration1.digamma() - total.digamma()
    if isinstance(p, Pareto):
        return p.scale.log() + 1 / p.alpha
    return _integral_of_log(p.low, p.high)


def _integral_of_log(low: Any, high: Any) -> Any:
    """The mean of log(x) between two numbers."""
    area = tg.special.xlogy(high, high) - tg.special.xlogy(low, low)
    return area / (high - low) - 1


def _mean_exp(p: Any, s: Any) -> Any:
    """E[exp(-x / s)]."""
    if isinstance(p, Normal):
        return (-p.loc / s + (p.scale / s) ** 2 / 2).exp()
    if isinstance(p, Uniform):
        return s * ((-p.low / s).exp() - (-p.high / s).exp()) / (p.high - p.low)
    shape = p.concentration if isinstance(p, Gamma) else 1
    return (1 + 1 / (s * p.rate)) ** -shape


def _normal(p: Any, q: Any) -> Any:
    spread = (p.variance + (p.mean - q.loc) ** 2) / (2 * q.scale**2)
    return q.scale.log() + 0.5 * math.log(2 * math.pi) + spread - p.entropy()


def _exponential(p: Any, q: Any) -> Any:
    return _beyond(p, 0, math.inf, q.rate * p.mean - q.rate.log() - p.entropy())


def _gamma(p: Any, q: Any) -> Any:
    a = q.concentration
    norm = a.lgamma() - a * q.rate.log()
    found = norm - (a - 1) * _mean_log(p) + q.rate * p.mean - p.entropy()
    return _beyond(p, 0, math.inf, found)


def _gumbel(p: Any, q: Any) -> Any:
    tail = (q.loc / q.scale).exp() * _mean_exp(p, q.scale)
    return q.scale.log() + (p.mean - q.loc) / q.scale + tail - p.entropy()


def _continuous_bernoulli(p: Any, q: Any) -> Any:
    log = p.mean * q.logits + (-q.probs).log1p() + q._log_norm()
    return _beyond(p, 0, 1, -log - p.entropy())


for _law, _function, _others in (
    (Normal, _normal, (Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Pareto)),
    (Exponential, _exponential, (Beta, ContinuousBernoulli, Gamma, Pareto, Uniform)),
    (Gamma, _gamma, (Beta, Pareto, Uniform)),
    (Gumbel, _gumbel, (Exponential, Gamma, Normal, Uniform)),
    (ContinuousBernoulli, _continuous_bernoulli, (Beta, ContinuousBernoulli, Uniform)),
):
    for _other in _others:
        register_kl(_other, _law)(_function)

# p has outcomes that q never has
for _pair in (
    *((p, ContinuousBernoulli) for p in (Exponential, Gamma, Gumbel, Laplace, Normal, Pareto)),
    *(
        (p, Pareto)
        for p in (Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Normal)
    ),
    *((Pareto, q) for q in (Beta, Uniform)),
):
    register_kl(*_pair)(infinite)


@register_kl(Bernoulli, Poisson)
def _(p: Any, q: Any) -> Any:
    return q.rate - p.probs * q.rate.log() - p.entropy()


@register_kl(Beta, Uniform)
@register_kl(ContinuousBernoulli, Uniform)
def _(p: Any, q: Any) -> Any:
    found = (q.high - q.low).log() - p.entropy()
    return tg.where((q.low > 0) | (q.high < 1), math.inf, found)


@register_kl(Uniform, Beta)
def _(p: Any, q: Any) -> Any:
    a, b = q.concentration1, q.concentration0
    norm = a.lgamma() + b.lgamma() - (a + b).lgamma()
    below, above = _mean_log(p), _integral_of_log(1 - p.high, 1 - p.low)
    found = norm - (a - 1) * below - (b - 1) * above - p.entropy()
    return _beyond(p, 0, 1, found)


@register_kl(Uniform, Pareto)
def _(p: Any, q: Any) -> Any:
    log = q.alpha.log() + q.alpha * q.scale.log() - (q.alpha + 1) * _mean_log(p)
    return _beyond(p, q.scale, math.inf, -log - p.entropy())


@register_kl(Pareto, Pareto)
def _(p: Any, q: Any) -> Any:
    ratio = q.alpha / p.alpha
    found = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return tg.where(p.scale < q.scale, math.inf, found)


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _(p: Any, q: Any) -> Any:
    if p.event_shape != q.event_shape:
        raise ValueError(
            f"KL-divergence between a {type(p).__name__} and a {type(q).__name__} with different "
            f"event shapes cannot be computed: {tuple(p.event_shape)}, {tuple(q.event_shape)}"
        )
    n, off = p.event_shape[0], q.loc - p.loc
    # twice the difference of entropies is that of the logarithms of the determinants
    logs = 2 * (q.entropy() - p.entropy())
    trace = (q.precision_matrix * p.covariance_matrix).sum((-2, -1))
    distance = (off * (q.precision_matrix @ off.unsqueeze(-1)).squeeze(-1)).sum(-1)
    return 0.5 * (logs + trace + distance - n)


@register_kl(ExponentialFamily, ExponentialFamily)
def _(p: Any, q: Any) -> Any:
    if type(p) is not type(q):
        raise NotImplementedError(
            f"The cross KL-divergence between different exponential families cannot be computed: "
            f"{type(p).__name__} and {type(q).__name__}"
        )
    here = [theta.detach().requires_grad_() for theta in p._natural_params]
    there = q._natural_params
    log_norm = p._log_normalizer(*here)
    slopes = tg.autograd.grad(log_norm.sum(), here, create_graph=True)
    found: Any = q._log_normalizer(*there) - log_norm
    for a, b, slope in zip(here, there, slopes, strict=True):
        # a parameter may have the shape of an event or not
        found = found - sum_rightmost((b - a) * slope, b.ndim - len(q.batch_shape))
    return found
