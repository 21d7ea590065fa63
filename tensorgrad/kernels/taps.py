"""Sparse linear maps along one axis: every output is a weighted sum of a few inputs, its taps.

Interpolation and adaptive averaging are such maps.  A map is applied in layers, the first tap of
every output, then the second, and so on: a few whole-array operations.  A product with the dense
matrix does hundreds of times the arithmetic on large images and turns one infinite element into
NaNs everywhere, so it serves only short axes of finite numbers.  Adding at indices, for the
adjoint, was rejected: it is several times slower than taking by them.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

__all__ = ["Taps"]

# With more taps per output than _MANY, or no more inputs than _SHORT, one product with the dense
# matrix is faster: 40 ms became 4 for 256 images of 32 x 32 doubled, forward and backward.
_MANY, _SHORT = 24, 128


class Taps:
    """The map out[row] += weight * in[column], for every tap.

    rows, columns: int arrays.  weights: floats, or None where all are 1, which keeps whole
    numbers whole.  size: (outputs, inputs).
    """

    def __init__(self, rows: Any, columns: Any, weights: Any, size: tuple[int, int]) -> None:
        order = np.argsort(rows, kind="stable")
        self.rows = np.asarray(rows)[order]
        self.columns = np.asarray(columns)[order]
        self.weights = None if weights is None else np.asarray(weights, np.float64)[order]
        self.size = size

    def __repr__(self) -> str:
        return f"Taps({self.size[1]} -> {self.size[0]})"

    @cached_property
    def back(self) -> Taps:
        """The adjoint: inputs and outputs exchanged."""
        turned = Taps(self.columns, self.rows, self.weights, self.size[::-1])
        turned.__dict__["back"] = self
        return turned

    @cached_property
    def matrix(self) -> Any:
        """The map as a dense matrix (outputs, inputs)."""
        dense = np.zeros(self.size)
        np.add.at(dense, (self.rows, self.columns), 1.0 if self.weights is None else self.weights)
        return dense

    @cached_property
    def _layers(self) -> list[tuple[Any, Any, Any]]:
        """(outputs or None for all, their inputs, weights) for the first taps, the second, ..."""
        counts = np.bincount(self.rows, minlength=self.size[0])
        starts = np.cumsum(counts) - counts
        layers = []
        for number in range(int(counts.max(initial=0))):
            which = np.flatnonzero(counts > number)
            taps = starts[which] + number
            weights = None if self.weights is None else self.weights[taps]
            everywhere = len(which) == self.size[0]
            layers.append((None if everywhere else which, self.columns[taps], weights))
        return layers

    def _dense(self, x: Any) -> bool:
        """Whether a product with the dense matrix is faster, and as good: nothing is infinite."""
        if x.dtype.kind not in "fc" or self.weights is None or x.size == 0:
            return False
        if self.size[1] > _SHORT and len(self._layers) <= _MANY:
            return False
        with np.errstate(over="ignore", invalid="ignore"):
            return bool(np.isfinite(np.add.reduce(x, axis=None)))

    def apply(self, x: Any, axis: int) -> Any:
        """The map along one axis of an array, in the array's dtype."""
        axis %= x.ndim
        if self._dense(x):
            matrix = self.matrix.astype(x.dtype)
            if axis == x.ndim - 1:
                return np.matmul(x, matrix.T)
            rows = x.reshape(int(np.prod(x.shape[:axis])), self.size[1], -1)
            whole = np.matmul(matrix, rows)
            return whole.reshape(*x.shape[:axis], self.size[0], *x.shape[axis + 1 :])
        shape = (*x.shape[:axis], self.size[0], *x.shape[axis + 1 :])
        out: Any = None
        for which, columns, weights in self._layers:
            part = np.take(x, columns, axis=axis)
            if weights is not None:
                factor = weights.astype(x.real.dtype).reshape(-1, *(1,) * (x.ndim - axis - 1))
                part *= factor
            if which is None:
                out = part if out is None else np.add(out, part, out=out)
            else:
                out = np.zeros(shape, x.dtype) if out is None else out
                out[(slice(None),) * axis + (which,)] += part
        return np.zeros(shape, x.dtype) if out is None else out
