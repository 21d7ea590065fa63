"""Max pooling by oneDNN, with the place of each maximum kept for the gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.kernels.onednn import library as api
from tensorgrad.kernels.onednn.health import library
from tensorgrad.kernels.onednn.layouts import Handed, New, channels_last
from tensorgrad.kernels.onednn.library import OneDNNError
from tensorgrad.kernels.onednn.primitive import FLOAT, Description, Prepared, _dims, per_thread
from tensorgrad.machine.address import address

__all__ = ["max_pool", "max_pool_gradient"]

Ints = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]

_BYTE = np.dtype(np.uint8)


def _mistyped(array: Any) -> ValueError:
    """The error of another dtype: shapes and strides are what a computation is found by."""
    return ValueError(f"oneDNN max pooling: prepared for float32, got {array.dtype}")


def _described(shape: Ints, out: Ints, kernel: Ints, stride: Ints, padding: Pairs) -> Any:
    """The layouts, the windows, and the description of the forward computation."""
    x, y = channels_last(shape), channels_last((*shape[:2], *out))
    how = (
        _dims(stride), _dims(kernel), _dims([0] * len(kernel)), _dims([low for low, _ in padding]),
        _dims([high for _, high in padding]),
    )  # fmt: skip
    forward = Description(
        "pooling_forward", library().engine, api.TRAINING, api.POOLING_MAX, x, y, *how, None
    )
    return x, y, how, forward


def max_pool(x: Any, kernel: Ints, stride: Ints, padding: Pairs, out: Ints) -> tuple[Any, Any]:
    """The maximum of every window of (N, C, *spatial), and what the gradient must be given.

    Those are the places of the maxima, a byte each, that lie as they do: channels last.
    """
    if x.dtype is not FLOAT:
        raise _mistyped(x)
    key = ("max_pool", x.shape, x.strides, kernel, stride, padding, out)

    def make() -> Callable[[Any], tuple[Any, Any]]:
        x_layout, y_layout, _, forward = _described(x.shape, out, kernel, stride, padding)
        shape = (*x.shape[:2], *out)
        places, new, new_places = forward.wants("workspace"), New(shape), New(shape, _BYTE)
        if places.nbytes != new_places.size:
            raise OneDNNError(f"max pooling keeps {places.nbytes} bytes for {shape}")
        pool = Prepared(forward, src=x_layout, dst=y_layout, workspace=places)
        handed = Handed(x.shape, x.strides, x_layout)

        def run(x: Any) -> tuple[Any, Any]:
            x, y, won = handed(x), new(), new_places()
            pool.at(address(x), address(y), address(won))
            return y, won

        return run

    return per_thread(key, make)(x)


def max_pool_gradient(
    g: Any, won: Any, shape: Ints, kernel: Ints, stride: Ints, padding: Pairs
) -> Any:
    """Each window's gradient at its maximum: of ``shape`` (N, C, *spatial), channels last."""
    if g.dtype is not FLOAT:
        raise _mistyped(g)
    key = ("max_pool_gradient", g.shape, g.strides, shape, kernel, stride, padding)

    def make() -> Callable[[Any, Any], Any]:
        x_layout, y_layout, how, forward = _described(shape, g.shape[2:], kernel, stride, padding)
        backward = Description(
            "pooling_backward", library().engine, api.POOLING_MAX, x_layout, y_layout, *how,
            forward, None,
        )  # fmt: skip
        places = forward.wants("workspace")
        pool = Prepared(backward, diff_dst=y_layout, diff_src=x_layout, workspace=places)
        handed = Handed(g.shape, g.strides, y_layout)
        new, new_places = New(shape), New(g.shape, _BYTE)

        def run(g: Any, won: Any) -> Any:
            if won.dtype is not _BYTE or won.shape != new_places.shape:
                raise ValueError(
                    f"oneDNN max pooling: expected the places of {new_places.shape} maxima as "
                    f"bytes, got {won.dtype} {won.shape}"
                )
            if won.strides != new_places.strides:
                won, given = new_places(), won
                won[...] = given
            g, dx = handed(g), new()
            pool.at(address(g), address(dx), address(won))
            return dx

        return run

    return per_thread(key, make)(g, won)
