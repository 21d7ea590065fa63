"""Batch norm and layer norm by oneDNN: results and all gradients in few passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.kernels.onednn import library as api
from tensorgrad.kernels.onednn.health import library
from tensorgrad.kernels.onednn.layouts import Handed, New, channels_last
from tensorgrad.kernels.onednn.primitive import Description, Layout, Prepared, per_thread
from tensorgrad.machine import arena

__all__ = ["batch_norm", "batch_norm_gradients", "layer_norm", "layer_norm_gradients"]

Three = tuple[Any, Any, Any]


def _or_filled(v: Any, size: int, value: float) -> Any:
    """A vector as float32 in C order; where there is none, one that changes nothing."""
    return np.full(size, value, np.float32) if v is None else np.ascontiguousarray(v)


def batch_norm(x: Any, w: Any, b: Any, mean: Any, var: Any, eps: float) -> Any:
    """x (N, C, *spatial) normalised per channel by a given mean and variance."""
    key = ("batch_norm", x.shape, x.strides, eps)

    def make() -> Callable[..., Any]:
        layout, vector = channels_last(x.shape), Layout.of((x.shape[1],))
        forward = Description(
            "batch_normalization_forward", library().engine, api.INFERENCE, layout, layout, eps,
            api.GIVEN_STATISTICS | api.SCALE | api.SHIFT, None,
        )  # fmt: skip
        norm = Prepared(
            forward, src=layout, dst=layout, scale=vector, shift=vector, mean=vector,
            variance=vector,
        )  # fmt: skip
        handed, new = Handed(x.shape, x.strides, layout), New(x.shape)

        def run(x: Any, w: Any, b: Any, mean: Any, var: Any) -> Any:
            y = new()
            norm.run(handed(x), y, w, b, mean, var)
            return y

        return run

    c = x.shape[1]
    vectors = (np.ascontiguousarray(v) for v in (mean, var))
    return per_thread(key, make)(x, _or_filled(w, c, 1), _or_filled(b, c, 0), *vectors)


def batch_norm_gradients(g: Any, x: Any, w: Any, mean: Any, var: Any, eps: float) -> Three:
    """The gradients of x, w and b through the batch's statistics."""
    key = ("batch_norm_gradients", g.shape, g.strides, x.strides, eps)

    def make() -> Callable[[Any, Any, Any, Any, Any], Three]:
        layout, vector = channels_last(x.shape), Layout.of((x.shape[1],))
        flags = api.SCALE | api.SHIFT
        forward = Description(
            "batch_normalization_forward", library().engine, api.TRAINING, layout, layout, eps,
            flags, None,
        )  # fmt: skip
        backward = Description(
            "batch_normalization_backward", library().engine, api.BACKWARD, layout, layout,
            layout, eps, flags, forward, None,
        )  # fmt: skip
        norm = Prepared(
            backward, src=layout, diff_dst=layout, diff_src=layout, scale=vector, mean=vector,
            variance=vector, diff_scale=vector, diff_shift=vector,
        )  # fmt: skip
        g_handed = Handed(g.shape, g.strides, layout)
        x_handed, new, channels = Handed(x.shape, x.strides, layout), New(x.shape), x.shape[1]

        def run(g: Any, x: Any, w: Any, mean: Any, var: Any) -> Three:
            dx = new()
            dw, db = np.empty(channels, np.float32), np.empty(channels, np.float32)
            norm.run(x_handed(x), g_handed(g), dx, w, mean, var, dw, db)
            return dx, dw, db

        return run

    vectors = (np.ascontiguousarray(v) for v in (mean, var))
    return per_thread(key, make)(g, x, _or_filled(w, x.shape[1], 1), *vectors)


def layer_norm(rows: Any, w: Any, b: Any, eps: float) -> Three:
    """The rows of a matrix normalised, and each row's mean and biased variance."""
    m, n = rows.shape
    key = ("layer_norm", rows.shape, eps)

    def make() -> Prepared:
        layout, along, each = Layout.of((m, n)), Layout.of((n,)), Layout.of((m,))
        forward = Description(
            "layer_normalization_forward", library().engine, api.TRAINING, layout, layout, each,
            eps, api.SCALE | api.SHIFT, None,
        )  # fmt: skip
        return Prepared(
            forward, src=layout, dst=layout, scale=along, shift=along, mean=each, variance=each
        )

    rows = np.ascontiguousarray(rows)
    y, mean, var = arena.empty_like(rows), np.empty(m, np.float32), np.empty(m, np.float32)
    per_thread(key, make).run(rows, y, _or_filled(w, n, 1), _or_filled(b, n, 0), mean, var)
    return y, mean, var


def layer_norm_gradients(g: Any, rows: Any, w: Any, mean: Any, var: Any, eps: float) -> Three:
    """The gradients of the rows, w and b."""
    m, n = rows.shape
    key = ("layer_norm_gradients", rows.shape, eps)

    def make() -> Prepared:
        layout, along, each = Layout.of((m, n)), Layout.of((n,)), Layout.of((m,))
        flags = api.SCALE | api.SHIFT
        forward = Description(
            "layer_normalization_forward", library().engine, api.TRAINING, layout, layout, each,
            eps, flags, None,
        )  # fmt: skip
        backward = Description(
            "layer_normalization_backward", library().engine, api.BACKWARD, layout, layout,
            layout, each, eps, flags, forward, None,
        )  # fmt: skip
        # oneDNN 3.2 reads the shift too; without it the process crashes.
        return Prepared(
            backward, src=layout, diff_dst=layout, diff_src=layout, scale=along, mean=each,
            variance=each, diff_scale=along, diff_shift=along, shift=along,
        )  # fmt: skip

    rows, g, w = np.ascontiguousarray(rows), np.ascontiguousarray(g), _or_filled(w, n, 1)
    dx, dw, db = arena.empty_like(rows), np.empty(n, np.float32), np.empty(n, np.float32)
    per_thread(key, make).run(rows, g, dx, w, mean, var, dw, db, w)
    return dx, dw, db
