"""Arrays seen as the run of memory that they are."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["dense", "flat"]


def dense(x: Any) -> Any:
    """The array itself where its elements fill a run of memory, in any order; else a copy."""
    if x.flags.forc:
        return x
    run = x.itemsize
    for stride, size in sorted((s, n) for s, n in zip(x.strides, x.shape, strict=True) if n != 1):
        if stride != run:
            return np.ascontiguousarray(x)
        run *= size
    return x


def flat(x: Any) -> Any:
    """A dense array as a vector in the order of memory, without a copy."""
    return x.reshape(-1) if x.flags.c_contiguous else x.ravel("K")
