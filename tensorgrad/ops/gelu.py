"""The Gaussian error linear unit, fused: composed of primitives it takes six passes over memory."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad.kernels import gelu as kernels
from tensorgrad.primitive import Kept, primitive, recorded

__all__ = ["gelu"]


def _twin(x: Any, *, tanh: bool) -> Any:
    """The same from primitives."""
    xp = recorded
    if not tanh:
        return xp.mul(x, xp.ndtr(x))
    inner = xp.mul(x, xp.add(xp.mul(xp.mul(x, x), 0.044715), 1))
    curve = xp.tanh(xp.mul(inner, math.sqrt(2 / math.pi)))
    return xp.mul(xp.mul(x, 0.5), xp.add(curve, 1))


def _rule(xp: Any, g: Any, y: Any, x: Any, *, tanh: bool, cache: Any) -> Any:
    problem = kernels.Problem(x.shape, x.dtype, tanh)
    return kernels.gelu_gradient.choose(problem)(problem, g, x, cache)


def _formula(shapes: Any, params: Any) -> str:
    if not params["tanh"]:
        return "g * (normal_cdf(x) + x * exp(-x**2 / 2) / sqrt(2 * pi()))"
    inner = "sqrt(2 / pi()) * (x + 0.044715 * x**3)"
    slope = "sqrt(2 / pi()) * (1 + 3 * 0.044715 * x**2)"
    return f"g * ((1 + tanh({inner})) + x * (1 - tanh({inner})**2) * {slope}) / 2"


@primitive(_rule, saves="x", keeps="cache", composed=_twin, formula=_formula)
def gelu(x: Any, *, tanh: bool, keep: bool) -> Kept:
    """x P(Z <= x) for a standard normal Z, or x (1 + tanh(sqrt(2/pi) (x + 0.044715 x**3))) / 2."""
    problem = kernels.Problem(x.shape, x.dtype, tanh)
    y, kept = kernels.gelu.choose(problem)(problem, x, keep)
    return Kept(y, cache=kept)
