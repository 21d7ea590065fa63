"""RMSprop: gradients divided by the root of their mean square."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from tensorgrad.optim.checks import check_not_negative, check_rate
from tensorgrad.optim.elementwise import Array, ElementwiseOptimizer, Rule, array0, descent
from tensorgrad.optim.optimizer import ParamsT, number
from tensorgrad.tensor import Tensor

__all__ = ["RMSprop"]


class _Constants(NamedTuple):
    alpha: Array
    new: Array  # 1 - alpha
    eps: Array
    lr: Array
    momentum: Array | None
    centered: bool
    decay: Array | None
    negate: bool


def rmsprop_rule(
    p: Array, g: Array, kept: tuple[Array, ...], c: _Constants, s: Array, t: Array
) -> None:
    """p <- p - lr d, d = g / (sqrt(v) + eps) or its running sum b <- momentum b + d."""
    v = kept[0]
    g = descent(p, g, c.negate, c.decay, s, t)
    np.multiply(v, c.alpha, v)
    np.multiply(g, g, s)
    np.multiply(s, c.new, s)
    np.add(v, s, v)
    if c.centered:  # divide by the standard deviation: sqrt(v - m²)
        m = kept[-1]
        np.subtract(g, m, s)
        np.multiply(s, c.new, s)
        np.add(m, s, m)
        np.multiply(m, m, s)
        np.subtract(v, s, s)
        np.sqrt(s, s)
    else:
        np.sqrt(v, s)
    np.add(s, c.eps, s)
    np.divide(g, s, s)
    if c.momentum is not None:
        b = kept[1]
        np.multiply(b, c.momentum, b)
        np.add(b, s, b)
        np.multiply(b, c.lr, s)
    else:
        np.multiply(s, c.lr, s)
    np.subtract(p, s, p)


class RMSprop(ElementwiseOptimizer):
    """v <- α v + (1-α) d²;  b <- momentum b + d / (√v + eps);  p <- p - lr b.

    d = grad + weight_decay p. ``centered`` takes √(v - m²) with the running average m of d.
    ``maximize`` climbs.

    lr: a number, or a tensor of one element. capturable, differentiable: False. foreach changes
    nothing.

    Source: Hinton (2012), lecture 6e of Neural networks for machine learning; centered: Graves
    (2013), Generating sequences with recurrent neural networks.
    """

    _rule: ClassVar[Rule] = staticmethod(rmsprop_rule)
    _later: ClassVar[dict[str, Any]] = {
        "momentum": 0,
        "centered": False,
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        name = type(self).__name__
        check_rate(name, lr)
        check_not_negative(name, eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        names = ("square_avg", "momentum_buffer") if group.get("momentum") else ("square_avg",)
        return (*names, "grad_avg") if group.get("centered") else names

    def _constants(self, group: dict[str, Any], dtype: np.dtype[Any], step: int) -> _Constants:
        alpha, momentum, decay = group["alpha"], group["momentum"], group["weight_decay"]
        return _Constants(
            array0(dtype, alpha),
            array0(dtype, 1 - alpha),
            array0(dtype, group["eps"]),
            array0(dtype, number(group["lr"])),
            array0(dtype, momentum) if momentum > 0 else None,
            group["centered"],
            array0(dtype, decay) if decay else None,
            group["maximize"],
        )
