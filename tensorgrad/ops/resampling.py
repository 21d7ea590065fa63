"""Weighted sums of a few elements along an axis: interpolation and its adjoint, which is another.

Windows as columns and back (im2col and col2im), which are each other's adjoints.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching import families
from tensorgrad.batching import windows as batching
from tensorgrad.kernels import pooling as kernel_pooling
from tensorgrad.kernels.taps import Taps
from tensorgrad.ops.kinds import still
from tensorgrad.primitive import primitive, raw


@primitive(
    lambda xp, g, y, x, *, taps, axis: xp.resample(g, taps=taps.back, axis=axis),
    formula="to_taps(g)",
    batch=families.along("axis"),
)
def resample(x: Any, *, taps: Taps, axis: int) -> Any:
    """Each place along an axis becomes the weighted sum of a few: the taps say of which."""
    if x.shape[axis] != taps.size[1]:
        raise RuntimeError(
            f"expected {taps.size[1]} elements along axis {axis}, got {x.shape[axis]}"
        )
    return taps.apply(x, axis)


@primitive(
    lambda xp, g, y, x, *, taps, axis: still(xp, xp.resample(g, taps=taps.back, axis=axis), x),
    formula="to_taps(g)",
    batch=families.along("axis"),
)
def average_parts(x: Any, *, taps: Taps, axis: int) -> Any:
    """`resample` to the means of nearly equal parts; a program may ask for its gradient's."""
    return raw.resample(x, taps=taps, axis=axis)


@primitive(
    lambda xp, g, y, x, **how: xp.columns_to_windows(g, shape=x.shape, **how),
    formula="columns_to_windows(g, x)",
    batch=batching.columns,
)
def windows_to_columns(
    x: Any, *, kernel: Any, stride: Any, padding: Any, dilation: Any, out: Any
) -> Any:
    """x (N, C, *S) as (N, C, places of a window, windows); padding counts as 0."""
    full = kernel_pooling.padded(x, padding, 0)
    n = len(kernel)
    y = np.empty((*x.shape[: x.ndim - n], int(np.prod(kernel)), *out), x.dtype)
    for k, index in enumerate(kernel_pooling.slices(kernel, stride, dilation, out)):
        y[(slice(None), slice(None), k)] = full[index]
    return y.reshape(*y.shape[:3], int(np.prod(out)))


@primitive(
    lambda xp, g, y, x, *, shape, **how: xp.windows_to_columns(g, **how),
    formula="windows_to_columns(g)",
    batch=batching.columns,
)
def columns_to_windows(
    x: Any, *, shape: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, out: Any
) -> Any:
    """Columns added up at the places they come from, of a given shape (N, C, *S)."""
    size = [n + low + high for n, (low, high) in zip(shape[2:], padding, strict=True)]
    full = np.zeros((*shape[:2], *size), x.dtype)
    parts = x.reshape(*x.shape[:3], *out)
    for k, index in enumerate(kernel_pooling.slices(kernel, stride, dilation, out)):
        full[index] += parts[:, :, k]
    inner: Any = tuple(slice(a, a + n) for n, (a, _) in zip(shape[2:], padding, strict=True))
    return full[(..., *inner)]
