"""OpenMP: tensorgrad has no compiled code of its own; NumPy's BLAS has its own threads."""

from __future__ import annotations

__all__ = ["is_available"]


def is_available() -> bool:
    """Always False."""
    return False
