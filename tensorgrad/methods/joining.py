"""Splitting and repeating as methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions import joining as functions
from tensorgrad.functions.shape import given_once, sizes_of

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["JoiningMethods"]


class JoiningMethods:
    """Splitting and repeating as methods."""

    __slots__ = ()

    def chunk(self: Any, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
        """At most ``chunks`` pieces of equal size along a dimension."""
        return functions.chunk(self, chunks, dim)

    def split(self: Any, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]:
        """Pieces along a dimension: of one size (the last may be smaller), or of the sizes
        listed.
        """
        return functions.split(self, split_size, dim)

    def unbind(self: Any, dim: int = 0) -> tuple[Tensor, ...]:
        """The slices along a dimension, without it."""
        return functions.unbind(self, dim)

    def repeat(self: Any, *times: Any, repeats: Any = None) -> Tensor:
        """Repeated along each dimension; new dimensions may be added in front."""
        sizes = sizes_of(times if repeats is None else given_once("repeat", times, repeats))
        if len(sizes) < self.ndim:
            raise RuntimeError(
                "Number of dimensions of repeat dims can not be smaller than number of dimensions "
                "of tensor"
            )
        return functions.tile(self, sizes)

    def tile(self: Any, *times: Any, dims: Any = None) -> Tensor:
        """Repeated along each dimension as often as dims says."""
        several = times if dims is None else given_once("tile", times, dims)
        return functions.tile(self, sizes_of(several))
