"""Losses that are one operation: where the gradient needs care, or for speed."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tensorgrad.batching import families
from tensorgrad.machine.blocks import ROOMY, spread
from tensorgrad.ops.kinds import number
from tensorgrad.ops.reduction import mean_of_squares
from tensorgrad.primitive import primitive, raw, recorded


def _of_input(xp: Any, g: Any, y: Any, x: Any, t: Any) -> Any:
    # x (1 - x) is kept off 0, as in PyTorch: differentiating the clamped logarithms would give
    # 0 / 0 for a prediction that is certain.
    spread = xp.maximum(xp.mul(x, xp.sub(1, x)), 1e-12)
    return xp.div(xp.mul(g, xp.sub(x, t)), spread)


def _of_target(xp: Any, g: Any, y: Any, x: Any, t: Any) -> Any:
    return xp.mul(g, xp.sub(xp.log(xp.sub(1, x)), xp.log(x)))


@primitive(
    _of_input,
    _of_target,
    saves=("x t", "x"),
    formula=("g * (x - t) / (x * (1 - x))", "g * (log(1 - x) - log(x))"),
    promote="common",
    batch=families.elementwise,
)
def binary_cross_entropy(x: Any, t: Any) -> Any:
    """-(t log x + (1 - t) log(1 - x)), elementwise, each logarithm at least -100."""
    with np.errstate(divide="ignore"):
        log_x = np.maximum(np.log(x), -100)
        log_rest = np.maximum(np.log1p(np.negative(x)), -100)
    return (t - 1) * log_rest - t * log_x


def _slope(xp: Any, g: Any, x: Any, t: Any, factor: float) -> Any:
    n = prod(x.shape)
    return xp.mul(xp.sub(x, t), xp.mul(g, number(factor / n if n else float("nan"), g)))


def _slope_formulas(shapes: Any, params: Any) -> tuple[str, str]:
    n = max(prod(shapes[0]), 1)
    return f"g * 2 * (x - t) / {n}", f"-g * 2 * (x - t) / {n}"


def _by_steps(x: Any, t: Any) -> Any:
    squares = recorded.pow(recorded.sub(x, t), 2)
    return recorded.mean(squares, axis=None, keepdims=False)


@primitive(
    lambda xp, g, y, x, t: _slope(xp, g, x, t, 2.0),
    lambda xp, g, y, x, t: _slope(xp, g, x, t, -2.0),
    saves=("x t", "x t"),
    formula=_slope_formulas,
    promote="common",
    composed=_by_steps,
    exact=True,
)
def mse_loss(x: Any, t: Any) -> Any:
    """The mean of (x - t)**2, for x and t of one shape; NaN of nothing."""
    if x.shape != t.shape:
        raise RuntimeError(f"the shapes must be the same, got {x.shape} and {t.shape}")
    if x.size < ROOMY:
        return mean_of_squares(raw.sub(x, t))
    difference = spread(np.subtract, x, t)
    squares = np.multiply(difference, difference, difference)
    return raw.mean(squares, axis=None, keepdims=False)
