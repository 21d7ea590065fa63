"""Products of two matrices so large that another library may be asked for them.

=========  ============================  ==============
operation  called as                     returns
=========  ============================  ==============
`product`  run(problem, a, b, bias)      a @ b + bias
=========  ============================  ==============

a is (m, k), b (k, n), in any order in memory, bias (n,) or None; all have one dtype.  NumPy's BLAS
is the reference, which `tensorgrad.ops.linalg` calls in ways of its own: `offered` asks for others.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tensorgrad.kernels.registry import Operation, described
from tensorgrad.machine.constants import float32

__all__ = ["LEAST", "SIDE", "Problem", "offered", "product"]

# Multiplications from which on it is asked who computes a product: it takes 100 us and more, beside
# which the microsecond of asking does not show.
LEAST = 1 << 23
# Nor is anybody asked for a product of fewer rows, left or right: BLAS is the fastest there.
SIDE = 64


class Problem(NamedTuple):
    """A product as its kernels see it; hashable, so that choices are kept for it."""

    left: tuple[int, int]
    right: tuple[int, int]
    dtype: np.dtype[Any]


def _by_blas(problem: Problem, a: Any, b: Any, bias: Any) -> Any:
    y = np.matmul(a, b)
    return y if bias is None else np.add(y, bias, y)


product = Operation("product", _by_blas)


def offered(a: Any, b: Any, bias: Any) -> Any:
    """a @ b + bias of matrices of one dtype, by another library; None where BLAS computes it."""
    if a.dtype is not float32:
        return None
    problem = described(Problem, (a.shape, b.shape, float32))
    run = product.choose(problem)
    return None if run is _by_blas else run(problem, a, b, bias)
