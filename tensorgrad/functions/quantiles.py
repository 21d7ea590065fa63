"""Quantiles, with PyTorch's ways of interpolating."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.batching import each_example
from tensorgrad.functions.shape import permute, reshape, wrap_dim
from tensorgrad.graph.node import TensorBase
from tensorgrad.ops import elementwise, indexing

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["nanquantile", "quantile"]

_BETWEEN = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(
    input: Tensor, q: Any, dim: Any, keepdim: bool, interpolation: str, blind: bool, name: str
) -> Tensor:
    if input._array.dtype.kind != "f" or input._array.dtype.itemsize < 4:
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if interpolation not in _BETWEEN:
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, "
            "but "
            f"got {interpolation}"
        )
    levels = q._array if isinstance(q, TensorBase) else np.asarray(q, input._array.dtype)
    if levels.ndim > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
    if isinstance(q, TensorBase) and levels.dtype != input._array.dtype:
        raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
    if np.any((levels < 0) | (levels > 1)):
        raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    if not input._array.size:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    full = (1,) * input.ndim
    source = reshape(input, (-1,)) if dim is None else input
    axis = 0 if dim is None else wrap_dim(dim, input.ndim)
    if source.ndim == 0:
        source = reshape(source, (1,))
    moved = permute(source, [*(i for i in range(source.ndim) if i != axis), axis])
    array = moved._array
    size = array.shape[-1]

    def neighbours(array: Any, levels: Any) -> tuple[Any, ...]:
        """Where the elements below and above each level are, and the weight of that above: the
        level times a slope, less an offset, if it is linear.
        """
        nans = np.isnan(array).sum(-1, keepdims=True)
        valid = np.maximum(size - nans, 1) if blind else np.full_like(nans, size)
        order = np.argsort(array, axis=-1, kind="stable")
        rank = levels.reshape(-1) * (valid - 1)  # (..., number of levels)
        if not blind:
            rank = np.where(nans > 0, size - 1, rank)  # the last is NaN then
        low, high = np.floor(rank).astype(np.int64), np.ceil(rank).astype(np.int64)
        seen = nans == 0 if not blind else np.ones_like(nans, bool)
        slope, offset = np.where(seen, valid - 1, 0), np.where(seen, low, 0)
        weight = (rank - low).astype(array.dtype)
        if interpolation == "nearest":
            low = high = np.round(rank).astype(np.int64)
        elif interpolation == "lower":
            high = low
        elif interpolation == "higher":
            low = high
        elif interpolation == "midpoint":
            weight = np.where(low == high, 0, 0.5).astype(array.dtype)
        below, above = (np.take_along_axis(order, rank, -1) for rank in (low, high))
        return below, above, weight, slope.astype(array.dtype), offset.astype(array.dtype)

    below, above, weight, slope, offset = each_example(neighbours, array, levels)
    if interpolation == "linear" and getattr(q, "requires_grad", False):
        weight = elementwise.sub(elementwise.mul(reshape(q, (-1,)), slope), offset)
    first = indexing.gather(moved, index=below, axis=-1)
    if interpolation in ("linear", "midpoint"):
        second = indexing.gather(moved, index=above, axis=-1)
        first = elementwise.add(first, elementwise.mul(elementwise.sub(second, first), weight))
    kept = (
        full
        if dim is None
        else tuple(1 if i == axis else n for i, n in enumerate(input._array.shape))
    )
    rest = tuple(n for i, n in enumerate(source._array.shape) if i != axis)
    target = kept if keepdim else rest
    levels_first = permute(first, [first.ndim - 1, *range(first.ndim - 1)])
    return reshape(levels_first, (levels.size, *target) if levels.ndim else target)


def quantile(
    input: Tensor,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """The q-th quantiles of all elements or along a dimension; several q come first in the
    shape.
    """
    return _quantile(input, q, dim, keepdim, interpolation, False, "quantile")


def nanquantile(
    input: Tensor,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """As `quantile`, overlooking NaN."""
    return _quantile(input, q, dim, keepdim, interpolation, True, "nanquantile")
