"""Forward-mode differentiation with dual numbers: refused, with what to use instead.

A dual number must carry its tangent through every operation that the program does to it.  Here each
operation has one rule, the reverse one; a tangent can be had from it by differentiating twice
(`tensorgrad.func.jvp`), but only when the whole function is known, not while it still runs.  A
second rule for each operation was rejected: two rules can disagree.
"""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = [
    "UnpackedDualTensor",
    "dual_level",
    "enter_dual_level",
    "exit_dual_level",
    "make_dual",
    "unpack_dual",
]


def _refuse(name: str) -> NoReturn:
    raise NotImplementedError(
        f"autograd.forward_ad.{name}: there are no dual numbers, since every operation has one "
        "rule, the reverse one. Use tensorgrad.func.jvp(f, primals, tangents), "
        "tensorgrad.autograd.functional.jvp or tensorgrad.func.jacfwd, which give the same values."
    )


class UnpackedDualTensor:
    """Refused: see the module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse("UnpackedDualTensor")


class dual_level:
    """Refused: see the module."""

    def __init__(self) -> None:
        _refuse("dual_level")


def enter_dual_level() -> NoReturn:
    """Refused: see the module."""
    _refuse("enter_dual_level")


def exit_dual_level(*, level: int | None = None) -> NoReturn:
    """Refused: see the module."""
    _refuse("exit_dual_level")


def make_dual(tensor: Any, tangent: Any, *, level: int | None = None) -> NoReturn:
    """Refused: see the module."""
    _refuse("make_dual")


def unpack_dual(tensor: Any, *, level: int | None = None) -> NoReturn:
    """Refused: see the module."""
    _refuse("unpack_dual")
