"""oneDNN is not used.  Its flag can be set, and changes nothing."""

from __future__ import annotations

__all__ = ["enabled", "is_available"]

enabled = True


def is_available() -> bool:
    """Always False."""
    return False
