"""Scaled dot-product attention, fused, with the derivation of its backward by hand.

With s = scale * q k.T + bias, p = softmax(s) along the keys and y = p v, for every matrix of a
batch, and d the gradient at p:

    d_v = p.T g,    d = g v.T,    d_s = p * (d - sum(p * d)),    d_q = scale * d_s k,
    d_k = scale * d_s.T q,    d_bias = d_s

Reductions along a short last axis, and small batched products with copies between them, are what
NumPy is slowest at.  So the scores stand as (keys, matrices, queries): a maximum or a sum over keys
is then a few operations on long rows, BLAS takes the transposed views as they are, and everything
between two products happens in place, on as many matrices as stay in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from tensorgrad.primitive import Kept, primitive, recorded

__all__ = ["attention"]

# Scores worked on at a time: half a megabyte in float32, so that a score and its gradient fit.
_CHUNK = 1 << 17
# With more scores than these they are not kept for the backward but computed again.
_KEPT = 1 << 24


@lru_cache(maxsize=16)
def _later(queries: int, keys: int, dtype: Any) -> Any:
    """-inf where a key comes after the query, else 0: (keys, 1, queries)."""
    bias = np.zeros((keys, 1, queries), dtype)
    bias[:, 0][np.arange(keys)[:, None] > np.arange(queries)] = -np.inf
    bias.flags.writeable = False
    return bias


def _matrices(x: Any) -> Any:
    """The batch dimensions as one."""
    return x.reshape(prod(x.shape[:-2]), *x.shape[-2:])


class _Bias:
    """What is added to the scores of some of the matrices, as (keys, matrices, queries)."""

    def __init__(self, bias: Any, lead: tuple[int, ...]) -> None:
        self.lead = lead
        self.array = bias
        if bias is not None:
            self.array = bias.reshape((1,) * (len(lead) + 2 - bias.ndim) + bias.shape)
            self.shared = self.array.size == self.array[(0,) * len(lead)].size
            if self.shared:
                first = self.array[(0,) * len(lead)]
                self.array = np.ascontiguousarray(first.T)[:, None]

    def add(self, scores: Any, start: int, stop: int) -> None:
        if self.array is None:
            return
        if self.shared:
            scores += self.array
            return
        places = np.unravel_index(np.arange(start, stop), self.lead)
        sizes = self.array.shape
        index = tuple(i if n > 1 else 0 for i, n in zip(places, sizes, strict=False))
        scores += self.array[index].transpose(2, 0, 1)


def _chunks(matrices: int, each: int) -> Iterator[tuple[int, int]]:
    size = max(1, _CHUNK // max(each, 1))
    for start in range(0, matrices, size):
        yield start, min(start + size, matrices)


def _weights(q: Any, k: Any, bias: _Bias, causal: bool, start: int, stop: int) -> Any:
    """softmax of the scores of some matrices, (keys, matrices, queries); q is scaled already."""
    q, k = q[start:stop], k[start:stop]
    p = np.empty((k.shape[1], stop - start, q.shape[1]), q.dtype)
    np.matmul(k, q.transpose(0, 2, 1), out=p.transpose(1, 0, 2))
    if causal:
        p += _later(q.shape[1], k.shape[1], q.dtype)
    bias.add(p, start, stop)
    top = np.maximum.reduce(p, axis=0, initial=-np.inf)
    top[top == -np.inf] = 0  # nothing may be looked at: all weights are 0, as in PyTorch
    p -= top
    np.exp(p, out=p)
    total = np.add.reduce(p, axis=0)
    total[total == 0] = 1
    p *= np.reciprocal(total, out=total)
    return p


def _twin(
    q: Any, k: Any, v: Any, bias: Any, *, scale: float, causal: bool, kept: Any, share: float
) -> Any:
    """The same from primitives."""
    xp = recorded
    turned = xp.permute(k, axes=(*range(k.ndim - 2), k.ndim - 1, k.ndim - 2))
    scores = xp.matmul(xp.mul(q, scale), turned)
    if causal:
        scores = xp.add(scores, _later(q.shape[-2], k.shape[-2], q._array.dtype)[:, 0].T)
    if bias is not None:
        scores = xp.add(scores, bias)
    blind = (scores._array == -np.inf).all(axis=-1, keepdims=True)
    seen = np.broadcast_to(~blind, scores.shape)
    p = xp.mask(xp.softmax(xp.mask(scores, mask=seen), axis=-1), mask=seen)
    if kept is not None:
        p = xp.mul(xp.mask(p, mask=_logical(kept, scores.shape)), share)
    return xp.matmul(p, v)


def _logical(kept: Any, shape: tuple[int, ...]) -> Any:
    """An array of (keys, matrices, queries) as (..., queries, keys)."""
    return kept.transpose(1, 2, 0).reshape(shape)


def _joint(
    xp: Any, g: Any, y: Any, q: Any, k: Any, v: Any, bias: Any, *,
    scale: float, causal: bool, kept: Any, share: float, cache: Any, needs: Any,
) -> list[Any]:  # fmt: skip
    """All gradients, chunk by chunk; only ever called on arrays."""
    lead, keys, queries = q.shape[:-2], k.shape[-2], q.shape[-2]
    matrices, bias = _matrices(q), _Bias(bias, lead)
    scaled, k3, v3, g3 = matrices * q.dtype.type(scale), _matrices(k), _matrices(v), _matrices(g)
    count = len(matrices)
    d_q, d_k, d_v = (np.empty(a.shape, a.dtype) for a in (matrices, k3, v3))
    d_bias = np.empty((count, queries, keys), q.dtype) if needs[3] else None
    for number, (start, stop) in enumerate(_chunks(count, keys * queries)):
        p = cache[number] if cache else _weights(scaled, k3, bias, causal, start, stop)
        to = g3[start:stop]
        used, d = p, np.empty_like(p)
        np.matmul(v3[start:stop], to.transpose(0, 2, 1), out=d.transpose(1, 0, 2))
        if kept is not None:
            factor = np.multiply(kept[:, start:stop], share, dtype=q.dtype)
            used = p * factor
            d *= factor
        np.matmul(used.transpose(1, 0, 2), to, out=d_v[start:stop])
        d *= p
        total = np.add.reduce(d, axis=0)
        d -= np.multiply(p, total, out=None if used is p else used)
        by_query, by_key = d.transpose(1, 2, 0), d.transpose(1, 0, 2)
        np.matmul(by_query, k3[start:stop], out=d_q[start:stop])
        np.matmul(by_key, scaled[start:stop], out=d_k[start:stop])
        if d_bias is not None:
            d_bias[start:stop] = by_query
    d_q *= q.dtype.type(scale)
    found = [d_q.reshape(q.shape), d_k.reshape(k.shape), d_v.reshape(v.shape)]
    return [*found, None if d_bias is None else d_bias.reshape(*lead, queries, keys)]


def _formula(shapes: Any, params: Any) -> tuple[str | None, ...]:
    p = "attention_weights(q, k)" if shapes[3] is None else "attention_weights(q, k, bias)"
    d = "dropped(g @ v.T)"
    slope = f"{p} * ({d} - sum({p} * {d}, -1))"
    return (
        f"scale * ({slope}) @ k",
        f"scale * ({slope}).T @ q",
        f"dropped({p}).T @ g",
        None if shapes[3] is None else slope,
    )


@primitive(
    joint=_joint,
    saves="q k v bias",
    keeps="cache",
    composed=_twin,
    formula=_formula,
)
def attention(
    q: Any, k: Any, v: Any, bias: Any, *, scale: float, causal: bool, kept: Any, share: float,
    keep: bool,
) -> Kept:  # fmt: skip
    """softmax(scale * q k.T + bias) v: q (..., L, E), k (..., S, E), v (..., S, V).

    bias broadcasts to (..., L, S); causal: a query does not look at later keys; kept: bools (S,
    matrices, L) of the weights that dropout leaves, which are multiplied by ``share``.
    """
    if q.dtype.kind != "f":
        raise RuntimeError(f"expected floating-point numbers, got {q.dtype}")
    lead, keys, queries = q.shape[:-2], k.shape[-2], q.shape[-2]
    q3, k3, v3, added = _matrices(q), _matrices(k), _matrices(v), _Bias(bias, lead)
    q3 = q3 * q.dtype.type(scale)
    y = np.empty((len(q3), queries, v.shape[-1]), v.dtype)
    remembered: list[Any] = []
    keep = keep and len(q3) * keys * queries <= _KEPT
    for start, stop in _chunks(len(q3), keys * queries):
        p = _weights(q3, k3, added, causal, start, stop)
        if keep:
            remembered.append(p)
        if kept is not None:
            p = p * np.multiply(kept[:, start:stop], share, dtype=p.dtype)
        np.matmul(p.transpose(1, 2, 0), v3[start:stop], out=y[start:stop])
    return Kept(y.reshape(*lead, queries, v.shape[-1]), cache=remembered)
