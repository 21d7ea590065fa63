"""The windows that stand at the top level as well, with arguments of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.creation import check_options, finish, real_dtype
from tensorgrad.signal.windows import bessel, cosines, triangle

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"]


def _window(
    name: str, length: int, shape: Any, dtype: Any, device: Any, layout: Any, pin: bool, grad: bool
) -> Tensor:
    check_options(device, layout, pin)
    if length < 0:
        raise RuntimeError(
            f"{name} requires non-negative window_length, got window_length={length}"
        )
    kind = real_dtype(dtype)
    if kind.kind != "f":
        raise RuntimeError(f"{name} expects floating point dtypes, got: {kind}")
    return finish(np.asarray(shape(length)).astype(kind), grad)


def bartlett_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """1 - |2 t - 1|, a triangle; ``periodic``: the first N of a window of N + 1 samples."""
    return _window(
        "bartlett_window", window_length, lambda n: triangle(n, not periodic),
        dtype, device, layout, pin_memory, requires_grad,
    )  # fmt: skip


def blackman_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """0.42 - 0.5 cos(2 pi t) + 0.08 cos(4 pi t); see `bartlett_window` for ``periodic``."""
    return _window(
        "blackman_window", window_length, lambda n: cosines(n, [0.42, 0.5, 0.08], not periodic),
        dtype, device, layout, pin_memory, requires_grad,
    )  # fmt: skip


def hann_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """(1 - cos(2 pi t)) / 2; see `bartlett_window` for ``periodic``."""
    return _window(
        "hann_window", window_length, lambda n: cosines(n, [0.5, 0.5], not periodic),
        dtype, device, layout, pin_memory, requires_grad,
    )  # fmt: skip


def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """alpha - beta cos(2 pi t); see `bartlett_window` for ``periodic``."""
    return _window(
        "hamming_window", window_length, lambda n: cosines(n, [alpha, beta], not periodic),
        dtype, device, layout, pin_memory, requires_grad,
    )  # fmt: skip


def kaiser_window(
    window_length: int,
    periodic: bool = True,
    beta: float = 12.0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """I0(beta sqrt(1 - (2 t - 1)**2)) / I0(beta); see `bartlett_window` for ``periodic``."""
    return _window(
        "kaiser_window", window_length, lambda n: bessel(n, beta, not periodic),
        dtype, device, layout, pin_memory, requires_grad,
    )  # fmt: skip
