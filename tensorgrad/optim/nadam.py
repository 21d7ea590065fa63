"""NAdam: Adam that looks one step of momentum ahead, after Nesterov."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from tensorgrad.dtypes import default_float
from tensorgrad.optim.checks import check_betas, check_not_negative, check_rate
from tensorgrad.optim.elementwise import Array, ElementwiseOptimizer, Rule, array0, descent
from tensorgrad.optim.optimizer import ParamsT, number
from tensorgrad.tensor import Tensor

__all__ = ["NAdam"]


class _Constants(NamedTuple):
    new1: Array  # 1 - beta1
    beta2: Array
    new2: Array  # 1 - beta2
    eps: Array
    of_gradient: Array
    of_momentum: Array
    decay: Array | None
    shrink: Array | None  # 1 - lr * weight decay, when decoupled
    negate: bool


def nadam_rule(
    p: Array, g: Array, kept: tuple[Array, ...], c: _Constants, s: Array, t: Array
) -> None:
    """p <- p - (a g + b m) / (sqrt(v) + eps), with running averages m of g and v of g²."""
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
    np.multiply(g, c.of_gradient, t)
    np.multiply(m, c.of_momentum, s)
    np.add(t, s, t)
    np.sqrt(v, s)
    np.add(s, c.eps, s)
    np.divide(t, s, t)
    np.subtract(p, t, p)


class NAdam(ElementwiseOptimizer):
    """m, v as in `Adam`;  p <- p - lr ((1-μ_t) d / (1-Πμ) + μ_{t+1} m / (1-μ_{t+1} Πμ)) / (√v̂+eps).

    d = grad + weight_decay p; μ_t = β1 (1 - 0.96^(t momentum_decay) / 2) at a parameter's t-th
    step, and Πμ, the product of all so far, is kept as ``mu_product``.
    ``decoupled_weight_decay`` shrinks p by lr weight_decay p before the step instead of adding
    to d; ``maximize`` climbs.

    lr: a number, or a tensor of one element. capturable, differentiable: False. foreach changes
    nothing.

    Source: Dozat (2016), Incorporating Nesterov momentum into Adam.
    """

    _rule: ClassVar[Rule] = staticmethod(nadam_rule)
    _numbers: ClassVar[tuple[str, ...]] = ("mu_product",)
    _later: ClassVar[dict[str, Any]] = {
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "decoupled_weight_decay": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
        check_not_negative(name, weight_decay=weight_decay, momentum_decay=momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return "exp_avg", "exp_avg_sq"

    def _first(self, group: dict[str, Any], name: str, p: Array) -> Array:
        if name == "mu_product":
            return np.ones((), default_float())
        return np.zeros_like(p)

    def _constants_of(
        self, group: dict[str, Any], dtype: np.dtype[Any], step: int, state: dict[str, Any]
    ) -> _Constants:
        lr, (beta1, beta2), decay = number(group["lr"]), group["betas"], group["weight_decay"]
        mu, ahead = (
            beta1 * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"])) for t in (step, step + 1)
        )
        product = state["mu_product"]._array
        np.multiply(product, mu, out=product)
        so_far = float(product)
        # √(v / u) + eps, with the bias correction u, is (√v + eps √u) / √u.
        root = (1 - beta2**step) ** 0.5
        decoupled = group["decoupled_weight_decay"]
        return _Constants(
            array0(dtype, 1 - beta1),
            array0(dtype, beta2),
            array0(dtype, 1 - beta2),
            array0(dtype, group["eps"] * root),
            array0(dtype, lr * root * (1 - mu) / (1 - so_far)),
            array0(dtype, lr * root * ahead / (1 - so_far * ahead)),
            array0(dtype, decay) if decay and not decoupled else None,
            array0(dtype, 1 - lr * decay) if decay and decoupled else None,
            group["maximize"],
        )
