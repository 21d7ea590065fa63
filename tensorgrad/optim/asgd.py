"""Averaged stochastic gradient descent."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from tensorgrad.dtypes import default_float
from tensorgrad.optim.checks import check_not_negative, check_rate
from tensorgrad.optim.elementwise import Array, ElementwiseOptimizer, Rule, array0, descent
from tensorgrad.optim.optimizer import ParamsT, number
from tensorgrad.tensor import Tensor

__all__ = ["ASGD"]


class _Constants(NamedTuple):
    eta: Array
    shrink: Array  # 1 - lambd * eta
    mu: Array | None  # None for 1
    decay: Array | None
    negate: bool


def asgd_rule(
    p: Array, g: Array, kept: tuple[Array, ...], c: _Constants, s: Array, t: Array
) -> None:
    """p <- (1 - lambd eta) p - eta g, and the average a <- a + mu (p - a)."""
    (a,) = kept
    g = descent(p, g, c.negate, c.decay, s, t)
    np.multiply(p, c.shrink, p)
    np.multiply(g, c.eta, s)
    np.subtract(p, s, p)
    if c.mu is None:
        np.copyto(a, p)
    else:
        np.subtract(p, a, s)
        np.multiply(s, c.mu, s)
        np.add(a, s, a)


class ASGD(ElementwiseOptimizer):
    """p <- (1 - lambd η) p - η d;  a <- a + μ (p - a);  η = lr / (1 + lambd lr t)^alpha.

    d = grad + weight_decay p; μ = 1 / max(1, t - t0). The average a, which is what to use in the
    end, is ``state[p]["ax"]``; from step t0 on it is one, before that the parameter itself.
    ``maximize`` climbs.

    lr: a number, or a tensor of one element; a change of it acts one step later, since η is
    computed at the end of a step. capturable, differentiable: False. foreach changes nothing.

    Source: Polyak and Juditsky (1992), Acceleration of stochastic approximation by averaging.
    """

    _rule: ClassVar[Rule] = staticmethod(asgd_rule)
    _numbers: ClassVar[tuple[str, ...]] = ("eta", "mu")
    _later: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        name = type(self).__name__
        check_rate(name, lr)
        check_not_negative(name, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("ax",)

    def _first(self, group: dict[str, Any], name: str, p: Array) -> Array:
        if name == "eta":
            return np.array(number(group["lr"]), default_float())
        if name == "mu":
            return np.ones((), default_float())
        return np.zeros_like(p)

    def _constants_of(
        self, group: dict[str, Any], dtype: np.dtype[Any], step: int, state: dict[str, Any]
    ) -> _Constants:
        lr, lambd, decay = number(group["lr"]), group["lambd"], group["weight_decay"]
        eta, mu = float(state["eta"]._array), float(state["mu"]._array)
        # Those of the next step, rounded to the default dtype as PyTorch's are, whatever they
        # are kept in.
        eta_next = lr / (1 + lambd * lr * step) ** group["alpha"]
        state["eta"]._array[...] = array0(default_float(), eta_next)
        state["mu"]._array[...] = array0(default_float(), 1 / max(1, step - group["t0"]))
        return _Constants(
            array0(dtype, eta),
            array0(dtype, 1 - lambd * eta),
            array0(dtype, mu) if mu != 1 else None,
            array0(dtype, decay) if decay else None,
            group["maximize"],
        )
