"""A linear layer and cross-entropy in one call."""

from __future__ import annotations

from math import prod
from typing import Any

from tensorgrad.errors import describe
from tensorgrad.nn.functional.checks import expect_tensor, optional_tensor
from tensorgrad.nn.functional.classification import cross_entropy
from tensorgrad.nn.functional.linear import linear
from tensorgrad.nn.functional.linear_pieces import can_be_cut, check_options, in_pieces
from tensorgrad.ops import shape
from tensorgrad.tensor import Tensor

__all__ = ["linear_cross_entropy"]


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Tensor:
    """cross_entropy(linear(input, linear_weight, linear_bias), target, ...).

    input: (in,) or (N, in).  linear_weight: (C, in), or (C, d1, ..., in) for targets with further
    dimensions, and linear_bias without ``in``.  ignore_index: None stands for -100.
    options: a `LinearCrossEntropyOptions` computes the batch in pieces, in forward and again in
    backward, so that its logits are never all there together.
    """
    name = "linear_cross_entropy"
    expect_tensor(name, "input", input)
    expect_tensor(name, "linear_weight", linear_weight)
    expect_tensor(name, "target", target)
    optional_tensor(name, "linear_bias", linear_bias)
    x, w = input._array, linear_weight._array
    if x.ndim not in (1, 2):
        raise RuntimeError(
            f"{name}(): expected input with dimensionality 1 or 2, got {describe(input)}"
        )
    if w.ndim < 2 or w.shape[-1] != x.shape[-1]:
        raise RuntimeError(
            f"{name}(): expected equal input and linear_weight last dimensions (in_features), got "
            f"{x.shape[-1]} and {w.shape[-1]}, respectively: {describe(input)} and "
            f"{describe(linear_weight)}"
        )
    outputs = w.shape[:-1]
    if len(outputs) > 1 and x.ndim == 1:
        raise RuntimeError(
            f"{name}(): a linear_weight with further dimensions takes a batch (N, in), got "
            f"{describe(input)} and {describe(linear_weight)}"
        )
    if len(outputs) == 1 and target.ndim > 1 and target._array.dtype.kind in "iu":
        raise RuntimeError(
            f"{name}(): 0D or 1D target tensor expected, multi-target not supported: got "
            f"{describe(target)} for linear_weight {describe(linear_weight)}"
        )
    if linear_bias is not None:
        if linear_bias._array.shape != outputs:
            raise RuntimeError(
                f"{name}(): expected linear_bias of shape {outputs}, got {describe(linear_bias)}"
            )
        linear_bias = shape.reshape(linear_bias, shape=(-1,))
    ignored = -100 if ignore_index is None else ignore_index
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{name}(): {reduction} is not a valid value for reduction")
    if options is not None:
        check_options(name, options, input)
        if can_be_cut(input, outputs, target, label_smoothing):
            return in_pieces(
                options, input, linear_weight, target, linear_bias, weight, reduction, ignored
            )
    flat = shape.reshape(linear_weight, shape=(prod(outputs), w.shape[-1]))
    logits = linear(input, flat, linear_bias)
    if len(outputs) > 1:
        logits = shape.reshape(logits, shape=(*x.shape[:-1], *outputs))
    return cross_entropy(
        logits, target, weight, ignore_index=ignored,
        reduction=reduction, label_smoothing=label_smoothing,
    )  # fmt: skip
