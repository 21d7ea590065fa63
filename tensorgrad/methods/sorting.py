"""Sorting, searching and counting as methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions import sorting as functions

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["SortingMethods"]


class SortingMethods:
    """Sorting, searching and counting as methods."""

    __slots__ = ()

    def argsort(self: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
        """The indices that sort along a dimension; always stable."""
        return functions.argsort(self, dim, descending, stable)

    def bincount(self: Any, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
        """How often each whole number from 0 occurs, or the sum of its weights."""
        return functions.bincount(self, weights, minlength)

    def histc(self: Any, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
        """Counts in equal intervals from min to max; from the data's own when both are 0."""
        return functions.histc(self, bins, min, max)

    def kthvalue(self: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
        """The k-th smallest (from 1) along a dimension: (values, indices)."""
        return functions.kthvalue(self, k, dim, keepdim)

    def msort(self: Any) -> Tensor:
        """Sorted along dimension 0."""
        return functions.msort(self)

    def sort(self: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
        """(values, indices) in order along a dimension; always stable, NaN last."""
        return functions.sort(self, dim, descending, stable)

    def topk(self: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
        """The k largest (or smallest) along a dimension, in order: (values, indices)."""
        return functions.topk(self, k, dim, largest, sorted)

    def unique(
        self: Any,
        sorted: bool = True,
        return_inverse: bool = False,
        return_counts: bool = False,
        dim: int | None = None,
    ) -> Any:
        """The different elements, in order (of slices along ``dim``), with where and how often."""
        return functions.unique(self, sorted, return_inverse, return_counts, dim)

    def unique_consecutive(
        self: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
    ) -> Any:
        """The elements (or slices along ``dim``) with repeats that follow each other taken out."""
        return functions.unique_consecutive(self, return_inverse, return_counts, dim)
