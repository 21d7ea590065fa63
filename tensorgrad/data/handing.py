"""Handing a batch from one process to another: arrays through shared memory, the rest pickled."""

from __future__ import annotations

import os
import pickle
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tensorgrad.machine.address import address

if TYPE_CHECKING:
    from multiprocessing.shared_memory import SharedMemory

__all__ = ["Parcel", "Sender", "discard", "unpack"]

# Below it the arrays go through the pipe: two copies cost less than a block of shared memory.
_SMALL = 1 << 16
_ALIGNMENT = 64


class Parcel(NamedTuple):
    """A pickled value whose arrays are elsewhere: ``inline``, or in the shared block ``name``."""

    pickled: bytes
    sizes: list[int]
    inline: list[bytes] | None
    name: str | None


class Sender:
    """Packs values in the worker. Blocks are numbered, so that the other side can find those that
    were made but never arrived.
    """

    def __init__(self, prefix: str, kept: int) -> None:
        self._prefix = prefix
        self._count = 0
        self._kept = kept
        self._making = threading.Lock()
        # Windows frees a block when nobody has it open: keep those that may be on their way.
        self._open: deque[SharedMemory] = deque(maxlen=kept)

    def pack(self, value: Any) -> Parcel:
        buffers: list[pickle.PickleBuffer] = []
        pickled = pickle.dumps(value, 5, buffer_callback=buffers.append)
        raws = [buffer.raw() for buffer in buffers]
        sizes = [raw.nbytes for raw in raws]
        if sum(sizes) < _SMALL:
            return Parcel(pickled, sizes, [bytes(raw) for raw in raws], None)
        with self._making:
            name = f"{self._prefix}{self._count}"
            self._count += 1
            block = _block(name, create=True, size=sum(map(_padded, sizes)))
        _fill(block, raws)
        if os.name == "nt":
            self._open.append(block)
        else:
            block.close()
        return Parcel(pickled, sizes, None, name)

    def abandon(self) -> None:
        """Remove what was made and not read, when there is nobody left to do so; nothing follows.

        A block half made when the process ends would stay for ever: that is waited for.
        """
        self._making.acquire()
        for number in range(max(0, self._count - self._kept - 64), self._count):
            discard(f"{self._prefix}{number}")


def _fill(block: SharedMemory, raws: list[memoryview]) -> None:
    memory: Any = block.buf
    start = 0
    for raw in raws:
        memory[start : start + raw.nbytes] = raw
        start += _padded(raw.nbytes)


class _Memory:
    """Gives a block to NumPy by its address: arrays then keep this object, and it the block.

    A buffer would not do: a block cannot be closed while one is exported, and complains of it.
    """

    def __init__(self, block: SharedMemory) -> None:
        self._block = block
        memory: Any = block.buf
        start = address(np.frombuffer(memory, np.uint8))
        self.__array_interface__ = {
            "shape": (block.size,),
            "typestr": "|u1",
            "data": (start, False),
            "version": 3,
        }


def unpack(parcel: Parcel) -> Any:
    """The value. Its arrays lie in the shared block, which has lost its name and goes with them."""
    if parcel.name is None:
        buffers: list[Any] = [bytearray(raw) for raw in parcel.inline or ()]
    else:
        block = _block(parcel.name)
        block.unlink()
        memory = np.asarray(_Memory(block))
        buffers, start = [], 0
        for size in parcel.sizes:
            buffers.append(memory[start : start + size])
            start += _padded(size)
    return pickle.loads(parcel.pickled, buffers=buffers)


def discard(name: str | None) -> bool:
    """Remove a block that nobody will read; False if there is none of that name."""
    if name is None:
        return False
    try:
        block = _block(name)
    except FileNotFoundError:
        return False
    block.close()
    block.unlink()
    return True


def _block(name: str, **options: Any) -> SharedMemory:
    # Imported here, as multiprocessing is elsewhere: most programs have no workers.
    from multiprocessing.shared_memory import SharedMemory

    return SharedMemory(name, **options)


def _padded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
