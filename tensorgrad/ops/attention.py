"""Scaled dot-product attention, fused; its kernels are `tensorgrad.kernels.attention`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.kernels import attention as kernels
from tensorgrad.ops.kinds import single
from tensorgrad.primitive import Kept, primitive, recorded

__all__ = ["attention"]


def _problem(q: Any, k: Any, v: Any, bias: Any, kept: Any) -> kernels.Problem:
    added = None if bias is None else bias.shape
    return kernels.Problem(q.shape, k.shape, v.shape, added, kept is not None, q.dtype)


def _twin(
    q: Any, k: Any, v: Any, bias: Any, *, scale: float, causal: bool, kept: Any, share: float
) -> Any:
    """The same from primitives."""
    xp = recorded
    turned = xp.permute(k, axes=(*range(k.ndim - 2), k.ndim - 1, k.ndim - 2))
    scores = xp.matmul(xp.mul(q, scale), turned)
    if causal:
        scores = xp.add(scores, kernels.later(q.shape[-2], k.shape[-2], q._array.dtype).T)
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
    """All gradients at once; only ever called on arrays."""
    g, y, q, k, v, bias = (single(x) for x in (g, y, q, k, v, bias))
    problem = _problem(q, k, v, bias, kept)
    run = kernels.attention_gradient.choose(problem)
    extras = kernels.Extras(bias, scale, causal, kept, share)
    return run(problem, g, y, q, k, v, extras, cache, needs)  # type: ignore[no-any-return]


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
    saves="y q k v bias",
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
    dtype = q.dtype
    q, k, v, bias = (single(x) for x in (q, k, v, bias))
    problem = _problem(q, k, v, bias, kept)
    extras = kernels.Extras(bias, scale, causal, kept, share)
    y, cache = kernels.attention.choose(problem)(problem, q, k, v, extras, keep)
    return Kept(y.astype(dtype, copy=False), cache=cache)
