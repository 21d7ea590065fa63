"""Activations made of pieces: straight lines between kinks, and what PyTorch does at each kink.

Every piece is picked by a bool array that is a constant of the graph, so that an infinity or NaN
of one piece never reaches the gradient of another.  A NaN in the input goes through as a NaN.
The gradient of such a gradient is 0, not unknown, as in PyTorch: `keep` and `leaky_relu` see to it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.nn.functional.checks import expect_number, expect_tensor, floating
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops import shape as shape_ops
from tensorgrad.random import Generator, rng_of
from tensorgrad.tensor import Tensor
from tensorgrad.views.following import before_write, write

__all__ = [
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "prelu",
    "relu6",
    "rrelu",
    "rrelu_",
    "softshrink",
    "threshold",
    "threshold_",
]


def _ordered(name: str, input: Tensor) -> None:
    """Raise unless the input is a Tensor of numbers that have an order."""
    expect_tensor(name, "input", input)
    kind = input._array.dtype.kind
    if kind == "b":
        raise RuntimeError(f"{name}(): Bool inputs not supported; convert the input with .float()")
    if kind == "c":
        raise NotImplementedError(
            f"{name}(): not implemented for complex types: they have no order"
        )


def _clipped(name: str, input: Tensor, low: Any, high: Any) -> Tensor:
    """Clipped to [low, high], with no gradient at the bounds: clamp would pass it there."""
    _ordered(name, input)
    x = input._array
    if x.dtype.kind == "u" and low < 0:
        raise RuntimeError(
            f"{name}(): cannot do {name} on an unsigned type with negative limits, got {low} for "
            f"{describe(input)}"
        )
    low, high = x.dtype.type(low), x.dtype.type(high)
    outside = (x <= low) | (x >= high)
    ends = np.minimum(np.maximum(x, low), high)
    return ops.keep(input, kept=np.logical_not(outside), other=ends)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """min(max(x, min_val), max_val); the derivative at the bounds is 0."""
    expect_number("hardtanh", "min_val", min_val)
    expect_number("hardtanh", "max_val", max_val)
    if min_val > max_val:
        raise ValueError(
            f"hardtanh(): min_val cannot be greater than max_val, got {min_val} > {max_val}"
        )
    if inplace:
        return hardtanh_(input, min_val, max_val)
    return _clipped("hardtanh", input, min_val, max_val)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """`hardtanh` in place."""
    expect_tensor("hardtanh_", "input", input)
    out: Tensor = write(
        input, _clipped("hardtanh_", before_write(input), min_val, max_val), "hardtanh_"
    )
    return out


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6); the derivative at 0 and at 6 is 0."""
    expect_tensor("relu6", "input", input)
    if not inplace:
        return _clipped("relu6", input, 0, 6)
    out: Tensor = write(input, _clipped("relu6", before_write(input), 0, 6), "relu6_")
    return out


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x / 6 + 1 / 2, 0), 1); the derivative at the kinks -3 and 3 is 0."""
    floating("hardsigmoid", input)
    source = before_write(input) if inplace else input
    x = source._array
    ends = np.minimum(np.maximum(x + 3, 0), 6) / 6
    line = ops.div(ops.add(source, 3), 6)
    out = ops.keep(line, kept=(x > -3) & (x < 3), other=ends)
    return write(input, out, "hardsigmoid_") if inplace else out


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * hardsigmoid(x) (Howard et al., 2019); the derivative is 0 at -3 and 1 at 3."""
    floating("hardswish", input)
    source = before_write(input) if inplace else input
    x = source._array
    below, above = x <= -3, x >= 3
    # 0, but for -inf * 0; and a middle that is not squared where it is infinite
    with np.errstate(invalid="ignore"):
        ends = np.multiply(x, np.where(below, 0, 1).astype(x.dtype))
    middle = ops.where(below | above, np.zeros((), x.dtype), source)
    curve = ops.div(ops.mul(middle, ops.add(middle, 3)), 6)
    out = ops.where(above, source, ops.where(below, ends, curve))
    return write(input, out, "hardswish_") if inplace else out


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x, but 0 where -lambd <= x <= lambd."""
    floating("hardshrink", input)
    expect_number("hardshrink", "lambd", lambd)
    x = input._array
    outside = np.logical_not((x >= -lambd) & (x <= lambd))
    return ops.keep(input, kept=outside, other=0)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x - lambd where x > lambd, x + lambd where x < -lambd, else 0."""
    floating("softshrink", input)
    expect_number("softshrink", "lambd", lambd)
    x = input._array
    if not 0 <= lambd <= np.finfo(x.dtype).max:
        raise RuntimeError(
            f"softshrink(): lambda must be in range [0, {np.finfo(x.dtype).max}] for input dtype "
            f"{x.dtype}, but found {lambd}"
        )
    towards = np.where(x > 0, x.dtype.type(-lambd), x.dtype.type(lambd))
    inside = (x >= -lambd) & (x <= lambd)
    moved = ops.add(input, towards)
    return ops.keep(moved, kept=np.logical_not(inside), other=0)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, else ``value``; the derivative at the threshold is 0."""
    if inplace:
        return threshold_(input, threshold, value)
    return _above("threshold", input, threshold, value)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """`threshold` in place."""
    expect_tensor("threshold_", "input", input)
    out: Tensor = write(
        input, _above("threshold_", before_write(input), threshold, value), "threshold_"
    )
    return out


def _above(name: str, input: Tensor, bound: float, value: float) -> Tensor:
    _ordered(name, input)
    expect_number(name, "threshold", bound)
    expect_number(name, "value", value)
    x = input._array
    kept = np.logical_not(x <= x.dtype.type(bound))
    return ops.keep(input, kept=kept, other=np.asarray(value).astype(x.dtype))


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else weight * x, with one learned weight, or one per channel of (N, C, ...).

    The derivative by x at 0 is the weight (He et al., 2015).
    """
    floating("prelu", input)
    expect_tensor("prelu", "weight", weight)
    x, w = input._array, weight._array
    if x.dtype != w.dtype:
        raise RuntimeError(
            f"prelu(): type promoting not supported: got input {describe(input)} and weight "
            f"{describe(weight)}; convert one with .to(...)"
        )
    if w.ndim > 1:
        raise RuntimeError(
            f"prelu(): expected `weight` to be a scalar or 1D tensor, but got {describe(weight)}"
        )
    slopes = weight
    if w.size != 1:
        channels = x.shape[1] if x.ndim > 1 else 1
        if x.ndim == 0 or w.size != channels:
            raise RuntimeError(
                f"prelu(): mismatch of parameter numbers and input channel size: {w.size} "
                f"parameters for {channels} channels of an input {describe(input)}"
            )
        slopes = shape_ops.reshape(weight, shape=(-1, *(1,) * (x.ndim - 2)))
    elif w.ndim and x.ndim != 1:
        slopes = shape_ops.reshape(weight, shape=())
    positive = x > 0
    below = ops.keep(input, kept=np.logical_not(positive), other=0)
    return ops.add(ops.keep(input, kept=positive, other=0), ops.mul(slopes, below))


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """x where x > 0, else a * x, with a drawn from U(lower, upper) per element while training.

    In evaluation a is (lower + upper) / 2 (Xu et al., 2015).
    """
    if inplace:
        return rrelu_(input, lower, upper, training)
    return randomly_leaky("rrelu", input, lower, upper, training, None)


def rrelu_(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False
) -> Tensor:
    """`rrelu` in place."""
    expect_tensor("rrelu_", "input", input)
    leaky = randomly_leaky("rrelu_", before_write(input), lower, upper, training, None)
    out: Tensor = write(input, leaky, "rrelu_")
    return out


def randomly_leaky(
    name: str,
    input: Tensor,
    lower: float,
    upper: float,
    training: bool,
    generator: Generator | None,
) -> Tensor:
    """`rrelu` with the errors' name and the generator given."""
    floating(name, input)
    expect_number(name, "lower", lower)
    expect_number(name, "upper", upper)
    for which, bound in (("lower", lower), ("upper", upper)):
        if not math.isfinite(bound):
            raise RuntimeError(f"{name}: {which} bound must be finite, got {bound}")
    if lower > upper:
        raise RuntimeError(
            f"{name}: Lower bound should be less than or equal to the upper bound, got {lower} > "
            f"{upper}"
        )
    x = input._array
    slope: Any = (lower + upper) / 2
    if training:
        slope = rng_of(generator).uniform(lower, upper, x.shape)
    return ops.leaky_relu(input, slope=np.where(x > 0, 1, slope).astype(x.dtype))
