"""``torch.accelerator`` for programs that ask whether there is one: there is none."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = [
    "current_accelerator",
    "current_device_index",
    "current_stream",
    "device_count",
    "empty_cache",
    "is_available",
    "set_device_index",
    "synchronize",
]


def _refuse(what: str) -> NoReturn:
    raise RuntimeError(
        f"accelerator.{what}: cannot access an accelerator when none is available: tensorgrad "
        "computes on the CPU only"
    )


def is_available() -> bool:
    """Always False."""
    return False


def device_count() -> int:
    """Always 0."""
    return 0


def current_accelerator(check_available: bool = False) -> Any:
    """None: there is none."""
    return None


def current_device_index() -> NoReturn:
    """Refused."""
    _refuse("current_device_index")


def set_device_index(device: Any, /) -> NoReturn:
    """Refused."""
    _refuse("set_device_index")


def current_stream(device: Any = None, /) -> NoReturn:
    """Refused."""
    _refuse("current_stream")


def synchronize(device: Any = None, /) -> NoReturn:
    """Refused: there is nothing to wait for."""
    _refuse("synchronize")


def empty_cache() -> NoReturn:
    """Refused."""
    _refuse("empty_cache")
