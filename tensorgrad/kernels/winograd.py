"""Winograd's convolution F(4x4, 3x3): 36 multiplications where the definition has 144.

Tiles of 6 by 6 inputs give 4 by 4 outputs: Y = A'[(G w G') * (B' d B)]A, with * elementwise over
the tile and a matrix product over the channels.  All three transforms are matrix products too, with
the Kronecker squares of A, G and B.  The matrices are those of A. Lavin and S. Gray, "Fast
Algorithms for Convolutional Neural Networks", 2015, arXiv:1509.09308.

Rounding errors are some ten times those of the definition (about 1e-6 of the largest output), which
is why float64 never comes here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tensorgrad.kernels.windows import adjoint
from tensorgrad.machine.threads import split

__all__ = ["convolve", "input_gradient", "serves", "serves_input", "weight_gradient"]

_A = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]
_B = [
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
]
_G = [
    [1 / 4, 0, 0],
    [-1 / 6, -1 / 6, -1 / 6],
    [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6],
    [0, 0, 1],
]


def _squared(matrix: Any) -> Any:
    return np.kron(np.array(matrix, float), np.array(matrix, float)).astype(np.float32)


_OUTPUT, _INPUT, _WEIGHT = _squared(_A), _squared(_B), _squared(_G)  # 16x36, 36x36, 36x9
_TURNED = np.ascontiguousarray(_WEIGHT[:, ::-1])  # of weights turned around

# With fewer channels the transforms cost more than the product saves; on smaller maps the weights
# do.  Measured on 3x3 layers of 64 to 512 channels and maps of 4 to 16, batch 32.
_FEWEST_CHANNELS = 64
_SMALLEST_MAP = 8
# Images are taken together until their transformed tiles fill this.
_TILES_BYTES = 48 << 20


class Tiles(NamedTuple):
    """How images are cut."""

    batch: int
    rows: int
    columns: int

    @property
    def number(self) -> int:
        """The number of tiles."""
        return self.batch * self.rows * self.columns


def serves(problem: Any) -> str:
    """Why not this kernel, forward or for the weight's gradient; "" if it serves."""
    if problem.dtype != np.float32:
        return f"too inexact for {problem.dtype}" if problem.dtype.char == "d" else "not float32"
    if problem.kernel != (3, 3) or problem.groups != 1:
        return "not 3x3 of all channels"
    if any(n != 1 for n in (*problem.stride, *problem.dilation)):
        return "strided or dilated"
    if min(problem.weight[:2]) < _FEWEST_CHANNELS:
        return f"fewer than {_FEWEST_CHANNELS} channels"
    if min(problem.output) < _SMALLEST_MAP:
        return f"an output below {_SMALLEST_MAP}x{_SMALLEST_MAP}"
    return "" if problem.input[0] else "empty"


def serves_input(problem: Any) -> str:
    """Why not this kernel for the input's gradient, which is a convolution too."""
    reason = serves(problem)
    if not reason and min(map(min, adjoint(problem).padding)) < 0:
        reason = "padding as wide as the window"
    return reason or serves(adjoint(problem))


def _tiles(problem: Any, batch: int) -> Tiles:
    return Tiles(batch, *(-(-n // 4) for n in problem.output))


def _transformed_input(problem: Any, x: Any) -> Any:
    """(36, tiles, C) of images in any layout."""
    last = np.moveaxis(x, 1, -1)
    batch, height, width, channels = last.shape
    tiles = _tiles(problem, batch)
    (top, _), (left, _) = problem.padding
    full = np.zeros((batch, 4 * tiles.rows + 2, 4 * tiles.columns + 2, channels), np.float32)
    # What lies beyond is read by no output that is kept.
    seen = last[:, : full.shape[1] - top, : full.shape[2] - left]
    full[:, top : top + height, left : left + width] = seen
    s = full.strides
    view = as_strided(
        full,
        (6, 6, *tiles, channels),
        (s[1], s[2], s[0], 4 * s[1], 4 * s[2], s[3]),
        writeable=False,
    )
    patches = np.empty(view.shape, np.float32)

    def copy(start: int, stop: int) -> None:
        np.copyto(patches[start:stop], view[start:stop])

    split(copy, 6, patches.size > 1 << 19)
    return np.dot(_INPUT, patches.reshape(36, -1)).reshape(36, tiles.number, channels)


def _product(problem: Any, v: Any, u: Any, b: Any, y: Any) -> None:
    """The outputs into y (N, H, W, O), from transformed inputs and weights (36, C, O)."""
    batch, height, width, outs = y.shape
    tiles = _tiles(problem, batch)
    products = np.matmul(v, u)
    small = np.dot(_OUTPUT, products.reshape(36, -1)).reshape(4, 4, *tiles, outs)
    if b is not None:
        small += b
    ordered = small.transpose(2, 3, 0, 4, 1, 5)  # N, rows, 4, columns, 4, O
    if (height, width) == (4 * tiles.rows, 4 * tiles.columns):
        y.reshape(batch, tiles.rows, 4, tiles.columns, 4, outs)[...] = ordered
    else:
        whole = ordered.reshape(batch, 4 * tiles.rows, 4 * tiles.columns, outs)
        y[...] = whole[:, :height, :width]


def _images_at_once(problem: Any) -> int:
    _, rows, columns = _tiles(problem, 1)
    widest = max(problem.weight[:2])
    return max(1, int(_TILES_BYTES // (36 * rows * columns * widest * 4)))


def _run(problem: Any, x: Any, u: Any, b: Any) -> Any:
    batch, step = x.shape[0], _images_at_once(problem)
    y = np.empty((batch, *problem.output, problem.weight[0]), np.float32)
    for i in range(0, batch, step):
        _product(problem, _transformed_input(problem, x[i : i + step]), u, b, y[i : i + step])
    return np.moveaxis(y, -1, 1)


def convolve(problem: Any, x: Any, w: Any, b: Any, keep: bool) -> tuple[Any, Any]:
    """The convolution.

    The transformed input is not kept for the weight's gradient: making it again is a hundredth of
    the step of a small VGG, keeping it took 5 % of its memory.
    """
    outs, channels = problem.weight[:2]
    u = np.dot(_WEIGHT, w.reshape(outs * channels, 9).T).reshape(36, outs, channels)
    return _run(problem, x, u.transpose(0, 2, 1), b), None


def input_gradient(problem: Any, g: Any, w: Any) -> Any:
    """A convolution with the weights turned around and their channels exchanged."""
    outs, channels = problem.weight[:2]
    u = np.dot(_TURNED, w.reshape(outs * channels, 9).T).reshape(36, outs, channels)
    return _run(adjoint(problem), g, u, None)


def weight_gradient(problem: Any, x: Any, g: Any, kept: Any) -> Any:
    """The adjoints of the transforms around products of transformed gradients and inputs."""
    outs, channels = problem.weight[:2]
    batch, step = x.shape[0], _images_at_once(problem)
    total: Any = None
    for i in range(0, batch, step):
        v = _transformed_input(problem, x[i : i + step])
        last = np.moveaxis(g[i : i + step], 1, -1)
        tiles = _tiles(problem, len(last))
        if last.shape[1:3] != (4 * tiles.rows, 4 * tiles.columns):
            whole = np.zeros((len(last), 4 * tiles.rows, 4 * tiles.columns, outs), np.float32)
            whole[:, : last.shape[1], : last.shape[2]] = last
            last = whole
        cut = last.reshape(tiles.batch, tiles.rows, 4, tiles.columns, 4, outs)
        rows = np.ascontiguousarray(cut.transpose(2, 4, 0, 1, 3, 5)).reshape(16, -1)
        spread = np.dot(_OUTPUT.T, rows).reshape(36, tiles.number, outs)
        products = np.matmul(spread.transpose(0, 2, 1), v)  # (36, O, C)
        total = products if total is None else np.add(total, products, out=total)
    return np.dot(total.reshape(36, outs * channels).T, _WEIGHT).reshape(problem.weight)
