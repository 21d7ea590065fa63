"""The maximum of windows over one to three dimensions, and the way back from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching import contiguous, on_arrays
from tensorgrad.errors import describe
from tensorgrad.graph.node import wrap
from tensorgrad.nn.functional.checks import expect_tensor, numbers
from tensorgrad.nn.functional.pool_windows import described
from tensorgrad.ops import indexing
from tensorgrad.ops import pooling as ops
from tensorgrad.ops import shape as shape_ops
from tensorgrad.tensor import Tensor

__all__ = [
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]


def _max_pool(
    n: int,
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    how = described(f"max_pool{n}d", n, input, kernel_size, stride, padding, dilation, ceil_mode)
    out = ops.max_pool(input, **how)
    return (out, _places(input, out, how)) if return_indices else out


def _places(input: Tensor, out: Tensor, how: dict[str, Any]) -> Tensor:
    """The index, in the flattened spatial axes, of the element that won each window."""
    won = ops.window_winner(input._array, out._array, how).astype(np.int64)
    n = len(how["kernel"])
    sizes = input._array.shape[-n:]
    flat: Any = np.zeros((), np.int64)
    within = on_arrays(lambda won: np.unravel_index(won, how["kernel"]), won)
    for i in range(n):
        start = np.arange(how["out"][i]) * how["stride"][i] - how["padding"][i][0]
        start = start.reshape(-1, *(1,) * (n - 1 - i))
        # Clipped only for windows that hold nothing but padding: any place will do.
        place = np.clip(start + within[i] * how["dilation"][i], 0, sizes[i] - 1)
        flat = flat * sizes[i] + place
    return wrap(contiguous(flat))


def max_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of every window of an input (N, C, L) or (C, L); see `max_pool2d`."""
    return _max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


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
    return _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of every window of an input (N, C, D, H, W) or (C, D, H, W); see `max_pool2d`."""
    return _max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """`max_pool1d` with ``return_indices=True``, whatever it is given."""
    out, index = _max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, True)
    return out, index


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
    out, index = _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, True)
    return out, index


def max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """`max_pool3d` with ``return_indices=True``, whatever it is given."""
    out, index = _max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, True)
    return out, index


# --- Unpooling ------------------------------------------------------------------------------------


def _sizes(
    name: str, n: int, input: Tensor, kernel: Any, stride: Any, padding: Any, output_size: Any
) -> tuple[int, ...]:
    """The spatial size to return to: the one that pooling would have started from, or near it."""
    kernel = numbers(name, "kernel_size", kernel, n, 1)
    steps = kernel if stride is None or stride == () else numbers(name, "stride", stride, n, 1)
    pads = numbers(name, "padding", padding, n, 0)
    found = tuple(
        (m - 1) * s + k - 2 * p for m, s, k, p in zip(input.shape[-n:], steps, kernel, pads)
    )
    if output_size is None:
        return found
    asked = tuple(int(m) for m in output_size)
    if len(asked) == n + 2:
        asked = asked[2:]
    if len(asked) != n:
        raise ValueError(
            f"{name}(): output_size should be a sequence containing {n} or {n + 2} elements, but "
            f"it has a length of '{len(asked)}'"
        )
    for i, (m, default, s) in enumerate(zip(asked, found, steps)):
        if not default - s < m < default + s:
            raise ValueError(
                f"{name}(): invalid output_size {asked} (dim {i} must be between {default - s} and "
                f"{default + s})"
            )
    return asked


def _max_unpool(
    n: int,
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    output_size: Any,
) -> Tensor:
    name = f"max_unpool{n}d"
    expect_tensor(name, "input", input)
    expect_tensor(name, "indices", indices)
    shape = input._array.shape
    if len(shape) not in (n + 1, n + 2):
        raise RuntimeError(
            f"{name}(): Expected an input of {n + 1} or {n + 2} dimensions, got {describe(input)}"
        )
    sizes = _sizes(name, n, input, kernel_size, stride, padding, output_size)
    if indices._array.dtype != np.int64:
        raise RuntimeError(
            f"{name}(): elements in indices should be type int64, got {describe(indices)}"
        )
    if indices._array.shape != shape:
        raise RuntimeError(
            f"{name}(): expected shape of indices to be the input's, {list(shape)}, but got "
            f"{list(indices.shape)}"
        )
    total = int(np.prod(sizes))
    lead = shape[: len(shape) - n]
    places = indices._array.reshape(*lead, -1)
    if places.size and (places.min() < 0 or places.max() >= total):
        wrong = places[(places < 0) | (places >= total)][0]
        raise RuntimeError(
            f"{name}(): found an invalid max index: {wrong} (output volumes are of size {sizes})"
        )
    flat = shape_ops.reshape(input, shape=places.shape)
    rows = [a.reshape(-1, *(1,) * (len(lead) - i)) for i, a in enumerate(map(np.arange, lead))]
    # Written, not added: overlapping windows name one maximum several times.
    out = indexing.index_fill(
        wrap(np.zeros((*lead, total), input._array.dtype)), flat, index=(*rows, places)
    )
    return shape_ops.reshape(out, shape=(*lead, *sizes))


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Tensor:
    """Put the maxima of `max_pool1d` back at their indices; see `max_unpool2d`."""
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Tensor:
    """Put the maxima of `max_pool2d` (N, C, H, W) back at their indices, in zeros.

    output_size: the size to return to, where several sizes pool to the same: (H', W') or
    (N, C, H', W').  Of several values for one place the last one stays, and has the gradient.
    """
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Tensor:
    """Put the maxima of `max_pool3d` back at their indices; see `max_unpool2d`."""
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)
