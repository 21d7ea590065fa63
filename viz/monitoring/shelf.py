"""Memory for what a `Monitor` puts aside at a look."""

from __future__ import annotations

from io import BytesIO
from typing import Any

__all__ = ["Shelf", "taken"]

BLOCK = 1 << 18


class Shelf:
    """Bytes put aside one behind the other, in blocks whose pages were written before.

    Kept as they come, a few small copies a step stay in the midst of the memory that the next step
    wants to use again: it gets other memory, which no cache holds, and takes 10 % longer.

    A block is a BytesIO: its ``writelines`` copies many arrays by one call, without a temporary.
    """

    __slots__ = ("_block",)

    def __init__(self) -> None:
        self._block = BytesIO()
        self._block.seek(BLOCK)

    def block(self, size: int) -> BytesIO:
        """Where the next so many bytes are to be written, from its position on."""
        block = self._block
        if size > BLOCK // 8:
            return BytesIO()  # what is large has its own memory
        if block.tell() + size > BLOCK:
            self._block = block = BytesIO()
            block.write(b"\1" * BLOCK)
            block.seek(0)
        return block

    def put(self, array: Any) -> tuple[BytesIO, int]:
        """Copy an array, in row-major order: the block and the position where they begin."""
        block = self.block(array.nbytes)
        start = block.tell()
        try:
            block.write(array)
        except (ValueError, BufferError):  # in an order of its own, or a dtype without a name
            block.write(array.tobytes())
        return block, start


def taken(block: BytesIO, start: int, size: int) -> bytes:
    """Bytes of a block."""
    return bytes(block.getbuffer()[start : start + size])
