"""Rprop: steps that follow the signs of gradients, not their sizes."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from tensorgrad.optim.checks import check_rate
from tensorgrad.optim.elementwise import Array, ElementwiseOptimizer, Rule, array0
from tensorgrad.optim.optimizer import ParamsT, number
from tensorgrad.tensor import Tensor

__all__ = ["Rprop"]


class _Constants(NamedTuple):
    shorter: Array
    longer: Array
    least: Array
    most: Array
    negate: bool


def rprop_rule(
    p: Array, g: Array, kept: tuple[Array, ...], c: _Constants, s: Array, t: Array
) -> None:
    """p <- p - sign(g) size, where size grows while g keeps its sign and shrinks when it turns."""
    before, size = kept
    if c.negate:
        np.negative(g, t)
    else:
        np.copyto(t, g)
    np.multiply(t, before, s)
    mask = np.less(s, 0, np.empty(s.shape, np.bool_))
    np.multiply(size, c.shorter, size, where=mask)
    np.copyto(t, 0, where=mask)  # no step where the sign has turned, nor a sign for the next
    np.greater(s, 0, mask)
    np.multiply(size, c.longer, size, where=mask)
    np.maximum(size, c.least, out=size)
    np.minimum(size, c.most, out=size)
    np.copyto(before, t)
    np.sign(t, t)
    np.multiply(t, size, t)
    np.subtract(p, t, p)


class Rprop(ElementwiseOptimizer):
    """Δ <- η⁺ Δ where the gradient keeps its sign, η⁻ Δ where it turns;  p <- p - sign(grad) Δ.

    Where the sign turned no step is made, and the gradient counts as 0 at the next. Δ begins with
    lr and stays within ``step_sizes``; ``etas`` is (η⁻, η⁺). ``maximize`` climbs.

    lr: a number, or a tensor of one element; read at a parameter's first step only. capturable,
    differentiable: False. foreach changes nothing.

    Source: Riedmiller and Braun (1993), A direct adaptive method for faster backpropagation
    learning.
    """

    _rule: ClassVar[Rule] = staticmethod(rprop_rule)
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
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        name = type(self).__name__
        check_rate(name, lr)
        if not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(
                f"{name}: Invalid eta values: {etas[0]}, {etas[1]}; the first must be between 0 "
                "and 1, the second above 1"
            )
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return "prev", "step_size"

    def _first(self, group: dict[str, Any], name: str, p: Array) -> Array:
        if name == "prev":
            return np.zeros_like(p)
        lr = number(group["lr"])
        return np.full_like(p, complex(lr, lr) if p.dtype.kind == "c" else lr)

    def _constants(self, group: dict[str, Any], dtype: np.dtype[Any], step: int) -> _Constants:
        shorter, longer = group["etas"]
        least, most = group["step_sizes"]
        return _Constants(
            array0(dtype, shorter),
            array0(dtype, longer),
            array0(dtype, least),
            array0(dtype, most),
            group["maximize"],
        )
