"""Histograms of one and of several dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tensorgrad.batching import Batch
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.return_types import returned_by

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["histogram", "histogramdd"]


@returned_by("histogram")
class histogram_(NamedTuple):
    """Counts, or weights, or densities, and the edges of the bins."""

    hist: Tensor
    bin_edges: Tensor


@returned_by("histogramdd")
class histogramdd_(NamedTuple):
    """Counts, or weights, or densities, and the edges of the bins, one vector a dimension."""

    hist: Tensor
    bin_edges: tuple[Tensor, ...]


def _edges(name: str, points: Any, bins: Any, low: Any, high: Any, d: int) -> Any:
    """The edges along one dimension: given, or evenly spaced over a range or the data."""
    if isinstance(bins, TensorBase):
        array = bins._array
        if array.dtype != points.dtype:
            raise RuntimeError(
                f"{name}: input tensor and bins tensors should have the same dtype, but got input "
                f"with dtype {points.dtype} and bins for dimension {d} with dtype {array.dtype}"
            )
        if array.ndim != 1 or array.size < 2:
            raise RuntimeError(
                f"{name}: bins tensor for dimension {d} should be a vector of at least two edges, "
                f"got shape {array.shape}"
            )
        return array
    if not bins > 0:
        raise RuntimeError(f"{name}: bins must be > 0, but got {bins} for dimension {d}")
    if low is None:
        low, high = (points.min(), points.max()) if points.size else (0.0, 1.0)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise RuntimeError(f"{name}: dimension {d}'s range [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError(
            f"{name}: min should not exceed max, but got min {low} max {high} for dimension {d}"
        )
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1).astype(points.dtype)


def _places(column: Any, edges: Any) -> Any:
    """The bin of each number, the last one closed at both ends; -1 outside and for NaN."""
    found = np.searchsorted(edges, column, side="right") - 1
    found[column == edges[-1]] = edges.size - 2
    outside = ~((column >= edges[0]) & (column <= edges[-1]))
    found[outside] = -1
    return found


def _counted(
    name: str, points: Any, edges: list[Any], weight: Tensor | None, shape: Any, density: bool
) -> Tensor:
    """The histogram of points (rows) over a grid of bins."""
    if weight is not None:
        if weight._array.shape != shape:
            raise RuntimeError(
                f"{name}: if weight tensor is provided it should have the shape {list(shape)} of "
                f"the points, but got {list(weight._array.shape)}"
            )
        if weight._array.dtype != points.dtype:
            raise RuntimeError(
                f"{name}: if weight tensor is provided, input tensor and weight tensor should have "
                f"the same dtype, but got {points.dtype} and {weight._array.dtype}"
            )
    sizes = tuple(e.size - 1 for e in edges)
    places = np.stack([_places(points[:, d].copy(), e) for d, e in enumerate(edges)])
    inside = (places >= 0).all(0)
    flat = np.ravel_multi_index(tuple(places[:, inside]), sizes)
    weights = None if weight is None else weight._array.reshape(-1)[inside]
    counts = np.bincount(flat, weights, int(np.prod(sizes))).reshape(sizes).astype(points.dtype)
    if density:
        counts = counts / counts.sum()
        for d, e in enumerate(edges):
            shape = [-1 if i == d else 1 for i in range(len(sizes))]
            counts = counts / np.diff(e).reshape(shape)
    return wrap(counts.astype(points.dtype))


def _check_floats(name: str, input: Tensor) -> None:
    if input._array.dtype.kind != "f":
        raise NotImplementedError(f"{name} is not implemented for {input.dtype}; use .float()")


def histogram(
    input: Tensor,
    bins: Any = 100,
    *,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> histogram_:
    """How many elements fall in each bin, and the edges of the bins.

    bins: their number, over ``range`` or from the least to the largest element; or a vector of
        edges.  Every bin but the last is open above.
    weight: what each element counts, instead of 1.
    density: divide so that the integral over the bins is 1.
    """
    _check_floats("histogram", input)
    if isinstance(input._array, Batch):
        input._array.refuse("histogram")
    if range is not None and isinstance(bins, TensorBase):
        raise TypeError("histogram: range cannot be given beside a tensor of edges")
    low, high = (None, None) if range is None else range
    points = input._array.reshape(-1, 1)
    edges = _edges("torch.histogram()", points, bins, low, high, 0)
    hist = _counted("histogram", points, [edges], weight, input._array.shape, density)
    return histogram_(hist, wrap(np.array(edges)))


def histogramdd(
    input: Tensor,
    bins: Any,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> histogramdd_:
    """How many points (the last dimension of ``input``) fall in each cell of a grid.

    bins: the number along every dimension, or one per dimension, or a vector of edges each.
    range: the least and largest edge of each dimension, one pair after the other.
    """
    _check_floats("histogramdd", input)
    if isinstance(input._array, Batch):
        input._array.refuse("histogramdd")
    if input.ndim < 2:
        raise RuntimeError(
            f"histogramdd: input tensor should have at least 2 dimensions, got {input.ndim}"
        )
    width = input._array.shape[-1]
    points = input._array.reshape(-1, width)
    each = [bins] * width if isinstance(bins, int) else list(bins)
    if len(each) != width:
        raise RuntimeError(
            f"histogramdd: expected {width} sequences of bin edges, or numbers of bins, for a "
            f"{width}-dimensional histogram but got {len(each)}"
        )
    if range is not None and len(range) != 2 * width:
        raise RuntimeError(
            f"histogramdd: for a {width}-dimensional histogram range should have {2 * width} "
            f"elements, but got {len(range)}"
        )
    if range is not None and any(isinstance(b, TensorBase) for b in each):
        raise TypeError("histogramdd: range cannot be given beside tensors of edges")
    edges = []
    for d, b in enumerate(each):
        low, high = (None, None) if range is None else range[2 * d : 2 * d + 2]
        edges.append(_edges("histogramdd", points[:, d], b, low, high, d))
    hist = _counted("histogramdd", points, edges, weight, input._array.shape[:-1], density)
    return histogramdd_(hist, tuple(wrap(np.array(e)) for e in edges))
