"""Losses with a margin: between two inputs, two distances, or the scores of classes.

Where a difference is exactly at its margin, losses of two inputs pass the gradient and losses of
classes do not, as in PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.nn.functional.checks import (
    choice,
    expect_tensor,
    floating,
    meant_reduction,
    optional_tensor,
    reduced,
)
from tensorgrad.nn.functional.distance import pairwise_distance
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops import indexing, reduction, shape
from tensorgrad.tensor import Tensor

__all__ = [
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]

Distance = Callable[[Tensor, Tensor], Tensor]
_COSINE_EPS = float(np.float32(1e-12))  # as rounded in PyTorch


def _sum(x: Any, axis: int) -> Tensor:
    return reduction.sum(x, axis=axis, keepdims=False)


def _at_least_zero(x: Any) -> Tensor:
    return ops.clamp(x, min=0, max=None)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - cos(x1, x2) where the target is 1, max(0, cos(x1, x2) - margin) where it is -1; reduced.

    input1, input2: (N, D) with targets (N,), or (D,) with a target ().
    """
    name = "cosine_embedding_loss"
    for argument, value in (("input1", input1), ("input2", input2), ("target", target)):
        expect_tensor(name, argument, value)
    reduction = meant_reduction(name, size_average, reduce, reduction)
    if target.ndim > 1:
        raise RuntimeError(
            f"{name}(): 0D or 1D target tensor expected, multi-target not supported: got "
            f"{describe(target)}"
        )
    rank = target.ndim + 1
    if input1.ndim != rank or input2.ndim != rank:
        raise RuntimeError(
            f"{name}(): {target.ndim}D target tensor expects {rank}D input tensors, but found "
            f"{describe(input1)} and {describe(input2)}"
        )
    inner = _sum(ops.mul(input1, input2), -1)
    squares = [ops.add(_sum(ops.mul(x, x), -1), _COSINE_EPS) for x in (input1, input2)]
    cosine = ops.div(inner, ops.sqrt(ops.mul(*squares)))
    zero = np.zeros((), cosine._array.dtype)
    apart = ops.where(target._array == -1, _at_least_zero(ops.sub(cosine, margin)), zero)
    losses = ops.where(target._array == 1, ops.sub(1, cosine), apart)
    return reduced(name, losses, reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """x where the target is 1, max(0, margin - x) where it is -1, their sum elsewhere; reduced."""
    name = "hinge_embedding_loss"
    expect_tensor(name, "input", input)
    expect_tensor(name, "target", target)
    reduction = meant_reduction(name, size_average, reduce, reduction)
    kind = input._array.dtype.kind
    if kind == "b":
        raise RuntimeError(f"{name}(): bools cannot be subtracted; convert input with .float()")
    margin = int(margin) if kind in "iu" else float(margin)
    zero = np.zeros((), input._array.dtype)
    far = ops.where(target._array == 1, zero, _at_least_zero(ops.sub(margin, input)))
    near = ops.where(target._array == -1, zero, input)
    return reduced(name, ops.add(far, near), reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin - target * (x1 - x2)), reduced: a target of 1 wants x1 to be larger."""
    name = "margin_ranking_loss"
    for argument, value in (("input1", input1), ("input2", input2), ("target", target)):
        expect_tensor(name, argument, value)
    reduction = meant_reduction(name, size_average, reduce, reduction)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            f"{name}(): All input tensors should have same dimension but got input1 "
            f"{describe(input1)}, input2 {describe(input2)}, target {describe(target)}"
        )
    short = ops.sub(float(margin), ops.mul(target, ops.sub(input1, input2)))
    return reduced(name, _at_least_zero(short), reduction)


# --- Triplets -------------------------------------------------------------------------------------


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), d the p-norm; reduced.

    swap: the negative's distance is the smaller of those to the anchor and to the positive
    (Balntas et al., 2016).  eps: see `pairwise_distance`.
    """
    name = "triplet_margin_loss"
    reduction = meant_reduction(name, size_average, reduce, reduction)

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return pairwise_distance(a, b, p, eps)

    return _triplet(name, anchor, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Distance | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with any function of two tensors as the distance."""
    name = "triplet_margin_with_distance_loss"
    choice(name, "reduction", reduction, ("none", "mean", "sum"))
    distance = pairwise_distance if distance_function is None else distance_function
    return _triplet(name, anchor, positive, negative, distance, margin, swap, reduction)


def _triplet(
    name: str,
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    distance: Distance,
    margin: float,
    swap: bool,
    how: str,
) -> Tensor:
    for argument, value in (("anchor", anchor), ("positive", positive), ("negative", negative)):
        expect_tensor(name, argument, value)
    if margin <= 0:
        raise ValueError(f"{name}(): margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            f"{name}(): The anchor, positive, and negative tensors are expected to have the same "
            f"number of dimensions, but got: anchor {describe(anchor)}, positive "
            f"{describe(positive)} and negative {describe(negative)}"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = ops.minimum(far, distance(positive, negative))
    return reduced(name, _at_least_zero(ops.add(ops.sub(near, far), margin)), how)


# --- Classes --------------------------------------------------------------------------------------


def _rows(name: str, input: Tensor) -> Tensor:
    """The input as (N, C); a single sample (C,) becomes one row."""
    floating(name, input)
    x = input._array
    if x.ndim not in (0, 1, 2) or (x.ndim == 2 and x.shape[1] == 0) or (x.ndim == 1 and not x.size):
        raise RuntimeError(
            f"{name}(): Expected non-empty vector or matrix with optional 0-dim batch size, but "
            f"got input {describe(input)}"
        )
    return input if x.ndim == 2 else shape.reshape(input, shape=(1, max(x.size, 1)))


def _classes(name: str, target: Tensor) -> Any:
    expect_tensor(name, "target", target)
    if target._array.dtype != np.int64:
        raise RuntimeError(
            f"{name}(): expected target of dtype int64, got {describe(target)}; convert it with "
            ".long()"
        )
    return target._array


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """sum over i != y of max(0, margin - x_y + x_i)**p / C for classes y; reduced.

    input: scores (N, C) or (C,).  target: (N,), or one class.  p: 1 or 2.  weight: one factor per
    class (C,), for the samples of that class.
    """
    name = "multi_margin_loss"
    expect_tensor(name, "input", input)
    reduction = meant_reduction(name, size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError(f"{name}(): only p == 1 and p == 2 supported, got {p}")
    optional_tensor(name, "weight", weight)
    if weight is not None and weight.ndim != 1:
        raise ValueError(f"{name}(): weight must be one-dimensional, got {describe(weight)}")
    rows = _rows(name, input)
    classes = _classes(name, target)
    count, width = rows._array.shape
    if classes.ndim > 1 or classes.size != count:
        raise RuntimeError(
            f"{name}(): target tensor should be 1-D with size equal to the number of input samples "
            f"(batch size). Expected target size [{count}], but got {list(classes.shape)}: "
            f"{describe(target)}"
        )
    chosen = classes.reshape(-1)
    if ((chosen < 0) | (chosen >= width)).any():
        bad = chosen[(chosen < 0) | (chosen >= width)][0]
        raise RuntimeError(
            f"{name}(): target out of range: {bad} is no class from 0 to {width - 1}"
        )
    factors = np.full((count, 1), 1 / width, rows._array.dtype)
    if weight is not None:
        if weight._array.shape != (width,) or weight._array.dtype != rows._array.dtype:
            raise RuntimeError(
                f"{name}(): inconsistent weight size or dtype, expected one of {rows.dtype} per "
                f"class ({width}), got {describe(weight)}"
            )
        if weight.requires_grad:
            raise RuntimeError(
                f"{name}(): is not differentiable with respect to argument 'weight'. This input "
                "cannot have requires_grad True: detach() it"
            )
        factors = factors * weight._array[chosen][:, None]
    own = indexing.gather(rows, index=chosen[:, None], axis=1)
    short = ops.relu(ops.add(ops.sub(rows, own), margin))
    if p == 2:
        short = ops.mul(short, short)
    factors = np.where(np.arange(width) == chosen[:, None], 0, factors)
    losses = _sum(ops.mul(short, factors.astype(rows._array.dtype)), 1)
    if input.ndim < 2:
        losses = shape.reshape(losses, shape=target._array.shape if input.ndim else ())
    return reduced(name, losses, reduction)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """sum over classes j of the target and i not of it of max(0, 1 - (x_j - x_i)) / C; reduced.

    input: scores (N, C) or (C,).  target: of the same shape; classes, up to the first -1.
    """
    name = "multilabel_margin_loss"
    expect_tensor(name, "input", input)
    reduction = meant_reduction(name, size_average, reduce, reduction)
    rows = _rows(name, input)
    classes = _classes(name, target)
    if classes.shape != input._array.shape:
        raise RuntimeError(
            f"{name}(): inconsistent target size: {describe(target)} for input {describe(input)}"
        )
    count, width = rows._array.shape
    if classes.size and (classes.min() < -1 or classes.max() >= width):
        bad = classes[(classes < -1) | (classes >= width)].flat[0]
        raise RuntimeError(
            f"{name}(): target is out of range: {bad} is neither -1 nor a class from 0 to "
            f"{width - 1}"
        )
    classes = classes.reshape(count, width)
    listed = np.logical_and.accumulate(classes >= 0, axis=1)
    times = np.zeros((count, width), rows._array.dtype)  # how often each class is in the target
    where, places = np.nonzero(listed)
    np.add.at(times, (where, classes[where, places]), 1)
    pairs = times[:, :, None] * (times == 0)[:, None, :] / rows._array.dtype.type(width)
    of_target = shape.reshape(rows, shape=(count, width, 1))
    others = shape.reshape(rows, shape=(count, 1, width))
    short = ops.relu(ops.sub(1, ops.sub(of_target, others)))
    losses = _sum(_sum(ops.mul(short, pairs), 2), 1)
    if input.ndim < 2:
        losses = shape.reshape(losses, shape=())
    return reduced(name, losses, reduction)
