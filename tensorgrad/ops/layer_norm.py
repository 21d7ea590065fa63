"""Normalisation along the last axes, fused: layer norm, and RMS norm which leaves the mean.

With x̂ = (x - mean) / s, s = sqrt(var + eps), means over the normalised axes and d = g * w:

    dx = (d - mean(d) - x̂ * mean(d * x̂)) / s,   dw = sum(g * x̂),   db = sum(g)

RMS norm has x̂ = x / s, s = sqrt(mean(x**2) + eps), and no mean(d) in dx: nothing was subtracted
that depends on x.  Composed of primitives the same takes about twice as many passes over memory.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tensorgrad.primitive import Kept, primitive, recorded


def _rows(x: Any, axes: int) -> Any:
    """The array as a matrix with what is normalised together in a row.

    float16 is computed in float32: its sums of squares would overflow from 65504 on.
    """
    kept = x.ndim - axes
    rows = x.reshape(prod(x.shape[:kept]), prod(x.shape[kept:]))
    return rows.astype(np.float32) if x.dtype.char == "e" else rows


def _statistics(rows: Any, eps: float, centred: bool) -> tuple[Any, Any, Any]:
    """The rows with their mean taken out (a new array), that mean, and 1 / s."""
    kind = rows.dtype.type
    n = kind(max(rows.shape[1], 1))
    if centred:
        mean = np.add.reduce(rows, axis=1, keepdims=True)
        mean /= n
        out = rows - mean
    else:
        mean, out = None, rows.copy()
    spread = np.einsum("ij,ij->i", out, out)
    spread /= n
    spread += kind(eps)
    inverse = np.reciprocal(np.sqrt(spread, out=spread), out=spread)[:, None]
    return out, mean, inverse


def _forward(x: Any, w: Any, b: Any, axes: int, eps: float, centred: bool) -> Kept:
    y, mean, inverse = _statistics(_rows(x, axes), eps, centred)
    y *= inverse
    if w is not None:
        y *= w.reshape(-1)
    if b is not None:
        y += b.reshape(-1)
    return Kept(y.reshape(x.shape).astype(x.dtype, copy=False), cache=(mean, inverse))


def _backward(
    g: Any, x: Any, w: Any, needs: tuple[bool, ...], axes: int, cache: Any, centred: bool
) -> tuple[Any, Any, Any]:
    """The gradients of x, w and b where they are needed."""
    mean, inverse = cache
    normal, rows = _rows(x, axes), _rows(g, axes)
    n = rows.dtype.type(max(rows.shape[1], 1))
    normal = normal * inverse if mean is None else normal - mean
    if mean is not None:
        normal *= inverse
    dw = db = dx = None
    shape = x.shape[x.ndim - axes :]
    if needs[2]:
        db = np.add.reduce(rows, axis=0).reshape(shape)
    if needs[1]:
        dw = np.einsum("ij,ij->j", rows, normal).reshape(shape)
    if needs[0]:
        dx = rows.copy() if w is None else rows * w.reshape(-1)
        along = np.einsum("ij,ij->i", dx, normal)
        along /= n
        if centred:
            middle = np.add.reduce(dx, axis=1, keepdims=True)
            middle /= n
            dx -= middle
        normal *= along[:, None]
        dx -= normal
        dx *= inverse
        dx = dx.reshape(x.shape)
    return dx, dw, db


def _twin(x: Any, w: Any, b: Any, axes: int, eps: float, centred: bool) -> Any:
    """The same from primitives."""
    xp = recorded
    last = tuple(range(-axes, 0))
    if centred:
        x = xp.sub(x, xp.mean(x, axis=last, keepdims=True))
    spread = xp.mean(xp.mul(x, x), axis=last, keepdims=True)
    y = xp.mul(x, xp.rsqrt(xp.add(spread, eps)))
    y = y if w is None else xp.mul(y, w)
    return y if b is None else xp.add(y, b)


def _layer_norm_rule(
    xp: Any, g: Any, y: Any, x: Any, w: Any, b: Any, *, axes: Any, eps: Any, needs: Any, cache: Any
) -> list[Any]:
    return list(_backward(g, x, w, needs, axes, cache, centred=True))


def _layer_norm_twin(x: Any, w: Any, b: Any, *, axes: int, eps: float) -> Any:
    return _twin(x, w, b, axes, eps, centred=True)


def _layer_norm_formula(shapes: Any, params: Any) -> tuple[str, ...]:
    d = "g" if shapes[1] is None else "g * w"
    unit = "standard(x, axes, eps)"
    return (
        f"({d} - mean_last({d}, axes) - {unit} * mean_last({d} * {unit}, axes))"
        " / spread_last(x, axes, eps)",
        f"g * {unit}",
        "g",
    )


@primitive(
    joint=_layer_norm_rule,
    saves="x w b",
    keeps="cache",
    composed=_layer_norm_twin,
    formula=_layer_norm_formula,
)
def layer_norm(x: Any, w: Any, b: Any, *, axes: int, eps: float) -> Kept:
    """w * (x - mean) / sqrt(var + eps) + b, with mean and variance over the last ``axes`` axes."""
    return _forward(x, w, b, axes, eps, centred=True)


def _rms_norm_rule(
    xp: Any, g: Any, y: Any, x: Any, w: Any, *, axes: Any, eps: Any, needs: Any, cache: Any
) -> list[Any]:
    return list(_backward(g, x, w, (*needs, False), axes, cache, centred=False))[:2]


def composed_rms_norm(x: Any, w: Any, *, axes: int, eps: float) -> Any:
    """`rms_norm` from primitives."""
    return _twin(x, w, None, axes, eps, centred=False)


def _rms_norm_formula(shapes: Any, params: Any) -> tuple[str, ...]:
    d = "g" if shapes[1] is None else "g * w"
    return (
        f"({d} - x * mean_last({d} * x, axes) / root_mean(x, axes, eps)**2)"
        " / root_mean(x, axes, eps)",
        "g * x / root_mean(x, axes, eps)",
    )


@primitive(
    joint=_rms_norm_rule,
    saves="x w",
    keeps="cache",
    composed=composed_rms_norm,
    formula=_rms_norm_formula,
)
def rms_norm(x: Any, w: Any, *, axes: int, eps: float) -> Kept:
    """w * x / sqrt(mean(x**2) + eps), with the mean over the last ``axes`` axes."""
    return _forward(x, w, None, axes, eps, centred=False)
