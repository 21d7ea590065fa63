"""Helpers for distributions of one's own, under PyTorch's path and names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad.distributions.parameters import (
    broadcast_all,
    clamp_probs,
    logits_to_probs,
    probs_to_logits,
)
from tensorgrad.tensor import Tensor

__all__ = [
    "broadcast_all",
    "clamp_probs",
    "lazy_property",
    "logits_to_probs",
    "probs_to_logits",
    "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]


class lazy_property:
    """A decorator of a method: an attribute that is computed, with its graph, when first asked."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__
        self.__name__ = wrapped.__name__

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        with tg.enable_grad():  # or a distribution first asked under no_grad would never have one
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The lower triangle of matrices (..., D, D), up to a diagonal, row by row: (..., n)."""
    size = mat.shape[-1]
    if not -size <= diag < size:
        raise ValueError(
            f"tril_matrix_to_vec: diag must be from {-size} to {size - 1} for matrices of shape "
            f"{tuple(mat.shape)}, got {diag}"
        )
    rows, columns = np.tril_indices(size, diag)
    return mat[..., rows, columns]


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """The inverse of `tril_matrix_to_vec`: (..., n) in the lower triangles of (..., D, D)."""
    count, size = vec.shape[-1], max(1, -diag)
    while np.tri(size, k=diag).sum() < count:
        size += 1
    rows, columns = np.tril_indices(size, diag)
    if len(rows) != count:
        raise ValueError(
            f"vec_to_tril_matrix: no square matrix has {count} elements up to diagonal {diag}; got "
            f"shape {tuple(vec.shape)}"
        )
    found = tg.zeros(*vec.shape[:-1], size, size, dtype=vec.dtype)
    found[..., rows, columns] = vec
    return found
