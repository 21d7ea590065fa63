"""Memory for what a `Monitor` puts aside at a look."""

from __future__ import annotations

__all__ = ["Shelf"]

BLOCK = 1 << 18


class Shelf:
    """Bytes put aside one behind the other, in blocks whose pages were written before.

    Kept as they come, a few small copies a step stay in the midst of the memory that the next step
    wants to use again: it gets other memory, which no cache holds, and takes 10 % longer.
    """

    __slots__ = ("_room", "_used")

    def __init__(self) -> None:
        self._room = memoryview(b"")
        self._used = 0

    def put(self, data: bytes | memoryview) -> memoryview:
        """A copy of the bytes; what is large stays where it is."""
        size = len(data)
        if size > BLOCK // 8:
            return memoryview(data)
        start = self._used
        if start + size > len(self._room):
            self._room, start = memoryview(bytearray(b"\1") * BLOCK), 0
        self._used = end = start + size
        place = self._room[start:end]
        place[:] = data
        return place
