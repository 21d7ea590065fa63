"""Apple's Metal is not used."""

from __future__ import annotations

__all__ = ["is_available", "is_built", "is_macos13_or_newer"]


def is_available() -> bool:
    """Always False."""
    return False


def is_built() -> bool:
    """Always False."""
    return False


def is_macos13_or_newer(minor: int = 0) -> bool:
    """Always False: it asks for a system that Metal runs on."""
    return False
