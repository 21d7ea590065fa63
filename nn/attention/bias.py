"""Causal masks of attention where there are not as many queries as keys."""

from __future__ import annotations

from tensorgrad.creation import ones
from tensorgrad.functions.shape import tril
from tensorgrad.tensor import Tensor

__all__ = ["causal_lower_right", "causal_upper_left"]


def causal_upper_left(*size: int) -> Tensor:
    """A mask (queries, keys): query i looks at the keys up to i, counted from the first of both.

    A bool Tensor for ``attn_mask``; PyTorch's is an object of its own that stands for it.
    """
    return _mask("causal_upper_left", size, 0)


def causal_lower_right(*size: int) -> Tensor:
    """A mask (queries, keys): the last query looks at all keys, each one before at one less."""
    offset = size[1] - size[0] if len(size) == 2 else 0
    return _mask("causal_lower_right", size, offset)


def _mask(name: str, size: tuple[int, ...], offset: int) -> Tensor:
    if len(size) != 2:
        raise AssertionError(f"{name}: two sizes are needed, of queries and keys, got {size}")
    return tril(ones(size, dtype=bool), diagonal=offset)
