"""Where a file's storages shall live: `load`'s map_location, and storages that are widened."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tensorgrad.device import check_device, device
from tensorgrad.graph.node import wrap
from tensorgrad.reading import canonical

__all__ = ["Locations", "Order"]


Order = Literal["<", ">"]


class Locations:
    """Checks every storage's location, and notes whether one had to change its type.

    widened: whether a bfloat16 storage was read as float32.
    """

    def __init__(self, map_location: Any) -> None:
        self.widened = False
        self._map = map_location
        if map_location is None or callable(map_location):
            return
        if isinstance(map_location, (str, device)):
            check_device(map_location)
        elif not isinstance(map_location, dict):
            raise TypeError(
                "load: map_location must be a device, a string, a dict or a function, got "
                f"{type(map_location).__name__}"
            )

    def check(self, storage: NDArray[Any], tag: str) -> None:
        """RuntimeError unless the storage, tagged so in the file, ends at the CPU."""
        where = self._map
        if isinstance(where, (str, device)):
            return
        if isinstance(where, dict):
            tag = str(where.get(tag, tag))
        elif where is not None:
            given = wrap(storage)
            placed = where(given, tag)
            if placed is given:
                return
            if placed is not None:
                raise RuntimeError(
                    f"load: map_location returned {type(placed).__name__} for a storage at "
                    f"{tag!r}; it can only return the storage itself, which is on the CPU, or None"
                )
        if tag.partition(":")[0] != "cpu":
            raise RuntimeError(
                f"load: Attempting to deserialize object on a device, {tag!r:.60}, that is not "
                "available: tensorgrad computes on the CPU. Use load with map_location='cpu'"
            )

    def array(self, raw: Any, kind: np.dtype[Any] | None, order: Order = "<") -> NDArray[Any]:
        """The flat array of some bytes, writable if they are; None is the type bfloat16."""
        if kind is None:
            self.widened = True
            halves = np.frombuffer(raw, f"{order}u2").astype(np.uint32)
            return canonical((halves << np.uint32(16)).view(np.float32))
        if kind == np.bool_:
            # A byte that is neither 0 nor 1 would be a bool that is neither True nor False.
            flat = np.frombuffer(raw, np.uint8)
            return flat.view(np.bool_) if not (flat > 1).any() else flat != 0
        flat = np.frombuffer(raw, kind.newbyteorder(order))
        return canonical(flat.astype(flat.dtype.newbyteorder("="), copy=False))
