"""The OpenBLAS beside NumPy, for what NumPy does not ask of it."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["INTEGER", "blas_name", "openblas"]


def blas_name() -> str:
    """The BLAS library that NumPy was built with."""
    config: Any = np.show_config(mode="dicts")
    return str(config.get("Build Dependencies", {}).get("blas", {}).get("name", "unknown"))


# The names of OpenBLAS's functions differ by how it was built; NumPy's wheels have the first.
_PREFIXES = ("scipy_", "")
_SUFFIXES = ("64_", "")
# What counts elements where names end in 64_; smaller ones come through the same registers.
INTEGER = ctypes.c_int64


@functools.cache
def _library() -> tuple[Any, str] | None:
    """The library that NumPy has loaded, and how its names are written; None for another one."""
    package = Path(np.__file__).parent
    folders = (package.parent / "numpy.libs", package / ".dylibs", package / ".libs")
    for path in (p for folder in folders if folder.is_dir() for p in sorted(folder.iterdir())):
        if "openblas" not in path.name:
            continue
        try:
            library = ctypes.CDLL(str(path))  # the copy that NumPy has loaded
        except OSError:
            continue
        for pattern in (f"{p}{{}}{s}" for p in _PREFIXES for s in _SUFFIXES):
            if hasattr(library, pattern.format("openblas_set_num_threads")):
                return library, pattern
    return None


def openblas(name: str) -> Any:
    """A function of OpenBLAS; None where NumPy has another library, or it has no such name."""
    found = _library()
    return None if found is None else getattr(found[0], found[1].format(name), None)
