"""Settings of the process: the default device, determinism, the precision of products.

There is one device, and every operation is deterministic; what programs set here is kept for those
who ask, or refused where it would have to change something.
"""

from __future__ import annotations

from typing import Any

from tensorgrad.device import CPU, device

__all__ = [
    "are_deterministic_algorithms_enabled",
    "get_default_device",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_warn_always_enabled",
    "set_default_device",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_warn_always",
    "use_deterministic",
    "use_deterministic_algorithms",
]


class _Kept:
    """What was set."""

    device = CPU
    deterministic = False
    warn_only = False
    precision = "highest"
    warn_always = False


def get_default_device() -> device:
    """The device on which tensors are made: the CPU."""
    return _Kept.device


def set_default_device(device: Any) -> None:
    """Set it: to the CPU, or to None, which means the CPU; any other is refused."""
    from tensorgrad.device import device as Device

    _Kept.device = CPU if device is None else Device(device)


# --- Determinism ----------------------------------------------------------------------------------


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Nothing has to change: every operation gives the same numbers in every run, in any mode."""
    for name, value in (("mode", mode), ("warn_only", warn_only)):
        if not isinstance(value, bool):
            raise TypeError(f"use_deterministic_algorithms: {name} must be a bool, got {value!r}")
    _Kept.deterministic, _Kept.warn_only = mode, warn_only


def use_deterministic(mode: bool = True) -> None:
    """`use_deterministic_algorithms` by a shorter name: runs are alike to the bit either way.

    That is on one machine, with one number of threads and the same kernels; with another number of
    threads sums are taken in other parts, and agree to rounding.
    """
    use_deterministic_algorithms(mode)


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` was last told."""
    return _Kept.deterministic


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """What `use_deterministic_algorithms` was last told."""
    return _Kept.warn_only


_MODES = ("default", "warn", "error")


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """`use_deterministic_algorithms` by one word: "default" (0), "warn" (1) or "error" (2)."""
    if isinstance(debug_mode, str):
        if debug_mode not in _MODES:
            raise RuntimeError(
                "invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got "
                f"{debug_mode}"
            )
        debug_mode = _MODES.index(debug_mode)
    if not isinstance(debug_mode, int):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(
            f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}"
        )
    use_deterministic_algorithms(debug_mode > 0, warn_only=debug_mode == 1)


def get_deterministic_debug_mode() -> int:
    """0, 1 or 2: see `set_deterministic_debug_mode`."""
    if not _Kept.deterministic:
        return 0
    return 1 if _Kept.warn_only else 2


# --- Numbers --------------------------------------------------------------------------------------


def get_float32_matmul_precision() -> str:
    """What was set; products of float32 are computed in float32 in any case."""
    return _Kept.precision


def set_float32_matmul_precision(precision: str) -> None:
    """How imprecise products of float32 may be: "highest", "high" or "medium".

    They are as precise as "highest" asks for, whatever is allowed.
    """
    if precision not in ("highest", "high", "medium"):
        raise RuntimeError(
            f"float32 matmul precision can only be 'highest', 'high' or 'medium', got {precision!r}"
        )
    _Kept.precision = precision


def set_flush_denormal(mode: bool) -> bool:
    """False: the processor's handling of denormal numbers cannot be set from Python."""
    return False


def set_warn_always(b: bool, /) -> None:
    """Whether warnings that PyTorch gives once may come more often; Python's filters decide."""
    if not isinstance(b, bool):
        raise RuntimeError(f"setWarnOnlyOnce expects a bool, but got {type(b).__name__}")
    _Kept.warn_always = b


def is_warn_always_enabled() -> bool:
    """What `set_warn_always` was last told."""
    return _Kept.warn_always
