"""Sampling of images at given places, and the places that an affine map gives.

Everything that depends on the data in a piecewise constant way (which pixels are neighbours, which
lie outside, how often a coordinate was mirrored) is computed on arrays; the rest is composed of
differentiable operations, so that gradients of every order follow.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad.batching import contiguous
from tensorgrad.errors import describe
from tensorgrad.graph.node import wrap
from tensorgrad.graph.provenance import warn
from tensorgrad.nn.functional.checks import expect_tensor
from tensorgrad.ops import elementwise, indexing, linalg
from tensorgrad.ops import shape as shape_ops
from tensorgrad.ranges import evenly
from tensorgrad.tensor import Tensor

__all__ = ["affine_grid", "grid_sample"]


def _reflected(place: Any, size: int, corners: bool) -> tuple[Any, Any]:
    """Coordinates mirrored at the border until they are inside, and the signs of their slopes."""
    low, high = (0.0, size - 1.0) if corners else (-0.5, size - 0.5)
    if high <= low:
        return np.zeros_like(place), np.zeros_like(place)
    span = high - low
    away = place - low
    with np.errstate(invalid="ignore"):  # infinities become NaN
        turned = np.floor(np.abs(away) / span) % 2 == 1
        rest = np.fmod(np.abs(away), span)
    sign = np.where(away < 0, -1.0, 1.0) * np.where(turned, -1.0, 1.0)
    return np.where(turned, high - rest, low + rest), sign.astype(place.dtype)


def _bounded(place: Any, size: int, padding: str, corners: bool) -> tuple[Any, Any]:
    """Coordinates brought inside as the padding mode says, and their slopes: 1, -1 or 0."""
    if padding == "zeros":
        return place, np.ones_like(place)
    found, slope = place, np.ones_like(place)
    if padding == "reflection":
        found, slope = _reflected(place, size, corners)
    found = np.where(np.isnan(found), 0, found)  # as PyTorch: a place that is none is the first
    inside = (found > 0) & (found < size - 1)
    return np.clip(found, 0, size - 1), slope * inside


def _along(place: Tensor, size: int, padding: str, corners: bool) -> Tensor:
    """Coordinates from [-1, 1] to pixels, brought inside."""
    if corners:
        pixels = elementwise.mul(elementwise.add(place, 1.0), (size - 1) / 2)
    else:
        scaled = elementwise.mul(elementwise.add(place, 1.0), float(size))
        pixels = elementwise.div(elementwise.sub(scaled, 1.0), 2.0)
    if padding == "zeros":
        return pixels
    x = pixels._array
    found, slope = _bounded(x, size, padding, corners)
    # Piecewise linear: the slope carries the gradient, a constant makes up the value.  Where the
    # slope is 0 the coordinate may be infinite, and must not be multiplied.
    moving = elementwise.mul(elementwise.mask(pixels, mask=slope != 0), slope)
    return elementwise.add(moving, (found - moving._array).astype(x.dtype))


def _pixels(input: Tensor, places: Sequence[Any]) -> Tensor:
    """The elements at integer places (one array (N, *out) per axis), 0 outside: (N, C, *out)."""
    batch, channels, *size = input._array.shape
    out = places[0].shape[1:]
    flat: Any = 0
    inside: Any = True
    for place, n in zip(places, size):
        inside = inside & (place >= 0) & (place < n)
        flat = flat * n + np.clip(place, 0, n - 1).astype(np.int64)
    rows = shape_ops.reshape(input, shape=(batch, channels, -1))
    index = np.broadcast_to(flat.reshape(batch, 1, -1), (batch, channels, flat[0].size))
    found = indexing.gather(rows, index=contiguous(index), axis=2)
    shaped = shape_ops.reshape(found, shape=(batch, channels, *out))
    keep = np.broadcast_to(inside[:, None], shaped._array.shape)
    return shaped if keep.all() else elementwise.mask(shaped, mask=keep)


def _cubic(part: Tensor) -> list[Tensor]:
    """The weights of the four neighbours at a fraction, by Keys' kernel with a = -0.75."""
    a = -0.75

    def near(x: Tensor) -> Tensor:
        return ((a + 2) * x - (a + 3)) * x * x + 1.0

    def far(x: Tensor) -> Tensor:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    other = 1.0 - part
    return [far(part + 1.0), near(part), near(other), far(other + 1.0)]


def _finite(x: Any) -> Any:
    """Coordinates with infinities and NaN replaced by a place far outside."""
    return np.where(np.isfinite(x), x, -1e9)


def _weighted(
    input: Tensor, corners: Sequence[Any], weights: Sequence[Sequence[Tensor]], bound: Any
) -> Tensor:
    """The sum over all combinations of neighbours of pixel times product of weights."""
    total: Any = None
    for which in itertools.product(*(range(len(w)) for w in weights)):
        places = [bound(i, corners[i] + k) for i, k in enumerate(which)]
        factor = weights[0][which[0]]
        for i, k in enumerate(which[1:], 1):
            factor = elementwise.mul(factor, weights[i][k])
        shaped = shape_ops.reshape(
            factor, shape=(factor._array.shape[0], 1, *factor._array.shape[1:])
        )
        part = elementwise.mul(_pixels(input, places), shaped)
        total = part if total is None else elementwise.add(total, part)
    return total  # type: ignore[no-any-return]


def _check(input: Tensor, grid: Tensor, mode: str, padding_mode: str) -> int:
    name = "grid_sample"
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError(
            f"{name}(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: {mode!r}"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            f"{name}(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"{padding_mode!r}"
        )
    expect_tensor(name, "input", input)
    expect_tensor(name, "grid", grid)
    x, places = input._array, grid._array
    n = x.ndim - 2
    if n not in (2, 3) or places.ndim != x.ndim:
        raise RuntimeError(
            f"{name}(): expected 4D or 5D input and grid with same number of dimensions, but got "
            f"input with sizes {list(x.shape)} and grid with sizes {list(places.shape)}"
        )
    if places.shape[0] != x.shape[0] or places.shape[-1] != n:
        raise RuntimeError(
            f"{name}(): expected grid of the input's batch size {x.shape[0]} with {n} coordinates "
            f"in its last dimension, but got grid with sizes {list(places.shape)}"
        )
    if 0 in x.shape[1:]:
        raise RuntimeError(
            f"{name}(): expected input to have non-empty dimensions, got {describe(input)}"
        )
    if x.dtype != places.dtype:
        raise RuntimeError(
            f"{name}(): expected input and grid to have same dtype, but got {describe(input)} and "
            f"{describe(grid)}"
        )
    if x.dtype.kind != "f":
        raise NotImplementedError(
            f"{name}(): not implemented for {describe(input)}; convert it with .float()"
        )
    if mode == "bicubic" and n != 2:
        raise RuntimeError(f"{name}(): bicubic interpolation only supports 4D input, got {n + 2}D")
    return n


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """The input (N, C, H, W) or (N, C, D, H, W) at the places of a grid (N, *out, 2 or 3).

    grid: (x, y) or (x, y, z), x along the last axis; -1 and 1 are the borders.
    mode: "bilinear" (trilinear for volumes), "nearest", "bicubic" (images only).
    padding_mode: what lies outside: "zeros", the "border" going on, or the "reflection".
    align_corners: whether -1 and 1 are the centers of the outermost pixels, not their outer edges.

    Gradients: of input and grid; of the grid 0 in mode "nearest", and where it was clipped.
    """
    n = _check(input, grid, mode, padding_mode)
    if align_corners is None:
        warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since "
            "1.3.0. Please specify align_corners=True if the old behavior is desired."
        )
    corners = bool(align_corners)
    size = input._array.shape[2:]
    # Axis i of the input goes with the last coordinate but i.
    given = [grid[..., n - 1 - i] for i in range(n)]
    padding = "zeros" if mode == "bicubic" else padding_mode
    places = [_along(g, m, padding, corners) for g, m in zip(given, size)]
    if mode == "nearest":
        out = _pixels(input, [np.rint(_finite(p._array)) for p in places])
        # The grid takes part, with a gradient of 0, as it does in the other modes.
        tied = elementwise.mul(elementwise.mask(places[0], mask=np.zeros((), bool)), 0.0)
        shape = (tied._array.shape[0], 1, *tied._array.shape[1:])
        return elementwise.add(out, shape_ops.reshape(tied, shape=shape))
    first = [np.floor(_finite(p._array)) for p in places]
    parts = [elementwise.sub(p, f.astype(p._array.dtype)) for p, f in zip(places, first)]
    if mode == "bilinear":
        weights = [[1.0 - part, part] for part in parts]
        return _weighted(input, first, weights, lambda i, place: place)
    weights = [_cubic(part) for part in parts]

    def bound(i: int, place: Any) -> Any:
        return np.rint(_bounded(place, size[i], padding_mode, corners)[0])

    return _weighted(input, [f - 1 for f in first], weights, bound)


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The places theta @ (x, y, 1) of every pixel of an image, for `grid_sample`.

    theta: (N, 2, 3) with size (N, C, H, W), giving (N, H, W, 2); or (N, 3, 4) with size
        (N, C, D, H, W), giving (N, D, H, W, 3).
    """
    expect_tensor("affine_grid", "theta", theta)
    if theta._array.dtype.kind != "f":
        raise ValueError(
            f"affine_grid(): Expected theta to have floating point type, but got {describe(theta)}"
        )
    sizes = [int(m) for m in size]
    n = len(sizes) - 2
    if n not in (2, 3):
        raise NotImplementedError(
            "affine_grid(): affine_grid only supports 4D and 5D sizes, for 2D and 3D affine "
            f"transforms, respectively. Got size {sizes}"
        )
    shape = theta._array.shape
    if len(shape) != 3 or shape[1:] != (n, n + 1):
        raise ValueError(
            f"affine_grid(): Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for "
            f"size {sizes}. Got {describe(theta)}"
        )
    if min(sizes) <= 0:
        raise ValueError(f"affine_grid(): Expected non-zero, positive output size. Got {sizes}")
    if shape[0] != sizes[0]:
        raise RuntimeError(
            f"affine_grid(): expected {sizes[0]} matrices for size {sizes}, got {describe(theta)}"
        )
    if align_corners is None:
        warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since "
            "1.3.0. Please specify align_corners=True if the old behavior is desired."
        )
    axes, kind = [], theta._array.dtype
    for m in sizes[2:]:
        line = evenly(-1, 1, m, kind) if m > 1 else np.zeros(1, kind)
        axes.append(line if align_corners else line * kind.type(m - 1) / kind.type(m))
    mesh = np.meshgrid(*axes, indexing="ij")
    base = np.stack([*reversed(mesh), np.ones(sizes[2:], kind)], -1)
    turned = shape_ops.permute(theta, axes=(0, 2, 1))
    out = linalg.matmul(wrap(base.reshape(1, -1, n + 1)), turned)
    return shape_ops.reshape(out, shape=(sizes[0], *sizes[2:], n))
