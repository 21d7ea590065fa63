"""The layouts in which arrays are handed over: channels last, copied there if they are not.

oneDNN computes fastest on channels-last memory, in which tensorgrad keeps images anyway; an array
in another order is copied by oneDNN itself, which does it on all threads.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tensorgrad import arena
from tensorgrad.kernels.onednn.primitive import Layout, Prepared, reorder

__all__ = ["Handed", "channels_last", "new_channels_last"]


def _last_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides in bytes of float32 (N, C, *spatial) that lies as (N, *spatial, C)."""
    channels, step, strides = shape[1], 4 * shape[1], [0] * len(shape)
    strides[1] = 4
    for i in range(len(shape) - 1, 1, -1):
        strides[i] = step
        step *= shape[i]
    strides[0] = 4 * channels * prod(shape[2:])
    return tuple(strides)


def channels_last(shape: tuple[int, ...]) -> Layout:
    """The channels-last layout of (N, C, *spatial)."""
    return Layout.of(shape, _last_strides(shape))


def new_channels_last(shape: tuple[int, ...]) -> Any:
    """An uninitialised float32 array (N, C, *spatial) that lies channels last."""
    last = len(shape) - 1
    # Not moveaxis, which takes 5 us.
    axes = (0, last, *range(1, last))
    return arena.empty((shape[0], *shape[2:], shape[1]), np.float32).transpose(axes)


class Handed:
    """How arrays of one shape and strides are brought to the layout that a computation wants."""

    __slots__ = ("_copy", "_shape")

    def __init__(self, shape: tuple[int, ...], strides: tuple[int, ...], wanted: Layout) -> None:
        self._shape = shape
        self._copy: Prepared | None = reorder(Layout.of(shape, strides), wanted)
        # An axis of one element may have any stride: to oneDNN those are different layouts.
        last = _last_strides(shape)
        if all(n == 1 or a == b for n, a, b in zip(shape, strides, last, strict=True)):
            self._copy = None

    def __call__(self, array: Any) -> Any:
        """The array, or a copy of it in the layout wanted."""
        if self._copy is None:
            return array
        copied = new_channels_last(self._shape)
        self._copy.run(array, copied)
        return copied
