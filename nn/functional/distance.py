"""Lengths, angles and distances of vectors, and normalisation across channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.functions.reduction import norm
from tensorgrad.nn.functional.avg_pooling import average
from tensorgrad.nn.functional.checks import expect_tensor
from tensorgrad.ops import elementwise, indexing, reduction
from tensorgrad.ops import shape as shape_ops
from tensorgrad.tensor import Tensor

__all__ = ["cosine_similarity", "local_response_norm", "normalize", "pairwise_distance", "pdist"]


def normalize(
    input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """x / max(p-norm of x along ``dim``, eps); ``out`` receives the result, without gradients."""
    expect_tensor("normalize", "input", input)
    lengths = elementwise.clamp(norm(input, p, dim, keepdim=True), min=eps, max=None)
    found = elementwise.div(input, lengths)
    if out is None:
        return found
    expect_tensor("normalize", "out", out)
    if found.requires_grad or out.requires_grad:
        raise RuntimeError(
            "normalize(): functions with out=... arguments don't support automatic "
            "differentiation, but one of the arguments requires grad; leave out= away"
        )
    if out._array.shape != found._array.shape:
        raise RuntimeError(f"normalize(): expected out of {describe(found)}, got {describe(out)}")
    return out.copy_(found)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 . x2 / (max(|x1|, eps) * max(|x2|, eps)) along ``dim``, with broadcasting."""
    expect_tensor("cosine_similarity", "x1", x1)
    expect_tensor("cosine_similarity", "x2", x2)
    rank = max(x1.ndim, x2.ndim)
    if not -max(rank, 1) <= dim < max(rank, 1):
        raise IndexError(
            f"cosine_similarity(): dim {dim} is out of range for {describe(x1)} and {describe(x2)}"
        )
    if any(x._array.dtype.kind not in "fc" for x in (x1, x2)):
        raise RuntimeError(
            "cosine_similarity(): expected inputs of floating-point numbers, got "
            f"{describe(x1)} and {describe(x2)}; convert them with .float()"
        )
    axis = dim % rank - rank if rank else 0  # from the end, where shapes are aligned
    units = []
    length = max(x._array.shape[axis] if -axis <= x.ndim else 1 for x in (x1, x2)) if rank else 1
    for x in (x1, x2):
        if rank - x.ndim:
            x = shape_ops.reshape(x, shape=(*(1,) * (rank - x.ndim), *x._array.shape))
        if length != 1 and x._array.shape[axis] == 1:  # one number stands for a whole vector
            full = list(x._array.shape)
            full[axis] = length
            x = shape_ops.broadcast_to(x, shape=tuple(full))
        units.append(normalize(x, 2.0, axis, eps))
    return reduction.sum(elementwise.mul(*units), axis=axis, keepdims=False)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last dimension, with broadcasting."""
    expect_tensor("pairwise_distance", "x1", x1)
    expect_tensor("pairwise_distance", "x2", x2)
    return norm(elementwise.add(elementwise.sub(x1, x2), eps), p, -1, keepdim)


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """x / (k + alpha * mean of x**2 over ``size`` neighbouring channels)**beta, x (N, C, ...).

    The mean counts channels that do not exist as zeros.
    """
    expect_tensor("local_response_norm", "input", input)
    shape = input._array.shape
    if len(shape) < 3:
        raise ValueError(
            "local_response_norm(): Expected 3D or higher dimensionality input (got "
            f"{len(shape)} dimensions)"
        )
    if input._array.size == 0:
        return input
    rows = shape_ops.reshape(elementwise.mul(input, input), shape=(shape[0], 1, shape[1], -1))
    border = ((0, 0), (0, 0), (size // 2, (size - 1) // 2), (0, 0))
    padded = shape_ops.pad(rows, widths=border, value=0)
    means = average("local_response_norm", 2, padded, (size, 1), 1, 0, False, True, None)
    scaled = elementwise.add(elementwise.mul(shape_ops.reshape(means, shape=shape), alpha), k)
    return elementwise.div(input, scaled**beta)


def pdist(input: Tensor, p: float = 2) -> Tensor:
    """The p-norm distances of all pairs of rows of (n, d): (n (n - 1) / 2,), the first row's first.

    The gradient of a pair that coincides is 0.
    """
    expect_tensor("pdist", "input", input)
    if input.ndim != 2:
        raise RuntimeError(f"pdist(): only supports 2D tensors, got {describe(input)}")
    if input._array.dtype.kind != "f":
        raise RuntimeError(f"pdist(): only supports floating-point dtypes, got {describe(input)}")
    if p < 0:
        raise RuntimeError(f"pdist(): only supports non-negative p values, got {p}")
    first, second = np.triu_indices(input._array.shape[0], 1)
    difference = elementwise.sub(
        indexing.take_rows(input, index=first, axis=0),
        indexing.take_rows(input, index=second, axis=0),
    )
    if not difference._array.size:
        return reduction.sum(difference, axis=-1, keepdims=False)
    same = (difference._array == 0).all(axis=1)
    if not same.any():
        return norm(difference, p, -1)
    # Any other vector in place of a zero one, whose norm's derivative may be 0 / 0.
    one = np.ones((), difference._array.dtype)
    apart = norm(elementwise.where(same[:, None], one, difference), p, -1)
    return elementwise.mask(apart, mask=np.logical_not(same))
