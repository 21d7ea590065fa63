"""L-BFGS: steps scaled by a curvature estimated from the last gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.autograd import enable_grad
from tensorgrad.errors import describe
from tensorgrad.graph.node import wrap
from tensorgrad.optim.checks import check_rate
from tensorgrad.optim.elementwise import Array
from tensorgrad.optim.line_search import Point, strong_wolfe
from tensorgrad.optim.optimizer import Optimizer, ParamsT, number
from tensorgrad.tensor import Tensor

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """p <- p + t d with d = -H grad, H from the last ``history_size`` changes of p and grad.

    One `step` makes up to ``max_iter`` iterations and calls the closure, which computes the loss
    anew, calls ``backward`` and returns the loss, up to ``max_eval`` times (by default 5/4 of
    max_iter). t is lr, and less in the first iteration; with ``line_search_fn="strong_wolfe"``
    it is found by a search that begins there. It stops when no element of the gradient is larger
    than ``tolerance_grad``, or the parameters or the loss change by less than
    ``tolerance_change``.

    There is one parameter group: ValueError for more. The history costs 2 history_size arrays of
    all parameters together. Complex parameters count as two real ones. lr: a number, or a tensor
    of one element.

    Source: Nocedal and Wright, Numerical optimization, 2nd edition, algorithms 7.4 and 7.5.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_rate(type(self).__name__, lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Raises ValueError for a second group."""
        if self.param_groups:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        super().add_param_group(param_group)

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Take up to ``max_iter`` steps; returns what the closure gave before the first."""
        if not callable(closure):
            raise TypeError(
                "LBFGS.step: needs a closure, a function that computes the loss, calls backward "
                f"and returns the loss; got {type(closure).__name__}"
            )
        group = self.param_groups[0]
        search = group["line_search_fn"]
        if search not in (None, "strong_wolfe"):
            raise RuntimeError(f"LBFGS: only 'strong_wolfe' is supported, got {search!r}")
        # What belongs to all parameters is kept with the first, as in PyTorch.
        state = self.state[group["params"][0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        with enable_grad():
            first = closure()
        loss, count = float(first), 1
        state["func_evals"] += 1
        gradient = self._gradient()
        if _largest(gradient) <= group["tolerance_grad"]:
            return first
        memory = _Memory(state, group["history_size"])
        lr, tolerance = number(group["lr"]), group["tolerance_change"]
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            d = memory.direction(gradient, state["n_iter"] == 1)
            memory.gradient, memory.loss = gradient.copy(), loss
            memory.t = lr
            if state["n_iter"] == 1:
                memory.t *= min(1.0, 1.0 / float(np.sum(np.abs(gradient))))
            slope = float(np.dot(gradient, d))
            if slope > -tolerance:
                break
            evaluations = 0
            if search is not None:
                found, evaluations = self._search(
                    closure,
                    memory.t,
                    d,
                    Point(0.0, loss, gradient, slope),
                    group["max_eval"] - count,
                )
                memory.t, loss, gradient = found.t, found.value, found.gradient
                self._add(memory.t, d)
            else:
                self._add(memory.t, d)
                if iteration < group["max_iter"]:  # else the caller sees the new loss
                    with enable_grad():
                        loss = float(closure())
                    gradient = self._gradient()
                    evaluations = 1
            count += evaluations
            state["func_evals"] += evaluations
            if (
                count >= group["max_eval"]
                or _largest(gradient) <= group["tolerance_grad"]
                or _largest(d) * abs(memory.t) <= tolerance
                or abs(loss - memory.loss) < tolerance
            ):
                break
        memory.save(state)
        return first

    def _search(
        self, closure: Callable[[], Any], t: float, d: Array, start: Point, left: int
    ) -> tuple[Point, int]:
        params = self.param_groups[0]["params"]
        before = [p._array.copy() for p in params]

        def evaluate(t: float) -> tuple[float, Array]:
            self._add(t, d)
            with enable_grad():
                loss = float(closure())
            gradient = self._gradient()
            for p, array in zip(params, before, strict=True):
                np.copyto(p._array, array)
                p._bump()
            return loss, gradient

        return strong_wolfe(evaluate, t, d, start, max_evaluations=left)

    def _gradient(self) -> Array:
        """All gradients in one flat real array of their own."""
        parts = []
        for p in self.param_groups[0]["params"]:
            if p.grad is None:
                part = np.zeros(p._array.size, p._array.dtype)
            elif p.grad._array.shape != p._array.shape:
                raise RuntimeError(
                    f"LBFGS.step: the gradient is {describe(p.grad)}, its parameter "
                    f"{describe(p)}; their shapes must be the same"
                )
            else:
                part = np.ascontiguousarray(p.grad._array).reshape(-1)
            parts.append(part.view(part.real.dtype) if part.dtype.kind == "c" else part)
        return np.concatenate(parts)

    def _add(self, t: float, d: Array) -> None:
        """p <- p + t d for all parameters."""
        start = 0
        for p in self.param_groups[0]["params"]:
            array = p._array
            complex_ = array.dtype.kind == "c"
            end = start + array.size * (2 if complex_ else 1)
            part = t * d[start:end]
            if complex_:
                part = part.astype(array.real.dtype, copy=False).view(array.dtype)
            np.add(array, part.reshape(array.shape), out=array, casting="same_kind")
            p._bump()
            start = end


def _largest(a: Array) -> float:
    return float(np.max(np.abs(a), initial=0))


class _Memory:
    """The last changes of gradient (y) and parameters (s), and the step before.

    It reads the state and writes it back at the end, so that a closure that raises leaves the
    saved one as it was.
    """

    def __init__(self, state: dict[str, Any], size: int) -> None:
        self.size = size
        self.d = _array(state.get("d"))
        self.t = float(number(state.get("t", 0.0)))
        self.y = [_array(a) for a in state.get("old_dirs") or ()]
        self.s = [_array(a) for a in state.get("old_stps") or ()]
        self.ro = [number(a) for a in state.get("ro") or ()]  # 1 / y·s
        self.scale = number(state.get("H_diag", 1))
        self.gradient = _array(state.get("prev_flat_grad"))
        self.loss = float(state.get("prev_loss", 0.0))
        self.alpha: list[float | None] = [None] * size

    def direction(self, gradient: Array, first: bool) -> Array:
        """-H gradient."""
        if first:
            self.y, self.s, self.ro, self.scale = [], [], [], 1.0
            self.d = -gradient
            return self.d
        y, s = gradient - self.gradient, self.d * self.t
        ys = float(np.dot(y, s))
        if ys > 1e-10:
            if len(self.y) == self.size:
                del self.y[0], self.s[0], self.ro[0]
            self.y.append(y)
            self.s.append(s)
            self.ro.append(1 / ys)
            self.scale = ys / float(np.dot(y, y))
        q, scratch = -gradient, np.empty_like(gradient)
        for i in reversed(range(len(self.y))):
            alpha = float(np.dot(self.s[i], q)) * self.ro[i]
            self.alpha[i] = alpha
            q -= np.multiply(self.y[i], alpha, out=scratch)
        q *= self.scale
        for i in range(len(self.y)):
            beta = float(np.dot(self.y[i], q)) * self.ro[i]
            q += np.multiply(self.s[i], self.alpha[i] - beta, out=scratch)  # type: ignore[operator]
        self.d = q
        return q

    def save(self, state: dict[str, Any]) -> None:
        """Write it all into the state."""

        def kept(value: float) -> Tensor:
            return wrap(np.array(value, self.d.dtype))

        state["d"] = wrap(self.d)
        state["t"] = self.t
        state["old_dirs"] = [wrap(a) for a in self.y]
        state["old_stps"] = [wrap(a) for a in self.s]
        state["ro"] = [kept(a) for a in self.ro]
        state["H_diag"] = kept(self.scale) if self.y else 1
        state["prev_flat_grad"] = wrap(self.gradient)
        state["prev_loss"] = self.loss
        if state["n_iter"] > 1:
            state["al"] = [None if a is None else kept(a) for a in self.alpha]


def _array(value: Any) -> Array:
    return value._array if isinstance(value, Tensor) else np.empty(0)
