"""The windows of pooling over one to three dimensions, and the checks they have in common."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from tensorgrad.nn.functional.checks import expect_tensor, numbers
from tensorgrad.tensor import Tensor

__all__ = ["described", "geometry"]


def _windows(
    size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool
) -> tuple[int, int]:
    """How many windows fit along one axis, and how much padding they need behind."""
    span = dilation * (kernel - 1) + 1
    room = size + 2 * padding - span
    count = (room + (stride - 1 if ceil_mode else 0)) // stride + 1
    if ceil_mode and (count - 1) * stride >= size + padding:
        count -= 1  # a window must start inside the input or the padding before it
    return count, max((count - 1) * stride + span - size - padding, 0)


@lru_cache(maxsize=1024)
def geometry(
    name: str,
    n: int,
    shape: tuple[int, ...],
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> dict[str, Any]:
    """`described` for an input of a shape; sizes as ints or tuples."""
    if len(shape) not in (n + 1, n + 2) or 0 in shape[-n - 1 :]:
        raise RuntimeError(
            f"{name}(): non-empty {n + 1}D or {n + 2}D (batch mode) tensor expected for input "
            f"(the batch alone may have size 0), but got: {list(shape)}"
        )
    kernel = numbers(name, "kernel_size", kernel_size, n, 1)
    steps = kernel if stride is None or stride == () else numbers(name, "stride", stride, n, 1)
    pads = numbers(name, "padding", padding, n, 0)
    spread = numbers(name, "dilation", dilation, n, 1)
    for k, p, d in zip(kernel, pads, spread):
        if p > (d * (k - 1) + 1) // 2:
            raise RuntimeError(
                f"{name}(): pad should be at most half of effective kernel size, but got pad={p}, "
                f"kernel_size={k} and dilation={d}"
            )
    found = [
        _windows(m, k, s, p, d, ceil_mode)
        for m, k, s, p, d in zip(shape[-n:], kernel, steps, pads, spread)
    ]
    out = tuple(count for count, _ in found)
    if min(out) < 1:
        channels = shape[-n - 1]
        given = "x".join(map(str, shape[-n - 1 :]))
        made = "x".join(map(str, (channels, *out)))
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


def described(
    name: str,
    n: int,
    input: Tensor,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: Any,
) -> dict[str, Any]:
    """The windows over the last ``n`` axes as the primitives take them; errors for what does not
    fit."""
    expect_tensor(name, "input", input)
    words = [tuple(v) if isinstance(v, list) else v for v in (kernel, stride, padding, dilation)]
    return geometry(name, n, input._array.shape, *words, bool(ceil_mode))
