"""How many threads compute: those of NumPy's BLAS, which is what runs in parallel here."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["get_num_interop_threads", "get_num_threads", "set_num_interop_threads",
           "set_num_threads"]  # fmt: skip

# The names of OpenBLAS's functions differ by how it was built; NumPy's wheels have the first.
_PREFIXES = ("scipy_openblas_", "openblas_")
_SUFFIXES = ("64_", "")


def blas_name() -> str:
    """The BLAS library that NumPy was built with."""
    config: Any = np.show_config(mode="dicts")
    return str(config.get("Build Dependencies", {}).get("blas", {}).get("name", "unknown"))


@functools.cache
def _openblas() -> Any:
    """(set, get) of the OpenBLAS beside NumPy; None where NumPy has another library."""
    package = Path(np.__file__).parent
    folders = (package.parent / "numpy.libs", package / ".dylibs", package / ".libs")
    for path in (p for folder in folders if folder.is_dir() for p in sorted(folder.iterdir())):
        if "openblas" not in path.name:
            continue
        try:
            library = ctypes.CDLL(str(path))  # the copy that NumPy has loaded
        except OSError:
            continue
        for name in (f"{p}{{}}_num_threads{s}" for p in _PREFIXES for s in _SUFFIXES):
            if hasattr(library, name.format("set")):
                return getattr(library, name.format("set")), getattr(library, name.format("get"))
    return None


def _positive(number: Any, name: str) -> int:
    if not isinstance(number, int) or isinstance(number, bool):
        raise RuntimeError(f"{name} expects an int, but got {type(number).__name__}")
    if number <= 0:
        raise RuntimeError(f"{name} expects a positive integer, got {number}")
    return number


def set_num_threads(int: Any) -> None:
    """Set how many threads a matrix product may use.

    Raises RuntimeError where NumPy's BLAS is not the OpenBLAS of its wheels: those have environment
    variables of their own, to be set before Python starts.
    """
    number = _positive(int, "set_num_threads")
    found = _openblas()
    if found is None:
        raise RuntimeError(
            f"set_num_threads: NumPy's BLAS ({blas_name()}) takes its number of threads from the "
            "environment: set OMP_NUM_THREADS (or MKL_NUM_THREADS, VECLIB_MAXIMUM_THREADS) before "
            "starting Python"
        )
    found[0](number)


def get_num_threads() -> int:
    """How many threads a matrix product may use; 1 where NumPy's BLAS does not tell."""
    found = _openblas()
    return 1 if found is None else int(found[1]())


def get_num_interop_threads() -> int:
    """1: operations run one after another."""
    return 1


def set_num_interop_threads(int: Any) -> None:
    """Refused but for 1: operations run one after another."""
    if _positive(int, "set_num_interop_threads") != 1:
        raise RuntimeError(
            "set_num_interop_threads: operations run one after another; set_num_threads sets how "
            "many threads a matrix product uses"
        )
