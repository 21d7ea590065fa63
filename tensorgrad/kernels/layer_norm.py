"""Normalisation of the rows of a matrix: layer norm, and RMS norm, which leaves the mean.

=====================  ================================================  ======================
operation              called as                                         returns
=====================  ================================================  ======================
`layer_norm`           run(problem, x, w, b, eps)                        (y, mean or None, 1/s)
`layer_norm_gradient`  run(problem, g, x, w, mean, 1/s, eps, needs)      [dx, dw, db]
=====================  ================================================  ======================

x and g are (m, n), w and b (n,) or None, mean and 1/s (m, 1).

The fast kernel goes through the rows in blocks that stay in a core's cache, on several threads
where there are many, with sums by einsum, a third of the time of `add.reduce` along rows of 128.
With c = x - mean and d = g * w / s it has

    dx = d - mean(d) - c * mean(d * c) / s**2,   dw = sum(g / s * c)

two passes fewer than by way of c / s.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod, sqrt
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.kernels.registry import Operation
from tensorgrad.machine import arena
from tensorgrad.machine.threads import split

__all__ = ["Problem", "layer_norm", "layer_norm_gradient"]

# Elements of a block: a few arrays of them stay in a core's cache.
_BLOCK = 1 << 16
# Below, the calls for a block cost more than it saves.
_LEAST = 1 << 15
# Up to this many OpenBLAS multiplies a matrix and a vector on the thread that asks for it: two
# would wait for each other, and add up in another order than one does.
_ALONE = 9000
# Two threads gain from this size on.
_SPLIT_FROM = 1 << 19


class Problem(NamedTuple):
    """A normalisation as its kernels see it; hashable, so that choices are kept for it."""

    input: tuple[int, ...]
    dtype: np.dtype[Any]
    centred: bool


# --- The reference --------------------------------------------------------------------------------


def _centred(x: Any, problem: Problem) -> tuple[Any, Any]:
    """x without its mean, a new array, and that mean."""
    if not problem.centred:
        return x.copy(), None
    mean = np.add.reduce(x, axis=1, keepdims=True)
    mean /= x.dtype.type(max(x.shape[1], 1))
    return x - mean, mean


def _reference(problem: Problem, x: Any, w: Any, b: Any, eps: float) -> tuple[Any, Any, Any]:
    kind = x.dtype.type
    y, mean = _centred(x, problem)
    spread = np.einsum("ij,ij->i", y, y)
    spread /= kind(max(x.shape[1], 1))
    spread += kind(eps)
    inverse = np.reciprocal(np.sqrt(spread, out=spread), out=spread)[:, None]
    y *= inverse
    if w is not None:
        y *= w
    if b is not None:
        y += b
    return y, mean, inverse


def _reference_gradient(
    problem: Problem, g: Any, x: Any, w: Any, mean: Any, inverse: Any, eps: float,
    needs: Sequence[bool],
) -> list[Any]:  # fmt: skip
    n = x.dtype.type(max(x.shape[1], 1))
    normal = (x if mean is None else x - mean) * inverse
    dx = dw = db = None
    if needs[2]:
        db = np.add.reduce(g, axis=0)
    if needs[1]:
        dw = np.einsum("ij,ij->j", g, normal)
    if needs[0]:
        dx = g.copy() if w is None else g * w
        along = np.einsum("ij,ij->i", dx, normal)[:, None]
        along /= n
        if problem.centred:
            middle = np.add.reduce(dx, axis=1, keepdims=True)
            middle /= n
            dx -= middle
        normal *= along
        dx -= normal
        dx *= inverse
    return [dx, dw, db]


# --- Few rows -------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _ones(n: int, dtype: np.dtype[Any]) -> Any:
    return np.ones(n, dtype)


@lru_cache(maxsize=64)
def _shares(n: int, eps: float, dtype: np.dtype[Any]) -> tuple[Any, Any, Any]:
    """n times 1 / n; n eps and sqrt(n), as ufuncs take a number fastest: 0-d arrays."""
    return np.full(n, 1 / n, dtype), np.array(n * float(eps), dtype), np.array(sqrt(n), dtype)


def _few(problem: Problem, x: Any, w: Any, b: Any, eps: float) -> tuple[Any, Any, Any]:
    """Sums as products, a quarter of the time of other sums along rows of 128.

    A call takes as long as the arithmetic in it, so 1 / s is sqrt(n) / sqrt(sum(c**2) + n eps),
    without a division by n: with the product below 16 us for 64 rows of 128, not 20.
    """
    m, n = x.shape
    share, least, root = _shares(n, eps, x.dtype)
    mean = None
    y = x
    if problem.centred:
        mean = x.dot(share).reshape(m, 1)
        y = np.subtract(x, mean)
    spread = np.vecdot(y, y)
    np.sqrt(np.add(spread, least, spread), spread)
    inverse = np.divide(root, spread, spread).reshape(m, 1)
    # The product of a column and a row by BLAS, and that with y, take 4.4 us where NumPy takes 9
    # to multiply 64 rows of 128 by either.
    factor = inverse if w is None else inverse.dot(w.reshape(1, n))
    y = np.multiply(y, factor, None if y is x else y)
    if b is not None:
        np.add(y, b, y)
    return y, mean, inverse


def _few_serves(problem: Problem) -> str:
    if problem.dtype.char not in "fd":
        return f"BLAS has no product of {problem.dtype}"
    size = prod(problem.input)
    if size > _ALONE:
        return f"large: {size} elements, more than the {_ALONE} that BLAS multiplies on one thread"
    return "" if size else "empty"


# --- In blocks ------------------------------------------------------------------------------------


def _height(problem: Problem) -> int:
    """Rows of a block."""
    return max(1, _BLOCK // problem.input[1])


def _blocked(problem: Problem, x: Any, w: Any, b: Any, eps: float) -> tuple[Any, Any, Any]:
    m, n = x.shape
    y = arena.empty(x.shape, x.dtype)
    count, least = x.dtype.type(n), x.dtype.type(eps)
    means = np.empty(m, x.dtype) if problem.centred else None
    inverses = np.empty(m, x.dtype)
    height = _height(problem)

    def work(first: int, last: int) -> None:
        for start in range(first, last, height):
            part = slice(start, min(start + height, last))
            rows, out, spread = x[part], y[part], inverses[part]
            if means is not None:
                mean = means[part]
                np.einsum("ij->i", rows, out=mean)
                mean /= count
                np.subtract(rows, mean[:, None], out)
                np.einsum("ij,ij->i", out, out, out=spread)
            else:
                np.einsum("ij,ij->i", rows, rows, out=spread)
            spread /= count
            spread += least
            np.sqrt(spread, spread)
            np.reciprocal(spread, spread)
            np.multiply(rows if means is None else out, spread[:, None], out)
            if w is not None:
                out *= w
            if b is not None:
                out += b

    split(work, m, x.size >= _SPLIT_FROM)
    return y, None if means is None else means[:, None], inverses[:, None]


def _blocked_gradient(
    problem: Problem, g: Any, x: Any, w: Any, mean: Any, inverse: Any, eps: float,
    needs: Sequence[bool],
) -> list[Any]:  # fmt: skip
    m, n = x.shape
    dtype = x.dtype
    dx = arena.empty(x.shape, dtype) if needs[0] else None
    height = min(_height(problem), m)
    totals: dict[int, tuple[Any, Any]] = {}

    def work(first: int, last: int) -> None:
        scratch, spare = np.empty((height, n), dtype), np.empty((height, n), dtype)
        of_w, of_b = np.zeros(n, dtype), np.zeros(n, dtype)
        for start in range(first, last, height):
            part = slice(start, min(start + height, last))
            rows, given, scale = x[part], g[part], inverse[part]
            size = len(rows)
            if needs[2]:
                of_b += np.dot(_ones(size, dtype), given)
            if not (needs[0] or needs[1]):
                continue
            centred = rows if mean is None else np.subtract(rows, mean[part], scratch[:size])
            d = np.multiply(given, scale, spare[:size] if dx is None else dx[part])
            if needs[1]:
                of_w += np.einsum("ij,ij->j", d, centred)
            if dx is not None:
                _input_gradient(d, centred, w, scale, mean is not None, scratch[:size])
        totals[first] = of_w, of_b

    split(work, m, x.size >= _SPLIT_FROM)
    dw, db = (sum(totals[start][i] for start in sorted(totals)) for i in range(2))
    return [dx, dw if needs[1] else None, db if needs[2] else None]


def _input_gradient(d: Any, c: Any, w: Any, scale: Any, centred: bool, scratch: Any) -> None:
    """d, which is g / s, becomes dx; scratch may be c."""
    n = d.shape[1]
    count = d.dtype.type(n)
    if w is not None:
        d *= w
    along = np.einsum("ij,ij->i", d, c)[:, None]
    along *= scale
    along *= scale
    along /= count
    if centred:
        middle = np.einsum("ij->i", d)
        middle /= count
        d -= middle[:, None]
    d -= np.multiply(c, along, scratch)


def _serves(problem: Problem) -> str:
    if problem.dtype.char not in "fd":
        return f"sums of {problem.dtype} by einsum are no faster"
    size = prod(problem.input)
    return f"small: {size} elements, fewer than {_LEAST}" if size < _LEAST else ""


layer_norm = Operation("layer_norm", _reference)
layer_norm_gradient = Operation("layer_norm_gradient", _reference_gradient)
layer_norm.kernel("few rows", _few_serves)(_few)
layer_norm.kernel("blocked", _serves)(_blocked)
layer_norm_gradient.kernel("blocked", _serves)(_blocked_gradient)
