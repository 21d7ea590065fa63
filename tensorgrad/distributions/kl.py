"""The Kullback-Leibler divergence of one distribution from another, pair by pair of classes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorgrad as tg
from tensorgrad.distributions.bernoulli import Bernoulli
from tensorgrad.distributions.beta import Beta
from tensorgrad.distributions.binomial import Binomial
from tensorgrad.distributions.categorical import Categorical
from tensorgrad.distributions.cauchy import Cauchy
from tensorgrad.distributions.dirichlet import Dirichlet
from tensorgrad.distributions.distribution import Distribution
from tensorgrad.distributions.exponential import Exponential
from tensorgrad.distributions.gamma import Gamma
from tensorgrad.distributions.geometric import Geometric
from tensorgrad.distributions.gumbel import Gumbel
from tensorgrad.distributions.half_normal import HalfNormal
from tensorgrad.distributions.independent import Independent
from tensorgrad.distributions.laplace import Laplace
from tensorgrad.distributions.log_normal import LogNormal
from tensorgrad.distributions.multivariate_normal import MultivariateNormal
from tensorgrad.distributions.normal import Normal
from tensorgrad.distributions.one_hot_categorical import OneHotCategorical
from tensorgrad.distributions.parameters import EULER, softplus
from tensorgrad.distributions.poisson import Poisson
from tensorgrad.distributions.transform import sum_rightmost
from tensorgrad.distributions.transformed_distribution import TransformedDistribution
from tensorgrad.distributions.uniform import Uniform
from tensorgrad.tensor import Tensor

__all__ = ["infinite", "kl_divergence", "register_kl"]

_REGISTRY: dict[tuple[type, type], Callable[[Any, Any], Tensor]] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Any], Any]:
    """Decorates the function that computes KL(p || q) for two classes of distributions."""
    for kind in (type_p, type_q):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise TypeError(f"Expected a subclass of Distribution but got {kind!r}")

    def decorate(function: Any) -> Any:
        _REGISTRY[type_p, type_q] = function
        return function

    return decorate


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p || q), the mean under p of log(p / q); of the batch shape.

    The function registered for the nearest base classes of p's and q's is taken.
    """
    found = [
        (type(p).__mro__.index(a) + type(q).__mro__.index(b), type(p).__mro__.index(a), function)
        for (a, b), function in _REGISTRY.items()
        if isinstance(p, a) and isinstance(q, b)
    ]
    if not found:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type(p).__name__} and q type "
            f"{type(q).__name__}; write one with register_kl"
        )
    return min(found, key=lambda entry: entry[:2])[2](p, q)


def _outside(p_low: Any, p_high: Any, q: Any, result: Any) -> Any:
    """Infinite where p reaches beyond q."""
    return tg.where((q.low > p_low) | (q.high < p_high), math.inf, result)


@register_kl(Bernoulli, Bernoulli)
def _(p: Any, q: Any) -> Any:
    first = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    first = tg.where(q.probs == 0, math.inf, first)
    first = tg.where(p.probs == 0, 0.0, first)
    second = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    second = tg.where(q.probs == 1, math.inf, second)
    second = tg.where(p.probs == 1, 0.0, second)
    return first + second


@register_kl(Binomial, Binomial)
def _(p: Any, q: Any) -> Any:
    found = p.total_count * (
        p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p()
    )
    if (p.total_count < q.total_count).any().item():
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count")
    return tg.where(p.total_count > q.total_count, math.inf, found)


@register_kl(Categorical, Categorical)
def _(p: Any, q: Any) -> Any:
    term = p.probs * (p.logits - q.logits)
    term = tg.where((q.probs == 0).expand(term.shape), math.inf, term)
    return tg.where((p.probs == 0).expand(term.shape), 0.0, term).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _(p: Any, q: Any) -> Any:
    return kl_divergence(p._categorical, q._categorical)


@register_kl(Geometric, Geometric)
def _(p: Any, q: Any) -> Any:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Poisson, Poisson)
def _(p: Any, q: Any) -> Any:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Beta, Beta)
def _(p: Any, q: Any) -> Any:
    return kl_divergence(p._dirichlet, q._dirichlet)


@register_kl(Dirichlet, Dirichlet)
def _(p: Any, q: Any) -> Any:
    a, b = p.concentration, q.concentration
    total = a.sum(-1)
    norms = total.lgamma() - b.sum(-1).lgamma() - (a.lgamma() - b.lgamma()).sum(-1)
    return norms + ((a - b) * (a.digamma() - total.digamma().unsqueeze(-1))).sum(-1)


@register_kl(Gamma, Gamma)
def _(p: Any, q: Any) -> Any:
    first = q.concentration * (p.rate / q.rate).log()
    second = q.concentration.lgamma() - p.concentration.lgamma()
    third = (p.concentration - q.concentration) * p.concentration.digamma()
    return first + second + third + (q.rate - p.rate) * (p.concentration / p.rate)


@register_kl(Exponential, Exponential)
def _(p: Any, q: Any) -> Any:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(Exponential, Gamma)
def _(p: Any, q: Any) -> Any:
    ratio = q.rate / p.rate
    a = q.concentration
    return -a * ratio.log() + ratio + a.lgamma() + a * EULER - (1 + EULER)


@register_kl(Gumbel, Gumbel)
def _(p: Any, q: Any) -> Any:
    ratio = p.scale / q.scale
    away = q.loc / q.scale
    here = p.loc / q.scale
    rest = (away + (1 + ratio).lgamma() - here).exp() - (1 + EULER)
    return -ratio.log() - away + here + ratio * EULER + rest


@register_kl(Laplace, Laplace)
def _(p: Any, q: Any) -> Any:
    ratio, off = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + off / q.scale + ratio * (-off / p.scale).exp() - 1


@register_kl(Normal, Normal)
def _(p: Any, q: Any) -> Any:
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


@register_kl(LogNormal, LogNormal)
def _(p: Any, q: Any) -> Any:
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(HalfNormal, HalfNormal)
def _(p: Any, q: Any) -> Any:
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Cauchy, Cauchy)
def _(p: Any, q: Any) -> Any:
    first = ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log()
    return first - (4 * p.scale * q.scale).log()


@register_kl(Uniform, Uniform)
def _(p: Any, q: Any) -> Any:
    return _outside(p.low, p.high, q, ((q.high - q.low) / (p.high - p.low)).log())


@register_kl(Normal, Laplace)
def _(p: Any, q: Any) -> Any:
    off = p.loc - q.loc
    ratio = p.scale / q.scale
    away = off / p.scale
    bell = math.sqrt(2 / math.pi) * p.scale * (-0.5 * away.pow(2)).exp()
    mean = (bell + off * (math.sqrt(0.5) * away).erf()) / q.scale
    return -ratio.log() + mean - (0.5 + 0.5 * math.log(0.5 * math.pi))


@register_kl(Uniform, Normal)
def _(p: Any, q: Any) -> Any:
    width = p.high - p.low
    first = (math.sqrt(2 * math.pi) * q.scale / width).log()
    second = width.pow(2) / 12
    third = ((p.high + p.low - 2 * q.loc) / 2).pow(2)
    return first + 0.5 * (second + third) / q.scale.pow(2)


def infinite(p: Any, q: Any) -> Any:
    """Of the batch shape of the two, and the dtype of p's parameters."""
    size = tg.broadcast_shapes(tuple(p.batch_shape), tuple(q.batch_shape))
    return tg.full(size, math.inf, dtype=getattr(p, next(iter(p.arg_constraints))).dtype)


# p has outcomes that q never has
for _pair in (
    *((p, q) for p in (Normal, Laplace, Gumbel) for q in (Beta, Uniform, Exponential, Gamma)),
    *((p, q) for p in (Exponential, Gamma) for q in (Beta, Uniform)),
    *((Poisson, q) for q in (Bernoulli, Binomial)),
):
    register_kl(*_pair)(infinite)


@register_kl(MultivariateNormal, MultivariateNormal)
def _(p: Any, q: Any) -> Any:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two Multivariate Normals with different event shapes cannot be "
            f"computed: {tuple(p.event_shape)}, {tuple(q.event_shape)}"
        )
    logs = [d.scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1) for d in (q, p)]
    n = p.event_shape[0]
    batch = tg.broadcast_shapes(tuple(p.batch_shape), tuple(q.batch_shape))
    right = q.scale_tril.expand(*batch, n, n)
    both = tg.cat(
        [p.scale_tril.expand(*batch, n, n), (q.loc - p.loc).expand(*batch, n).unsqueeze(-1)], -1
    )
    solved = tg.linalg.solve_triangular(right, both, upper=False)
    return logs[0] - logs[1] + 0.5 * (solved.pow(2).sum((-2, -1)) - n)


@register_kl(Independent, Independent)
def _(p: Any, q: Any) -> Any:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("KL of Independents with different numbers of dimensions")
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _(p: Any, q: Any) -> Any:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("KL of distributions under different transforms")
    extra = len(p.event_shape) - len(p.base_dist.event_shape)
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), extra)
