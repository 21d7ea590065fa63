"""Losses that are negative log-likelihoods or divergences of distributions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.graph.provenance import warn
from tensorgrad.nn.functional.checks import (
    choice,
    expect_number,
    expect_tensor,
    legacy_reduction,
    meant_reduction,
    optional_tensor,
    reduced,
)
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops import logarithmic, shape
from tensorgrad.tensor import Tensor

__all__ = [
    "gaussian_nll_loss",
    "kl_div",
    "multilabel_soft_margin_loss",
    "poisson_nll_loss",
    "soft_margin_loss",
]


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """target * (log target - input), the divergence from log-probabilities; reduced.

    reduction: "batchmean", the sum over the first dimension's size, is the divergence; "mean"
    divides by all elements, and warns.  log_target: the target has logarithms too.
    """
    name = "kl_div"
    expect_tensor(name, "input", input)
    expect_tensor(name, "target", target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce, reduction)
    else:
        choice(name, "reduction", reduction, ("none", "mean", "batchmean", "sum"))
        if reduction == "mean":
            warn(
                "reduction: 'mean' divides the total loss by both the batch size and the support "
                "size. 'batchmean' divides only by the batch size, and aligns with the KL div math "
                "definition."
            )
    return divergence(name, input, target, reduction, log_target)


def divergence(name: str, input: Tensor, target: Tensor, how: str, log_target: bool) -> Tensor:
    """`kl_div` after its old arguments and warnings."""
    if input._array.dtype.kind not in "fc" and target._array.dtype.kind not in "fc":
        raise RuntimeError(
            f"{name}(): Integral inputs not supported, got {describe(input)} and "
            f"{describe(target)}; convert them with .float()"
        )
    if log_target:
        losses = ops.mul(ops.exp(target), ops.sub(target, input))
    else:
        losses = ops.sub(logarithmic.xlogy(target, target), ops.mul(target, input))
    if how != "batchmean":
        return reduced(name, losses, how)
    total: Tensor = losses.sum()
    return total if input.ndim == 0 else ops.div(total, input._array.shape[0])


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """rate - target * log(rate), of a Poisson distribution's rate, or of its logarithm; reduced.

    log_input: the input is the logarithm; otherwise the rate, and ``eps`` is added to it in the
    logarithm.  full: adds Stirling's approximation of log(target!) where the target is above 1.
    """
    name = "poisson_nll_loss"
    expect_tensor(name, "input", input)
    expect_tensor(name, "target", target)
    reduction = meant_reduction(name, size_average, reduce, reduction)
    return poisson(name, input, target, log_input, full, eps, reduction)


def poisson(
    name: str, input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, how: str
) -> Tensor:
    """`poisson_nll_loss` after its old arguments."""
    if input._array.dtype.kind == "b":
        raise RuntimeError(f"{name}(): bools cannot be subtracted; convert input with .float()")
    if log_input:
        losses = ops.sub(ops.exp(input), ops.mul(target, input))
    else:
        losses = ops.sub(input, ops.mul(target, ops.log(ops.add(input, eps))))
    if full:
        large = target._array > 1
        # 1 where the term does not count: its logarithm would spoil the gradient of a target 0.
        safe = ops.where(large, target, np.ones((), target._array.dtype))
        stirling = ops.sub(ops.mul(safe, ops.log(safe)), safe)
        stirling = ops.add(stirling, ops.mul(ops.log(ops.mul(safe, 2 * math.pi)), 0.5))
        losses = ops.add(losses, ops.mask(stirling, mask=large))
    return reduced(name, losses, how)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """(log(var) + (input - target)**2 / var) / 2, of a normal distribution; reduced.

    var: of input's shape, or without its last dimension, or with 1 in one place; or one number.
    It is taken to be at least ``eps``, while its gradient stays that of var.  full: adds
    log(2 pi) / 2.
    """
    name = "gaussian_nll_loss"
    expect_tensor(name, "input", input)
    expect_tensor(name, "target", target)
    size = input._array.shape
    if isinstance(var, Tensor):
        given = var._array.shape
        if given != size:
            if given == size[:-1]:
                var = shape.reshape(var, shape=(*given, 1))
            elif len(given) != len(size) or [m for m, n in zip(given, size) if m != n] != [1]:
                raise ValueError(
                    f"{name}(): var is of incorrect size: {describe(var)} for input "
                    f"{describe(input)}"
                )
        if var._array.dtype.kind != "f":
            raise RuntimeError(
                f"{name}(): expected var of floating-point numbers, got {describe(var)}"
            )
    else:
        expect_number(name, "var", var)
    choice(name, "reduction", reduction, ("none", "mean", "sum"))
    values: Any = var._array if isinstance(var, Tensor) else np.asarray(var)
    # Under vmap the examples' values are not known here; a negative variance counts as eps there.
    if isinstance(values, np.ndarray) and (values < 0).any():
        raise ValueError(f"{name}(): var has negative entry/entries: {values.min()}")
    if isinstance(var, Tensor):
        safe: Any = ops.add(var, np.maximum(eps - values, 0).astype(values.dtype))
        logs: Any = ops.log(safe)
    else:
        safe = max(var, eps)
        logs = math.log(safe)
    square = ops.pow(ops.sub(input, target), 2)
    losses = ops.mul(ops.add(ops.div(square, safe), logs), 0.5)
    if full:
        losses = ops.add(losses, 0.5 * math.log(2 * math.pi))
    return reduced(name, losses, reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """log(1 + e**(-target * input)) for targets 1 and -1, reduced; it does not overflow."""
    name = "soft_margin_loss"
    expect_tensor(name, "input", input)
    expect_tensor(name, "target", target)
    reduction = meant_reduction(name, size_average, reduce, reduction)
    if input._array.dtype.kind not in "f":
        raise RuntimeError(
            f"{name}(): expected an input of floating-point numbers, got {describe(input)}; "
            "convert it with .float()"
        )
    scores = ops.mul(target, input)
    if scores._array.shape != input._array.shape:
        raise RuntimeError(
            f"{name}(): a target {describe(target)} does not fit an input {describe(input)}: the "
            "loss would have more elements than the input"
        )
    return reduced(name, ops.neg(ops.log_sigmoid(scores)), reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(t log s(x) + (1 - t) log s(-x)), s the sigmoid, averaged over classes (last); reduced.

    weight: factors, broadcast to the input's shape.
    """
    name = "multilabel_soft_margin_loss"
    expect_tensor(name, "input", input)
    expect_tensor(name, "target", target)
    optional_tensor(name, "weight", weight)
    reduction = meant_reduction(name, size_average, reduce, reduction)
    yes = ops.mul(target, ops.log_sigmoid(input))
    no = ops.mul(ops.sub(1, target), ops.log_sigmoid(ops.neg(input)))
    losses = ops.neg(ops.add(yes, no))
    if weight is not None:
        losses = ops.mul(losses, weight)
    if losses.ndim == 0:
        raise IndexError(f"{name}(): the input needs a dimension of classes, got {describe(input)}")
    return reduced(name, losses.mean(-1), reduction)
