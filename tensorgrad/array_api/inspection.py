"""What the namespace can do, asked of it: ``__array_namespace_info__()``."""

from __future__ import annotations

from typing import Any

from tensorgrad.array_api.dtypes import STANDARD, isdtype
from tensorgrad.device import CPU, check_device, device
from tensorgrad.dtypes import dtype, get_default_dtype, int64

__all__ = ["__array_namespace_info__"]


class NamespaceInfo:
    """Capabilities, devices and data types of this implementation of the standard."""

    def capabilities(self) -> dict[str, Any]:
        """Indexing by bools and results whose shapes depend on values work; 64 dimensions."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> device:
        """The CPU."""
        return CPU

    def devices(self) -> list[device]:
        """The CPU alone."""
        return [CPU]

    def default_dtypes(self, *, device: Any = None) -> dict[str, dtype]:
        """What numbers become; the floats follow `tensorgrad.set_default_dtype`."""
        check_device(device)
        real = get_default_dtype()
        return {
            "real floating": real,
            "complex floating": real.to_complex(),
            "integral": int64,
            "indexing": int64,
        }

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, dtype]:
        """The standard's types by name, all or those of a kind."""
        check_device(device)
        return {n: d for n, d in STANDARD.items() if kind is None or isdtype(d, kind)}


def __array_namespace_info__() -> NamespaceInfo:
    """What this implementation of the standard can do."""
    return NamespaceInfo()
