"""RAdam: Adam whose adaptive rate waits until its variance is known."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from tensorgrad.optim.checks import check_betas, check_not_negative, check_rate
from tensorgrad.optim.elementwise import Array, ElementwiseOptimizer, Rule, array0, descent
from tensorgrad.optim.optimizer import ParamsT, number
from tensorgrad.tensor import Tensor

__all__ = ["RAdam"]


class _Constants(NamedTuple):
    new1: Array  # 1 - beta1
    beta2: Array
    new2: Array  # 1 - beta2
    eps: Array | None  # None while the step is not adaptive
    rate: Array
    decay: Array | None
    shrink: Array | None  # 1 - lr * weight decay, when decoupled
    negate: bool


def radam_rule(
    p: Array, g: Array, kept: tuple[Array, ...], c: _Constants, s: Array, t: Array
) -> None:
    """p <- p - rate m / (sqrt(v) + eps), or p - rate m in the first steps."""
    m, v = kept
    if c.shrink is not None:
        np.multiply(p, c.shrink, p)
    g = descent(p, g, c.negate, c.decay, s, t)
    np.subtract(g, m, s)  # m += (1 - beta1) (g - m)
    np.multiply(s, c.new1, s)
    np.add(m, s, m)
    np.multiply(v, c.beta2, v)  # v = beta2 v + (1 - beta2) g²
    np.multiply(g, g, s)
    np.multiply(s, c.new2, s)
    np.add(v, s, v)
    if c.eps is None:
        np.multiply(m, c.rate, s)
    else:
        np.sqrt(v, s)
        np.add(s, c.eps, s)
        np.divide(m, s, s)
        np.multiply(s, c.rate, s)
    np.subtract(p, s, p)


class RAdam(ElementwiseOptimizer):
    """m, v as in `Adam`;  p <- p - lr r m̂ √(1-β2^t) / (√v + eps) if ρ > 5, else p - lr m̂.

    ρ = ρ∞ - 2 t β2^t / (1-β2^t) with ρ∞ = 2 / (1-β2) - 1 is the number of steps that v averages
    over, and r² = (ρ-4) (ρ-2) ρ∞ / ((ρ∞-4) (ρ∞-2) ρ). d = grad + weight_decay p;
    ``decoupled_weight_decay`` shrinks p by lr weight_decay p before the step instead;
    ``maximize`` climbs.

    lr: a number, or a tensor of one element. capturable, differentiable: False. foreach changes
    nothing.

    Source: Liu et al. (2020), On the variance of the adaptive learning rate and beyond.
    """

    _rule: ClassVar[Rule] = staticmethod(radam_rule)
    _later: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "decoupled_weight_decay": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        name = type(self).__name__
        check_rate(name, lr)
        check_not_negative(name, eps=eps)
        check_betas(name, betas)
        check_not_negative(name, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return "exp_avg", "exp_avg_sq"

    def _constants(self, group: dict[str, Any], dtype: np.dtype[Any], step: int) -> _Constants:
        lr, (beta1, beta2), decay = number(group["lr"]), group["betas"], group["weight_decay"]
        rate = lr / (1 - beta1**step)
        correction = 1 - beta2**step
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * step * beta2**step / correction
        adaptive = length > 5
        if adaptive:
            known = (length - 4) * (length - 2) * longest
            rate *= (correction * known / ((longest - 4) * (longest - 2) * length)) ** 0.5
        decoupled = group["decoupled_weight_decay"]
        return _Constants(
            array0(dtype, 1 - beta1),
            array0(dtype, beta2),
            array0(dtype, 1 - beta2),
            array0(dtype, group["eps"]) if adaptive else None,
            array0(dtype, rate),
            array0(dtype, decay) if decay and not decoupled else None,
            array0(dtype, 1 - lr * decay) if decay and decoupled else None,
            group["maximize"],
        )
