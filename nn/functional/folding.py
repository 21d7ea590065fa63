"""Windows as columns and back; pixels from channels and back."""

from __future__ import annotations

from math import prod
from typing import Any

from tensorgrad.errors import describe
from tensorgrad.functions.joining import copied
from tensorgrad.nn.functional.checks import expect_tensor, numbers
from tensorgrad.ops import resampling as ops
from tensorgrad.ops import shape as shape_ops
from tensorgrad.tensor import Tensor

__all__ = ["channel_shuffle", "fold", "pixel_shuffle", "pixel_unshuffle", "unfold"]


def _windows(
    name: str, size: tuple[int, ...], kernel: Any, dilation: Any, padding: Any, stride: Any
) -> dict[str, Any]:
    sides = numbers(name, "kernel_size", kernel, 2, 1)
    spread = numbers(name, "dilation", dilation, 2, 1)
    pads = numbers(name, "padding", padding, 2, 0)
    steps = numbers(name, "stride", stride, 2, 1)
    out = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, d, p, s in zip(size, sides, spread, pads, steps)
    )
    if min(out) < 1:
        raise RuntimeError(
            f"{name}(): with kernel_size={sides}, dilation={spread}, padding={pads} and "
            f"stride={steps}, the spatial size {list(size)} has the shape of sliding blocks "
            f"{list(out)}, which must be at least one"
        )
    return {
        "kernel": sides,
        "stride": steps,
        "padding": tuple((p, p) for p in pads),
        "dilation": spread,
        "out": out,
    }


def unfold(
    input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Every window of (N, C, H, W) or (C, H, W) as a column: (N, C * KH * KW, windows)."""
    expect_tensor("unfold", "input", input)
    shape = input._array.shape
    if len(shape) not in (3, 4) or 0 in shape[-3:]:
        raise RuntimeError(
            "unfold(): Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other "
            f"non-zero dimensions for input, but got: {list(shape)}"
        )
    how = _windows("unfold", shape[-2:], kernel_size, dilation, padding, stride)
    x = input if len(shape) == 4 else shape_ops.reshape(input, shape=(1, *shape))
    columns = ops.windows_to_columns(x, **how)
    rows, count = shape[-3] * prod(how["kernel"]), prod(how["out"])
    lead = shape[:1] if len(shape) == 4 else ()
    return shape_ops.reshape(columns, shape=(*lead, rows, count))


def fold(
    input: Tensor,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Tensor:
    """Columns (N, C * KH * KW, windows) added up where `unfold` would take them from.

    output_size: (H, W) of the result (N, C, H, W).
    """
    expect_tensor("fold", "input", input)
    shape = input._array.shape
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            "fold(): Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size "
            f"and non-zero dimensions for input, but got: {list(shape)}"
        )
    size = numbers("fold", "output_size", output_size, 2, 1)
    how = _windows("fold", size, kernel_size, dilation, padding, stride)
    places, count = prod(how["kernel"]), prod(how["out"])
    if shape[-2] % places:
        raise RuntimeError(
            "fold(): Expected size of input's dimension 1 to be divisible by the product of "
            f"kernel_size, but got input.size(1)={shape[-2]} and kernel_size={how['kernel']}"
        )
    if shape[-1] != count:
        raise RuntimeError(
            f"fold(): Given output_size={size}, kernel_size={how['kernel']}, dilation={dilation}, "
            f"padding={padding}, stride={stride}, expected input's last dimension to match the "
            f"calculated number of sliding blocks {count}, but got {shape[-1]}"
        )
    batch, channels = prod(shape[:-2]), shape[-2] // places
    columns = shape_ops.reshape(input, shape=(batch, channels, places, count))
    out = ops.columns_to_windows(columns, shape=(batch, channels, *size), **how)
    return out if len(shape) == 3 else out[0]


def _image(name: str, input: Tensor) -> tuple[tuple[int, ...], tuple[int, int, int]]:
    expect_tensor(name, "input", input)
    shape = input._array.shape
    if len(shape) < 3:
        raise RuntimeError(
            f"{name}(): expects input to have at least 3 dimensions, but got {describe(input)}"
        )
    return shape[:-3], (shape[-3], shape[-2], shape[-1])


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(..., C * r * r, H, W) as (..., C, H * r, W * r): channels become squares."""
    lead, (c, h, w) = _image("pixel_shuffle", input)
    (r,) = numbers("pixel_shuffle", "upscale_factor", upscale_factor, 1, 1)
    if c % (r * r):
        raise RuntimeError(
            "pixel_shuffle(): expects its input's 'channel' dimension to be divisible by the "
            f"square of upscale_factor, but {c} is not divisible by {r * r}"
        )
    n = len(lead)
    split = shape_ops.reshape(input, shape=(*lead, c // (r * r), r, r, h, w))
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    moved = shape_ops.permute(split, axes=order)
    return copied(shape_ops.reshape(moved, shape=(*lead, c // (r * r), h * r, w * r)))


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(..., C, H * r, W * r) as (..., C * r * r, H, W): the inverse of `pixel_shuffle`."""
    lead, (c, h, w) = _image("pixel_unshuffle", input)
    (r,) = numbers("pixel_unshuffle", "downscale_factor", downscale_factor, 1, 1)
    if h % r or w % r:
        raise RuntimeError(
            "pixel_unshuffle(): expects height and width to be divisible by downscale_factor, but "
            f"({h}, {w}) are not divisible by {r}"
        )
    n = len(lead)
    split = shape_ops.reshape(input, shape=(*lead, c, h // r, r, w // r, r))
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    moved = shape_ops.permute(split, axes=order)
    return copied(shape_ops.reshape(moved, shape=(*lead, c * r * r, h // r, w // r)))


def native_channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """`channel_shuffle` under the name of PyTorch's kernel."""
    return channel_shuffle(input, groups)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """(N, C, ...) with the channels of ``groups`` parts dealt out in turn."""
    expect_tensor("channel_shuffle", "input", input)
    shape = input._array.shape
    if len(shape) < 3:
        raise RuntimeError(
            "channel_shuffle(): expects input to have at least 3 dimensions, but got "
            f"{describe(input)}"
        )
    (groups,) = numbers("channel_shuffle", "groups", groups, 1, 1)
    if shape[1] % groups:
        raise RuntimeError(
            f"channel_shuffle(): number of channels must be divisible by groups. Got {shape[1]} "
            f"channels and {groups} groups."
        )
    split = shape_ops.reshape(input, shape=(shape[0], groups, shape[1] // groups, *shape[2:]))
    moved = shape_ops.permute(split, axes=(0, 2, 1, *range(3, len(shape) + 1)))
    return copied(shape_ops.reshape(moved, shape=shape))
