"""Normalisation along the last axes, fused: layer norm, and RMS norm which leaves the mean.

With x̂ = (x - mean) / s, s = sqrt(var + eps), means over the normalised axes and d = g * w:

    dx = (d - mean(d) - x̂ * mean(d * x̂)) / s,   dw = sum(g * x̂),   db = sum(g)

RMS norm has x̂ = x / s, s = sqrt(mean(x**2) + eps), and no mean(d) in dx: nothing was subtracted
that depends on x.  Composed of primitives the same takes about twice as many passes over memory.
"""

from __future__ import annotations

from math import prod
from typing import Any

from tensorgrad.kernels import layer_norm as kernels
from tensorgrad.ops.kinds import single
from tensorgrad.primitive import Kept, primitive, recorded


def _rows(x: Any, axes: int) -> Any:
    """The array as a matrix with what is normalised together in a row."""
    shape = x.shape
    if axes == 1:
        return single(x.reshape(prod(shape[:-1]), shape[-1]))
    kept = len(shape) - axes
    return single(x.reshape(prod(shape[:kept]), prod(shape[kept:])))


def _forward(x: Any, w: Any, b: Any, axes: int, eps: float, centred: bool) -> Kept:
    rows = _rows(x, axes)
    problem = kernels.Problem(rows.shape, rows.dtype, centred)
    run = kernels.layer_norm.choose(problem)
    y, mean, inverse = run(problem, rows, _vector(w, rows), _vector(b, rows), eps)
    if y.dtype is not x.dtype:
        y = y.astype(x.dtype)
    return Kept(y.reshape(x.shape), cache=(mean, inverse))


def _backward(
    g: Any, x: Any, w: Any, needs: tuple[bool, ...], axes: int, eps: float, cache: Any,
    centred: bool,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """The gradients of x, w and b where they are needed."""
    rows = _rows(x, axes)
    problem = kernels.Problem(rows.shape, rows.dtype, centred)
    run = kernels.layer_norm_gradient.choose(problem)
    dx, dw, db = run(problem, _rows(g, axes), rows, _vector(w, rows), *cache, eps, needs)
    shape = x.shape[x.ndim - axes :]
    return (
        None if dx is None else dx.reshape(x.shape),
        None if dw is None else dw.reshape(shape),
        None if db is None else db.reshape(shape),
    )


def _vector(v: Any, rows: Any) -> Any:
    """A weight or bias as one row, in the rows' dtype."""
    if v is None or (v.ndim == 1 and v.dtype is rows.dtype):
        return v
    return v.reshape(-1).astype(rows.dtype, copy=False)


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
    return list(_backward(g, x, w, needs, axes, eps, cache, centred=True))


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
    return list(_backward(g, x, w, (*needs, False), axes, eps, cache, centred=False))[:2]


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
