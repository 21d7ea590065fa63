"""Layers that only change the shape."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

from tensorgrad.functions.shape import flatten
from tensorgrad.graph.node import local
from tensorgrad.graph.storages import SAVED
from tensorgrad.nn.module import Module
from tensorgrad.nn.short_calls import on_arrays
from tensorgrad.ops.shape import reshape
from tensorgrad.tensor import Tensor

__all__ = ["Flatten", "Unflatten"]


def _joined(module: Any, x: Any, own: bool) -> Any:
    """Of an image that a layer before made: nobody can see whether the result shares its memory."""
    if not own or module.start_dim != 1 or module.end_dim != -1 or x.ndim < 2:
        return None
    return x.reshape(len(x), math.prod(x.shape[1:]))


def _references() -> int:
    """How many references Python counts to what only `short_calls.recorded` holds, in a rule."""

    def rule(x: Any) -> int:
        return sys.getrefcount(x)

    def recorded(value: Any) -> int:
        return rule(value)

    return recorded(object())


_SOLE = _references()


def _joined_recorded(module: Any, x: Any) -> Any:
    if type(x).flatten is not Tensor.flatten:
        raise NotImplementedError  # a subclass has a method of its own, which the forward calls
    array = x._array
    if (
        module.start_dim == 1
        and module.end_dim == -1
        and not array.flags.c_contiguous
        and sys.getrefcount(x) <= _SOLE
        and x._view is None
        and ((held := x._held) is None or held is SAVED)
        and not local.context.on_forward
    ):
        # Images that lie channels last, in a Tensor that the layer before made and nobody else has:
        # nobody can see whether the result shares its memory, for which `flatten` would exchange
        # that memory: 480 bytecodes of a step.
        return reshape(x, shape=(len(array), math.prod(array.shape[1:])))
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
