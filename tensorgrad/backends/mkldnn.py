"""oneDNN, which ``pip install tensorgrad[accel]`` brings: whether it is there, and its switch.

``enabled = False`` turns it off for the process, ``flags(enabled=False)`` for a block;
`tensorgrad.backends.kernels` lists what it was chosen for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from tensorgrad.kernels import registry
from tensorgrad.kernels.onednn import health

__all__ = ["enabled", "flags", "is_available", "set_flags", "why_not"]

enabled: bool  # set by assignment: see `_Module`


def is_available() -> bool:
    """Whether oneDNN can be used in this process."""
    return not why_not()


def why_not() -> str:
    """Why oneDNN is not used: not installed, of another version, switched off, forked; or ""."""
    return health.reason()


def set_flags(
    _enabled: bool | None = None,
    _deterministic: bool | None = None,
    _allow_tf32: bool | None = None,
    _fp32_precision: str | None = "none",
) -> tuple[bool, bool, bool, str]:
    """Turn oneDNN on or off; returns the flags as they were before.

    The others can be given, and change nothing: it computes in float32, and for one number of
    threads in one order. A lower precision is refused.
    """
    if _fp32_precision not in (None, "none", "ieee"):
        raise RuntimeError(
            f"mkldnn: fp32_precision {_fp32_precision!r} is not supported: float32 is computed "
            "in float32 ('ieee')"
        )
    before = (health.enabled(), False, True, "none")
    if _enabled is not None:
        health.switch(_enabled)
        registry.forget()
    return before


@contextmanager
def flags(
    enabled: bool = False,
    deterministic: bool = False,
    allow_tf32: bool = True,
    fp32_precision: str = "none",
) -> Iterator[None]:
    """`set_flags` for the length of a block."""
    before = set_flags(enabled, deterministic, allow_tf32, fp32_precision)
    try:
        yield
    finally:
        set_flags(*before)


class _Module(ModuleType):
    """This module: ``enabled`` is set by assignment, as in PyTorch."""

    @property
    def enabled(self) -> bool:
        return health.enabled()

    @enabled.setter
    def enabled(self, on: bool) -> None:
        set_flags(on)


sys.modules[__name__].__class__ = _Module
