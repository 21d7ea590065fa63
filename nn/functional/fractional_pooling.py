"""Maxima over windows at random distances, which shrink an input by any factor."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tensorgrad.batching import contiguous
from tensorgrad.errors import describe
from tensorgrad.graph.node import wrap
from tensorgrad.nn.functional.checks import expect_tensor, numbers
from tensorgrad.ops import pooling
from tensorgrad.ops import shape as shape_ops
from tensorgrad.sampling import rand
from tensorgrad.tensor import Tensor

__all__ = [
    "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
]


def _starts(sample: Any, size: int, out: int, kernel: int) -> Any:
    """Where the windows start, (N, C, out), for a random number per channel."""
    if out == 1:
        return np.full((*sample.shape, 1), size - kernel)
    alpha = sample.dtype.type((size - kernel) / (out - 1))
    steps = np.arange(out - 1).astype(sample.dtype)
    shift = (sample * alpha).astype(np.int64)[..., None]
    found = ((steps + sample[..., None]) * alpha).astype(np.int64) - shift
    return np.concatenate([found, np.full((*sample.shape, 1), size - kernel)], -1)


def _fractional(
    n: int, input: Tensor, kernel_size: Any, output_size: Any, output_ratio: Any, samples: Any
) -> tuple[Tensor, Tensor]:
    name = f"fractional_max_pool{n}d"
    expect_tensor(name, "input", input)
    x = input._array
    if (output_size is None) == (output_ratio is None):
        raise ValueError(
            f"{name}(): requires specifying either an output_size or an output_ratio, and not both"
        )
    if x.ndim not in (n + 1, n + 2) or 0 in x.shape[-n - 1 :]:
        raise RuntimeError(
            f"{name}(): Expected {n + 1}D or {n + 2}D tensor with non-zero dimensions for input, "
            f"but got: {list(x.shape)}"
        )
    if x.dtype.kind != "f":
        raise NotImplementedError(
            f"{name}(): not implemented for {describe(input)}; convert it with .float()"
        )
    kernel, given = numbers(name, "kernel_size", kernel_size, n, 1), x.shape[-n:]
    if output_size is None:
        ratios = output_ratio if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * n
        if len(ratios) != n:
            raise ValueError(f"{name}(): output_ratio must have {n} elements, got {output_ratio!r}")
        output_size = [int(m * ratio) for m, ratio in zip(given, ratios)]
    sizes = numbers(name, "output_size", output_size, n, 1)
    # Volumes need one more, as in PyTorch.
    if any(m + k - 1 > old - (n == 3) for m, k, old in zip(sizes, kernel, given)):
        raise RuntimeError(
            f"{name}(): kernel_size={kernel} and output size {sizes} are too large for the "
            f"input's {list(given)}: output + kernel - 1 must be at most "
            f"{[old - (n == 3) for old in given]}"
        )
    lead = x.shape[: x.ndim - n]
    batch = (1, *lead)[-2:]
    if samples is None:
        samples = rand(*batch, n, dtype=input.dtype)
    expect_tensor(name, "_random_samples", samples)
    drawn = samples._array
    fits = drawn.ndim == 3 and len(drawn) >= batch[0] and drawn.shape[1:] == (batch[1], n)
    if not fits or drawn.dtype != x.dtype:
        raise RuntimeError(
            f"{name}(): expected _random_samples of shape {(*batch, n)}, or of more rows, and "
            f"input's dtype, got {describe(samples)}"
        )
    drawn = drawn[: batch[0]]
    flat: Any = 0
    for i in range(n):
        # PyTorch's images take their numbers in the order (x, y), its volumes as (z, y, x).
        starts = _starts(drawn[..., n - 1 - i if n == 2 else i], given[i], sizes[i], kernel[i])
        place = starts[..., None] + np.arange(kernel[i])
        shape = [1] * (2 * n)
        shape[i], shape[n + i] = sizes[i], kernel[i]
        flat = flat * given[i] + place.reshape(*batch, *shape)
    flat = flat.reshape(*lead, prod(sizes), prod(kernel))
    values = np.take_along_axis(
        x.reshape(*lead, prod(given)), flat.reshape(*lead, prod(sizes) * prod(kernel)), -1
    ).reshape(flat.shape)
    won = values.argmax(axis=-1)[..., None]
    places = contiguous(np.take_along_axis(flat, won, -1)[..., 0])
    rows = shape_ops.reshape(input, shape=(*lead, prod(given)))
    out = pooling.gather_winners(rows, index=places, axis=len(lead))
    return (
        shape_ops.reshape(out, shape=(*lead, *sizes)),
        wrap(places.reshape(*lead, *sizes)),
    )


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Maxima over windows of (N, C, H, W) or (C, H, W) whose distances vary at random.

    output_size: (H', W'), or output_ratio: its share of (H, W).  return_indices: also the place
    of each maximum in its plane.  _random_samples: numbers from [0, 1), (N, C, 2) or more rows, to
    use instead of new ones.
    """
    found = _fractional(2, input, kernel_size, output_size, output_ratio, _random_samples)
    return found if return_indices else found[0]


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Maxima over windows of (N, C, D, H, W) at random distances; see `fractional_max_pool2d`."""
    found = _fractional(3, input, kernel_size, output_size, output_ratio, _random_samples)
    return found if return_indices else found[0]


def fractional_max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """`fractional_max_pool2d` with ``return_indices=True``, whatever it is given."""
    return _fractional(2, input, kernel_size, output_size, output_ratio, _random_samples)


def fractional_max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """`fractional_max_pool3d` with ``return_indices=True``, whatever it is given."""
    return _fractional(3, input, kernel_size, output_size, output_ratio, _random_samples)
