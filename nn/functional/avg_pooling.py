"""Means and power means of windows over one to three dimensions."""

from __future__ import annotations

import math
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.nn.functional.checks import numbers
from tensorgrad.nn.functional.max_pooling import max_pool1d, max_pool2d, max_pool3d
from tensorgrad.nn.functional.pool_windows import described
from tensorgrad.ops import elementwise
from tensorgrad.ops import pooling as ops
from tensorgrad.tensor import Tensor

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
]


def average(
    name: str,
    n: int,
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    """The mean of every window over the last ``n`` axes."""
    how = described(name, n, input, kernel_size, stride, padding, 1, ceil_mode)
    if input._array.dtype.kind not in "fc":
        raise NotImplementedError(
            f"{name}(): not implemented for {describe(input)}; convert the input with .float()"
        )
    if divisor_override == 0:
        raise RuntimeError(f"{name}(): divisor must be not zero, got divisor_override=0")
    total = ops.window_sum(input, **how)
    if divisor_override is not None:
        divisor: Any = float(divisor_override)
    else:
        pads = numbers(name, "padding", padding, n, 0)
        counts = [
            _counts(m, p, k, s, count, count_include_pad)
            for m, p, k, s, count in zip(
                input._array.shape[-n:], pads, how["kernel"], how["stride"], how["out"]
            )
        ]
        area = reduce(np.multiply.outer, counts)
        same = (area == area.flat[0]).all()
        divisor = float(area.flat[0]) if same else area.astype(input._array.dtype)
    return elementwise.div(total, divisor)


def _counts(size: int, pad: int, kernel: int, stride: int, count: int, with_pad: bool) -> Any:
    """How many elements each window has along one axis: never those beyond the padding."""
    start = np.arange(count) * stride - pad
    stop = np.minimum(start + kernel, size + pad)
    if not with_pad:
        start, stop = np.maximum(start, 0), np.minimum(stop, size)
    return stop - start


def avg_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of every window of an input (N, C, L) or (C, L); see `avg_pool2d`."""
    return average(
        "avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None
    )


def avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of every window of an input (N, C, H, W) or (C, H, W).

    count_include_pad: whether the zeros of the padding count in the mean.
    divisor_override: divide the sums by this instead of by the number of elements.
    """
    return average(
        "avg_pool2d",
        2,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )


def avg_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of every window of an input (N, C, D, H, W) or (C, D, H, W); see `avg_pool2d`."""
    return average(
        "avg_pool3d",
        3,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )


def _lp_pool(
    n: int, input: Tensor, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool
) -> Tensor:
    if norm_type in (math.inf, -math.inf):
        pool, size = (max_pool1d, max_pool2d, max_pool3d)[n - 1], elementwise.abs(input)
        if norm_type > 0:
            most: Tensor = pool(size, kernel_size, stride, ceil_mode=ceil_mode)
            return most
        least = pool(elementwise.neg(size), kernel_size, stride, ceil_mode=ceil_mode)
        return elementwise.neg(least)
    name = f"lp_pool{n}d"
    # Where ceil_mode cuts a window short, its mean is still scaled by the whole window's size.
    mean = average(name, n, input**norm_type, kernel_size, stride, 0, ceil_mode, True, None)
    places = prod(numbers(name, "kernel_size", kernel_size, n, 1))
    return elementwise.mul(mean, float(places)) ** (1.0 / norm_type)


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """(sum of x**p)**(1/p) over every window of an input (N, C, L), p being norm_type."""
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """(sum of x**p)**(1/p) over every window of an input (N, C, H, W), p being norm_type.

    The elements are not made positive: for odd p a negative sum gives NaN.  With ceil_mode a
    window cut short counts as if it went on with its mean.  For p = inf and p = -inf it is the
    largest and the smallest absolute value.
    """
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """(sum of x**p)**(1/p) over every window of an input (N, C, D, H, W), p being norm_type."""
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)
