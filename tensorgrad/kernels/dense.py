"""Arrays seen as the run of memory that they are."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["dense", "flat", "is_dense"]


def is_dense(x: Any) -> bool:
    """Whether the elements fill a run of memory, in any order of the axes."""
    return x.flags.forc or _fill_a_run(x.shape, x.strides, x.itemsize)


@lru_cache(maxsize=1024)
def _fill_a_run(shape: tuple[int, ...], strides: tuple[int, ...], run: int) -> bool:
    for stride, size in sorted((s, n) for s, n in zip(strides, shape, strict=True) if n != 1):
        if stride != run:
            return False
        run *= size
    return True


def dense(x: Any) -> Any:
    """The array itself where it is dense, else a copy."""
    return x if is_dense(x) else np.ascontiguousarray(x)


def flat(x: Any) -> Any:
    """A dense array as a vector in the order of memory, without a copy."""
    return x.reshape(-1) if x.flags.c_contiguous else x.ravel("K")
