"""Resizing of images and signals: every axis is a sparse linear map that does not see the data."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.graph.provenance import warn
from tensorgrad.kernels.taps import Taps
from tensorgrad.nn.functional.adaptive_pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
)
from tensorgrad.nn.functional.checks import expect_tensor
from tensorgrad.ops.resampling import resample
from tensorgrad.tensor import Tensor

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

# The number of spatial dimensions that a mode is for.
_RANKS = {
    "nearest": (1, 2, 3),
    "nearest-exact": (1, 2, 3),
    "area": (1, 2, 3),
    "linear": (1,),
    "bilinear": (2,),
    "trilinear": (3,),
    "bicubic": (2,),
}
_SMOOTH = ("linear", "bilinear", "trilinear", "bicubic")


def _cubic(x: Any, a: float) -> Any:
    """Keys' cubic convolution kernel of slope a at 1: 1 at 0, 0 at 1 and from 2 on."""
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((x - 5) * x + 8) * x * a - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _step(size: int, out: int, scale: float | None, corners: bool) -> float:
    """How far apart, in input elements, neighbouring outputs are."""
    if corners:
        return (size - 1) / (out - 1) if out > 1 else 0.0
    return 1 / scale if scale is not None and scale > 0 else size / out


@lru_cache(maxsize=256)
def _picks(size: int, out: int, scale: float | None, exact: bool, kind: str) -> Taps:
    """Of each output, the one input it repeats.

    kind: the floating-point type of the step, the input's own but float32 for anything smaller.
    Which input is taken at a tie depends on it, and on the rounding of places to float32; both
    are PyTorch's.
    """
    real = np.dtype(kind).type
    places = np.arange(out).astype("f8" if exact else real)
    step = real(1 / scale) if scale is not None and scale > 0 else real(size) / real(out)
    found = np.floor(((places + 0.5) * step if exact else places * step).astype("f4"))
    index = np.minimum(found.astype(np.int64), size - 1)
    return Taps(np.arange(out), index, None, (out, size))


@lru_cache(maxsize=256)
def _weights(size: int, out: int, scale: float | None, corners: bool, cubic: bool) -> Taps:
    """Linear (two taps) or cubic (four) interpolation; beyond the ends the edge goes on."""
    step = _step(size, out, scale, corners)
    rows = np.arange(out)
    source = rows * step if corners else (rows + 0.5) * step - 0.5
    if not cubic:
        source = np.maximum(source, 0)
    first = np.floor(source).astype(np.int64)
    if not cubic:
        first = np.minimum(first, size - 1)
    part = np.clip(source - first, 0, 1)
    offsets = np.arange(-1, 3) if cubic else np.arange(2)
    distance = part[:, None] - offsets
    weights = _cubic(distance, -0.75) if cubic else np.maximum(1 - np.abs(distance), 0)
    columns = np.clip(first[:, None] + offsets, 0, size - 1)
    # A tap of weight 0 is left out: it could only turn an infinite element into NaN.
    used = weights != 0
    return Taps(np.repeat(rows, used.sum(1)), columns[used], weights[used], (out, size))


@lru_cache(maxsize=256)
def _filtered(size: int, out: int, scale: float | None, corners: bool, cubic: bool) -> Taps:
    """The same with the kernel widened to the step when shrinking, so that nothing aliases."""
    step = _step(size, out, scale, corners)
    wide = max(step, 1.0)
    support = (2.0 if cubic else 1.0) * wide
    center = step * (np.arange(out) + 0.5)
    start = np.maximum((center - support + 0.5).astype(np.int64), 0)
    stop = np.minimum((center + support + 0.5).astype(np.int64), size)
    rows = np.repeat(np.arange(out), stop - start)
    columns = np.concatenate([np.arange(a, b) for a, b in zip(start, stop)])
    distance = (columns - center[rows] + 0.5) / wide
    weights = _cubic(distance, -0.5) if cubic else np.maximum(1 - np.abs(distance), 0)
    total = np.bincount(rows, weights, out)
    return Taps(rows, columns, weights / total[rows], (out, size))


def _per_axis(what: str, value: Any, n: int) -> list[Any]:
    if not isinstance(value, (tuple, list)):
        return [value] * n
    if len(value) != n:
        raise ValueError(
            f"interpolate(): Input and {what} must have the same number of spatial dimensions, but "
            f"got input with {n} spatial dimensions and {what} of length {len(value)}: {value!r}"
        )
    return list(value)


def _sizes(
    given: tuple[int, ...], size: Any, scale_factor: Any, recompute: bool | None
) -> tuple[list[int], list[float | None]]:
    """The output's spatial size, and the scales to use where they are not the sizes' ratio."""
    n = len(given)
    if size is not None and scale_factor is not None:
        raise ValueError("interpolate(): only one of size or scale_factor should be defined")
    if size is not None:
        if recompute:
            raise ValueError(
                "interpolate(): recompute_scale_factor is not meaningful with an explicit size."
            )
        asked = _per_axis("output size", size, n)
        if any(isinstance(m, bool) or not hasattr(m, "__index__") for m in asked):
            raise TypeError(
                f"interpolate(): expected size to be one of int or Tuple[int], got {size!r}"
            )
        return [int(m) for m in asked], [None] * n
    if scale_factor is None:
        raise ValueError("interpolate(): either size or scale_factor should be defined")
    factors = [float(f) for f in _per_axis("scale_factor", scale_factor, n)]
    sizes = [math.floor(m * f) for m, f in zip(given, factors)]
    return sizes, [None] * n if recompute else list(factors)


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resize an input (N, C, L), (N, C, H, W) or (N, C, D, H, W) to another spatial size.

    size: the new size, or scale_factor: how many times the old one; one for all or per dimension.
    mode: "nearest" (as older programs computed it), "nearest-exact" (with the right half-pixel
        offset), "linear" / "bilinear" / "trilinear", "bicubic", "area" (means of parts).
    align_corners: of the smooth modes, whether the outermost elements' centers keep their places,
        rather than their outer edges.
    recompute_scale_factor: place the outputs by the rounded sizes, not by scale_factor itself.
    antialias: in "bilinear" and "bicubic", widen the kernel when shrinking.
    """
    expect_tensor("interpolate", "input", input)
    if mode not in _RANKS:
        raise NotImplementedError(
            f"interpolate(): no mode {mode!r}; use one of {', '.join(map(repr, _RANKS))}"
        )
    smooth = mode in _SMOOTH
    if align_corners is not None and not smooth:
        raise ValueError(
            "interpolate(): align_corners option can only be set with the interpolating modes: "
            f"linear | bilinear | bicubic | trilinear; got mode={mode!r}"
        )
    shape = input._array.shape
    given = shape[2:]
    sizes, scales = _sizes(given, size, scale_factor, recompute_scale_factor)
    if len(given) not in _RANKS[mode]:
        raise NotImplementedError(
            f"interpolate(): mode {mode!r} is for inputs of "
            f"{' or '.join(str(r + 2) for r in _RANKS[mode])} dimensions (batch, channels, "
            f"spatial), got {describe(input)}"
        )
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ValueError(
            "interpolate(): antialias option is restricted to bilinear and bicubic modes, got "
            f"{mode!r}"
        )
    if 0 in shape[1:] or min(sizes) < 1:
        raise RuntimeError(
            f"interpolate(): Input and output sizes should be greater than 0, but got input "
            f"{describe(input)} and output size {sizes}"
        )
    dtype = input._array.dtype
    if dtype.kind != "f" and (mode not in ("nearest", "nearest-exact") or dtype != np.uint8):
        raise NotImplementedError(
            f"interpolate(): not implemented for {describe(input)}; convert it with .float()"
        )
    if mode == "area":
        pool = (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[len(given) - 1]
        return pool(input, sizes)
    out = input
    for i, (old, new, scale) in enumerate(zip(given, sizes, scales)):
        if not smooth:
            exact = mode == "nearest-exact"
            kind = "f8" if dtype.itemsize == 8 else "f4"
            taps = _picks(old, new, scale, exact, kind)
        else:
            make = _filtered if antialias else _weights
            taps = make(old, new, scale, bool(align_corners), mode == "bicubic")
        out = resample(out, taps=taps, axis=2 + i)
    return out


def upsample(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """`interpolate`, by its old name."""
    warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with mode "nearest", by its old name."""
    warn("`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with mode "bilinear" and corners aligned, by its old name."""
    warn(
        "`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead."
    )
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)
