"""Softmax along rows, ReLU and GELU, by oneDNN."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.kernels.dense import dense, flat
from tensorgrad.kernels.onednn import library as api
from tensorgrad.kernels.onednn.health import library
from tensorgrad.kernels.onednn.primitive import Description, Layout, Prepared, per_thread
from tensorgrad.machine import arena

_CUBED = 1e12  # no number of up to this size has an infinite cube in float32

__all__ = [
    "gelu", "gelu_gradient", "relu", "relu_gradient", "softmax", "softmax_gradient",
]  # fmt: skip


def softmax(rows: Any, log: bool = False) -> Any:
    """e**x / sum e**x along each row of a matrix, or its logarithm."""
    key = ("softmax", rows.shape, log)

    def make() -> Prepared:
        layout = Layout.of(rows.shape)
        forward = Description(
            "softmax_forward", library().engine, api.TRAINING,
            api.LOG_SOFTMAX if log else api.SOFTMAX, layout, layout, 1, None,
        )  # fmt: skip
        return Prepared(forward, src=layout, dst=layout)

    rows = np.ascontiguousarray(rows)
    y = np.empty_like(rows)
    per_thread(key, make).run(rows, y)
    return y


def softmax_gradient(g: Any, y: Any, log: bool = False) -> Any:
    """The gradient of the rows from that of their softmax ``y``."""
    key = ("softmax_gradient", y.shape, log)

    def make() -> Prepared:
        layout, kind = Layout.of(y.shape), api.LOG_SOFTMAX if log else api.SOFTMAX
        forward = Description(
            "softmax_forward", library().engine, api.TRAINING, kind, layout, layout, 1, None
        )
        backward = Description(
            "softmax_backward", library().engine, kind, layout, layout, layout, 1, forward, None
        )
        return Prepared(backward, diff_dst=layout, dst=layout, diff_src=layout)

    g, y = np.ascontiguousarray(g), np.ascontiguousarray(y)
    dx = np.empty_like(y)
    per_thread(key, make).run(g, y, dx)
    return dx


def relu(x: Any) -> Any:
    """max(x, 0) of a dense array without NaN, of which it would make 0; the result lies as x."""
    return _pointwise(api.RELU, x)


def relu_gradient(g: Any, y: Any) -> Any:
    """The gradient of x from that of y = max(x, 0): finite, dense and lying as y does."""
    return _pointwise_gradient(api.RELU_FROM_RESULT, "dst", g, y)


def gelu(x: Any, tanh: bool) -> Any:
    """x Φ(x), or its approximation by tanh, of a dense array; the result lies as x does."""
    return _pointwise(_gelu_kind(tanh), dense(x))


def gelu_gradient(g: Any, x: Any, tanh: bool) -> Any:
    """The gradient of x."""
    x = dense(x)
    if tanh and not np.dot(flat(x), flat(x)) < _CUBED**2:
        # Somewhere x**3 may overflow: infinity times 0 there, where the slope is 0 or 1 from 20 on.
        x = np.clip(x, -100, 100)
    if g.strides != x.strides:  # then the elements of both must be brought to one order
        g, given = np.empty_like(x), g
        g[...] = given
    return _pointwise_gradient(_gelu_kind(tanh), "src", g, x)


def _gelu_kind(tanh: bool) -> int:
    return api.GELU_TANH if tanh else api.GELU_ERF


def _pointwise(kind: int, x: Any) -> Any:
    """A function of each element of a dense array; the result lies as x does."""

    def make() -> Prepared:
        layout = Layout.of((x.size,))
        return Prepared(_description(kind, layout), src=layout, dst=layout)

    y = arena.empty_like(x)
    per_thread(("pointwise", kind, x.size), make).run(flat(x), flat(y))
    return y


def _pointwise_gradient(kind: int, read: str, g: Any, x: Any) -> Any:
    """Its gradient; x, lying as g does, is what was given ("src") or the result ("dst")."""

    def make() -> Prepared:
        layout = Layout.of((x.size,))
        backward = Description(
            "eltwise_backward", library().engine, kind, layout, layout, layout, 0.0, 0.0,
            _description(kind, layout), None,
        )  # fmt: skip
        return Prepared(backward, **{"diff_dst": layout, read: layout, "diff_src": layout})

    dx = arena.empty_like(x)
    per_thread(("pointwise_gradient", kind, x.size), make).run(flat(g), flat(x), flat(dx))
    return dx


def _description(kind: int, layout: Layout) -> Description:
    return Description(
        "eltwise_forward", library().engine, api.TRAINING, kind, layout, layout, 0.0, 0.0, None
    )
