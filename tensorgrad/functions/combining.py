"""Matrices from parts, products of sets, distances between points."""

from __future__ import annotations

import itertools
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.functions.joining import cat, stack
from tensorgrad.functions.reduction import norm
from tensorgrad.functions.shape import broadcast_tensors, reshape, unsqueeze, wrap_dim
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.ops import elementwise, indexing
from tensorgrad.ops import shape as shape_ops
from tensorgrad.ops.kinds import one_dtype

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["block_diag", "cartesian_prod", "cdist", "combinations", "renorm", "vander"]


def block_diag(*tensors: Tensor) -> Tensor:
    """A matrix with the tensors, of at most two dimensions, as blocks on its diagonal."""
    parts = [t if isinstance(t, TensorBase) else wrap(np.asarray(t)) for t in tensors]
    if not parts:
        return wrap(np.zeros((1, 0), np.float32))
    for i, t in enumerate(parts):
        if t.ndim > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {i} has "
                f"{t.ndim} dimensions"
            )
    blocks = [t if t.ndim == 2 else reshape(t, (1, -1)) for t in parts]
    width, start, rows = sum(b.shape[1] for b in blocks), 0, []
    for b in blocks:
        stop = start + b.shape[1]
        rows.append(shape_ops.pad(b, widths=((0, 0), (start, width - stop)), value=0))
        start = stop
    return cat(rows, 0)


def _vectors(name: str, tensors: Any) -> None:
    for i, t in enumerate(tensors):
        if t.ndim != 1:
            raise RuntimeError(f"{name}: expected vectors, but tensor {i} has {t.ndim} dimensions")


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All combinations of one element of each vector, (n, number of vectors)."""
    _vectors("cartesian_prod", tensors)
    if not tensors:
        raise RuntimeError("cartesian_prod: expected at least one vector")
    one_dtype("cartesian_prod", *tensors)
    if len(tensors) == 1:
        return tensors[0]
    grid = [
        reshape(t, (1,) * i + (-1,) + (1,) * (len(tensors) - i - 1)) for i, t in enumerate(tensors)
    ]
    return stack([reshape(t, (-1,)) for t in broadcast_tensors(*grid)], 1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All subsets of r elements of a vector, in order of their positions."""
    _vectors("combinations", [input])
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}: combinations' r")
    if r == 0:
        return wrap(np.empty(0, input._array.dtype))
    choose: Any = itertools.combinations_with_replacement if with_replacement else None
    places = list((choose or itertools.combinations)(range(input._array.size), r))
    index = np.array(places, np.int64).reshape(-1, r)
    return indexing.take_rows(input, index=index, axis=0)


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of a vector's elements as columns, the highest first unless ``increasing``."""
    _vectors("vander", [x])
    return powers(x, x._array.size if N is None else N, increasing)


def powers(x: Tensor, count: int, increasing: bool) -> Tensor:
    """x**0, ..., x**(count-1) along a new last dimension."""
    if count < 0:
        raise RuntimeError(f"N must be non-negative, got {count}")
    kind = np.dtype(np.int64) if x._array.dtype.kind in "biu" else x._array.dtype
    columns = [wrap(np.ones(x._array.shape, kind))][:count]
    for _ in range(count - 1):  # products: pow would make NaN of 0's gradients
        columns.append(elementwise.mul(columns[-1], x))
    if not columns:
        return wrap(np.zeros((*x._array.shape, 0), kind))
    return stack(columns if increasing else columns[::-1], -1)


_MODES = (
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str | None = _MODES[0]) -> Tensor:
    """The p-norm distances between rows: (..., P, M) and (..., R, M) give (..., P, R).

    The gradient at distance 0 is 0.  All compute modes take differences: squares by matrix
    products, as PyTorch's first two have them, lose half the digits of near points.
    """
    if compute_mode not in (*_MODES, None):
        raise ValueError(
            f"{compute_mode} is not a valid value for compute_mode; use one of {_MODES}"
        )
    if x1.ndim < 2 or x2.ndim < 2 or x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(
            "cdist: X1 and X2 must be matrices, or batches of them, with the same number of "
            f"columns, got shapes {tuple(x1.shape)} and {tuple(x2.shape)}"
        )
    one_dtype("cdist", x1, x2)
    if not p >= 0:
        raise RuntimeError(f"cdist only supports non-negative p values, got {p}")
    for t in (x1, x2):
        if not t.is_floating_point():
            raise RuntimeError(f"cdist only supports floating-point dtypes, got {t.dtype}")
    difference = elementwise.sub(unsqueeze(x1, -2), unsqueeze(x2, -3))
    if x1.shape[-1] == 0:
        return wrap(np.zeros(difference.shape[:-1], difference._array.dtype))
    same = (difference._array == 0).all(-1)
    if p in (0, inf) or not same.any():
        return norm(difference, p, -1)
    # A norm's slope at 0 is not defined (or infinite on the way): keep away from it.
    safe = elementwise.where(same[..., None], 1, difference)
    return elementwise.where(same, 0, norm(safe, p, -1))


def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """Slices along a dimension whose p-norm exceeds maxnorm, scaled down to it."""
    if input.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.ndim}")
    if not p > 0:
        raise RuntimeError(f"renorm: non-positive-norm not supported, got p={p}")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    dim = wrap_dim(dim, input.ndim)
    rest = tuple(i for i in range(input.ndim) if i != dim)
    size = norm(input, p, rest, True)
    long = elementwise.gt(size, maxnorm)
    # 1e-7 is PyTorch's, against a division by 0.
    scale = elementwise.div(maxnorm, elementwise.add(elementwise.where(long, size, 1), 1e-7))
    return elementwise.mul(input, elementwise.where(long, scale, 1))
