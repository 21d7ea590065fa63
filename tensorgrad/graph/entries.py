"""What a node keeps for its rules, beside arrays: shapes, what is left after backward, extras."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.graph.storages import Storage

__all__ = ["NOTHING", "Freed", "Kept", "Packed", "PackedArray", "Spec"]


class Spec(NamedTuple):
    """What a rule knows of an argument that was not saved."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)


class Freed(tuple[Any, ...]):
    """What is left of the saved arrays after backward: per argument its shape and dtype.

    Only for arguments without an edge; the others' shapes are known from their nodes.
    """

    __slots__ = ()


NOTHING = Freed()


class Packed(tuple[Any, ...]):
    """The saved entries of a node of which some are `PackedArray`s, by saved-tensor hooks."""

    __slots__ = ()


class PackedArray(NamedTuple):
    """A saved array as a pack hook left it, and the hook that restores it."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    kept: Any
    unpack: Callable[[Any], Any]
    storage: Storage | None  # where the hook kept the array's own memory


class Kept(NamedTuple):
    """What a forward returns when its primitive ``keeps`` extras for the rules.

    ``constants`` are not differentiated (indices, masks).  ``cache`` depends on the inputs
    (columns, normalised inputs), so under ``create_graph`` a rule gets ``cache=None`` and computes
    it again.
    """

    y: Any
    constants: Any = None
    cache: Any = None
