"""Intel's MKL: whether NumPy's BLAS is that."""

from __future__ import annotations

from tensorgrad.machine.blas import blas_name

__all__ = ["is_available"]


def is_available() -> bool:
    """Whether NumPy was built with MKL."""
    return "mkl" in blas_name().lower()
