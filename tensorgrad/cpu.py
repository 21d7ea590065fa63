"""``torch.cpu``: the one device there is, under the names that devices have."""

from __future__ import annotations

from typing import Any

__all__ = ["current_device", "device_count", "is_available", "set_device", "synchronize"]


def is_available() -> bool:
    """Always True."""
    return True


def device_count() -> int:
    """Always 1."""
    return 1


def current_device() -> str:
    """Always "cpu"."""
    return "cpu"


def set_device(device: Any) -> None:
    """Nothing to choose: there is one."""


def synchronize(device: Any = None) -> None:
    """Nothing to wait for: every operation has ended when it returns."""
