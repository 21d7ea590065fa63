"""``Size``: a tensor's shape, a tuple that can count its elements."""

from __future__ import annotations

from math import prod
from typing import Any

__all__ = ["Size"]


class Size(tuple[int, ...]):
    """A tuple of ints that prints as ``tensorgrad.Size([2, 3])``."""

    __slots__ = ()

    def numel(self) -> int:
        """The product of the sizes."""
        return prod(self)

    def __getitem__(self, index: Any) -> Any:
        found = tuple.__getitem__(self, index)
        return Size(found) if isinstance(index, slice) else found

    def __add__(self, other: Any) -> Size:
        return Size(tuple.__add__(self, tuple(other)))

    def __radd__(self, other: Any) -> Size:
        return Size(tuple(other) + tuple(self))

    def __mul__(self, times: Any) -> Size:
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"tensorgrad.Size({list(self)})"

    def __reduce__(self) -> Any:
        return Size, (tuple(self),)
