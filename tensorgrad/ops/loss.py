"""Losses whose gradient needs care where the loss itself is cut off."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching import families
from tensorgrad.primitive import primitive


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
