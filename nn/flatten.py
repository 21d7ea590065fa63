"""Layers that only change the shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tensorgrad.functions.shape import flatten
from tensorgrad.nn.module import Module
from tensorgrad.nn.short_calls import on_arrays
from tensorgrad.tensor import Tensor

__all__ = ["Flatten", "Unflatten"]


def _joined(module: Any, x: Any, own: bool) -> Any:
    """Of an image that a layer before made: nobody can see whether the result shares its memory."""
    if not own or module.start_dim != 1 or module.end_dim != -1 or x.ndim < 2:
        return None
    return x.reshape(len(x), math.prod(x.shape[1:]))


def _joined_recorded(module: Any, x: Any) -> Any:
    if type(x).flatten is not Tensor.flatten:
        raise NotImplementedError  # a subclass has a method of its own, which the forward calls
    return flatten(x, module.start_dim, module.end_dim)


class Flatten(Module):
    """Joins the dimensions from start_dim to end_dim: by default (N, ...) to (N, features)."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    @on_arrays(_joined, _joined_recorded)
    def forward(self, input: Tensor) -> Tensor:
        """The same elements under the new shape."""
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits dimension ``dim`` into ``unflattened_size``, in which one size may be -1."""

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if isinstance(dim, bool) or not isinstance(dim, int):
            raise TypeError(
                f"Unflatten: dim must be an int, got {dim!r}; tensors have no named dimensions here"
            )
        if not isinstance(unflattened_size, (tuple, list)) or not all(
            isinstance(size, int) for size in unflattened_size
        ):
            raise TypeError(
                f"Unflatten: unflattened_size must be a tuple of ints, got {unflattened_size!r}"
            )
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """The same elements under the new shape."""
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
