"""AdamW: Adam with weight decay that is not scaled with the gradient."""

from __future__ import annotations

from typing import Any

from tensorgrad.optim.adam import Adam
from tensorgrad.optim.optimizer import ParamsT
from tensorgrad.tensor import Tensor

__all__ = ["AdamW"]


class AdamW(Adam):
    """`Adam` with decoupled weight decay: p <- (1 - lr weight_decay) p before each step.

    Source: Loshchilov and Hutter (2019), Decoupled weight decay regularization.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # whatever was saved, an AdamW decouples
            group["decoupled_weight_decay"] = True
