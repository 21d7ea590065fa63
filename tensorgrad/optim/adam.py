"""Adam: steps scaled by running averages of the gradient and of its square."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import numpy as np

from tensorgrad.optim.elementwise import Array, ElementwiseOptimizer, Rule, array0
from tensorgrad.optim.optimizer import ParamsT, number
from tensorgrad.tensor import Tensor

__all__ = ["Adam"]


class _Constants(NamedTuple):
    new1: Array  # 1 - beta1
    beta2: Array
    new2: Array  # 1 - beta2
    rate: Array
    eps: Array
    decay: Array | None  # weight decay added to the gradient
    shrink: Array | None  # 1 - lr * weight decay, when decoupled
    negate: bool


@lru_cache(maxsize=64)
def _constants(
    dtype: np.dtype[Any],
    step: int,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    decay: float,
    decoupled: bool,
    negate: bool,
) -> _Constants:
    # lr (m / u1) / (sqrt(v / u2) + eps), where u are the bias corrections, rearranged so that the
    # arrays are touched least: (lr sqrt(u2) / u1) m / (sqrt(v) + eps sqrt(u2)).
    root = (1 - beta2**step) ** 0.5
    return _Constants(
        array0(dtype, 1 - beta1),
        array0(dtype, beta2),
        array0(dtype, 1 - beta2),
        array0(dtype, lr * root / (1 - beta1**step)),
        array0(dtype, eps * root),
        array0(dtype, decay) if decay and not decoupled else None,
        array0(dtype, 1 - lr * decay) if decay and decoupled else None,
        negate,
    )


def adam_rule(
    p: Array, g: Array, kept: tuple[Array, ...], c: _Constants, s: Array, t: Array
) -> None:
    """p <- p - rate m / (sqrt(v) + eps), with running averages m of g and v of g²."""
    m, v = kept[:2]
    if c.negate:
        g = np.negative(g, t)
    if c.shrink is not None:
        np.multiply(p, c.shrink, p)
    elif c.decay is not None:
        np.multiply(p, c.decay, s)
        g = np.add(g, s, t)
    np.subtract(g, m, s)  # m += (1 - beta1) (g - m)
    np.multiply(s, c.new1, s)
    np.add(m, s, m)
    np.multiply(v, c.beta2, v)  # v = beta2 v + (1 - beta2) g²
    np.multiply(g, g, s)
    np.multiply(s, c.new2, s)
    np.add(v, s, v)
    if len(kept) == 3:  # amsgrad
        v = np.maximum(kept[2], v, out=kept[2])
    np.sqrt(v, s)
    np.add(s, c.eps, s)
    np.divide(m, s, s)
    np.multiply(s, c.rate, s)
    np.subtract(p, s, p)


class Adam(ElementwiseOptimizer):
    """m <- β1 m + (1-β1) d;  v <- β2 v + (1-β2) d²;  p <- p - lr m̂ / (√v̂ + eps).

    d = grad + weight_decay p; m̂ = m / (1-β1^t) and v̂ = v / (1-β2^t) at a parameter's t-th step.
    ``amsgrad`` divides by the largest v so far, ``maximize`` climbs, ``decoupled_weight_decay``
    shrinks p by lr weight_decay p before the step instead of adding to d, as `AdamW` does.

    lr, betas: numbers, or tensors of one element. capturable, differentiable: False.
    foreach and fused change nothing.

    Source: Kingma and Ba (2015), Adam: a method for stochastic optimization; Reddi et al. (2018),
    On the convergence of Adam and beyond.
    """

    _rule: ClassVar[Rule] = staticmethod(adam_rule)

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        name = type(self).__name__
        for what, value in (("lr", lr), ("betas[0]", betas[0]), ("betas[1]", betas[1])):
            if isinstance(value, Tensor) and value.numel() != 1:
                raise ValueError(
                    f"{name}: Tensor {what} must be 1-element, got shape {tuple(value.shape)}"
                )
        if not number(lr) >= 0:
            raise ValueError(f"{name}: Invalid learning rate: {lr}; it must not be negative")
        if not eps >= 0:
            raise ValueError(f"{name}: Invalid epsilon value: {eps}; it must not be negative")
        for i in (0, 1):
            if not 0 <= number(betas[i]) < 1:
                raise ValueError(
                    f"{name}: Invalid beta parameter at index {i}: {betas[i]}; it must be in [0, 1)"
                )
        if not weight_decay >= 0:
            raise ValueError(
                f"{name}: Invalid weight_decay value: {weight_decay}; it must not be negative"
            )
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        if group.get("amsgrad"):  # what an older state does not have counts as off
            return "exp_avg", "exp_avg_sq", "max_exp_avg_sq"
        return "exp_avg", "exp_avg_sq"

    def _constants(self, group: dict[str, Any], dtype: np.dtype[Any], step: int) -> _Constants:
        beta1, beta2 = group["betas"]
        return _constants(
            dtype,
            step,
            number(group["lr"]),
            number(beta1),
            number(beta2),
            group["eps"],
            group["weight_decay"],
            group["decoupled_weight_decay"],
            group["maximize"],
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # options that older state dicts do not have
            for option in ("amsgrad", "maximize", "capturable", "differentiable"):
                group.setdefault(option, False)
            for option in ("foreach", "fused"):
                group.setdefault(option, None)
            group.setdefault("decoupled_weight_decay", False)
