"""Places as numbers and as coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.graph.node import TensorBase, wrap

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["nonzero_static", "unravel_index"]


def unravel_index(indices: Any, shape: int | Sequence[int]) -> tuple[Tensor, ...]:
    """The coordinates of places in a flattened array of a shape, one tensor per dimension."""
    if not isinstance(indices, TensorBase) or indices._array.dtype.kind not in "iu":
        kind = getattr(indices, "dtype", type(indices).__name__)
        raise TypeError(f"unravel_index: expected 'indices' to be integer dtype, but got {kind}")
    sizes = [shape] if isinstance(shape, int) else [int(n) for n in shape]
    if any(n < 0 for n in sizes):
        raise ValueError(f"unravel_index: 'shape' cannot have negative values, but got {sizes}")
    array = indices._array.astype(np.int64)
    steps = [prod(sizes[i + 1 :]) for i in range(len(sizes))]
    # Past the end it starts again, as in PyTorch.
    return tuple(wrap(array // step % max(n, 1)) for n, step in zip(sizes, steps, strict=True))


def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """The first ``size`` places of what is not 0, (size, ndim), filled up with ``fill_value``."""
    if size < 0:
        raise RuntimeError(f"nonzero_static: 'size' must be an non-negative integer, got {size}")
    array: Any = input._array
    found = np.argwhere(array)[:size]
    out = np.full((size, array.ndim), fill_value, np.int64)
    out[: len(found)] = found
    return wrap(out)
