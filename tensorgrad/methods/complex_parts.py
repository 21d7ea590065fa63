"""Parts of complex tensors as methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions import complex_parts as functions

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["ComplexMethods"]


class ComplexMethods:
    """Parts of complex tensors as methods."""

    __slots__ = ()

    def angle(self: Any) -> Tensor:
        """The argument in radians; of a real tensor 0, or pi where it is negative."""
        return functions.angle(self)
