"""``autocast``: disabled, a context and a decorator that change nothing; enabled, refused."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Self, TypeVar

__all__ = [
    "autocast",
    "custom_bwd",
    "custom_fwd",
    "is_autocast_available",
    "is_autocast_cpu_enabled",
    "is_autocast_enabled",
]

F = TypeVar("F", bound=Callable[..., Any])

_DEVICES = ("cpu", "cuda", "hpu", "maia", "mps", "mtia", "xla", "xpu")


def is_autocast_available(device_type: str) -> bool:
    """Always False: nothing here computes in a lower precision by itself."""
    _check_device_type(device_type)
    return False


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Always False: see `autocast`."""
    _check_device_type(device_type)
    return False


def is_autocast_cpu_enabled() -> bool:
    """An old name of ``is_autocast_enabled("cpu")``."""
    return is_autocast_enabled("cpu")


def _check_device_type(device_type: Any) -> None:
    if not isinstance(device_type, str):
        raise ValueError(
            f"Expected `device_type` of type `str`, got: `{type(device_type).__name__}`"
        )
    if device_type not in _DEVICES:
        raise RuntimeError(
            f"autocast: expected one of {', '.join(_DEVICES)} as device type, got {device_type!r}"
        )


class autocast:
    """``autocast(device_type, enabled=False)``: what is inside computes as it would outside.

    Raises RuntimeError when enabled: tensors keep their dtype here.
    """

    def __init__(
        self,
        device_type: str,
        dtype: Any = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        _check_device_type(device_type)
        if enabled:
            raise RuntimeError(
                "autocast: mixed precision is not available: tensorgrad computes on the CPU, in "
                "the tensors' own dtypes. Pass enabled=False (or "
                "enabled=tensorgrad.cuda.is_available())."
            )
        self.device = device_type
        self.fast_dtype = dtype

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __call__(self, func: F) -> F:
        @functools.wraps(func)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return inside  # type: ignore[return-value]


def custom_fwd(fwd: Any = None, *, device_type: str, cast_inputs: Any = None) -> Any:
    """Decorates the forward of an `autograd.Function`: with autocast off, it stays as it is.

    ``cast_inputs`` has a meaning only inside an enabled autocast, of which there is none.
    """
    _check_device_type(device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)
    return fwd


def custom_bwd(bwd: Any = None, *, device_type: str) -> Any:
    """Decorates the backward of an `autograd.Function`: with autocast off, it stays as it is."""
    _check_device_type(device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)
    return bwd
