"""Stochastic gradient descent."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy import add, multiply, subtract

from tensorgrad.kernels import scaled_sum
from tensorgrad.optim.elementwise import Array, ElementwiseOptimizer, Rule, array0
from tensorgrad.optim.optimizer import ParamsT, number
from tensorgrad.tensor import Tensor

__all__ = ["SGD"]


class _Constants(NamedTuple):
    lr: Array
    momentum: Array | None
    undamped: Array | None  # 1 - dampening; None for 1
    decay: Array | None
    nesterov: bool
    negate: bool
    first: bool
    alone: float | None  # what the gradient is multiplied with, where nothing else is to be done


@lru_cache(maxsize=64)
def _constants(
    dtype: np.dtype[Any],
    lr: float,
    momentum: float,
    dampening: float,
    decay: float,
    nesterov: bool,
    negate: bool,
    first: bool,
) -> _Constants:
    return _Constants(
        array0(dtype, lr),
        array0(dtype, momentum) if momentum else None,
        array0(dtype, 1 - dampening) if dampening else None,
        array0(dtype, decay) if decay else None,
        nesterov,
        negate,
        first,
        None if momentum or decay else lr if negate else -lr,
    )


def sgd_rule(
    p: Array, g: Array, kept: tuple[Array, ...], c: _Constants, s: Array, t: Array
) -> None:
    """p <- p - lr d, where d is the gradient or its running sum b <- momentum b + d."""
    # A tuple's parts are taken all at once in the time of asking for two by name.
    lr, momentum, undamped, decay, nesterov, negate, first, _ = c
    if negate:
        g = np.negative(g, t)
    if decay is not None:
        # Not p *= 1 - lr * decay: in float32 that factor loses most of a small decay.
        multiply(p, decay, s)
        g = add(g, s, t)
    if momentum is not None:
        (b,) = kept
        if first:
            np.copyto(b, g)  # not damped: PyTorch's rule
        else:
            multiply(b, momentum, b)
            add(b, g if undamped is None else multiply(g, undamped, s), b)
        if nesterov:
            multiply(b, momentum, s)
            g = add(g, s, t)
        else:
            g = b
    multiply(g, lr, s)
    subtract(p, s, p)


class SGD(ElementwiseOptimizer):
    """Stochastic gradient descent, with momentum if asked for.

    d = grad + weight_decay p;  b <- momentum b + (1 - dampening) d;  p <- p - lr b, and with
    ``nesterov`` p <- p - lr (d + momentum b). At the first step b = d, not damped. ``maximize``
    climbs. Momentum multiplies b and not lr b, so a change of ``lr`` acts at once.

    lr, weight_decay: numbers, or for ``lr`` a tensor of one element. differentiable:
    False. foreach and fused change nothing.

    Source: Sutskever et al. (2013), On the importance of initialization and momentum in deep
    learning, in PyTorch's variant.
    """

    _rule: ClassVar[Rule] = staticmethod(sgd_rule)
    _counts: ClassVar[bool] = False
    _small: ClassVar[int] = 4 * scaled_sum.LEAST

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError(f"SGD: Tensor lr must be 1-element, got shape {tuple(lr.shape)}")
        if number(lr) < 0:
            raise ValueError(f"SGD: Invalid learning rate: {lr}; it must not be negative")
        if momentum < 0:
            raise ValueError(f"SGD: Invalid momentum value: {momentum}; it must not be negative")
        if weight_decay < 0:
            raise ValueError(
                f"SGD: Invalid weight_decay value: {weight_decay}; it must not be negative"
            )
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                "SGD: Nesterov momentum requires a momentum and zero dampening, got "
                f"momentum={momentum}, dampening={dampening}"
            )
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("momentum_buffer",) if group.get("momentum") else ()

    def _constants(self, group: dict[str, Any], dtype: np.dtype[Any], step: int) -> _Constants:
        return _constants(
            dtype,
            number(group["lr"]),
            group["momentum"],
            group["dampening"],
            group["weight_decay"],
            group["nesterov"],
            group["maximize"],
            step == 1,
        )

    def _run(self, p: Array, g: Array, kept: tuple[Array, ...], constants: _Constants) -> None:
        if constants.alone is not None:
            if not p.flags.c_contiguous and p.flags.f_contiguous:
                p, g = p.T, g.T
            if p.flags.c_contiguous:
                problem = scaled_sum.Problem(p.size, p.dtype)
                run = scaled_sum.add_scaled.choose(problem)
                run(problem, p, np.ascontiguousarray(g), constants.alone)
                return
        super()._run(p, g, kept, constants)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # options that older state dicts do not have
            for option in ("nesterov", "maximize", "differentiable"):
                group.setdefault(option, False)
            for option in ("foreach", "fused"):
                group.setdefault(option, None)
