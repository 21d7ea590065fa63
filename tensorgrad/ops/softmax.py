"""Softmax and its relatives, stable: the maximum is taken out before anything is exponentiated."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from tensorgrad.batching import families
from tensorgrad.machine.blocks import LARGE, by_rows, leaves_rows
from tensorgrad.ops.kinds import every
from tensorgrad.ops.reduction import along_rows, axes_of, kept_shape, reduced, total_of
from tensorgrad.primitive import Kept, primitive, recorded


def _shift(x: Any, axis: Any, out: Any) -> None:
    """Write x minus its maximum: NaN where that is infinite, as in PyTorch."""
    np.subtract(x, _largest(x, axis), out)


# Rows up to this length have their maxima taken column by column, over all rows at once.
_NARROW = 16


def _largest(x: Any, axis: Any) -> Any:
    """The maximum along axes, kept with length 1."""
    if x.ndim == 2 and x.shape[1] <= _NARROW and len(x) >= 256 and along_rows(x, axis):
        top = x[:, :1].copy()
        for column in range(1, x.shape[1]):
            np.maximum(top, x[:, column : column + 1], out=top)
        return top
    axes = reduced(axis, x.ndim)
    if x.size:
        if axes == x.ndim - 1:  # in 2.1 us instead of the 3.3 that keepdims takes
            return np.maximum.reduce(x, axes)[..., None]
        return np.maximum.reduce(x, axes, keepdims=True)
    return np.maximum.reduce(x, axes, keepdims=True, initial=-np.inf)


def _apart(into: Any, x: Any, axis: Any) -> Any:
    """What ``into(x, y)`` writes, row by row where the rows have nothing to do with each other."""
    if x.size >= LARGE and leaves_rows(x, axis):
        return by_rows(into, x)
    y = np.empty_like(x)
    into(x, y)
    return y


def _softmax_rule(xp: Any, g: Any, y: Any, x: Any, *, axis: Any) -> Any:
    inner = xp.sum(xp.mul(g, y), axis=axis, keepdims=True)
    return xp.mul(y, xp.sub(g, inner))


@primitive(
    _softmax_rule,
    saves="y",
    formula="y * (g - sum(g * y, axis))",
    promote="float",
    batch=families.along("axis", scalar=True),
)
def softmax(x: Any, *, axis: Any) -> Any:
    """e**x_i / sum_j e**x_j along an axis."""

    def into(x: Any, y: Any) -> None:
        _shift(x, axis, y)
        np.exp(y, out=y)
        y /= total_of(y, axis, True)

    return _apart(into, x, axis)


def _log_softmax_rule(xp: Any, g: Any, y: Any, x: Any, *, axis: Any) -> Any:
    return xp.sub(g, xp.mul(xp.exp(y), xp.sum(g, axis=axis, keepdims=True)))


@primitive(
    _log_softmax_rule,
    saves="y",
    formula="g - exp(y) * sum(g, axis)",
    promote="float",
    batch=families.along("axis", scalar=True),
)
def log_softmax(x: Any, *, axis: Any) -> Any:
    """x_i - log sum_j e**x_j along an axis."""

    def into(x: Any, y: Any) -> None:
        _shift(x, axis, y)
        y -= np.log(total_of(np.exp(y), axis, True))

    return _apart(into, x, axis)


def _logsumexp_rule(xp: Any, g: Any, y: Any, x: Any, *, axis: Any, keepdims: Any) -> Any:
    shape = kept_shape(x.shape, axis)
    y, g = xp.reshape(y, shape=shape), xp.reshape(g, shape=shape)
    # Where y is -inf (an empty sum of exponentials) x - y is NaN; the softmax there is 0.
    some = np.not_equal(getattr(y, "_array", y), -np.inf)
    safe = y if every(some) else xp.where(some, y, 0)
    return xp.mul(g, xp.exp(xp.sub(x, safe)))


@primitive(
    _logsumexp_rule,
    saves="x y",
    formula="spread(g, x, axis) * exp(x - spread(y, x, axis))",
    promote="float",
    batch=families.reduction,
)
def logsumexp(x: Any, *, axis: Any, keepdims: Any) -> Any:
    """log sum e**x over axes."""
    axes = axes_of(axis, x.ndim)
    top = _largest(x, axis)
    if x.dtype.kind == "c":  # the imaginary part of a logarithm is the principal value
        top = top.real
    top = np.where(np.isfinite(top), top, np.zeros((), top.dtype))  # inf - inf would be NaN
    total = np.log(np.add.reduce(np.exp(x - top), axis=axes, keepdims=True)) + top
    return total if keepdims else total.reshape([n for i, n in enumerate(x.shape) if i not in axes])


def _twin(x: Any, *, target: Any, weight: Any) -> Any:
    """The same loss from primitives."""
    picked = recorded.gather(recorded.log_softmax(x, axis=1), index=target[:, None], axis=1)
    return recorded.neg(
        recorded.sum(recorded.mul(picked, weight[:, None]), axis=None, keepdims=False)
    )


@lru_cache(maxsize=64)
def _starts(rows: int, classes: int) -> Any:
    """Where each row of a matrix begins; shared, so read-only."""
    places = np.arange(rows) * classes
    places.flags.writeable = False
    return places


def _cross_entropy_rule(
    xp: Any, g: Any, y: Any, x: Any, *, target: Any, weight: Any, cache: Any
) -> Any:
    return cache * g


@primitive(
    _cross_entropy_rule,
    keeps="cache",
    formula="g * (softmax(x, 1) - onehot(target, x)) * column(weight)",
    composed=_twin,
    saves="x",
    exact=True,
)
def cross_entropy(x: Any, *, target: Any, weight: Any, keep: bool) -> Kept:
    """sum_i weight_i * (log sum_j e**x_ij - x_i,target_i): x (M, C), target and weight (M,).

    Its gradient but for g is computed at once, while the exponentials are in the core's cache.
    """
    rows, classes = x.shape
    y = np.empty((rows, classes), x.dtype)
    _shift(x, 1, y)
    flat = y.reshape(-1)
    own = _starts(rows, classes) + target
    picked = flat[own]
    np.exp(y, y)
    total = total_of(y, 1, False)
    terms = np.log(total) - picked
    # Written into an array at once: to make one of a number took 11 us in the step of a network.
    out = np.empty((), x.dtype) if weight.dtype is x.dtype else None
    loss = terms.dot(weight, out)
    if not math.isfinite(loss):  # rows that do not count may be infinite or NaN
        loss = np.where(weight == 0, 0, terms).dot(weight, out)
    if keep:
        np.multiply(y, (weight / total)[:, None], y)
        flat[own] -= weight
    return Kept(np.asarray(loss, x.dtype), cache=y if keep else None)
