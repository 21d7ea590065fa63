"""NumPy's numbers and arrays in PyTorch's files, rebuilt from their bytes alone.

A pickle makes them in steps: an element type, then what completes it, then the value. Here a type
is a `ElementType` and an array a `PendingArray`, of which nothing but numbers can be made.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ElementType", "PendingArray", "number"]

_CODES = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {
    "b1", "f2", "f4", "f8", "c8", "c16",
}  # fmt: skip


class ElementType:
    """A NumPy dtype of plain numbers, as far as the file has described it."""

    __slots__ = ("code", "order")

    def __init__(self, code: Any, align: Any = False, copy: Any = False) -> None:
        if code not in _CODES:
            raise ValueError(f"NumPy elements of type {code!r:.60}, which are no plain numbers")
        self.code, self.order = str(code), "="

    def complete(self, state: Any) -> None:
        """The byte order, and that there is nothing else: no fields, no parts, no metadata."""
        if not isinstance(state, tuple) or len(state) < 5 or state[1] not in ("<", ">", "|", "="):
            raise ValueError(f"a NumPy type with {state!r:.100}")
        if any(part is not None for part in state[2:5]):
            raise ValueError(f"a NumPy type with fields: {state!r:.100}")
        self.order = str(state[1])

    def read(self, content: Any, count: int) -> NDArray[Any]:
        """Elements from their bytes, in this machine's order."""
        kind = np.dtype(self.order + self.code)
        if isinstance(content, str):  # of Python 2, or of a protocol without bytes
            content = content.encode("latin1")
        if not isinstance(content, bytes) or len(content) != count * kind.itemsize:
            raise ValueError(f"{count} NumPy elements that are not {count * kind.itemsize} bytes")
        return np.frombuffer(content, kind).astype(kind.newbyteorder("="))


def number(kind: Any, content: Any) -> Any:
    """One NumPy number."""
    if not isinstance(kind, ElementType):
        raise ValueError(f"a NumPy number of type {kind!r:.60}")
    return kind.read(content, 1)[0]


class PendingArray:
    """An array that the file has announced; it becomes one when it is completed."""

    __slots__ = ("keys",)

    def __init__(self, kind: Any, shape: Any, code: Any) -> None:
        # The real shape and type come with the elements.
        self.keys: list[int] = []  # under which the file refers to it

    @staticmethod
    def of(state: Any) -> NDArray[Any]:
        """The array of (version, shape, type, whether columns come first, bytes)."""
        if not isinstance(state, tuple) or len(state) != 5:
            raise ValueError(f"a NumPy array with {state!r:.100}")
        _, shape, kind, fortran, content = state
        plain = isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)
        if not plain or not isinstance(kind, ElementType):
            raise ValueError(f"a NumPy array of shape {shape!r:.60} and type {kind!r:.60}")
        flat = kind.read(content, math.prod(shape))
        return flat.reshape(shape, order="F" if fortran else "C")
