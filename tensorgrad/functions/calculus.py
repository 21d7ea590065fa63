"""Integrals and derivatives of sampled functions: the trapezoidal rule, finite differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.functions.reduction import cumsum
from tensorgrad.functions.reduction import sum as total
from tensorgrad.functions.shape import reshape, wrap_dim
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.ops import elementwise, indexing
from tensorgrad.ops import shape as shape_ops

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["cumulative_trapezoid", "gradient", "trapezoid", "trapz"]


def _slice(x: Tensor, axis: int, start: int | None, stop: int | None) -> Tensor:
    return indexing.getitem(x, index=(*(slice(None),) * axis, slice(start, stop)))


def _panels(name: str, y: Tensor, x: Tensor | None, dx: Any, dim: int) -> tuple[Tensor, int]:
    """(y_i + y_{i+1}) (x_{i+1} - x_i) / 2, the area between neighbours along an axis."""
    if not y.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions ({name})")
    axis = wrap_dim(dim, y.ndim)
    if y._array.dtype == np.bool_ or (x is not None and x._array.dtype == np.bool_):
        raise RuntimeError(f"{name}: received a bool input, but bool is not supported")
    if x is None:
        if isinstance(dx, (bool, complex)):
            raise RuntimeError(f"{name}: Currently, we only support dx as a real number.")
        width: Any = dx
    else:
        if x.ndim == 1:
            if x.shape[0] != y.shape[axis]:
                raise RuntimeError(
                    f"{name}: There must be one `x` value for each sample point, got "
                    f"{x.shape[0]} and {y.shape[axis]}"
                )
            x = reshape(x, [-1 if i == axis else 1 for i in range(y.ndim)])
        elif x.ndim < y.ndim:
            x = reshape(x, (1,) * (y.ndim - x.ndim) + tuple(x.shape))
        along = wrap_dim(dim, x.ndim)
        width = elementwise.sub(_slice(x, along, 1, None), _slice(x, along, None, -1))
    heights = elementwise.add(_slice(y, axis, 1, None), _slice(y, axis, None, -1))
    return elementwise.div(elementwise.mul(heights, width), 2.0), axis


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = 1, dim: int = -1) -> Tensor:
    """The integral of samples along a dimension by the trapezoidal rule.

    x: where the samples were taken, a vector or of y's shape; else they are ``dx`` apart.
    """
    areas, axis = _panels("trapezoid", y, x, dx, dim)
    return total(areas, axis if x is None or x.ndim <= y.ndim else dim)


def trapz(y: Tensor, x: Tensor | None = None, *, dx: Any = 1, dim: int = -1) -> Tensor:
    """The old name of `trapezoid`."""
    return trapezoid(y, x, dx=dx, dim=dim)


def cumulative_trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: Any = 1, dim: int = -1
) -> Tensor:
    """The running integral of samples along a dimension, one element shorter than y there."""
    areas, axis = _panels("cumulative_trapezoid", y, x, dx, dim)
    return cumsum(areas, axis if x is None or x.ndim <= y.ndim else dim)


def gradient(
    input: Tensor,
    *,
    spacing: Any = None,
    dim: int | Sequence[int] | None = None,
    edge_order: int = 1,
) -> tuple[Tensor, ...]:
    """Derivatives along each dimension: central differences inside, one-sided ones at the ends.

    spacing: the distance of neighbours, one for all dimensions or one each; or, per dimension, a
        vector of coordinates.
    edge_order: 1 or 2, the order to which the ends are right.
    """
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    if dim is None:
        dims = list(range(input.ndim))
    else:
        dims = [wrap_dim(d, input.ndim) for d in ([dim] if isinstance(dim, int) else dim)]
    for d in dims:
        if dims.count(d) > 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    if spacing is None or isinstance(spacing, (int, float, complex)):
        steps: list[Any] = [1 if spacing is None else spacing] * len(dims)
    else:
        steps = list(spacing)
        if len(steps) != len(dims):
            raise RuntimeError(
                "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and "
                "dim arguments to have the same length, but got a spacing argument of length "
                f"{len(steps)} and a dim argument of length {len(dims)}"
            )
    if any(input.shape[d] <= edge_order for d in dims):
        raise RuntimeError(
            "torch.gradient expected each dimension size to be at least edge_order+1"
        )
    return tuple(_derivative(input, d, h, edge_order) for d, h in zip(dims, steps, strict=True))


def _derivative(x: Tensor, axis: int, step: Any, order: int) -> Tensor:
    """The derivative along one axis, by the weights of the polynomial through three samples."""
    size = x.shape[axis]
    if isinstance(step, TensorBase):
        if step._array.shape != (size,):
            raise RuntimeError(
                "torch.gradient expected each coordinate tensor to be a vector as long as its "
                f"dimension, got {list(step._array.shape)} for a dimension of {size}"
            )
        points: Any = step
        at = reshape(points, [-1 if i == axis else 1 for i in range(x.ndim)])
        gaps = elementwise.sub(_slice(at, axis, 1, None), _slice(at, axis, None, -1))
    else:
        shape = [size - 1 if i == axis else 1 for i in range(x.ndim)]
        kind = x._array.dtype if x._array.dtype.kind in "fc" else np.float32
        gaps = wrap(np.full(shape, step, kind))

    slopes = elementwise.div(
        elementwise.sub(_slice(x, axis, 1, None), _slice(x, axis, None, -1)), gaps
    )

    def at_end(i: int, beside: int) -> Tensor:
        slope = _one(slopes, axis, i)
        if order == 1:
            return slope
        h = _one(gaps, axis, i)  # of the parabola through three samples, by how the slope changes
        bend = elementwise.div(
            elementwise.sub(_one(slopes, axis, beside), slope),
            elementwise.add(h, _one(gaps, axis, beside)),
        )
        return elementwise.sub(slope, elementwise.mul(bend, h))

    parts = [at_end(0, 1)]
    if size > 2:
        before, after = _slice(gaps, axis, None, -1), _slice(gaps, axis, 1, None)
        # The mean of the slopes on both sides; the nearer neighbour counts more.
        weighed = elementwise.add(
            elementwise.mul(_slice(slopes, axis, None, -1), after),
            elementwise.mul(_slice(slopes, axis, 1, None), before),
        )
        parts.append(elementwise.div(weighed, elementwise.add(before, after)))
    return shape_ops.cat(*parts, at_end(-1, -2), axis=axis)


def _one(x: Tensor, axis: int, i: int) -> Tensor:
    return _slice(x, axis, i, i + 1 if i != -1 else None)
