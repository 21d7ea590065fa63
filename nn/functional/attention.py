"""Scaled dot-product attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray

from tensorgrad.errors import describe, does_not_broadcast
from tensorgrad.functions.rearranging import repeat_interleave
from tensorgrad.graph.node import local, storage_of, wrap
from tensorgrad.kernels import attention as kernels
from tensorgrad.kernels.registry import described
from tensorgrad.machine.constants import float32, float64
from tensorgrad.nn.functional.checks import expect_tensor, optional_tensor
from tensorgrad.ops import elementwise, shape
from tensorgrad.ops.attention import attention
from tensorgrad.random import rng_of
from tensorgrad.tensor import Tensor

__all__ = ["scaled_dot_product_attention"]

_NAME = "scaled_dot_product_attention"


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(scale * query key.T + mask) value: (..., L, V).

    query (..., L, E), key (..., S, E), value (..., S, V).
    attn_mask: broadcasts to (..., L, S); bools (True: the query looks at the key) or numbers to be
    added.  A query that may look at nothing gets zeros.  is_causal: a query does not look at later
    keys, whatever attn_mask says.  dropout_p: always applied.  scale: 1 / sqrt(E) if left out.
    enable_gqa: dimension -3 of query may be a multiple of that of key and value, whose heads then
    serve several of query's.
    """
    if attn_mask is None and dropout_p == 0:
        found = _unrecorded(query, key, value, is_causal, scale)
        if found is not None:
            return found
    for name, tensor in (("query", query), ("key", key), ("value", value)):
        expect_tensor(_NAME, name, tensor)
    optional_tensor(_NAME, "attn_mask", attn_mask)
    _check(query, key, value, attn_mask, dropout_p, is_causal)
    if enable_gqa:
        key, value = _shared_heads(query, key), _shared_heads(query, value)
    shapes = [t._array.shape for t in (query, key, value)]
    lead = shapes[0][:-2]
    if shapes[1][:-2] != lead or shapes[2][:-2] != lead:
        lead = _lead(shapes)
        query, key, value = (_spread(t, lead) for t in (query, key, value))
    size = shapes[0][-1]
    if scale is None:
        scale = 1 / math.sqrt(size) if size else 0.0
    kept, share = None, 1.0
    if dropout_p > 0:
        drawn = (shapes[1][-2], math.prod(lead), shapes[0][-2])
        kept = rng_of(None).random(drawn, np.float32) >= dropout_p
        share = 1 / (1 - dropout_p) if dropout_p < 1 else 0.0
    mask = attn_mask
    if mask is not None:
        mask = _added(mask, (*lead, shapes[0][-2], shapes[1][-2]), query._array.dtype)
    out: Tensor = attention(
        query, key, value, mask, scale=float(scale), causal=bool(is_causal), kept=kept, share=share
    )
    if (
        dropout_p > 0
        or shapes[0][:-2] != shapes[1][:-2]
        or shapes[0][:-2] != shapes[2][:-2]
        or shapes[0][-1] != shapes[2][-1]
        or (attn_mask is not None and (attn_mask.ndim == 3 or attn_mask.requires_grad))
    ):
        return out
    return _laid_out_as_seen(out)


def _laid_out_as_seen(out: Tensor) -> Tensor:
    """The result with the strides that its memory has, which are the query's order.

    Heads cut out of the features of each place are so put together by a view.  PyTorch's are, where
    its fast kernel computes: of four dimensions and one width, without dropout, broadcasting and a
    mask that is trained.
    """
    array = out._array
    if type(array) is ndarray and array.ndim == 4 and not array.flags.c_contiguous:
        storage = storage_of(out)
        storage.strided = storage.plain = True
    return out


def _unrecorded(query: Any, key: Any, value: Any, causal: Any, scale: Any) -> Tensor | None:
    """The same on arrays that fit each other, where nothing is recorded; None otherwise."""
    context = local.context
    if context.grad_enabled or context.dispatch:
        return None
    if not (isinstance(query, Tensor) and isinstance(key, Tensor) and isinstance(value, Tensor)):
        return None
    q, k, v = query._array, key._array, value._array
    kind, shape, size, given = q.dtype, q.shape, k.shape, v.shape
    if (
        (kind is not float32 and kind is not float64)
        or k.dtype is not kind
        or v.dtype is not kind
        or len(shape) < 2
        or not shape[-1]
    ):
        return None
    if not (shape == size == given) and (
        size[:-2] != shape[:-2] or size[-1] != shape[-1] or given[:-1] != size[:-1]
    ):
        return None
    scale = 1 / math.sqrt(shape[-1]) if scale is None else float(scale)
    problem = described(kernels.Problem, (shape, size, given, None, False, kind))
    extras = described(kernels.Extras, (None, scale, bool(causal), None, 1.0))
    y, _ = kernels.attention.choose(problem)(problem, q, k, v, extras, False)
    return wrap(y) if shape[-1] != given[-1] else _laid_out_as_seen(wrap(y))


def _given(query: Tensor, key: Tensor, value: Tensor) -> str:
    return f"query {describe(query)}, key {describe(key)} and value {describe(value)}"


def _check(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, p: float, causal: bool
) -> None:
    q, k, v = query._array, key._array, value._array
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise RuntimeError(
            f"{_NAME}(): Expected query, key, and value to all be at least 2 dimensional, but got "
            f"{_given(query, key, value)}"
        )
    kind = q.dtype
    if k.dtype != kind or v.dtype != kind:
        raise RuntimeError(
            f"{_NAME}(): Expected query, key, and value to have the same dtype, but got "
            f"{_given(query, key, value)}"
        )
    if kind.kind != "f":
        raise RuntimeError(
            f"{_NAME}(): expected floating-point numbers, got {_given(query, key, value)}"
        )
    if q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise RuntimeError(
            f"{_NAME}(): query and key must agree in their last dimension, key and value in the "
            f"one before, but got {_given(query, key, value)}"
        )
    if mask is not None:
        # PyTorch's fast kernel takes both together, the other one neither.
        fast = all(t.ndim == 4 for t in (query, key, value)) and query.size(-1) == value.size(-1)
        if causal and not (fast and p == 0 and not mask.requires_grad):
            raise RuntimeError(
                f"{_NAME}(): Explicit attn_mask should not be set when is_causal=True, but for "
                "tensors of four dimensions, without dropout or a gradient of the mask; got "
                f"{_given(query, key, value)}"
            )
        if mask._array.dtype not in (np.bool_, np.float32, kind):
            raise RuntimeError(
                f"{_NAME}(): Expected attn_mask dtype to be bool or float or to match query dtype, "
                f"but got {describe(mask)} and query {describe(query)}"
            )
    if not 0 <= p <= 1:
        raise RuntimeError(f"{_NAME}(): dropout probability has to be between 0 and 1, but got {p}")


def _shared_heads(query: Tensor, x: Tensor) -> Tensor:
    """Keys or values with each head repeated for the query's heads that share it."""
    if query.ndim < 3 or x.ndim < 3 or not x.size(-3) or query.size(-3) % x.size(-3):
        raise RuntimeError(
            f"{_NAME}(): Number of heads in key and value must divide the number of heads in query "
            f"(dimension -3), got {describe(query)} and {describe(x)}"
        )
    times = query.size(-3) // x.size(-3)
    return x if times == 1 else repeat_interleave(x, times, -3)


def _lead(given: list[tuple[int, ...]]) -> tuple[int, ...]:
    """The batch dimensions of several shapes, broadcast."""
    shapes = [shape[:-2] for shape in given]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        why = does_not_broadcast(shapes)
        raise RuntimeError(f"{_NAME}(): batch dimensions of query, key, value: {why}") from None


def _spread(x: Tensor, lead: tuple[int, ...]) -> Tensor:
    wanted = (*lead, *x._array.shape[-2:])
    return x if x._array.shape == wanted else shape.broadcast_to(x, shape=wanted)


def _added(mask: Tensor, scores: tuple[int, ...], kind: Any) -> Tensor:
    """A mask as numbers to be added: -inf where a bool is False."""
    if mask.ndim < 2:
        raise IndexError(
            f"{_NAME}(): attn_mask must have at least 2 dimensions, got {describe(mask)}"
        )
    try:
        fits = np.broadcast_shapes(mask._array.shape, scores) == scores
    except ValueError:
        fits = False
    if not fits:
        raise RuntimeError(
            f"{_NAME}(): attn_mask {describe(mask)} does not broadcast to the scores' shape "
            f"{scores}, (..., L, S)"
        )
    if mask._array.dtype == np.bool_:
        return wrap(np.where(mask._array, kind.type(0), kind.type(-np.inf)))
    return mask if mask._array.dtype == kind else elementwise.astype(mask, dtype=kind)
