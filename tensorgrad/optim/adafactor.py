"""Adafactor: adaptive steps from the row and column means of squared gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.autograd import enable_grad
from tensorgrad.dtypes import default_float
from tensorgrad.errors import describe
from tensorgrad.graph.node import wrap
from tensorgrad.optim.checks import check_not_negative, check_rate
from tensorgrad.optim.elementwise import Array
from tensorgrad.optim.optimizer import Optimizer, ParamsT, number
from tensorgrad.tensor import Tensor

__all__ = ["Adafactor"]


def _wide(a: Array) -> Array:
    """float32 for float16, in which sums of squares overflow at once."""
    return a.astype(np.float32) if a.dtype == np.float16 else a


def _rms(a: Array) -> float:
    """The root of the mean square of all elements, without an array of the squares."""
    flat = _wide(a).reshape(-1)
    return math.sqrt(float(np.dot(flat, flat)) / flat.size)


class Adafactor(Optimizer):
    """p <- p - α u / max(1, rms(u) / d);  u = grad / √v;  α = max(eps2, rms(p)) min(lr, 1/√t).

    v is a running average of grad² with the factor β2 = 1 - t^beta2_decay at a parameter's t-th
    step. For parameters of two and more dimensions only its means R over the last axis and C over
    the last but one are kept, and v = R C / mean(R): a matrix of n x m costs n + m numbers
    instead of n m. ``weight_decay`` shrinks p by lr weight_decay p first; ``maximize`` climbs.

    lr: a number, or a tensor of one element. eps: (eps1, eps2); √v is at least eps1, by default
    the dtype's eps. foreach changes nothing. An empty parameter is left as it is. Complex
    parameters: RuntimeError at the step.

    Source: Shazeer and Stern (2018), Adafactor: adaptive learning rates with sublinear memory
    cost, in PyTorch's variant, which adds lr and puts eps1 elsewhere.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        name = type(self).__name__
        check_rate(name, lr)
        if not beta2_decay <= 0:
            raise ValueError(f"{name}: beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not eps[0] >= 0:
            raise ValueError(f"{name}: epsilon1 should be >= 0 but is: {eps[0]}")
        if not eps[1] >= 0:
            raise ValueError(f"{name}: epsilon2 should be >= 0 but is: {eps[1]}")
        if not d >= 1:
            raise ValueError(f"{name}: Clipping threshold d should be >= 1 but is: {d}")
        check_not_negative(name, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

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
            for p in group["params"]:
                if p.grad is not None:
                    self._update(group, p, p.grad._array)
        return loss

    def _update(self, group: dict[str, Any], p: Tensor, g: Array) -> None:
        array = p._array
        if g.shape != array.shape or array.dtype.kind == "c":
            raise RuntimeError(
                f"Adafactor.step: the gradient is {describe(p.grad)}, its parameter {describe(p)}; "
                "Adafactor takes real parameters, and gradients of their shape"
            )
        if not array.size:
            return
        state = self.state[p]
        if not state:
            state["step"] = wrap(np.zeros((), default_float()))
            for name, shape in _kept(array.shape).items():
                state[name] = wrap(np.zeros(shape, array.dtype))
        counter = state["step"]._array
        np.add(counter, 1, out=counter)
        step, lr, g = float(counter), number(group["lr"]), _wide(g)
        eps1, eps2 = group["eps"]
        if eps1 is None:
            eps1 = float(np.finfo(array.dtype).eps)
        new = step ** group["beta2_decay"]
        alpha = max(eps2, _rms(array)) * min(lr, 1 / math.sqrt(step))
        if group["weight_decay"]:
            array *= 1 - lr * group["weight_decay"]
        if array.ndim > 1:
            rows, columns = state["row_var"]._array, state["col_var"]._array
            # Means of squares, without an array of them.
            now = np.einsum("...ij,...ij->...i", g, g)[..., None] / g.shape[-1]
            rows += new * (now - rows)
            now = np.einsum("...ij,...ij->...j", g, g)[..., None, :] / g.shape[-2]
            columns += new * (now - columns)
            u = _wide(rows) * _wide(columns)
            u /= np.maximum(rows.mean(axis=-2, keepdims=True), eps1)
        else:
            v = state["variance"]._array
            v += new * (g * g - v)
            u = _wide(v).copy()
        np.maximum(u, eps1 * eps1, out=u)
        np.sqrt(u, out=u)
        np.divide(g, u, out=u)
        rate = alpha / max(1.0, _rms(u) / group["d"])
        np.multiply(u, rate, out=u)
        if group["maximize"]:
            np.add(array, u, out=array)
        else:
            np.subtract(array, u, out=array)
        p._bump()

    def _check_loaded(self, loaded: dict[str, Any]) -> None:
        for group in loaded["param_groups"]:
            for p in group["params"]:
                state = loaded["state"].get(p)
                for name, shape in _kept(p._array.shape).items() if state else ():
                    value = state.get(name)
                    if not isinstance(value, Tensor) or value._array.shape != shape:
                        raise ValueError(
                            f"Adafactor.load_state_dict: the saved {name!r} of a parameter, "
                            f"{describe(p)}, is {describe(value)}; it must be of the shape "
                            f"{shape}. Is it the state of the same optimizer and model?"
                        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("foreach", None)
        for values in self.state.values():
            if isinstance(values, dict) and isinstance(values.get("step"), (int, float)):
                values["step"] = wrap(np.array(values["step"], default_float()))


def _kept(shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """The names and shapes of what is kept of a parameter's squared gradients."""
    if len(shape) < 2:
        return {"variance": shape}
    return {"row_var": (*shape[:-1], 1), "col_var": (*shape[:-2], 1, shape[-1])}
