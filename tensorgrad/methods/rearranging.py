"""Rolling, rotating, repeating and cutting as methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorgrad.functions import rearranging as functions

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["RearrangingMethods"]


def _cuts(given: tuple[Any, ...]) -> Any:
    """One number of pieces or one sequence of places; places may also be several arguments."""
    return given if len(given) > 1 else given[0] if given else None


class RearrangingMethods:
    """Rolling, rotating, repeating and cutting as methods."""

    __slots__ = ()

    def dsplit(
        self: Any, *cuts: Any, indices: Any = None, sections: Any = None
    ) -> tuple[Tensor, ...]:
        """tensor_split along dimension 2."""
        return functions.dsplit(self, _cuts(cuts), indices=indices, sections=sections)

    def fliplr(self: Any) -> Tensor:
        """Columns in reverse order."""
        return functions.fliplr(self)

    def flipud(self: Any) -> Tensor:
        """Rows in reverse order."""
        return functions.flipud(self)

    def hsplit(
        self: Any, *cuts: Any, indices: Any = None, sections: Any = None
    ) -> tuple[Tensor, ...]:
        """tensor_split along dimension 1, or 0 for vectors."""
        return functions.hsplit(self, _cuts(cuts), indices=indices, sections=sections)

    def repeat_interleave(
        self: Any, repeats: Any, dim: int | None = None, *, output_size: int | None = None
    ) -> Tensor:
        """Each slice along a dimension repeated, side by side; flattened when dim is None."""
        return functions.repeat_interleave(self, repeats, dim, output_size=output_size)

    def roll(self: Any, shifts: Any, dims: Any = None) -> Tensor:
        """Elements moved along dimensions, those that fall off coming in at the other end."""
        return functions.roll(self, shifts, dims)

    def rot90(self: Any, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
        """Rotated by k times 90 degrees, from the first of two dimensions towards the second."""
        return functions.rot90(self, k, dims)

    def tensor_split(
        self: Any,
        indices_or_sections: Any = None,
        dim: int = 0,
        *,
        indices: Any = None,
        sections: Any = None,
        tensor_indices_or_sections: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Pieces along a dimension: as equal as can be, or cut at the given places."""
        return functions.tensor_split(
            self,
            indices_or_sections,
            dim,
            indices=indices,
            sections=sections,
            tensor_indices_or_sections=tensor_indices_or_sections,
        )

    def unfold(self: Any, dimension: int, size: int, step: int) -> Tensor:
        """Windows of ``size`` every ``step`` along a dimension, as a last dimension."""
        return functions.unfold(self, dimension, size, step)

    def vsplit(
        self: Any, *cuts: Any, indices: Any = None, sections: Any = None
    ) -> tuple[Tensor, ...]:
        """tensor_split along dimension 0."""
        return functions.vsplit(self, _cuts(cuts), indices=indices, sections=sections)
