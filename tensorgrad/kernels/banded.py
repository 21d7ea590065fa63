"""Convolution with few channels: several neighbouring outputs per row of one matrix product.

With C channels and a KxK window, im2col gives a product with only O columns, and copies each input
K*K times.  Here a row holds the window of ``t`` outputs side by side, (t + K - 1) columns wide, and
meets weights repeated along a band: (t + K - 1) / K times the arithmetic, but K*t / (t + K - 1)
times less copying and a product t times as wide.  For the 5x5x16 layers of small CNNs on 28x28 and
14x14 maps it takes about half of im2col's time.

Stride and dilation are 1, groups 1, two spatial axes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tensorgrad.kernels.windows import kept, padded

__all__ = ["convolve", "input_gradient", "neighbours", "serves", "serves_input", "weight_gradient"]

# Beyond this many columns a product is efficient as it is.
_WIDE_ENOUGH = 16
_MOST_COLUMNS = 128


def neighbours(width: int, kernel: tuple[int, ...], channels: int, outs: int) -> int:
    """How many outputs to make side by side; 0 where this way of convolving does not pay."""
    if len(kernel) != 2 or kernel[1] < 3 or channels > _WIDE_ENOUGH or outs > _WIDE_ENOUGH:
        return 0
    fitting = [t for t in range(4, 15) if width % t == 0 and t * outs <= _MOST_COLUMNS]
    return min(fitting, key=lambda t: abs(t - 7)) if fitting else 0


def _plain(problem: Any) -> str:
    """Why a problem is not a convolution of images with stride 1, or "" if it is one."""
    if problem.groups != 1 or len(problem.kernel) != 2:
        return "groups" if problem.groups != 1 else f"{len(problem.kernel)} spatial axes"
    if any(n != 1 for n in (*problem.stride, *problem.dilation)):
        return "strided or dilated"
    return ""


def serves(problem: Any) -> str:
    """Why not this kernel, forward or for the weight's gradient; "" if it serves."""
    outs, channels = problem.weight[:2]
    reason = _plain(problem)
    if not reason and not neighbours(problem.output[-1], problem.kernel, channels, outs):
        reason = "wide enough for im2col, or no number of neighbours fits the width"
    return reason


def serves_input(problem: Any) -> str:
    """Why not this kernel for the input's gradient, which is a convolution too."""
    reason = _plain(problem)
    if not reason and any(min(k - 1 - low, k - 1 - high) < 0 for k, low, high in _sides(problem)):
        reason = "padding as wide as the window"
    return reason or serves(_adjoint(problem))


def _sides(problem: Any) -> list[tuple[int, int, int]]:
    return [(k, *sides) for k, sides in zip(problem.kernel, problem.padding, strict=True)]


def _adjoint(problem: Any) -> Any:
    """The convolution that leads from the output's gradient to the input's."""
    outs, channels, *kernel = problem.weight
    return problem._replace(
        input=(problem.input[0], outs, *problem.output),
        weight=(channels, outs, *kernel),
        padding=tuple((k - 1 - low, k - 1 - high) for k, low, high in _sides(problem)),
    )


def _columns(x: Any, kernel: tuple[int, ...], padding: Any, t: int) -> Any:
    """(N * H * W/t, K * (t + K - 1) * C): the windows of t neighbouring outputs as rows."""
    n, c = x.shape[0], x.shape[3]
    full = np.ascontiguousarray(padded(x, padding))
    ky, kx = kernel
    out_h, out_w = full.shape[1] - ky + 1, full.shape[2] - kx + 1
    span = (t + kx - 1) * c
    s = full.strides
    view = as_strided(
        full,
        (n, out_h, out_w // t, ky, span),
        # Not s[3]: an axis of one channel may have any stride.
        (s[0], s[1], s[2] * t, s[1], full.itemsize),
        writeable=False,
    )
    return view.reshape(n * out_h * (out_w // t), ky * span)


def _band(w: Any, t: int) -> Any:
    """(O, C, K, K) as (K * (t + K - 1) * C, t * O): each output's weights, one column further."""
    outs, channels, ky, kx = w.shape
    moved = w.transpose(2, 3, 1, 0)
    band = np.zeros((ky, t + kx - 1, channels, t, outs), w.dtype)
    for j in range(t):
        band[:, j : j + kx, :, j] = moved
    return band.reshape(ky * (t + kx - 1) * channels, t * outs)


def convolve(problem: Any, x: Any, w: Any, b: Any, keep: bool) -> tuple[Any, Any]:
    """The convolution, and the columns for the weight gradient."""
    outs, channels, ky, kx = problem.weight
    height, width = problem.output
    t = neighbours(width, (ky, kx), channels, outs)
    columns = _columns(np.moveaxis(x, 1, -1), (ky, kx), problem.padding, t)
    y = np.dot(columns, _band(w, t))
    if b is not None:
        y += np.tile(b, t)
    y = y.reshape(x.shape[0], height, width, outs)
    return np.moveaxis(y, -1, 1), kept("banded", columns) if keep else None


def input_gradient(problem: Any, g: Any, w: Any) -> Any:
    """A convolution with the weights turned around and their channels exchanged."""
    turned = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    return convolve(_adjoint(problem), g, turned, None, False)[0]


def weight_gradient(problem: Any, x: Any, g: Any, kept: Any) -> Any:
    """The gradient of the band, and then the sum over where each weight stands in it."""
    outs, channels, ky, kx = problem.weight
    t = neighbours(problem.output[1], (ky, kx), channels, outs)
    if kept is not None and kept[0] == "banded":
        columns = kept[1]
    else:
        columns = _columns(np.moveaxis(x, 1, -1), (ky, kx), problem.padding, t)
    rows = np.ascontiguousarray(np.moveaxis(g, 1, -1)).reshape(len(columns), t * outs)
    d = np.dot(columns.T, rows).reshape(ky, t + kx - 1, channels, t, outs)
    total = d[:, :kx, :, 0].copy()
    for j in range(1, t):
        total += d[:, j : j + kx, :, j]
    return np.ascontiguousarray(total.transpose(3, 2, 0, 1))
