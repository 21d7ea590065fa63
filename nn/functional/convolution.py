"""Convolutions (cross-correlations, as everywhere in this field) over one to three dimensions."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from tensorgrad.errors import describe
from tensorgrad.nn.functional.checks import expect_tensor, numbers, optional_tensor
from tensorgrad.ops import convolution as ops
from tensorgrad.ops import shape as shape_ops
from tensorgrad.tensor import Tensor

__all__ = ["conv1d", "conv2d", "conv3d", "conv_tbc", "geometry"]

Pairs = tuple[tuple[int, int], ...]


@lru_cache(maxsize=1024)
def geometry(
    name: str, kernel: tuple[int, ...], stride: Any, padding: Any, dilation: Any
) -> tuple[tuple[int, ...], Pairs, tuple[int, ...]]:
    """Stride, padding as (low, high) pairs and dilation, one entry per spatial dimension."""
    n = len(kernel)
    steps = numbers(name, "stride", stride, n, 1)
    spread = numbers(name, "dilation", dilation, n, 1)
    if not isinstance(padding, str):
        widths = numbers(name, "padding", padding, n, 0)
        return steps, tuple((p, p) for p in widths), spread
    if padding == "valid":
        return steps, ((0, 0),) * n, spread
    if padding != "same":
        raise RuntimeError(
            f"{name}(): Invalid padding string: {padding!r}; use 'valid', 'same' or numbers"
        )
    if any(s != 1 for s in steps):
        raise RuntimeError(
            f"{name}(): padding='same' is not supported for strided convolutions, got "
            f"stride={stride}"
        )
    totals = [d * (k - 1) for d, k in zip(spread, kernel)]
    # An odd total has its larger half behind, as in PyTorch.
    return steps, tuple((t // 2, t - t // 2) for t in totals), spread


def _conv(
    n: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Tensor:
    name = f"conv{n}d"
    expect_tensor(name, "input", input)
    expect_tensor(name, "weight", weight)
    optional_tensor(name, "bias", bias)
    x, w = input._array, weight._array
    if w.ndim != n + 2:
        raise RuntimeError(
            f"{name}(): expected a weight (out, in / groups, *kernel) of {n + 2} dimensions, got "
            f"{describe(weight)}"
        )
    if x.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, but got input "
            f"of size: {list(x.shape)}"
        )
    if x.dtype.kind not in "fc":
        raise RuntimeError(
            f"{name}(): expected an input of floating-point numbers, got {describe(input)}; "
            "convert it with .float()"
        )
    (groups,) = numbers(name, "groups", groups, 1, 1)
    hashable = [tuple(v) if isinstance(v, list) else v for v in (stride, padding, dilation)]
    steps, pads, spread = geometry(name, w.shape[2:], *hashable)
    if x.ndim == n + 1:
        batched = shape_ops.reshape(input, shape=(1, *x.shape))
        out = ops.conv(
            batched, weight, bias, stride=steps, padding=pads, dilation=spread, groups=groups
        )
        return out[0]
    return ops.conv(input, weight, bias, stride=steps, padding=pads, dilation=spread, groups=groups)


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Slide ``weight`` (O, C / groups, K) over ``input`` (N, C, L) or (C, L); see `conv2d`."""
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Slide ``weight`` (O, C / groups, KH, KW) over ``input`` (N, C, H, W) or (C, H, W).

    stride, dilation: an int, or one per dimension.
    padding: the same, or "valid" (none), or "same" (as many outputs as inputs; stride 1).
    groups: input and output channels are split into this many parts that do not mix.
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Slide ``weight`` (O, C / groups, KD, KH, KW) over ``input`` (N, C, D, H, W); see `conv2d`."""
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """conv1d with time first: input (T, N, in), weight (width, in, out), bias (out,)."""
    name = "conv_tbc"
    for argument, value in (("input", input), ("weight", weight), ("bias", bias)):
        expect_tensor(name, argument, value)
    if input.ndim != 3 or weight.ndim != 3 or bias.ndim != 1:
        raise RuntimeError(
            f"{name}(): expected an input (time, batch, in), a weight (width, in, out) and a bias "
            f"(out,), got {describe(input)}, {describe(weight)} and {describe(bias)}"
        )
    if input.shape[2] != weight.shape[1] or bias.shape[0] != weight.shape[2]:
        raise RuntimeError(
            f"{name}(): input {describe(input)} and bias {describe(bias)} do not fit the weight's "
            f"in and out channels: {describe(weight)}"
        )
    turned = conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad)
    return turned.permute(2, 0, 1)
