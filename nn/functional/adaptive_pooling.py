"""Pooling to a given size: means and maxima over nearly equal parts."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from tensorgrad.batching import on_arrays
from tensorgrad.errors import describe
from tensorgrad.graph.node import wrap
from tensorgrad.kernels.taps import Taps
from tensorgrad.nn.functional.avg_pooling import average
from tensorgrad.nn.functional.checks import expect_tensor, numbers
from tensorgrad.ops import pooling, reduction
from tensorgrad.ops import shape as shape_ops
from tensorgrad.ops.resampling import average_parts
from tensorgrad.tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
]


def _sizes(name: str, n: int, input: Tensor, output_size: Any) -> tuple[int, ...]:
    """The output's spatial size, None replaced by the input's; errors for what does not fit."""
    expect_tensor(name, "input", input)
    shape = input._array.shape
    if n > 1 and len(shape) <= n and isinstance(output_size, (tuple, list)):
        raise ValueError(f"{name}(): Input dimension should be at least {n + 1}, not {len(shape)}")
    if len(shape) not in (n + 1, n + 2):
        raise RuntimeError(f"{name}(): Expected {n + 1}D or {n + 2}D tensor, but got {list(shape)}")
    if 0 in shape[-n - 1 :]:
        raise RuntimeError(
            f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input "
            f"has sizes {list(shape)}"
        )
    if input._array.dtype.kind not in "fc":
        raise NotImplementedError(
            f"{name}(): not implemented for {describe(input)}; convert the input with .float()"
        )
    asked = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * n
    if len(asked) != n:
        raise RuntimeError(f"{name}(): output_size must be {n} elements, got {output_size!r}")
    return numbers(
        name, "output_size", [m if a is None else a for a, m in zip(asked, shape[-n:])], n, 0
    )


@lru_cache(maxsize=256)
def _parts(size: int, parts: int) -> tuple[Any, Any]:
    """Where each part starts and stops: part i from floor(i n / m) to ceil((i + 1) n / m)."""
    i = np.arange(parts)
    return i * size // max(parts, 1), -(-(i + 1) * size // max(parts, 1))


@lru_cache(maxsize=256)
def _averaging(size: int, parts: int) -> Taps:
    start, stop = _parts(size, parts)
    rows = np.repeat(np.arange(parts), stop - start)
    columns = np.concatenate([np.arange(a, b) for a, b in zip(start, stop)] or [rows])
    return Taps(rows, columns, (1 / (stop - start))[rows], (parts, size))


def _adaptive_avg(n: int, input: Tensor, output_size: Any) -> Tensor:
    name = f"adaptive_avg_pool{n}d"
    sizes = _sizes(name, n, input, output_size)
    given = input._array.shape[-n:]
    if sizes == (1,) * n:
        return reduction.mean(input, axis=tuple(range(input.ndim - n, input.ndim)), keepdims=True)
    if all(m and k % m == 0 for k, m in zip(given, sizes)):
        kernel = tuple(k // m for k, m in zip(given, sizes))
        return average(name, n, input, kernel, None, 0, False, True, None)
    out = input
    for i in range(n):
        if given[i] != sizes[i]:
            out = average_parts(out, taps=_averaging(given[i], sizes[i]), axis=input.ndim - n + i)
    return out


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """Means over output_size nearly equal parts of an input (N, C, L) or (C, L)."""
    return _adaptive_avg(1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Means over output_size (H', W') nearly equal parts of an input (N, C, H, W) or (C, H, W).

    Part i of a dimension of size n runs from floor(i n / n') to ceil((i + 1) n / n').  None for
    an output size keeps the input's.
    """
    return _adaptive_avg(2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """Means over output_size (D', H', W') nearly equal parts of an input (N, C, D, H, W)."""
    return _adaptive_avg(3, input, output_size)


def _adaptive_max(n: int, input: Tensor, output_size: Any) -> tuple[Tensor, Tensor]:
    name = f"adaptive_max_pool{n}d"
    sizes = _sizes(name, n, input, output_size)
    x = input._array
    given, lead = x.shape[-n:], x.shape[: x.ndim - n]
    if input._array.dtype.kind == "c":
        raise NotImplementedError(f"{name}(): complex numbers have no order: {describe(input)}")
    # Every window as a row, short ones filled up with their last element: the first maximum wins.
    flat: Any = np.zeros((1,) * (2 * n), np.int64)
    for i, (size, parts) in enumerate(zip(given, sizes)):
        start, stop = _parts(size, parts)
        width = int((stop - start).max(initial=0))
        place = np.minimum(start[:, None] + np.arange(width), stop[:, None] - 1)
        axes = [1] * (2 * n)
        axes[i], axes[n + i] = place.shape
        flat = flat * size + place.reshape(axes)
    flat = flat.reshape(int(np.prod(sizes)), int(np.prod(flat.shape[n:])))

    def winners(rows: Any) -> Any:
        values = rows[..., flat]
        won = values.argmax(axis=-1) if flat.size else np.zeros(values.shape[:-1], np.int64)
        places = flat[np.arange(len(flat)), won] if flat.size else won
        return np.ascontiguousarray(places, np.int64)

    places = on_arrays(winners, x.reshape(*lead, int(np.prod(given))))
    rows = shape_ops.reshape(input, shape=(*lead, int(np.prod(given))))
    out = pooling.gather_winners(rows, index=places, axis=len(lead))
    return (
        shape_ops.reshape(out, shape=(*lead, *sizes)),
        wrap(places.reshape(*lead, *sizes)),
    )


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima over output_size nearly equal parts of (N, C, L); see `adaptive_max_pool2d`."""
    found = _adaptive_max(1, input, output_size)
    return found if return_indices else found[0]


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima over output_size (H', W') nearly equal parts of (N, C, H, W) or (C, H, W).

    The parts are those of `adaptive_avg_pool2d`.  return_indices: also the place of each maximum
    in its H x W plane, int64; of equal elements the first counts, and receives the gradient.
    """
    found = _adaptive_max(2, input, output_size)
    return found if return_indices else found[0]


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima over output_size nearly equal parts of (N, C, D, H, W); see `adaptive_max_pool2d`."""
    found = _adaptive_max(3, input, output_size)
    return found if return_indices else found[0]


def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool1d` with ``return_indices=True``, whatever it is given."""
    return _adaptive_max(1, input, output_size)


def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool2d` with ``return_indices=True``, whatever it is given."""
    return _adaptive_max(2, input, output_size)


def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool3d` with ``return_indices=True``, whatever it is given."""
    return _adaptive_max(3, input, output_size)
