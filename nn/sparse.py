"""Table look-ups."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from tensorgrad.nn import functional as F
from tensorgrad.nn import init
from tensorgrad.nn.factory import parameter
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.nn.short_calls import on_arrays
from tensorgrad.tensor import Tensor

__all__ = ["Embedding"]


def _embedding(module: Any, index: Any, own: bool) -> Any:
    state = module.__dict__
    weight = state["_parameters"]["weight"]._array
    rows, _ = weight.shape
    if state["max_norm"] is not None or index.dtype.char not in "ilq" or not index.size:
        return None
    padding = state["padding_idx"]
    if padding is not None and not -rows <= padding < rows:
        return None
    # `take` raises where an index is too large, but counts negative ones from the end.
    return weight.take(index, axis=0) if np.minimum.reduce(index, axis=None) >= 0 else None


class Embedding(Module):
    """Row i of a learned table (num_embeddings, embedding_dim) for every index i of the input.

    padding_idx: a row that starts at 0 and receives no gradient.  max_norm: rows that are looked
    up are first scaled down to at most this ``norm_type``-norm.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if sparse:
            raise NotImplementedError("Embedding: sparse=True is not supported; leave it out")
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise AssertionError(
                    f"Embedding: padding_idx must be within num_embeddings ({num_embeddings}), got "
                    f"{padding_idx}"
                )
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if _weight is None:
            self.weight = parameter(self, (num_embeddings, embedding_dim), device, dtype)
            self.weight.requires_grad_(not _freeze)
            self.reset_parameters()
        else:
            if tuple(_weight.shape) != (num_embeddings, embedding_dim):
                raise AssertionError(
                    f"Embedding: the weight has shape {tuple(_weight.shape)}, expected "
                    f"({num_embeddings}, {embedding_dim})"
                )
            self.weight = Parameter(_weight, requires_grad=not _freeze)

    def reset_parameters(self) -> None:
        """Draw the table anew from N(0, 1), its padding row 0."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight._array[self.padding_idx] = 0

    @on_arrays(_embedding, integers=True)
    def forward(self, input: Tensor) -> Tensor:
        """The rows, of shape (*input.shape, embedding_dim)."""
        return F.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type,
            self.scale_grad_by_freq,
        )  # fmt: skip

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += ", scale_grad_by_freq=True"
        return text

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:
        """A layer on a given table (rows, columns), which is not trained unless freeze=False."""
        if embeddings.ndim != 2:
            raise AssertionError(
                "Embedding.from_pretrained: expected 2-dimensional embeddings, got "
                f"{embeddings.ndim}-d"
            )
        rows, columns = embeddings.shape
        return cls(
            rows,
            columns,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight=embeddings,
            _freeze=freeze,
        )
