"""Batching rules of convolutions and windows.

Examples that share their weights are more images.  Examples with weights of their own are more
groups: image n of all examples becomes one image with the channels of all of them side by side.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching.dispatch import Call

__all__ = ["columns", "conv", "conv_input", "conv_weight", "pooled"]


def _images(call: Call, x: Any) -> Any:
    """(B, N, ...) as (B * N, ...)."""
    size, n, *rest = x._array.shape
    return call.xp.reshape(x, shape=(size * n, *rest))


def _examples(call: Call, y: Any) -> Any:
    """(B * N, ...) as (B, N, ...)."""
    n, *rest = y._array.shape
    return call.xp.reshape(y, shape=(call.size, n // max(call.size, 1), *rest))


def _side_by_side(call: Call, x: Any) -> Any:
    """(B, N, C, ...) as (N, B * C, ...)."""
    size, n, c, *rest = x._array.shape
    axes = (1, 0, *range(2, 3 + len(rest)))
    return call.xp.reshape(call.xp.permute(x, axes=axes), shape=(n, size * c, *rest))


def _apart(call: Call, y: Any) -> Any:
    """(N, B * C, ...) as (B, N, C, ...)."""
    n, c, *rest = y._array.shape
    split = call.xp.reshape(y, shape=(n, call.size, c // max(call.size, 1), *rest))
    return call.xp.permute(split, axes=(1, 0, *range(2, 3 + len(rest))))


def conv(call: Call) -> Any:
    """x (N, C, *S), w (O, C / groups, *K), b (O,) or None."""
    x, w, b = call.args
    if not call.flags[1] and not call.flags[2]:
        return _examples(call, call.run(_images(call, x), w, b, **call.params))
    if not call.flags[1]:
        x = call.lead(0)
        y = _examples(call, call.run(_images(call, x), w, None, **call.params))
    elif not call.flags[0] and call.params["groups"] == 1:  # one image, all kernels
        y = _apart(call, call.run(x, _images(call, w), None, **call.params))
    else:
        params = {**call.params, "groups": call.params["groups"] * call.size}
        wide = _side_by_side(call, call.lead(0))
        y = _apart(call, call.run(wide, _images(call, w), None, **params))
    if b is None:
        return y
    lead = (call.size, 1) if call.flags[2] else (1, 1)
    return call.xp.add(y, call.xp.reshape(b, shape=(*lead, -1, *(1,) * (y._array.ndim - 3))))


def conv_input(call: Call) -> Any:
    """z (N, O, *S'), w (O, C / groups, *K); ``shape`` (N, C, *S) is of one example."""
    z, w = call.args
    n, c, *rest = call.params["shape"]
    if not call.flags[1]:
        params = {**call.params, "shape": (call.size * n, c, *rest)}
        return _examples(call, call.run(_images(call, z), w, **params))
    params = {
        **call.params,
        "shape": (n, call.size * c, *rest),
        "groups": call.params["groups"] * call.size,
    }
    return _apart(call, call.run(_side_by_side(call, call.lead(0)), _images(call, w), **params))


def conv_weight(call: Call) -> Any:
    """x (N, C, *S), z (N, O, *S'); ``shape`` (O, C / groups, *K) is of one example."""
    o, *rest = call.params["shape"]
    params = {**call.params, "shape": (call.size * o, *rest)}
    z = _side_by_side(call, call.lead(1))
    if not call.flags[0] and call.params["groups"] == 1:
        return _examples(call, call.run(call.args[0], z, **params))
    params["groups"] = call.params["groups"] * call.size
    return _examples(call, call.run(_side_by_side(call, call.lead(0)), z, **params))


def pooled(call: Call) -> Any:
    """Windows along the last axes: what is in front of them does not matter."""
    params = dict(call.params)
    if "shape" in params:
        params["shape"] = (call.size, *params["shape"])
    x = call.lead(0)
    if "won" in params:
        won, flag = call.param("won")
        params["won"] = won if flag else _repeated(won, call.size)
    return call.run(x, **params)


def _repeated(array: Any, size: int) -> Any:
    return np.broadcast_to(array[None], (size, *array.shape))


def columns(call: Call) -> Any:
    """Windows as columns and back, (N, C, ...): the examples are more images."""
    params = dict(call.params)
    if "shape" in params:
        n, *rest = params["shape"]
        params["shape"] = (call.size * n, *rest)
    return _examples(call, call.run(_images(call, call.args[0]), **params))
