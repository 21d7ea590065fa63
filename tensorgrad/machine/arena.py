"""Memory for large results that is used again instead of going back to the operating system.

A training step makes the same large arrays each time and lets go of them. The C library returns
such memory at once (glibc: blocks of 128 KiB and more, at first), so that every step asks for it
anew, and the kernel clears each page when it is first touched: measured, a third of the step of a
small CNN. Here a block waits for the next array of its size, up to `LIMIT` bytes of waiting blocks.

An array from here is an ordinary ndarray. Its ``base`` is the block, which comes back when the last
array that refers to it, view or not, is gone.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

__all__ = [
    "LEAST", "LIMIT", "block", "cached_bytes", "empty", "empty_cache", "empty_like", "is_whole",
    "orders",
]  # fmt: skip

LEAST = 1 << 17  # bytes; smaller arrays are the C library's business
LIMIT = 1 << 24
# Where an array begins: at a line of the cache. The C library's large blocks begin 16 bytes into
# one, so that every second vector of 32 bytes lies in two lines: GELU of 32 Ki numbers took 157 us
# there and 140 here, a sum 5.3 and 4.2.
_LINE = 64


class _Memory(np.ndarray[Any, Any]):
    """Bytes that arrays lie on, one after the other.

    Of another class than `ndarray`, so that NumPy, which makes the base of a view the innermost
    array of the view's class, stops at the block.
    """

    __slots__ = ()


class _Block(np.ndarray[Any, Any]):
    """All bytes of a memory as they are handed out: the base of one array, and gone with it.

    An array on a buffer is made in a sixth of the time of one by ``__array_interface__``.
    """

    __slots__ = ()

    def __del__(self) -> None:
        global _cached
        memory = self.base
        if type(memory) is not _Memory:  # a view of a block, of the same class
            return
        size = memory.size
        if size > LIMIT:
            return
        with _lock:
            _free.setdefault(size, {})[id(memory)] = memory
            _free.move_to_end(size)
            _cached += size
            while _cached > LIMIT:  # those of the size that was used longest ago go first
                oldest = next(iter(_free))
                if _free[oldest]:
                    _free[oldest].popitem()
                    _cached -= oldest
                else:
                    del _free[oldest]


_BYTE = np.dtype(np.uint8)
_new: Any = np.ndarray.__new__

# Waiting memory by size, and by its id; the size used last is at the end.
_free: OrderedDict[int, dict[int, Any]] = OrderedDict()
_cached = 0
# Re-entrant: the garbage collector may run in the middle and let go of blocks in a cycle.
_lock = threading.RLock()


def empty(shape: tuple[int, ...], dtype: Any) -> Any:
    """An uninitialised array in C order, as `numpy.empty` gives."""
    dtype = np.dtype(dtype)
    size = prod(shape) * dtype.itemsize
    return np.empty(shape, dtype) if size < LEAST else np.ndarray(shape, dtype, block(size))


def block(size: int, wanted: int = 0) -> _Block:
    """Memory that waits, or new one, of at least `LEAST` bytes: the buffer of one array.

    wanted: the id of the block's base (memory keeps it as long as it waits or is used) when this
    was asked for the last time.  Without, the memory that was used last.
    """
    global _cached
    memory = None
    with _lock:
        waiting = _free.get(size)
        if waiting:
            memory = waiting.pop(wanted, None)
            if memory is None:
                memory = waiting.popitem()[1]
            _cached -= size
    if memory is None:
        whole = _new(_Memory, (size + _LINE,), _BYTE)
        start = -whole.ctypes.data % _LINE
        memory = whole[start : start + size]
    found: _Block = _new(_Block, (size,), _BYTE, memory)
    return found


def empty_like(x: Any, dtype: Any = None) -> Any:
    """An uninitialised array of the shape and the order in memory of another, and of its dtype."""
    dtype = x.dtype if dtype is None else dtype
    if x.size * dtype.itemsize < LEAST:
        return np.empty_like(x, dtype)
    if x.flags.c_contiguous:
        return empty(x.shape, dtype)
    order, back = orders(x.strides)
    shape = x.shape
    return empty(tuple([shape[i] for i in order]), dtype).transpose(back)


@lru_cache(maxsize=1024)
def orders(strides: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes from the outermost in memory inwards, and the permutation that undoes that."""
    order = sorted(range(len(strides)), key=lambda i: -abs(strides[i]))
    return tuple(order), tuple(sorted(range(len(strides)), key=order.__getitem__))


def is_whole(array: Any) -> bool:
    """Whether an array is no view of another: its memory is its own, or a block from here."""
    base = array.base
    return base is None or type(base) is _Block


def cached_bytes() -> int:
    """How much memory waits for an array."""
    return _cached


def empty_cache() -> None:
    """Let go of all memory that waits."""
    global _cached
    with _lock:
        _free.clear()
        _cached = 0


def _after_fork() -> None:
    """Another thread of the parent may have held the lock, in the middle of a change."""
    global _lock
    _lock = threading.RLock()
    empty_cache()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
