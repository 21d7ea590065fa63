"""``torch.cuda`` for programs that ask whether there is a GPU: there is none.

Questions are answered as PyTorch without CUDA answers them; what would need a GPU raises.
"""

from __future__ import annotations

from typing import Any, NoReturn

from tensorgrad.cuda import amp

__all__ = [
    "amp",
    "current_device",
    "current_stream",
    "device_count",
    "empty_cache",
    "get_arch_list",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "get_rng_state",
    "get_rng_state_all",
    "init",
    "is_available",
    "is_bf16_supported",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_reserved",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "set_rng_state",
    "set_rng_state_all",
    "synchronize",
]


def _refuse(what: str) -> NoReturn:
    raise RuntimeError(
        f"cuda.{what}: there is no CUDA device: tensorgrad computes on the CPU only; ask "
        "cuda.is_available() first"
    )


def is_available() -> bool:
    """Always False."""
    return False


def is_initialized() -> bool:
    """Always False."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Always False."""
    return False


def device_count() -> int:
    """Always 0."""
    return 0


def get_arch_list() -> list[str]:
    """Empty: there is no code for any architecture."""
    return []


def init() -> NoReturn:
    """Refused."""
    _refuse("init")


def current_device() -> NoReturn:
    """Refused."""
    _refuse("current_device")


def set_device(device: Any) -> NoReturn:
    """Refused."""
    _refuse("set_device")


def get_device_name(device: Any = None) -> NoReturn:
    """Refused."""
    _refuse("get_device_name")


def get_device_capability(device: Any = None) -> NoReturn:
    """Refused."""
    _refuse("get_device_capability")


def get_device_properties(device: Any = None) -> NoReturn:
    """Refused."""
    _refuse("get_device_properties")


def current_stream(device: Any = None) -> NoReturn:
    """Refused."""
    _refuse("current_stream")


def synchronize(device: Any = None) -> NoReturn:
    """Refused: there is nothing to wait for."""
    _refuse("synchronize")


# --- Memory: none is in use --------------------------------------------------------------------


def empty_cache() -> None:
    """Nothing to give back."""


def memory_allocated(device: Any = None) -> int:
    """Always 0."""
    return 0


def max_memory_allocated(device: Any = None) -> int:
    """Always 0."""
    return 0


def memory_reserved(device: Any = None) -> int:
    """Always 0."""
    return 0


def max_memory_reserved(device: Any = None) -> int:
    """Always 0."""
    return 0


def reset_peak_memory_stats(device: Any = None) -> NoReturn:
    """Refused."""
    _refuse("reset_peak_memory_stats")


def mem_get_info(device: Any = None) -> NoReturn:
    """Refused."""
    _refuse("mem_get_info")


# --- Random numbers: no device has any, so seeding all of them is done -------------------------


def manual_seed(seed: int) -> None:
    """Seeds the current device, if there is one."""
    int(seed)


def manual_seed_all(seed: int) -> None:
    """Seeds all devices: none."""
    int(seed)


def seed() -> None:
    """Seeds the current device, if there is one."""


def seed_all() -> None:
    """Seeds all devices: none."""


def get_rng_state(device: Any = "cuda") -> NoReturn:
    """Refused."""
    _refuse("get_rng_state")


def set_rng_state(new_state: Any, device: Any = "cuda") -> NoReturn:
    """Refused."""
    _refuse("set_rng_state")


def get_rng_state_all() -> list[Any]:
    """Empty: one state per device."""
    return []


def set_rng_state_all(new_states: Any) -> None:
    """One state per device, so none."""
    if len(list(new_states)):
        _refuse("set_rng_state_all")
