"""Pooling over two dimensions: the maximum or the mean of windows."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.nn.functional.checks import expect_tensor, numbers
from tensorgrad.node import wrap
from tensorgrad.ops import elementwise, linalg, reduction
from tensorgrad.ops import pooling as ops
from tensorgrad.tensor import Tensor

__all__ = [
    "adaptive_avg_pool2d",
    "avg_pool2d",
    "max_pool2d",
    "max_pool2d_with_indices",
]


def _windows(
    name: str, size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool
) -> tuple[int, int]:
    """How many windows fit along one axis, and how much padding they need behind."""
    span = dilation * (kernel - 1) + 1
    room = size + 2 * padding - span
    count = (room + (stride - 1 if ceil_mode else 0)) // stride + 1
    if ceil_mode and (count - 1) * stride >= size + padding:
        count -= 1  # a window must start inside the input or the padding before it
    return count, max((count - 1) * stride + span - size - padding, 0)


@lru_cache(maxsize=1024)
def _geometry(
    name: str,
    shape: tuple[int, ...],
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> dict[str, Any]:
    """The description of the windows that the primitives take; errors for what does not fit."""
    if len(shape) not in (3, 4) or any(n == 0 for n in shape[-3:]):
        raise RuntimeError(
            f"{name}(): Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for "
            f"input, but got: {list(shape)}"
        )
    kernel = numbers(name, "kernel_size", kernel_size, 2, 1)
    steps = kernel if stride is None or stride == () else numbers(name, "stride", stride, 2, 1)
    pads = numbers(name, "padding", padding, 2, 0)
    spread = numbers(name, "dilation", dilation, 2, 1)
    for k, p, d in zip(kernel, pads, spread):
        if p > (d * (k - 1) + 1) // 2:
            raise RuntimeError(
                f"{name}(): pad should be at most half of effective kernel size, but got pad={p}, "
                f"kernel_size={k} and dilation={d}"
            )
    found = [
        _windows(name, n, k, s, p, d, bool(ceil_mode))
        for n, k, s, p, d in zip(shape[-2:], kernel, steps, pads, spread)
    ]
    out = tuple(count for count, _ in found)
    if min(out) < 1:
        given, made = "x".join(map(str, shape[-3:])), "x".join(map(str, (shape[-3], *out)))
        raise RuntimeError(
            f"{name}(): Given input size: ({given}). Calculated output size: ({made}). Output "
            f"size is too small; kernel_size={kernel}, padding={pads}, dilation={spread}"
        )
    return {
        "kernel": kernel,
        "stride": steps,
        "padding": tuple((p, high) for p, (_, high) in zip(pads, found)),
        "dilation": spread,
        "out": out,
    }


def _described(
    name: str, input: Tensor, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: Any
) -> dict[str, Any]:
    expect_tensor(name, "input", input)
    words = [tuple(v) if isinstance(v, list) else v for v in (kernel, stride, padding, dilation)]
    return _geometry(name, input._array.shape, *words, bool(ceil_mode))


def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of every window of an input (N, C, H, W) or (C, H, W).

    stride: defaults to kernel_size.  padding: counts as -inf.  ceil_mode: the last window may
    reach beyond the padding.  return_indices: also the place of each maximum in its H x W plane,
    int64; of equal elements the first counts, and receives the gradient.
    """
    how = _described("max_pool2d", input, kernel_size, stride, padding, dilation, ceil_mode)
    out = ops.max_pool(input, **how)
    return (out, _places(input, out, how)) if return_indices else out


def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """`max_pool2d` with ``return_indices=True``, whatever it is given."""
    found: tuple[Tensor, Tensor] = max_pool2d(
        input, kernel_size, stride, padding, dilation, ceil_mode, True
    )
    return found


def _places(input: Tensor, out: Tensor, how: dict[str, Any]) -> Tensor:
    """The index, in the flattened H x W plane, of the element that won each window."""
    won = ops.window_winner(input._array, out._array, how).astype(np.int64)
    height, width = input._array.shape[-2:]
    starts = [
        np.arange(count) * s - low
        for count, s, (low, _) in zip(how["out"], how["stride"], how["padding"])
    ]
    down, across = how["dilation"]
    columns = how["kernel"][1]
    row = np.clip(starts[0][:, None] + won // columns * down, 0, height - 1)
    column = np.clip(starts[1] + won % columns * across, 0, width - 1)
    return wrap(np.ascontiguousarray(row * width + column))


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
    how = _described("avg_pool2d", input, kernel_size, stride, padding, 1, ceil_mode)
    if input._array.dtype.kind not in "fc":
        raise NotImplementedError(
            f"avg_pool2d(): not implemented for {describe(input)}; convert the input with .float()"
        )
    if divisor_override == 0:
        raise RuntimeError("avg_pool2d(): divisor must be not zero, got divisor_override=0")
    total = ops.window_sum(input, **how)
    if divisor_override is not None:
        divisor: Any = float(divisor_override)
    else:
        pads = numbers("avg_pool2d", "padding", padding, 2, 0)
        counts = [
            _counts(n, p, k, s, count, count_include_pad)
            for n, p, k, s, count in zip(
                input._array.shape[-2:], pads, how["kernel"], how["stride"], how["out"]
            )
        ]
        area = np.multiply.outer(*counts)
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


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Means over output_size (H', W') nearly equal parts of an input (N, C, H, W) or (C, H, W).

    Part i of a dimension of size n runs from floor(i n / n') to ceil((i + 1) n / n').  None for
    an output size keeps the input's.
    """
    name = "adaptive_avg_pool2d"
    expect_tensor(name, "input", input)
    shape = input._array.shape
    if len(shape) not in (3, 4):
        raise RuntimeError(f"{name}(): Expected 3D or 4D tensor, but got {list(shape)}")
    if 0 in shape[-3:]:
        raise RuntimeError(
            f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input "
            f"has sizes {list(shape)}"
        )
    if input._array.dtype.kind not in "fc":
        raise NotImplementedError(
            f"{name}(): not implemented for {describe(input)}; convert the input with .float()"
        )
    asked = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * 2
    sizes = numbers(
        name, "output_size", [n if a is None else a for a, n in zip(asked, shape[-2:])], 2, 0
    )
    if len(asked) != 2:
        raise RuntimeError(f"{name}(): output_size must be 2 elements, got {output_size!r}")
    if sizes == (1, 1):
        return reduction.mean(input, axis=(len(shape) - 2, len(shape) - 1), keepdims=True)
    if all(m and n % m == 0 for n, m in zip(shape[-2:], sizes)):
        return avg_pool2d(input, tuple(n // m for n, m in zip(shape[-2:], sizes)))
    kind = input._array.dtype
    # Both axes are linear maps that do not depend on the data: A_h x A_w^T.
    out = linalg.matmul(input, _averaging(shape[-1], sizes[1], kind.char).T)
    return linalg.matmul(_averaging(shape[-2], sizes[0], kind.char), out)


@lru_cache(maxsize=64)
def _averaging(size: int, parts: int, kind: str) -> Any:
    """The (parts, size) matrix whose product with a vector is the mean of each part."""
    matrix = np.zeros((parts, size), np.dtype(kind))
    for i in range(parts):
        start, stop = i * size // parts, -(-(i + 1) * size // parts)
        matrix[i, start:stop] = 1 / (stop - start)
    matrix.flags.writeable = False
    return matrix
