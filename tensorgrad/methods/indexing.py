"""Indexing methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from tensorgrad.functions import indexing as functions

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["IndexingMethods"]


class IndexingMethods:
    """Indexing methods."""

    __slots__ = ()

    def __getitem__(self: Any, index: Any) -> Tensor:
        return functions.getitem(self, index)

    def __setitem__(self: Any, index: Any, value: Any) -> None:
        functions.setitem(self, index, value)

    def __delitem__(self: Any, index: Any) -> NoReturn:
        raise TypeError("Tensor does not support deleting items")

    def argwhere(self: Any) -> Tensor:
        """The indices of nonzero elements, (count, ndim)."""
        return functions.argwhere(self)

    def gather(self: Any, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
        """out[i][j] = input[index[i][j]][j] for dim 0: one element along ``dim`` for each place."""
        return functions.gather(self, dim, index, sparse_grad=sparse_grad)

    def index_select(self: Any, dim: int, index: Tensor) -> Tensor:
        """The slices at integer positions along a dimension."""
        return functions.index_select(self, dim, index)

    def masked_fill(self: Any, mask: Tensor, value: Any) -> Tensor:
        """``value`` (a number or 0-d tensor) where the mask holds, input elsewhere."""
        return functions.masked_fill(self, mask, value)

    def masked_select(self: Any, mask: Tensor) -> Tensor:
        """The elements where the mask holds, in one dimension."""
        return functions.masked_select(self, mask)

    def nonzero(self: Any, *, as_tuple: bool = False) -> Any:
        """The indices of nonzero elements: (count, ndim), or a tuple of one vector per
        dimension.
        """
        return functions.nonzero(self, as_tuple=as_tuple)

    def take_along_dim(self: Any, indices: Tensor, dim: int | None = None) -> Tensor:
        """As gather, with broadcasting of all other dimensions; flattened when dim is None."""
        return functions.take_along_dim(self, indices, dim)
