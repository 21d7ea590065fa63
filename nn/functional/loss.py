"""Losses between numbers: squared, absolute and their mixtures."""

from __future__ import annotations

from typing import Any

from tensorgrad.errors import describe
from tensorgrad.graph.provenance import warn
from tensorgrad.nn.functional.checks import (
    choice,
    expect_tensor,
    legacy_reduction,
    optional_tensor,
    reduced,
)
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops import loss as loss_ops
from tensorgrad.tensor import Tensor

__all__ = ["huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"]


def _difference(name: str, input: Tensor, target: Tensor) -> Tensor:
    """input - target, with PyTorch's warning where they broadcast."""
    expect_tensor(name, "input", input)
    expect_tensor(name, "target", target)
    if input._array.shape != target._array.shape:
        warn(
            f"{name}(): Using a target size ({list(target.shape)}) that is different to the input "
            f"size ({list(input.shape)}). This will likely lead to incorrect results due to "
            "broadcasting. Please ensure they have the same size."
        )
    difference: Tensor = ops.sub(input, target)
    return difference


def _weighted(
    name: str, losses: Tensor, input: Tensor, weight: Tensor | None, reduction: str
) -> Tensor:
    """The losses reduced; with a weight the mean is the weighted one (Huber's is plain)."""
    if weight is None:
        return reduced(name, losses, reduction)
    optional_tensor(name, "weight", weight)
    choice(name, "reduction", reduction, ("none", "mean", "sum"))
    if weight._array.shape != input._array.shape:
        raise ValueError(
            f"{name}(): Weights and input must have the same size, got weight {describe(weight)} "
            f"and input {describe(input)}"
        )
    products: Tensor = ops.mul(losses, weight)
    if reduction == "mean":
        return products.mean() if name == "huber_loss" else products.sum() / weight.sum()
    return products.sum() if reduction == "sum" else products


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """(input - target)**2, reduced; ``weight`` has one factor per element."""
    if weight is None and reduction == "mean" and size_average is None and reduce is None:
        expect_tensor("mse_loss", "input", input)
        expect_tensor("mse_loss", "target", target)
        if input._array.shape == target._array.shape:
            return loss_ops.mse_loss(input, target)
    difference = _difference("mse_loss", input, target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce, reduction)
    return _weighted("mse_loss", ops.pow(difference, 2), input, weight, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """|input - target|, reduced; ``weight`` has one factor per element."""
    difference = _difference("l1_loss", input, target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce, reduction)
    return _weighted("l1_loss", ops.abs(difference), input, weight, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """d**2 / (2 beta) where |d| < beta, else |d| - beta / 2, for d = input - target; reduced."""
    difference = _difference("smooth_l1_loss", input, target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce, reduction)
    if beta < 0:
        raise RuntimeError(
            f"smooth_l1_loss(): does not support negative values for beta, got {beta}"
        )
    if beta == 0:
        return reduced("smooth_l1_loss", ops.abs(difference), reduction)
    return reduced("smooth_l1_loss", _rounded(difference, beta, 1 / beta), reduction)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """d**2 / 2 where |d| < delta, else delta * (|d| - delta / 2), d = input - target; reduced."""
    difference = _difference("huber_loss", input, target)
    if delta <= 0:
        raise RuntimeError(
            f"huber_loss(): does not support non-positive values for delta, got {delta}"
        )
    losses = _rounded(difference, delta, 1.0)
    return _weighted("huber_loss", losses, input, weight, reduction)


def _rounded(difference: Any, width: float, scale: float) -> Tensor:
    """scale * (d**2 / 2 where |d| < width, else width * (|d| - width / 2)).

    That is c (d - c / 2) for c = d cut at width: without a square of what may be infinite, whose
    gradient would be NaN however it is masked.
    """
    cut = ops.clamp(difference, min=-width, max=width)
    return ops.mul(ops.mul(cut, ops.sub(difference, ops.mul(cut, 0.5))), scale)
