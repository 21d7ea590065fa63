"""Adagrad: steps scaled by all squared gradients so far."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from tensorgrad.dtypes import default_float
from tensorgrad.graph.node import wrap
from tensorgrad.optim.checks import check_not_negative, check_rate
from tensorgrad.optim.elementwise import Array, ElementwiseOptimizer, Rule, array0, descent
from tensorgrad.optim.optimizer import ParamsT, number
from tensorgrad.tensor import Tensor

__all__ = ["Adagrad"]


class _Constants(NamedTuple):
    rate: Array
    eps: Array
    decay: Array | None
    negate: bool


def adagrad_rule(
    p: Array, g: Array, kept: tuple[Array, ...], c: _Constants, s: Array, t: Array
) -> None:
    """p <- p - rate g / (sqrt(v) + eps), with the sum v of g²."""
    (v,) = kept
    g = descent(p, g, c.negate, c.decay, s, t)
    np.multiply(g, g, s)
    np.add(v, s, v)
    np.sqrt(v, s)
    np.add(s, c.eps, s)
    np.divide(g, s, s)
    np.multiply(s, c.rate, s)
    np.subtract(p, s, p)


class Adagrad(ElementwiseOptimizer):
    """v <- v + d²;  p <- p - lr / (1 + (t-1) lr_decay) d / (√v + eps) at a parameter's t-th step.

    d = grad + weight_decay p; v begins with ``initial_accumulator_value``. ``maximize`` climbs.
    The state is made with the optimizer, as in PyTorch; that of groups added later at their first
    step.

    lr: a number, or a tensor of one element. differentiable: False. foreach and fused change
    nothing.

    Source: Duchi, Hazan and Singer (2011), Adaptive subgradient methods for online learning and
    stochastic optimization.
    """

    _rule: ClassVar[Rule] = staticmethod(adagrad_rule)
    _later: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "fused": None,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        name = type(self).__name__
        check_rate(name, lr)
        check_not_negative(
            name,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["step"] = wrap(np.zeros((), default_float()))
                self.state[p]["sum"] = wrap(self._first(group, "sum", p._array))

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("sum",)

    def _first(self, group: dict[str, Any], name: str, p: Array) -> Array:
        value = group["initial_accumulator_value"]
        return np.full_like(p, complex(value, value) if p.dtype.kind == "c" else value)

    def _constants(self, group: dict[str, Any], dtype: np.dtype[Any], step: int) -> _Constants:
        decay = group["weight_decay"]
        return _Constants(
            array0(dtype, number(group["lr"]) / (1 + (step - 1) * group["lr_decay"])),
            array0(dtype, group["eps"]),
            array0(dtype, decay) if decay else None,
            group["maximize"],
        )
