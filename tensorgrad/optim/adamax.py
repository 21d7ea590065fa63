"""Adamax: Adam with the largest gradient in place of their mean square."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from tensorgrad.optim.checks import check_betas, check_not_negative, check_rate
from tensorgrad.optim.elementwise import Array, ElementwiseOptimizer, Rule, array0, descent
from tensorgrad.optim.optimizer import ParamsT, number
from tensorgrad.tensor import Tensor

__all__ = ["Adamax"]


class _Constants(NamedTuple):
    new1: Array  # 1 - beta1
    beta2: Array
    eps: Array
    rate: Array
    decay: Array | None
    negate: bool


def adamax_rule(
    p: Array, g: Array, kept: tuple[Array, ...], c: _Constants, s: Array, t: Array
) -> None:
    """p <- p - rate m / u, with the running average m of g and u = max(beta2 u, |g| + eps)."""
    m, u = kept
    g = descent(p, g, c.negate, c.decay, s, t)
    np.subtract(g, m, s)  # m += (1 - beta1) (g - m)
    np.multiply(s, c.new1, s)
    np.add(m, s, m)
    np.abs(g, s)
    np.add(s, c.eps, s)
    np.multiply(u, c.beta2, u)
    np.maximum(u, s, out=u)
    np.divide(m, u, s)
    np.multiply(s, c.rate, s)
    np.subtract(p, s, p)


class Adamax(ElementwiseOptimizer):
    """m <- β1 m + (1-β1) d;  u <- max(β2 u, |d| + eps);  p <- p - lr m̂ / u.

    d = grad + weight_decay p; m̂ = m / (1-β1^t) at a parameter's t-th step. ``maximize`` climbs.

    lr: a number, or a tensor of one element. capturable, differentiable: False. foreach changes
    nothing.

    Source: Kingma and Ba (2015), Adam: a method for stochastic optimization, section 7.
    """

    _rule: ClassVar[Rule] = staticmethod(adamax_rule)
    _later: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
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
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return "exp_avg", "exp_inf"

    def _constants(self, group: dict[str, Any], dtype: np.dtype[Any], step: int) -> _Constants:
        (beta1, beta2), decay = group["betas"], group["weight_decay"]
        return _Constants(
            array0(dtype, 1 - beta1),
            array0(dtype, beta2),
            array0(dtype, group["eps"]),
            array0(dtype, number(group["lr"]) / (1 - beta1**step)),
            array0(dtype, decay) if decay else None,
            group["maximize"],
        )
