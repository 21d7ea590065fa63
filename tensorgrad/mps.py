"""``torch.mps`` for programs that ask for Apple's Metal: it is not used."""

from __future__ import annotations

from typing import NoReturn

__all__ = ["device_count", "empty_cache", "is_available", "manual_seed", "synchronize"]


def _refuse(what: str) -> NoReturn:
    raise RuntimeError(
        f"mps.{what}: there is no such device: tensorgrad computes on the CPU only; ask "
        "mps.is_available() first"
    )


def is_available() -> bool:
    """Always False."""
    return False


def device_count() -> int:
    """Always 0."""
    return 0


def manual_seed(seed: int) -> None:
    """Seeds the device, if there is one."""
    int(seed)


def synchronize() -> NoReturn:
    """Refused: there is nothing to wait for."""
    _refuse("synchronize")


def empty_cache() -> NoReturn:
    """Refused."""
    _refuse("empty_cache")
