"""PyTorch's files from before version 1.6: five pickles, then the storages' bytes."""

from __future__ import annotations

import io
import pickletools
from typing import IO, Any

import numpy as np

from tensorgrad.serialization.locations import Locations, Order
from tensorgrad.serialization.unpickler import KINDS, FlatStorage, unpickle

__all__ = ["HEAD", "MAGIC", "begins", "read"]

# A pickle of the number 0x1950a86a20f9469cfc6c, by which such files begin; of protocol 2, which is
# the default, and its part that is the same in all protocols.
MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
HEAD = 32
_VERSION = 1001


def begins(head: bytes) -> bool:
    """Whether a file with these first `HEAD` bytes is of this format."""
    return head[:1] == b"\x80" and MAGIC[2:] in head


def read(file: IO[bytes], source: str, locations: Locations, encoding: str) -> Any:
    """The object in a file that ``torch.save`` wrote before version 1.6.

    The storages' bytes come after the pickle that makes tensors on them: it is read twice, first
    with storages of zeros, to learn of them.
    """
    content = file.read()
    size = len(content)
    stream = io.BytesIO(content)
    waiting: dict[str, tuple[FlatStorage, np.ndarray[Any, Any], str]] = {}
    asked = 0

    def storage(pid: tuple[Any, ...]) -> FlatStorage:
        nonlocal asked
        kind, key, location, count, view = (*pid, None)[:5]
        if view is not None:
            raise ValueError("a storage that is a view of another, as PyTorch 0.1 wrote them")
        key = str(key)
        if key not in waiting:
            dtype = KINDS[kind]
            width = 2 if dtype is None else dtype.itemsize
            if type(count) is not int or count < 0:
                raise ValueError(f"a storage of {count!r:.60} elements")
            asked += count * width
            if asked > size:
                raise ValueError(f"storages of {asked:,} bytes in a file of {size:,}")
            flat = locations.array(bytearray(count * width), dtype)
            locations.check(flat, str(location))
            waiting[key] = FlatStorage(flat), flat, kind
        if waiting[key][2] != kind:
            raise ValueError(f"storage {key!r:.60} is of two types")
        return waiting[key][0]

    def none(pid: tuple[Any, ...]) -> FlatStorage:
        raise ValueError("a tensor in the head of the file")

    def following(lookup: Any) -> Any:
        start = stream.tell()
        for _ in pickletools.genops(stream):
            pass
        return unpickle(content[start : stream.tell()], source, lookup, encoding)

    following(none)  # the magic number
    if (version := following(none)) != _VERSION:
        raise ValueError(f"protocol {version!r:.40}, not {_VERSION}")
    system = following(none)
    order: Order = "<" if system.get("little_endian", True) else ">"
    start = stream.tell()
    following(storage)
    end = stream.tell()
    keys = following(none)
    if not isinstance(keys, list) or {str(key) for key in keys} != set(waiting):
        raise ValueError("the list of storages does not fit those that tensors ask for")
    for key in keys:
        _, flat, kind = waiting[str(key)]
        count = int.from_bytes(stream.read(8), "little" if order == "<" else "big")
        dtype = KINDS[kind]
        if count != flat.size:
            raise ValueError(f"a storage of {count} elements, where {flat.size} were announced")
        raw = stream.read(count * (2 if dtype is None else dtype.itemsize))
        flat[...] = locations.array(raw, dtype, order)  # raises where the bytes end too early
    return unpickle(content[start:end], source, storage, encoding)
