"""Muon: momentum with all singular values of each matrix made alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.autograd import enable_grad
from tensorgrad.errors import describe
from tensorgrad.graph.node import wrap
from tensorgrad.optim.checks import check_not_negative, check_rate
from tensorgrad.optim.elementwise import Array
from tensorgrad.optim.optimizer import Optimizer, ParamsT, number
from tensorgrad.tensor import Tensor

__all__ = ["Muon"]

_ADJUSTMENTS = ("original", "match_rms_adamw")


def orthogonalized(
    g: Array, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Array:
    """U Vᵀ of g = U S Vᵀ, nearly: ``steps`` times x <- a x + (b x xᵀ + c (x xᵀ)²) x.

    The polynomial maps singular values in (0, 1] towards 1; with the default coefficients they
    end between about 0.7 and 1.2, which is enough and takes few steps. The products are computed
    in the dtype of g, float32 for float16.
    """
    a, b, c = coefficients
    tall = g.shape[0] > g.shape[1]
    x = g.T if tall else g  # the smaller of the two Gram matrices
    x = x.astype(np.float32) if g.dtype == np.float16 else x.copy()
    x /= max(float(np.linalg.norm(x)), eps)  # singular values are at most 1
    for _ in range(steps):
        gram = x @ x.T
        update = gram @ gram
        update *= c
        gram *= b
        update += gram
        ahead = update @ x
        x *= a
        x += ahead
    return x.T if tall else x


class Muon(Optimizer):
    """b <- momentum b + (1-momentum) grad;  p <- (1 - lr weight_decay) p - lr' orthogonalized(b).

    For matrices only: weights of hidden layers. Give the rest, with embeddings, to `AdamW`.
    ``nesterov`` orthogonalizes (1-momentum) grad + momentum b instead of b.

    lr: a number, or a tensor of one element. ns_coefficients, ns_steps (below 100): the
    polynomial that brings singular values to 1, and how often; eps: the least norm to divide by.
    adjust_lr_fn: ``"original"`` or None, lr' = lr √max(1, rows / columns); ``"match_rms_adamw"``,
    lr' = 0.2 lr √max(rows, columns), with which AdamW's rates and decays serve.

    PyTorch computes the polynomial in bfloat16, which NumPy does not have; here it is in the
    parameter's own dtype. The two agree to bfloat16's two digits.

    ValueError for a parameter that is not a matrix, RuntimeError for a complex one at the step.

    Source: Jordan et al. (2024), Muon: an optimizer for hidden layers in neural networks; Liu et
    al. (2025), Muon is scalable for LLM training.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        name = type(self).__name__
        check_rate(name, lr)
        check_not_negative(name, momentum=momentum, weight_decay=weight_decay)
        if adjust_lr_fn is not None and adjust_lr_fn not in _ADJUSTMENTS:
            raise ValueError(
                f"{name}: Adjust learning rate function {adjust_lr_fn} is not supported; it must "
                f"be None or one of {_ADJUSTMENTS}"
            )
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)

    def _tensors_and_names(self, name: str, params: Any) -> tuple[list[Tensor], list[str]]:
        tensors, names = super()._tensors_and_names(name, params)
        for p in tensors:
            if p.ndim != 2:
                raise ValueError(
                    f"Muon only supports 2D parameters whereas we found a parameter with size: "
                    f"{tuple(p.shape)}; give that one to another optimizer"
                )
        return tensors, names

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step with the gradients in ``.grad``; parameters without one are left alone.

        closure: computes the loss anew, calls ``backward`` and returns the loss, which `step`
        returns.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            if group["ns_steps"] >= 100:
                raise ValueError(
                    "Muon: Number of steps must be less than 100 for computational efficiency, "
                    f"got ns_steps={group['ns_steps']}"
                )
            if len(group["ns_coefficients"]) != 3:
                raise ValueError(
                    "Muon: Coefficients must be a tuple of exactly 3 values, got "
                    f"{group['ns_coefficients']}"
                )
            for p in group["params"]:
                if p.grad is not None:
                    self._update(group, p, p.grad._array)
        return loss

    def _update(self, group: dict[str, Any], p: Tensor, g: Array) -> None:
        array = p._array
        if array.dtype.kind == "c":
            raise RuntimeError(f"Muon does not support complex parameters; one is {describe(p)}")
        if g.shape != array.shape:
            raise RuntimeError(
                f"Muon.step: the gradient is {describe(p.grad)}, its parameter {describe(p)}; "
                "their shapes must be the same"
            )
        state, momentum, lr = self.state[p], group["momentum"], number(group["lr"])
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = wrap(np.zeros_like(g))
        b = state["momentum_buffer"]._array
        b += (1 - momentum) * (g - b)
        update = g + momentum * (b - g) if group["nesterov"] else b
        update = orthogonalized(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, columns = array.shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            adjusted = lr * 0.2 * math.sqrt(max(rows, columns))
        else:
            adjusted = lr * math.sqrt(max(1, rows / columns)) if columns else lr
        array *= 1 - lr * group["weight_decay"]
        array -= (adjusted * update).astype(array.dtype, copy=False)
        p._bump()

    def _check_loaded(self, loaded: dict[str, Any]) -> None:
        for group in loaded["param_groups"]:
            for p in group["params"]:
                value = loaded["state"].get(p, {}).get("momentum_buffer")
                if value is not None and value._array.shape != p._array.shape:
                    raise ValueError(
                        "Muon.load_state_dict: the saved 'momentum_buffer' of a parameter, "
                        f"{describe(p)}, is {describe(value)}; it must have the same shape"
                    )
