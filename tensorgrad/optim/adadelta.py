"""Adadelta: steps in the parameter's own unit, scaled by those before."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from tensorgrad.optim.checks import check_not_negative, check_rate
from tensorgrad.optim.elementwise import Array, ElementwiseOptimizer, Rule, array0, descent
from tensorgrad.optim.optimizer import ParamsT, number
from tensorgrad.tensor import Tensor

__all__ = ["Adadelta"]


class _Constants(NamedTuple):
    rho: Array
    new: Array  # 1 - rho
    eps: Array
    lr: Array
    decay: Array | None
    negate: bool


def adadelta_rule(
    p: Array, g: Array, kept: tuple[Array, ...], c: _Constants, s: Array, t: Array
) -> None:
    """p <- p - lr d, d = g sqrt(u + eps) / sqrt(v + eps); averages v of g² and u of d²."""
    v, u = kept
    g = descent(p, g, c.negate, c.decay, s, t)
    np.multiply(v, c.rho, v)
    np.multiply(g, g, s)
    np.multiply(s, c.new, s)
    np.add(v, s, v)
    np.add(v, c.eps, s)
    np.sqrt(s, s)
    np.divide(g, s, t)
    np.add(u, c.eps, s)
    np.sqrt(s, s)
    np.multiply(t, s, t)  # d
    np.multiply(u, c.rho, u)
    np.multiply(t, t, s)
    np.multiply(s, c.new, s)
    np.add(u, s, u)
    np.multiply(t, c.lr, t)
    np.subtract(p, t, p)


class Adadelta(ElementwiseOptimizer):
    """v <- ρ v + (1-ρ) d²;  Δ = d √(u + eps) / √(v + eps);  u <- ρ u + (1-ρ) Δ²;  p <- p - lr Δ.

    d = grad + weight_decay p. ``maximize`` climbs.

    lr: a number, or a tensor of one element. rho: in [0, 1]. capturable, differentiable: False.
    foreach changes nothing.

    Source: Zeiler (2012), ADADELTA: an adaptive learning rate method.
    """

    _rule: ClassVar[Rule] = staticmethod(adadelta_rule)
    _later: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        name = type(self).__name__
        check_rate(name, lr)
        if not 0 <= rho <= 1:
            raise ValueError(f"{name}: Invalid rho value: {rho}; it must be in [0, 1]")
        check_not_negative(name, eps=eps, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return "square_avg", "acc_delta"

    def _constants(self, group: dict[str, Any], dtype: np.dtype[Any], step: int) -> _Constants:
        rho, decay = group["rho"], group["weight_decay"]
        return _Constants(
            array0(dtype, rho),
            array0(dtype, 1 - rho),
            array0(dtype, group["eps"]),
            array0(dtype, number(group["lr"])),
            array0(dtype, decay) if decay else None,
            group["maximize"],
        )
