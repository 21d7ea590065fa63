"""Multi-head attention as a layer."""

from __future__ import annotations

from typing import Any

from tensorgrad.nn import init
from tensorgrad.nn.factory import parameter
from tensorgrad.nn.functional.multihead import canonical_mask, multi_head_attention_forward
from tensorgrad.nn.linear import NonDynamicallyQuantizableLinear
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.tensor import Tensor

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Attention in several heads at once, between projections.

    query (L, N, embed_dim), key (S, N, kdim), value (S, N, vdim); with batch_first N comes first;
    without N for one sequence.  in_proj_weight (3 * embed_dim, embed_dim) packs the three input
    projections; where kdim or vdim differ, they are q_proj_weight, k_proj_weight, v_proj_weight.
    add_bias_kv: a learned key and value at the end of each sequence; add_zero_attn: one of zeros.
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "embed_dim and num_heads must be greater than 0, got "
                f"embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError(
                f"embed_dim must be divisible by num_heads, got {embed_dim} and {num_heads}"
            )
        packed = self._qkv_same_embed_dim
        for name, columns in (("q", embed_dim), ("k", self.kdim), ("v", self.vdim)):
            own = None if packed else parameter(self, (embed_dim, columns), device, dtype)
            self.register_parameter(f"{name}_proj_weight", own)
        whole = parameter(self, (3 * embed_dim, embed_dim), device, dtype) if packed else None
        self.register_parameter("in_proj_weight", whole)
        shift = parameter(self, (3 * embed_dim,), device, dtype) if bias else None
        self.register_parameter("in_proj_bias", shift)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, device, dtype)
        if add_bias_kv:
            self.bias_k = parameter(self, (1, 1, embed_dim), device, dtype)
            self.bias_v = parameter(self, (1, 1, embed_dim), device, dtype)
        else:
            self.bias_k = self.bias_v = None
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        """Draw the projections by Xavier's rule; biases are 0."""
        for name in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
            if getattr(self, name) is not None:
                init.xavier_uniform_(getattr(self, name))
        for shift in (self.in_proj_bias, self.out_proj.bias):
            if shift is not None:
                init.constant_(shift, 0.0)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """(output, weights): the weights (N, L, S), or (N, heads, L, S), or None.

        Masks: bools, True where a key is *not* looked at, or numbers to be added to the scores.
        key_padding_mask (N, S); attn_mask (L, S) or (N * heads, L, S).  is_causal: a hint that
        attn_mask is the causal one, which is then not read.
        """
        batched = query.ndim == 3
        padding = canonical_mask(
            key_padding_mask, "key_padding_mask", attn_mask, "attn_mask", query
        )
        mask = canonical_mask(attn_mask, "attn_mask", None, "", query)
        if self.batch_first and batched:
            # Inputs that are one tensor must stay one: they share a product.
            turned = {id(x): x.transpose(0, 1) for x in (query, key, value)}
            query, key, value = (turned[id(x)] for x in (query, key, value))
        output, looked = multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=padding,
            need_weights=need_weights,
            attn_mask=mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        if self.batch_first and batched:
            return output.transpose(0, 1), looked
        return output, looked
