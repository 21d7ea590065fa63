"""Stacks of Transformer layers: TransformerEncoder, TransformerDecoder, Transformer."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from tensorgrad.autograd import is_grad_enabled
from tensorgrad.device import check_device
from tensorgrad.dtypes import default_float, numpy_dtype
from tensorgrad.errors import describe
from tensorgrad.graph.node import wrap
from tensorgrad.graph.provenance import warn
from tensorgrad.nn import functional as F
from tensorgrad.nn import init
from tensorgrad.nn.activation import GELU, ReLU
from tensorgrad.nn.container import ModuleList
from tensorgrad.nn.functional.multihead import canonical_mask
from tensorgrad.nn.layernorm import LayerNorm
from tensorgrad.nn.module import Module
from tensorgrad.nn.transformer import Activation, TransformerDecoderLayer, TransformerEncoderLayer
from tensorgrad.ops import elementwise
from tensorgrad.tensor import Tensor

__all__ = ["Transformer", "TransformerDecoder", "TransformerEncoder"]


def _causal(size: int, kind: Any) -> Any:
    return np.triu(np.full((size, size), -np.inf), 1).astype(kind)


def _is_causal(mask: Tensor | None, hint: bool | None, size: int) -> bool:
    """The hint, or without one whether the mask is the causal one of that size."""
    if hint is not None or mask is None:
        return hint is True
    kind = mask._array.dtype
    return mask._array.shape == (size, size) and np.array_equal(mask._array, _causal(size, kind))


def _length(x: Tensor, batch_first: bool) -> int:
    return int(x.size(1 if x.ndim == 3 and batch_first else 0))


def _why_not_nested(layer: Any) -> str:
    """Why PyTorch would not use nested tensors for this layer; empty if it would."""
    if not isinstance(layer, TransformerEncoderLayer):
        return "encoder_layer was not TransformerEncoderLayer"
    attention = layer.self_attn
    simple = layer.activation in (F.relu, F.gelu) or isinstance(layer.activation, (ReLU, GELU))
    reasons = {
        "norm_first was True": layer.norm_first,
        "self_attn.batch_first was not True"
        "(use batch_first for better inference performance)": not attention.batch_first,
        "self_attn._qkv_same_embed_dim was not True": not attention._qkv_same_embed_dim,
        "self_attn was passed bias=False": attention.in_proj_bias is None,
        "activation_relu_or_gelu was not True": not simple,
        "norm1.eps was not equal to encoder_layer.norm2.eps": layer.norm1.eps != layer.norm2.eps,
        "self_attn.num_heads is odd": attention.num_heads % 2 == 1,
    }
    return next((f"encoder_layer.{why}" for why, holds in reasons.items() if holds), "")


def _get_clones(module: Module, N: int) -> ModuleList:
    """N copies of a module; PyTorch's name, which stacks of layers elsewhere import."""
    return ModuleList([copy.deepcopy(module) for _ in range(N)])


class TransformerEncoder(Module):
    """num_layers copies of an encoder layer, one after the other, and then ``norm``.

    The copies begin with the same parameters.  enable_nested_tensor: in evaluation, without
    gradients, and where PyTorch would take that path, padded positions come out of the layers as
    zeros (there are no nested tensors here, and nothing is skipped).  mask_check: take that path
    only if all padding is at the end of the sequences.
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _get_clones(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.use_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check
        if enable_nested_tensor and (why := _why_not_nested(encoder_layer)):
            warn("enable_nested_tensor is True, but self.use_nested_tensor is False because " + why)
            self.use_nested_tensor = False

    def _clears_padding(self, src: Tensor, mask: Any, padding: Any) -> bool:
        """Whether PyTorch would use nested tensors, from which padding comes back as zeros."""
        if not self.use_nested_tensor or padding is None or mask is not None or src.ndim != 3:
            return False
        first: Any = self.layers[0]
        if first.training:
            return False
        padded = padding._array != 0
        if self.mask_check and (padded[:, :-1] & ~padded[:, 1:]).any():
            return False
        used = (src, *first.parameters())
        return not (is_grad_enabled() and any(t.requires_grad for t in used))

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """The sequence after all layers; is_causal None: see whether ``mask`` is the causal one."""
        padding = canonical_mask(src_key_padding_mask, "src_key_padding_mask", mask, "mask", src)
        mask = canonical_mask(mask, "mask", None, "", src)
        first: Any = self.layers[0]
        causal = _is_causal(mask, is_causal, _length(src, first.self_attn.batch_first))
        out = src
        for layer in self.layers:
            out = layer(out, src_mask=mask, is_causal=causal, src_key_padding_mask=padding)
        if self._clears_padding(src, mask, padding):
            there = padding._array == 0
            out = elementwise.mask(out, mask=np.broadcast_to(there[..., None], out.shape))
        return out if self.norm is None else self.norm(out)


class TransformerDecoder(Module):
    """num_layers copies of a decoder layer, one after the other, and then ``norm``."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _get_clones(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The target after all layers; tgt_is_causal as for the encoder."""
        first: Any = self.layers[0]
        causal = _is_causal(tgt_mask, tgt_is_causal, _length(tgt, first.self_attn.batch_first))
        out = tgt
        for layer in self.layers:
            out = layer(
                out,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return out if self.norm is None else self.norm(out)


class Transformer(Module):
    """An encoder and a decoder: (S, N, d_model) and (T, N, d_model) to (T, N, d_model).

    With batch_first N comes first; without N for one pair of sequences.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        words: dict[str, Any] = {
            "dim_feedforward": dim_feedforward,
            "dropout": dropout,
            "activation": activation,
            "layer_norm_eps": layer_norm_eps,
            "batch_first": batch_first,
            "norm_first": norm_first,
            "bias": bias,
            "device": device,
            "dtype": dtype,
        }
        last: dict[str, Any] = {
            "eps": layer_norm_eps, "bias": bias, "device": device, "dtype": dtype
        }  # fmt: skip
        if custom_encoder is None:
            layer: Module = TransformerEncoderLayer(d_model, nhead, **words)
            custom_encoder = TransformerEncoder(
                layer, num_encoder_layers, LayerNorm(d_model, **last)
            )
        self.encoder = custom_encoder
        if custom_decoder is None:
            layer = TransformerDecoderLayer(d_model, nhead, **words)
            custom_decoder = TransformerDecoder(
                layer, num_decoder_layers, LayerNorm(d_model, **last)
            )
        self.decoder = custom_decoder
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def _reset_parameters(self) -> None:
        """Draw all matrices by Xavier's rule."""
        for p in self.parameters():
            if p.ndim > 1:
                init.xavier_uniform_(p)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """The causal mask (sz, sz): -inf where a key comes after the query, else 0."""
        check_device(device)
        return wrap(_causal(sz, default_float() if dtype is None else numpy_dtype(dtype)))

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The decoder's output for tgt, with the encoder's output for src as its memory."""
        batch = 0 if self.batch_first else 1
        if src.ndim == 3 and src.size(batch) != tgt.size(batch):
            raise RuntimeError(
                "the batch number of src and tgt must be equal, got src "
                f"{describe(src)} and tgt {describe(tgt)}"
            )
        if src.size(-1) != self.d_model or tgt.size(-1) != self.d_model:
            raise RuntimeError(
                "the feature number of src and tgt must be equal to d_model "
                f"({self.d_model}), got src {describe(src)} and tgt {describe(tgt)}"
            )
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        out: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return out
