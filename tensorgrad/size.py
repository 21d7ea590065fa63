"""``Size``: a tensor's shape, a tuple that can count its elements."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from operator import index
from typing import Any

__all__ = ["Size"]


class Size(tuple[int, ...]):
    """A tuple of ints that prints as ``tensorgrad.Size([2, 3])``."""

    __slots__ = ()

    def __new__(cls, sizes: Iterable[Any] = ()) -> Size:
        try:
            return tuple.__new__(cls, map(index, sizes))
        except TypeError as error:
            raise TypeError(f"Size() takes an iterable of int, got {sizes!r}: {error}") from None

    def numel(self) -> int:
        """The product of the sizes."""
        return prod(self)

    def __getitem__(self, place: Any) -> Any:
        found = tuple.__getitem__(self, place)
        return Size(found) if isinstance(place, slice) else found

    def __add__(self, other: Any) -> Size:
        if not isinstance(other, tuple):
            raise TypeError(
                f"can only concatenate tuple (not {type(other).__name__}) to tensorgrad.Size"
            )
        return Size(tuple.__add__(self, other))

    def __radd__(self, other: Any) -> Size:
        return Size(tuple(other) + tuple(self))

    def __mul__(self, times: Any) -> Size:
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"tensorgrad.Size({list(self)})"

    def __reduce__(self) -> Any:
        return Size, (tuple(self),)
