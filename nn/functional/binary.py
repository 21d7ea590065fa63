"""Losses of yes-or-no predictions: of probabilities, and of logits."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.nn.functional.checks import (
    expect_tensor,
    legacy_reduction,
    one_dtype,
    optional_tensor,
    reduced,
)
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops import loss as loss_ops
from tensorgrad.tensor import Tensor

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits"]


def _one_size(name: str, input: Tensor, target: Tensor) -> None:
    expect_tensor(name, "input", input)
    expect_tensor(name, "target", target)
    if input._array.shape != target._array.shape:
        raise ValueError(
            f"{name}(): Target size ({list(target.shape)}) must be the same as input size "
            f"({list(input.shape)}); reshape one of them"
        )


def _probabilities(what: str, value: Tensor) -> None:
    """Raise RuntimeError unless all elements are from 0 to 1; NaN is not."""
    array = value._array
    inside = (array >= 0) & (array <= 1)
    if not inside.all():
        bad = array[np.logical_not(inside)].flat[0]
        hint = "; binary_cross_entropy_with_logits takes logits" if what == "input" else ""
        raise RuntimeError(
            f"binary_cross_entropy(): all elements of {what} should be between 0 and 1, got {bad} "
            f"in {describe(value)}{hint}"
        )


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(t log p + (1 - t) log(1 - p)) of probabilities p, reduced; logarithms are at least -100.

    weight: factors, broadcast to the input's shape.
    """
    name = "binary_cross_entropy"
    _one_size(name, input, target)
    optional_tensor(name, "weight", weight)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce, reduction)
    one_dtype(name, input, target, "target")
    _probabilities("input", input)
    _probabilities("target", target)
    losses: Any = loss_ops.binary_cross_entropy(input, target)
    if weight is not None:
        losses = ops.mul(losses, weight.expand(*input.shape))
    return reduced(name, losses, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """-(q t log s(x) + (1 - t) log(1 - s(x))) of logits x, with s the sigmoid, reduced.

    weight: factors, broadcast to the input's shape.  pos_weight: q, one factor per class for the
    positive targets, broadcast likewise.
    """
    name = "binary_cross_entropy_with_logits"
    _one_size(name, input, target)
    optional_tensor(name, "weight", weight)
    optional_tensor(name, "pos_weight", pos_weight)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce, reduction)
    # (1 - t) x - (1 + (q - 1) t) log s(x): one logarithm, and none of a rounded 1 - s(x).
    logs: Any = ops.log_sigmoid(input)
    if pos_weight is not None:
        logs = ops.mul(logs, ops.add(ops.mul(ops.sub(pos_weight, 1), target), 1))
    losses: Any = ops.sub(ops.mul(ops.sub(1, target), input), logs)
    if weight is not None:
        losses = ops.mul(losses, weight)
    return reduced(name, losses, reduction)
