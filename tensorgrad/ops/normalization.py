"""Batch normalisation, fused, with the derivation of its backward by hand.

With x̂ = (x - mean) / s, s = sqrt(var + eps), n values per channel and d = g * w:

    dx = (d - mean(d) - x̂ * mean(d * x̂)) / s,   dw = sum(g * x̂),   db = sum(g)

The two means are what the chain through the batch statistics adds; leaving one out is the classic
mistake of hand derivations.
"""

from __future__ import annotations

from typing import Any

from numpy import ndarray

from tensorgrad.kernels import normalization as kernels
from tensorgrad.kernels import normalization_blocks  # noqa: F401 (registers its kernels)
from tensorgrad.ops.kinds import single
from tensorgrad.primitive import primitive, recorded


def statistics(x: Any) -> tuple[Any, Any]:
    """Mean and (biased) variance of each channel of x (N, C, ...); of float16 in float32."""
    if not isinstance(x, ndarray):  # the examples of vmap: written with operations that they have
        return kernels.batch_statistics.reference.run(None, x)  # type: ignore[no-any-return]
    x = single(x)
    problem = kernels.problem_of(x)
    return kernels.batch_statistics.choose(problem)(problem, x)  # type: ignore[no-any-return]


def _twin(x: Any, w: Any, b: Any, *, mean: Any, var: Any, eps: float) -> Any:
    """The same from primitives, statistics included: ``mean`` and ``var`` are computed anew."""
    axes = (0, *range(2, x.ndim))
    shape = (1, x.shape[1]) + (1,) * (x.ndim - 2)
    xp = recorded
    centred = xp.sub(x, xp.mean(x, axis=axes, keepdims=True))
    spread = xp.mean(xp.mul(centred, centred), axis=axes, keepdims=True)
    y = xp.mul(centred, xp.rsqrt(xp.add(spread, eps)))
    if w is not None:
        y = xp.mul(y, xp.reshape(w, shape=shape))
    return y if b is None else xp.add(y, xp.reshape(b, shape=shape))


def _joint(
    xp: Any, g: Any, y: Any, x: Any, w: Any, b: Any, *, mean: Any, var: Any, eps: float, needs: Any
) -> list[Any]:
    """All three gradients from two sums per channel; only ever called on arrays."""
    g, x, w = single(g), single(x), single(w)
    problem = kernels.problem_of(x)
    backward = kernels.batch_norm_backward.choose(problem)
    return backward(problem, g, x, w, mean, var, eps, needs)  # type: ignore[no-any-return]


def _formula(shapes: Any, params: Any) -> tuple[str, str, str]:
    weight = "" if shapes[1] is None else "channels(w, x) * "
    return (
        f"{weight}(g - mean_channels(g) - normal(x, eps) * mean_channels(g * normal(x, eps)))"
        " / deviation(x, eps)",
        "sum_channels(g * normal(x, eps))",
        "sum_channels(g)",
    )


@primitive(
    joint=_joint,
    saves="x w b",
    composed=_twin,
    formula=_formula,
)
def batch_norm(x: Any, w: Any, b: Any, *, mean: Any, var: Any, eps: float) -> Any:
    """w * (x - mean) / sqrt(var + eps) + b per channel, with x's own statistics (C,)."""
    dtype, x, w, b = x.dtype, single(x), single(w), single(b)
    problem = kernels.problem_of(x)
    y = kernels.batch_norm.choose(problem)(problem, x, w, b, mean, var, eps)
    return y.astype(dtype, copy=False)
