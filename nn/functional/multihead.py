"""Multi-head attention: projections, heads, attention, projection back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad.creation import zeros
from tensorgrad.functions.joining import cat
from tensorgrad.graph.node import wrap
from tensorgrad.graph.provenance import warn
from tensorgrad.nn.functional.attention import scaled_dot_product_attention
from tensorgrad.nn.functional.dropout import dropout
from tensorgrad.nn.functional.linear import linear
from tensorgrad.nn.functional.padding import pad
from tensorgrad.ops import shape
from tensorgrad.ops.softmax import softmax
from tensorgrad.tensor import Tensor

__all__ = ["canonical_mask", "multi_head_attention_forward"]


def _expect(condition: bool, message: str) -> None:
    """PyTorch's type for what does not fit here is AssertionError."""
    if not condition:
        raise AssertionError(f"multi_head_attention_forward(): {message}")


def canonical_mask(
    mask: Tensor | None, name: str, other: Any, other_name: str, like: Tensor
) -> Any:
    """A mask as numbers to be added to the scores: -inf where a bool is True.

    Warns where ``other``, the mask that it will be added to, has another dtype.
    """
    if mask is None:
        return None
    kind = mask._array.dtype
    if kind != np.bool_ and kind.kind != "f":
        raise AssertionError(f"only bool and floating types of {name} are supported, got {kind}")
    if other is not None and other.dtype != mask.dtype:
        warn(
            f"Support for mismatched {name} and {other_name} is deprecated. Use same type for "
            "both instead."
        )
    if kind == np.bool_:
        number = like._array.dtype.type
        if like._array.dtype.kind != "f":
            raise RuntimeError(
                f"{name}: -inf cannot be converted to the input's type without overflow: the input "
                f"is {like.dtype}; convert it with .float()"
            )
        return wrap(np.where(mask._array, number(-np.inf), number(0)))
    return mask


def _check_ranks(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    padding: Tensor | None,
    mask: Tensor | None,
    heads: int,
) -> bool:
    """Whether there is a batch; AssertionError unless all dimensions fit that."""
    _expect(
        query.ndim in (2, 3),
        f"query should be unbatched 2D or batched 3D tensor but received {query.ndim}-D",
    )
    n = query.ndim
    kind = "batched (3-D)" if n == 3 else "unbatched (2-D)"
    _expect(
        key.ndim == value.ndim == n,
        f"For {kind} `query`, expected `key` and `value` to be {n}-D but found {key.ndim}-D and "
        f"{value.ndim}-D tensors respectively",
    )
    _expect(
        padding is None or padding.ndim == n - 1,
        f"For {kind} `query`, expected `key_padding_mask` to be `None` or {n - 1}-D",
    )
    _expect(
        mask is None or mask.ndim in (2, 3),
        f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D",
    )
    if n == 2 and mask is not None and mask.ndim == 3:
        expected = (heads, query.size(0), key.size(0))
        _expect(
            tuple(mask.shape) == expected,
            f"Expected `attn_mask` shape to be {expected} but got {tuple(mask.shape)}",
        )
    return n == 3


def _pieces(x: Tensor, count: int) -> Any:
    """Equal parts of the last dimension."""
    size = x.size(-1) // count
    return shape.split(x, sections=(size,) * count, axis=x.ndim - 1)


def _rows(x: Tensor | None, *sizes: int) -> tuple[Any, ...]:
    """A packed weight or bias cut into pieces of so many rows."""
    return (None,) * len(sizes) if x is None else tuple(shape.split(x, sections=sizes, axis=0))


def _projected(query: Tensor, key: Tensor, value: Tensor, weight: Tensor, bias: Any) -> Any:
    """Query, key and value through a packed weight (3E, E): one product for equal inputs."""
    e = query.size(-1)
    if key is value and query is key:
        return _pieces(linear(query, weight, bias), 3)
    if key is value:
        (w_q, w_rest), (b_q, b_rest) = _rows(weight, e, 2 * e), _rows(bias, e, 2 * e)
        return linear(query, w_q, b_q), *_pieces(linear(key, w_rest, b_rest), 2)
    weights, biases = _rows(weight, e, e, e), _rows(bias, e, e, e)
    return tuple(map(linear, (query, key, value), weights, biases))


def _separately(
    inputs: tuple[Tensor, ...], weights: tuple[Tensor | None, ...], bias: Tensor | None, e: int
) -> Any:
    """Query, key and value through weights of their own."""
    found = []
    for name, x, w, b in zip("qkv", inputs, weights, _rows(bias, e, e, e), strict=True):
        if w is None:
            raise AssertionError(f"use_separate_proj_weight is True but {name}_proj_weight is None")
        expected = (e, x.size(-1))
        _expect(
            tuple(w.shape) == expected,
            f"expecting {name}_proj_weight of shape {expected}, but got {tuple(w.shape)}",
        )
        found.append(linear(x, w, b))
    return found


def _mask_of(mask: Tensor | None, batch: int, heads: int, queries: int, keys: int) -> Any:
    """The mask as (1, L, S) or (N * heads, L, S)."""
    if mask is None:
        return None
    expected = (queries, keys) if mask.ndim == 2 else (batch * heads, queries, keys)
    if tuple(mask.shape) != expected:
        raise RuntimeError(
            f"The shape of the {mask.ndim}D attn_mask is {tuple(mask.shape)}, but should be "
            f"{expected}."
        )
    return mask.unsqueeze(0) if mask.ndim == 2 else mask


def _in_heads(x: Any, static: Tensor | None, name: str, count: int, size: int) -> Tensor:
    """(length, N, E) as (N * heads, length, E / heads); or what was given in its place."""
    if static is None:
        whole: Tensor = x.reshape(x.size(0), count, size)
        return whole.transpose(0, 1)
    _expect(
        static.size(0) == count and static.size(2) == size,
        f"expecting {name} of shape ({count}, S, {size}), but got {tuple(static.shape)}",
    )
    return static


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What `MultiheadAttention` computes, from its parameters: see there.

    query (L, N, E), key (S, N, E_k), value (S, N, E_v), or without N.  static_k, static_v: keys and
    values to use instead of the projected ones, (N * heads, S, E / heads).
    """
    batched = _check_ranks(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        same = key is query, value is key
        query = query.unsqueeze(1)
        key = query if same[0] else key.unsqueeze(1)
        value = key if same[1] else value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    queries, batch, e = query.shape
    padding = canonical_mask(key_padding_mask, "key_padding_mask", attn_mask, "attn_mask", query)
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module "
            "method `generate_square_subsequent_mask` to create this mask."
        )
    if is_causal and padding is None and not need_weights:
        attn_mask = None
    else:
        attn_mask = canonical_mask(attn_mask, "attn_mask", None, "", query)
        is_causal = False
    _expect(
        e == embed_dim_to_check,
        f"was expecting embedding dimension of {embed_dim_to_check}, but got {e}",
    )
    size = e // num_heads
    _expect(size * num_heads == e, f"embed_dim {e} not divisible by num_heads {num_heads}")
    if use_separate_proj_weight:
        _expect(
            key.shape[:2] == value.shape[:2],
            f"key's sequence and batch dims {tuple(key.shape[:2])} do not match value's "
            f"{tuple(value.shape[:2])}",
        )
        weights = q_proj_weight, k_proj_weight, v_proj_weight
        q, k, v = _separately((query, key, value), weights, in_proj_bias, e)
    else:
        _expect(
            key.shape == value.shape,
            f"key shape {tuple(key.shape)} does not match value shape {tuple(value.shape)}",
        )
        if in_proj_weight is None:
            raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
        q, k, v = _projected(query, key, value, in_proj_weight, in_proj_bias)
    mask = _mask_of(attn_mask, batch, num_heads, queries, key.size(0))

    count, more = batch * num_heads, 0
    if bias_k is not None and bias_v is not None:
        _expect(static_k is None, "bias cannot be added to static key.")
        _expect(static_v is None, "bias cannot be added to static value.")
        k = cat([k, bias_k.expand(1, batch, e)])
        v = cat([v, bias_v.expand(1, batch, e)])
        more += 1
    else:
        _expect(bias_k is None and bias_v is None, "bias_k and bias_v must both be given, or none")
    q = _in_heads(q, None, "query", count, size)
    k = _in_heads(k, static_k, "static_k", count, size)
    v = _in_heads(v, static_v, "static_v", count, size)
    if add_zero_attn:
        nothing = zeros(count, 1, size, dtype=k.dtype)
        k, v = cat([k, nothing], 1), cat([v, nothing], 1)
        more += 1
    keys = k.size(1)
    if more:  # the added keys are never masked
        mask = None if mask is None else pad(mask, (0, more))
        padding = None if padding is None else pad(padding, (0, more))
    if padding is not None:
        _expect(
            tuple(padding.shape) == (batch, keys),
            f"Expected key_padding_mask of shape {(batch, keys - more)}, but got "
            f"{(padding.size(0), padding.size(1) - more)}",
        )
        each = padding.reshape(batch, 1, 1, keys).expand(-1, num_heads, -1, -1)
        each = each.reshape(count, 1, keys)
        mask = each if mask is None else mask + each
    if not training:
        dropout_p = 0.0

    looked = None
    if need_weights:
        scores = (q * math.sqrt(1 / size)) @ k.transpose(1, 2)
        looked = softmax(scores if mask is None else scores + mask, axis=-1)
        if dropout_p > 0:
            looked = dropout(looked, dropout_p)
        out = looked @ v
        looked = looked.reshape(batch, num_heads, queries, keys)
        if average_attn_weights:
            looked = looked.mean(1)
    else:
        out = scaled_dot_product_attention(q, k, v, mask, dropout_p, is_causal)
    out = out.transpose(0, 1).reshape(queries * batch, e)
    out = linear(out, out_proj_weight, out_proj_bias)
    out = out.reshape(queries, batch, out.size(1))
    if not batched:
        return out.squeeze(1), None if looked is None else looked.squeeze(0)
    return out, looked
