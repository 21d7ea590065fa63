"""The layouts in which arrays are handed over: channels last, copied there if they are not.

oneDNN computes fastest on channels-last memory, in which tensorgrad keeps images anyway; an array
in another order is copied by oneDNN itself, which does it on all threads.  Small weights are copied
by NumPy into the blocks that oneDNN wants.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tensorgrad.kernels.onednn import library as api
from tensorgrad.kernels.onednn.health import library
from tensorgrad.kernels.onednn.primitive import FLOAT, Layout, Prepared, reorder
from tensorgrad.machine import arena

__all__ = ["Handed", "New", "channels_last", "in_blocks"]

# Up to so many numbers NumPy's copy takes less time than oneDNN's takes to begin: of weights into
# blocks, and of images (12,544 numbers of them 10 and 39 us, 50,176 40 and 65).
_SMALL = 1 << 14
_SMALL_IMAGES = 1 << 16
_BYTE = np.dtype(np.uint8)


def _last_strides(shape: tuple[int, ...], item: int = FLOAT.itemsize) -> tuple[int, ...]:
    """Strides in bytes of (N, C, *spatial) that lies as (N, *spatial, C)."""
    step, strides = item * shape[1], [item] * len(shape)
    for i in range(len(shape) - 1, 1, -1):
        strides[i] = step
        step *= shape[i]
    strides[0] = step
    return tuple(strides)


def channels_last(shape: tuple[int, ...]) -> Layout:
    """The channels-last layout of (N, C, *spatial)."""
    return Layout.of(shape, _last_strides(shape))


class New:
    """Makes uninitialised arrays (N, C, *spatial) of one shape that lie channels last."""

    __slots__ = ("_before", "_dtype", "_large", "shape", "size", "strides")

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any] = FLOAT) -> None:
        self.shape, self._dtype = shape, dtype
        self.strides = _last_strides(shape, dtype.itemsize)
        self.size = prod(shape) * dtype.itemsize  # in bytes
        self._large = self.size >= arena.LEAST
        self._before = 0

    def __call__(self) -> Any:
        memory: Any
        if self._large:
            # The same each step, if it waits: then its address need not be handed over again.
            memory = arena.block(self.size, self._before)
            self._before = id(memory.base)
        else:
            memory = np.empty(self.size, _BYTE)
        return np.ndarray(self.shape, self._dtype, memory, 0, self.strides)


class Handed:
    """How arrays of one shape and strides are brought to the channels-last layout ``wanted``."""

    __slots__ = ("_copy", "_new")

    def __init__(self, shape: tuple[int, ...], strides: tuple[int, ...], wanted: Layout) -> None:
        self._new: New | None = None
        self._copy: Prepared | None = None
        # An axis of one element may have any stride: to oneDNN those are different layouts.
        last = _last_strides(shape)
        if not all(n == 1 or a == b for n, a, b in zip(shape, strides, last, strict=True)):
            self._new = New(shape)
            if prod(shape) > _SMALL_IMAGES:
                self._copy = reorder(Layout.of(shape, strides), wanted)

    def __call__(self, array: Any) -> Any:
        """The array, or a copy of it in the layout wanted."""
        if self._new is None:
            return array
        copied = self._new()
        if self._copy is None:
            copied[...] = array
        else:
            self._copy.run(array, copied)
        return copied


def in_blocks(shape: tuple[int, ...], layout: Layout) -> tuple[Any, Any] | None:
    """Memory for a small array in a layout of oneDNN's choice, and that array in it.

    Its axes are those of ``shape``, each followed by the blocks into which it is cut, so that
    ``array[...] = x.reshape(array.shape)`` brings x there, and the other way round.  What a block
    has beyond an axis that it holds whole is 0.  None for a large array, and where the last of
    several blocks reaches beyond the array.
    """
    lib, handle = library(), layout.handle
    if prod(shape) > _SMALL or lib.query_number(handle, "format") != api.BLOCKED:
        return None
    padded = lib.query_list(handle, "padded", len(shape))
    count = lib.query_number(handle, "blocks")
    sizes = lib.query_list(handle, "block_sizes", count)
    of_axis: list[list[tuple[int, int]]] = [[] for _ in shape]  # (size, step), the largest first
    step = 1
    for size, axis in zip(reversed(sizes), reversed(lib.query_list(handle, "block_axes", count))):
        of_axis[axis].insert(0, (size, step))
        step *= size
    split: list[tuple[int, int]] = []
    for n, whole, stride, blocks in zip(
        shape, padded, lib.query_list(handle, "strides", len(shape)), of_axis, strict=True
    ):
        if n != whole:
            if len(blocks) != 1 or blocks[0][0] != whole:
                return None
            split += [(1, stride), (n, blocks[0][1])]
        else:
            split += [(n // prod([size for size, _ in blocks]), stride), *blocks]
    memory = np.zeros(layout.nbytes // FLOAT.itemsize, FLOAT)
    if sum((n - 1) * step for n, step in split) >= memory.size:
        return None
    steps = [step * FLOAT.itemsize for _, step in split]
    return memory, np.lib.stride_tricks.as_strided(memory, [n for n, _ in split], steps)
