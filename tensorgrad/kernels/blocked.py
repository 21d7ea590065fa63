"""Convolution in blocks that fit the cache: a few images' columns, then small matrix products.

The columns of a whole batch are tens of megabytes that are written once and read once.  Here the
columns of a few images at a time go into scratch memory that stays in the cache, and are used up at
once.  The products are kept below a million multiplications: OpenBLAS has kernels for those that do
not first copy both matrices into a layout of their own, which with few output channels is most of
the work.  Two layers of a small CNN (5x5, 1 -> 16 on 28x28 and 16 -> 16 on 14x14, batch 64) took
half the time of making seven neighbouring outputs per row from repeated weights, the best way for
large products, and of 0.6 of it again with a thread per half of the batch.

Columns are laid out in rows, one window after another, or, where a row of the image is longer than
a row of a window (few channels), in planes, one weight after another, so that copies are long.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import ceil, prod
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tensorgrad.kernels.windows import adjoint
from tensorgrad.machine import arena
from tensorgrad.machine.threads import split

__all__ = ["convolve", "input_gradient", "serves", "serves_input", "weight_gradient"]

# A product of more multiplications than this goes through OpenBLAS's large kernels.
SMALL_PRODUCT = 1_000_000
# With fewer rows per product than this the small kernels lose to one large product.
_FEWEST_ROWS = 24
# Scratch for columns, to stay in a core's cache.
_SCRATCH_BYTES = 400_000
# Fewer multiplications than this are not worth a second thread.
SPLIT_FROM = 6_000_000


class Plan(NamedTuple):
    """How to go through a problem."""

    images: int  # per block
    rows: int  # of the columns, per product
    bands: int  # into which an image's planes are cut; 0 for columns in rows


def serves(problem: Any) -> str:
    """Why not this kernel, forward or for the weight's gradient; "" if it serves."""
    if problem.groups != 1:
        return "groups"
    if problem.dtype.kind != "f" or problem.dtype.itemsize < 4:
        return f"BLAS has no product of {problem.dtype}"
    outs, *window = problem.weight
    if not outs * prod(window) or not prod(problem.output) * problem.input[0]:
        return "empty"
    if outs * prod(window) * _FEWEST_ROWS > SMALL_PRODUCT:
        return "so many weights that one large product is efficient"
    return ""


def serves_input(problem: Any) -> str:
    """Why not this kernel for the input's gradient, which is a convolution too with stride 1."""
    if any(s != 1 for s in problem.stride):
        return "strided"
    if any(min(sides) < 0 for sides in adjoint(problem).padding):
        return "padding as wide as the window"
    return serves(problem) or serves(adjoint(problem))


@lru_cache(maxsize=1024)
def _plan(problem: Any) -> Plan:
    batch, channels, *_ = problem.input
    kernel, out = problem.kernel, problem.output
    windows, size = prod(out), prod(kernel) * channels
    images = _SCRATCH_BYTES // (windows * size * problem.dtype.itemsize)
    images = max(1, min(images, ceil(batch / 2)))
    most = max(1, SMALL_PRODUCT // (size * problem.weight[0]))
    if out[-1] > kernel[-1] * channels and problem.stride[-1] == 1:
        line = windows // out[0]
        fitting = [h for h in range(1, out[0] + 1) if out[0] % h == 0 and h * line <= most]
        high = max(fitting, default=1)
        return Plan(images, high * line, out[0] // high)
    total = windows * images
    return Plan(images, ceil(total / ceil(total / most)), 0)


class _Columns:
    """The columns of a few images at a time, in memory that is used again and again."""

    def __init__(self, problem: Any, plan: Plan, x: Any) -> None:
        batch, channels, *spatial = problem.input
        self.x = x if plan.bands else np.moveaxis(x, 1, -1)
        self.plan, self.size = plan, channels * prod(problem.kernel)
        self.windows = prod(problem.output)
        images = min(plan.images, batch)
        padded = [n + low + high for n, (low, high) in zip(spatial, problem.padding, strict=True)]
        order = (channels, *padded) if plan.bands else (*padded, channels)
        self.direct = not plan.bands and _is_pointwise(problem)
        # Only the middle is ever written, so that the borders stay 0.
        self.image = np.zeros((images, *order), problem.dtype)
        inner = tuple(
            slice(low, low + n) for n, (low, _) in zip(spatial, problem.padding, strict=True)
        )
        self.middle = (
            self.image[(slice(None), slice(None), *inner)]
            if plan.bands
            else (self.image[(slice(None), *inner)])
        )
        step = self.image.strides
        places = step[2:] if plan.bands else step[1:-1]
        channel = step[1] if plan.bands else step[-1]
        move = [a * s for a, s in zip(places, problem.stride, strict=True)]
        within = [a * d for a, d in zip(places, problem.dilation, strict=True)]
        out = problem.output
        if plan.bands:
            high = out[0] // plan.bands
            shape = (images, plan.bands, channels, *problem.kernel, high, *out[1:])
            strides = (step[0], move[0] * high, channel, *within, *move)
        else:
            shape = (images, *out, *problem.kernel, channels)
            strides = (step[0], *move, *within, channel)
        self.view = as_strided(self.image, shape, strides, writeable=False)
        self.columns = arena.empty((0,) if self.direct else shape, problem.dtype)

    def of(self, start: int, stop: int) -> Any:
        """(windows, weights) in rows, or (bands, weights, windows) in planes, of some images."""
        n = stop - start
        x = self.x[start:stop]
        if self.direct:
            return x.reshape(n * self.windows, self.size)
        np.copyto(self.middle[:n], x)
        np.copyto(self.columns[:n], self.view[:n])
        if self.plan.bands:
            return self.columns[:n].reshape(n * self.plan.bands, self.size, self.plan.rows)
        return self.columns[:n].reshape(n * self.windows, self.size)


def _is_pointwise(problem: Any) -> bool:
    steps = (*problem.kernel, *problem.stride)
    return all(n == 1 for n in steps) and not any(map(any, problem.padding))


def _parts(matrix: Any, rows: int) -> Iterator[tuple[slice, Any]]:
    """A matrix as stacks of ``rows`` rows each, and the rest as a stack of one."""
    whole = len(matrix) // rows * rows
    if whole:
        yield slice(0, whole), matrix[:whole].reshape(-1, rows, matrix.shape[1])
    if whole < len(matrix):
        yield slice(whole, None), matrix[None, whole:]


def _matrix(w: Any, planes: bool) -> Any:
    """The weights as a matrix (weights of a window, O), in the order of the columns."""
    outs = w.shape[0]
    if not planes:
        w = np.moveaxis(w, 1, -1)
    return np.ascontiguousarray(w.reshape(outs, -1).T)


def multiplications(problem: Any) -> int:
    """How many multiplications the convolution takes."""
    return int(problem.input[0] * prod(problem.output) * prod(problem.weight))


def convolve(problem: Any, x: Any, w: Any, b: Any, keep: bool) -> tuple[Any, Any]:
    """Block after block; nothing is kept, making the columns again takes less than reading them."""
    plan = _plan(problem)
    matrix = _matrix(w, bool(plan.bands))
    batch, outs, windows = x.shape[0], w.shape[0], prod(problem.output)
    y = arena.empty((batch * windows, outs), x.dtype)
    bias = None if b is None else np.tile(b, windows)

    def work(start: int, stop: int) -> None:
        columns = _Columns(problem, plan, x)
        for i in range(start, stop, plan.images):
            j = min(i + plan.images, stop)
            block, out = columns.of(i, j), y[i * windows : j * windows]
            if plan.bands:
                stack = block.transpose(0, 2, 1)
                np.matmul(stack, matrix, out=out.reshape(-1, plan.rows, outs))
            else:
                for where, stack in _parts(block, plan.rows):
                    part = out[where]
                    np.matmul(stack, matrix, out=part.reshape(len(stack), -1, outs))
            if bias is not None:
                lines = out.reshape(j - i, windows * outs)
                lines += bias

    split(work, batch, multiplications(problem) > SPLIT_FROM)
    return np.moveaxis(y.reshape(batch, *problem.output, outs), -1, 1), None


def input_gradient(problem: Any, g: Any, w: Any) -> Any:
    """A convolution with the weights turned around and their channels exchanged."""
    turned = np.flip(w, tuple(range(2, w.ndim))).swapaxes(0, 1)
    return convolve(adjoint(problem), g, turned, None, False)[0]


def weight_gradient(problem: Any, x: Any, g: Any, kept: Any) -> Any:
    """Products of columns, transposed, and gradients, added up over the blocks of each part."""
    plan = _plan(problem)
    outs, channels, *kernel = problem.weight
    batch = x.shape[0]
    last = np.moveaxis(g, 1, -1)
    totals: dict[int, Any] = {}

    def work(start: int, stop: int) -> None:
        columns = _Columns(problem, plan, x)
        total: Any = 0
        for i in range(start, stop, plan.images):
            j = min(i + plan.images, stop)
            block = columns.of(i, j)
            rows = np.ascontiguousarray(last[i:j]).reshape(-1, outs)
            if plan.bands:
                products = np.matmul(block, rows.reshape(-1, plan.rows, outs))
                total += np.add.reduce(products, axis=0)
                continue
            for where, stack in _parts(block, plan.rows):
                part = rows[where].reshape(len(stack), -1, outs)
                products = np.matmul(stack.transpose(0, 2, 1), part)
                total += np.add.reduce(products, axis=0)
        totals[start] = total

    split(work, batch, multiplications(problem) > SPLIT_FROM)
    d = sum(totals[start] for start in sorted(totals)).T
    if plan.bands:
        return np.ascontiguousarray(d).reshape(problem.weight)
    return np.ascontiguousarray(np.moveaxis(d.reshape(outs, *kernel, channels), -1, 1))
