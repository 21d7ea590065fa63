"""Batch normalisation, fused, with the derivation of its backward by hand.

With x̂ = (x - mean) / s, s = sqrt(var + eps), n values per channel and d = g * w:

    dx = (d - mean(d) - x̂ * mean(d * x̂)) / s,   dw = sum(g * x̂),   db = sum(g)

The two means are what the chain through the batch statistics adds; leaving one out is the classic
mistake of hand derivations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.primitive import primitive, recorded


def statistics(x: Any) -> tuple[Any, Any]:
    """Mean and (biased) variance of each channel of x (N, C, ...)."""
    axes = (0, *range(2, x.ndim))
    n = max(x.size // max(x.shape[1], 1), 1)
    mean = np.add.reduce(x, axis=axes) / x.dtype.type(n)
    centred = x - _wide(mean, x.ndim)
    np.multiply(centred, centred, out=centred)
    return mean, np.add.reduce(centred, axis=axes) / x.dtype.type(n)


def _wide(v: Any, ndim: int) -> Any:
    """A vector over channels, shaped to broadcast over (N, C, ...)."""
    return v.reshape((1, -1) + (1,) * (ndim - 2))


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
    kind = x.dtype.type
    axes = (0, *range(2, x.ndim))
    n = kind(x.size // x.shape[1])
    inverse = np.reciprocal(np.sqrt(var + kind(eps)))
    normal = x - _wide(mean, x.ndim)
    normal *= _wide(inverse, x.ndim)
    db = np.add.reduce(g, axis=axes)
    dw = np.add.reduce(g * normal, axis=axes)
    dx = None
    if needs[0]:
        scale = inverse if w is None else inverse * w
        normal *= _wide(-dw / n, x.ndim)
        normal += g
        normal -= _wide(db / n, x.ndim)
        normal *= _wide(scale, x.ndim)
        dx = normal
    return [dx, dw if needs[1] else None, db if needs[2] else None]


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
    kind = x.dtype.type
    scale = np.reciprocal(np.sqrt(var + kind(eps)))
    if w is not None:
        scale = scale * w
    shift = -mean * scale if b is None else b - mean * scale
    y = x * _wide(scale, x.ndim)
    y += _wide(shift, x.ndim)
    return y
