"""Devices: there is one, the CPU; asking for another is refused clearly."""

from __future__ import annotations

from typing import Any

__all__ = ["check_device", "device"]


class device:
    """``device("cpu")``; any other type raises."""

    __slots__ = ("index", "type")
    type: str
    index: int | None

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        if isinstance(type, device):
            type, index = type.type, type.index
        name, separator, number = str(type).partition(":")
        if name != "cpu":
            raise RuntimeError(
                f"device {type!r} is not available: tensorgrad computes on the CPU only; use 'cpu'"
            )
        if separator and not (number.isdecimal() and number == str(int(number))):
            raise RuntimeError(
                f"device {type!r} is no device: after the colon comes its index, as in 'cpu:0'"
            )
        self.type = name
        self.index = int(number) if number else index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __enter__(self) -> device:
        """What is made in the block is made on this device, as everywhere: it is the CPU."""
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __repr__(self) -> str:
        return (
            f"device(type='{self.type}')"
            if self.index is None
            else (f"device(type='{self.type}', index={self.index})")
        )

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"


CPU = device("cpu")


def check_device(asked: Any) -> None:
    """Accept None and the CPU; refuse everything else."""
    if asked is not None:
        device(asked)
