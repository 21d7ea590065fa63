"""Scaled dot-product attention, and the derivation of its gradients by hand.

With s = scale * q k.T + bias, p = softmax(s) along the keys and y = p v, for every matrix of a
batch, and d the gradient at p:

    d_v = p.T g,    d = g v.T,    d_s = p * (d - sum(p * d)),    d_q = scale * d_s k,
    d_k = scale * d_s.T q,    d_bias = d_s

and sum(p * d) along the keys is sum(g * y) along the values, also where dropout has changed p.

====================  ================================================  =====================
operation             called as                                         returns
====================  ================================================  =====================
`attention`           run(problem, q, k, v, extras, keep)               (y, kept or None)
`attention_gradient`  run(problem, g, y, q, k, v, extras, kept, needs)  [d_q, d_k, d_v, d_bias]
====================  ================================================  =====================

q (..., L, E), k (..., S, E), v (..., S, V), all with the same batch.  ``keep`` says that a gradient
will follow; what the forward then keeps for it is a pair (name of the kernel, arrays).

Reductions along a short last axis, and small batched products with copies between them, are what
NumPy is slowest at.  So in the kernel "blocked" the scores stand as (keys, matrices, queries): a
maximum or a sum over keys is then a few operations on long rows, BLAS takes q, k and v as the views
that they are, and everything between two products happens in place, on as many matrices as stay
in the processor's cache.  Results lie in memory as their counterparts do, so that heads cut out of
the features of each place are put together again without a copy.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.kernels.registry import Operation
from tensorgrad.machine import arena
from tensorgrad.machine.threads import split

__all__ = ["Extras", "Problem", "attention", "attention_gradient", "later"]

# Scores worked on at a time: half a megabyte in float32, so that a score and its gradient fit.
_CHUNK = 1 << 17
# With more scores than these they are not kept for the backward but computed again.
_KEPT = 1 << 24
# The exponentials of scores within it, and the sum of many, are far from the ends of float32.
_MODEST = 60.0
# From this many multiplications on OpenBLAS runs a product on several threads by itself.
_THREADED_PRODUCT = 1 << 18


class Problem(NamedTuple):
    """An attention as its kernels see it; hashable, so that choices are kept for it."""

    query: tuple[int, ...]
    key: tuple[int, ...]
    value: tuple[int, ...]
    bias: tuple[int, ...] | None
    dropout: bool
    dtype: np.dtype[Any]


class Extras(NamedTuple):
    """What else the scores depend on.

    bias broadcasts to (..., L, S); causal: a query does not look at later keys; kept: bools (S,
    matrices, L) of the weights that dropout leaves, which are multiplied by ``share``.
    """

    bias: Any
    scale: float
    causal: bool
    kept: Any
    share: float


@lru_cache(maxsize=16)
def later(queries: int, keys: int, dtype: Any) -> Any:
    """-inf where a key comes after the query, else 0: (keys, queries)."""
    bias = np.zeros((keys, queries), dtype)
    bias[np.arange(keys)[:, None] > np.arange(queries)] = -np.inf
    bias.flags.writeable = False
    return bias


# --- The reference --------------------------------------------------------------------------------


def _weights(q: Any, k: Any, extras: Extras) -> Any:
    scores = np.matmul(q, np.swapaxes(k, -1, -2)) * q.dtype.type(extras.scale)
    if extras.causal:
        scores = scores + later(q.shape[-2], k.shape[-2], q.dtype).T
    if extras.bias is not None:
        scores = scores + extras.bias
    top = np.max(scores, axis=-1, keepdims=True, initial=-np.inf)
    p = np.exp(scores - np.where(top == -np.inf, 0, top))
    total = np.sum(p, axis=-1, keepdims=True)
    return p / np.where(total == 0, 1, total)  # nothing may be looked at: 0, as in PyTorch


def _factors(extras: Extras, shape: tuple[int, ...], dtype: Any) -> Any:
    if extras.kept is None:
        return dtype.type(1)
    return extras.kept.transpose(1, 2, 0).reshape(shape) * dtype.type(extras.share)


def _reference(
    problem: Problem, q: Any, k: Any, v: Any, extras: Extras, keep: bool
) -> tuple[Any, Any]:
    p = _weights(q, k, extras)
    return np.matmul(p * _factors(extras, p.shape, p.dtype), v), None


def _reference_gradient(
    problem: Problem, g: Any, y: Any, q: Any, k: Any, v: Any, extras: Extras, kept: Any,
    needs: Any,
) -> list[Any]:  # fmt: skip
    p = _weights(q, k, extras)
    factors = _factors(extras, p.shape, p.dtype)
    d = np.matmul(g, np.swapaxes(v, -1, -2)) * factors
    d = p * (d - np.sum(p * d, axis=-1, keepdims=True))
    scale = q.dtype.type(extras.scale)
    return [
        np.matmul(d, k) * scale,
        np.matmul(np.swapaxes(d, -1, -2), q) * scale,
        np.matmul(np.swapaxes(p * factors, -1, -2), g),
        d if needs[3] else None,
    ]


# --- Blocks of matrices ---------------------------------------------------------------------------


class _Plan:
    """The batch as (outer, heads), and its parts: pairs of slices."""

    def __init__(self, problem: Problem) -> None:
        *self.lead, self.queries, _ = problem.query
        self.keys = problem.key[-2]
        self.outer, self.heads = prod(self.lead[:-1]), self.lead[-1] if self.lead else 1
        each = max(self.queries * self.keys, 1)
        at_once = max(_CHUNK // each, 1)
        self.parts: list[tuple[slice, slice]] = []
        if self.heads <= at_once:
            step = max(at_once // max(self.heads, 1), 1)
            for i in range(0, self.outer, step):
                self.parts.append((slice(i, min(i + step, self.outer)), slice(None)))
        else:
            for i in range(self.outer):
                for j in range(0, self.heads, at_once):
                    self.parts.append((slice(i, i + 1), slice(j, min(j + at_once, self.heads))))
        # A large product has BLAS's own threads.
        self.split = each * max(problem.query[-1], problem.value[-1]) <= _THREADED_PRODUCT

    def view(self, x: Any) -> Any:
        """(outer, heads, rows, columns), as BLAS can take its matrices."""
        rows, columns = x.shape[-2:]
        if x.ndim != 4:
            x = x.reshape(self.outer, self.heads, rows, columns)
        down, right = x.strides[2:]
        if right != x.itemsize or down < columns * right or down % right:
            return np.ascontiguousarray(x)
        return x

    def new(self, like: Any, columns: int) -> Any:
        """An array whose axes have the order in memory that those of ``like`` have."""
        rows = like.shape[2]
        if like.strides[1] < like.strides[2] and self.heads > 1:
            shape = (self.outer, rows, self.heads, columns)
            return arena.empty(shape, like.dtype).swapaxes(1, 2)
        return arena.empty((self.outer, self.heads, rows, columns), like.dtype)

    def back(self, x: Any) -> Any:
        """As the caller knows it."""
        if len(self.lead) == 2:
            return x
        return x.reshape(*self.lead, *x.shape[2:])

    def bias(self, bias: Any) -> Any:
        """(keys, outer or 1, heads or 1, queries or 1), in that order in memory."""
        if bias is None:
            return None
        bias = bias.reshape((1,) * (len(self.lead) + 2 - bias.ndim) + bias.shape)
        lead = bias.shape[:-2]
        if prod(lead[:-1]) != 1:
            bias = np.broadcast_to(bias, (*self.lead[:-1], *bias.shape[len(lead) - 1 :]))
        outer, heads = prod(bias.shape[: len(lead) - 1]), lead[-1] if lead else 1
        return np.ascontiguousarray(
            bias.reshape(outer, heads, *bias.shape[-2:]).transpose(3, 0, 1, 2)
        )

    def kept(self, kept: Any) -> Any:
        """Dropout's bools, (keys, outer, heads, queries)."""
        if kept is None:
            return None
        return kept.reshape(self.keys, self.outer, self.heads, self.queries)


@lru_cache(maxsize=256)
def _plan(problem: Problem) -> _Plan:
    return _Plan(problem)


def _of(part: tuple[slice, slice], x: Any) -> Any:
    """A part of (keys, outer, heads, queries), whose batch axes may have length 1."""
    outer, heads = part
    return x[:, outer if x.shape[1] > 1 else slice(None), heads if x.shape[2] > 1 else slice(None)]


@lru_cache(maxsize=8)
def _earlier(queries: int, keys: int, outer: int, heads: int, dtype: Any) -> Any:
    """1 where a query looks at a key, 0 at later ones: of the shape of a part's scores.

    A product with an array of the same shape takes a third of the time of one that is broadcast.
    """
    seen = np.empty((keys, outer, heads, queries), dtype)
    seen[...] = (np.arange(keys)[:, None] <= np.arange(queries))[:, None, None]
    seen.flags.writeable = False
    return seen


@lru_cache(maxsize=64)
def _scale(dtype: Any, scale: float) -> Any:
    """As ufuncs take a number fastest: a 0-d array."""
    return np.array(scale, dtype)


def _softmax(q: Any, k: Any, scale: Any, bias: Any, causal: bool) -> Any:
    """The weights of a part, (keys, outer, heads, queries)."""
    outer, heads, queries, features = q.shape
    keys = k.shape[2]
    p = arena.empty((keys, outer, heads, queries), q.dtype)
    scores = p.transpose(1, 2, 0, 3)
    # Factors go to whichever has fewer numbers: rows of q are short, p is one run of memory.
    if keys > 4 * features:
        np.matmul(k, (q * scale).swapaxes(2, 3), out=scores)
    else:
        np.matmul(k, q.swapaxes(2, 3), out=scores)
        p *= scale
    if bias is not None:
        p += bias
    least, most = np.minimum.reduce(p, axis=None), np.maximum.reduce(p, axis=None)
    if least > -_MODEST and most < _MODEST:
        # No exponential leaves the range of the numbers, so none needs its row's maximum.
        np.exp(p, out=p)
        if causal:
            p *= _earlier(queries, keys, outer, heads, q.dtype)
        total = np.add.reduce(p, axis=0)
        p *= np.reciprocal(total, out=total)
        return p
    if causal:
        p += later(queries, keys, q.dtype)[:, None, None]
    top = np.maximum.reduce(p, axis=0, initial=-np.inf)
    top[top == -np.inf] = 0  # nothing may be looked at: all weights are 0, as in PyTorch
    p -= top
    np.exp(p, out=p)
    total = np.add.reduce(p, axis=0)
    total[total == 0] = 1
    p *= np.reciprocal(total, out=total)
    return p


def _blocked(
    problem: Problem, q: Any, k: Any, v: Any, extras: Extras, keep: bool
) -> tuple[Any, Any]:
    plan = _plan(problem)
    alike = q.shape == k.shape == v.shape and q.strides == k.strides == v.strides
    given, q = q, plan.view(q)
    if q is not given or not alike:  # else all can be taken as they are
        k, v = plan.view(k), plan.view(v)
    bias, kept = plan.bias(extras.bias), plan.kept(extras.kept)
    scale = _scale(problem.dtype, extras.scale)
    y = plan.new(q, v.shape[3])
    keep = keep and plan.outer * plan.heads * plan.keys * plan.queries <= _KEPT
    if len(plan.parts) == 1 and kept is None:
        p = _softmax(q, k, scale, bias, extras.causal)
        np.matmul(p.transpose(1, 2, 3, 0), v, out=y)
        return plan.back(y), ("blocked", [p]) if keep else None
    weights: list[Any] = [None] * len(plan.parts)

    def work(start: int, stop: int) -> None:
        for number in range(start, stop):
            part = plan.parts[number]
            added = None if bias is None else _of(part, bias)
            p = _softmax(q[part], k[part], scale, added, extras.causal)
            if keep:
                weights[number] = p
            if kept is not None:
                p = p * np.multiply(_of(part, kept), extras.share, dtype=p.dtype)
            np.matmul(p.transpose(1, 2, 3, 0), v[part], out=y[part])

    split(work, len(plan.parts), plan.split)
    return plan.back(y), ("blocked", weights) if keep else None


def _blocked_gradient(
    problem: Problem, g: Any, y: Any, q: Any, k: Any, v: Any, extras: Extras, kept: Any,
    needs: Any,
) -> list[Any]:  # fmt: skip
    plan = _plan(problem)
    g, y, q, k, v = (plan.view(x) for x in (g, y, q, k, v))
    bias, dropped = plan.bias(extras.bias), plan.kept(extras.kept)
    scale = q.dtype.type(extras.scale)
    weights = kept[1] if kept is not None and kept[0] == "blocked" else None
    d_q, d_k, d_v = (plan.new(x, x.shape[3]) for x in (q, k, v))
    shape = plan.outer, plan.heads, plan.queries, plan.keys
    d_bias = np.empty(shape, q.dtype) if needs[3] else None

    def work(start: int, stop: int) -> None:
        for number in range(start, stop):
            part = plan.parts[number]
            scaled, to = q[part] * scale, g[part]
            if weights is None:
                added = None if bias is None else _of(part, bias)
                p = _softmax(q[part], k[part], scale, added, extras.causal)
            else:
                p = weights[number]
            used, d = p, arena.empty_like(p)
            np.matmul(v[part], to.swapaxes(2, 3), out=d.transpose(1, 2, 0, 3))
            if dropped is not None:
                factor = np.multiply(_of(part, dropped), extras.share, dtype=q.dtype)
                used = p * factor
                d *= factor
            np.matmul(used.transpose(1, 2, 0, 3), to, out=d_v[part])
            d -= np.einsum("ohqv,ohqv->ohq", to, y[part])
            d *= p
            by_query = d.transpose(1, 2, 3, 0)
            of_q = d_q[part]
            np.matmul(by_query, k[part], out=of_q)
            of_q *= scale
            np.matmul(d.transpose(1, 2, 0, 3), scaled, out=d_k[part])
            if d_bias is not None:
                d_bias[part] = by_query

    split(work, len(plan.parts), plan.split)
    return [plan.back(d_q), plan.back(d_k), plan.back(d_v),
            None if d_bias is None else plan.back(d_bias)]  # fmt: skip


def _serves(problem: Problem) -> str:
    if problem.dtype.itemsize < 4:
        return f"BLAS has no product of {problem.dtype}"
    return "" if prod(problem.query) * prod(problem.key) else "empty"


attention = Operation("attention", _reference)
attention_gradient = Operation("attention_gradient", _reference_gradient)
attention.kernel("blocked", _serves)(_blocked)
attention_gradient.kernel("blocked", _serves)(_blocked_gradient)
