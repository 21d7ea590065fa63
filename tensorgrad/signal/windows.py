"""Window functions with the names and arguments of `torch.signal.windows`.

All take the number of samples M, ``sym`` (False: one period of a periodic window, for spectra),
and a real dtype, float32 or float64.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import pi
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.creation import check_options, finish, real_dtype
from tensorgrad.kernels.special_bessel import i0

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_cosine",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
]


def _checked(name: str, M: int, dtype: Any, layout: Any, device: Any) -> np.dtype[Any]:
    check_options(device, layout, False)
    if M < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={M}")
    kind = real_dtype(dtype)
    if kind.char not in "fd":
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {kind}")
    return kind


def _made(values: Any, kind: np.dtype[Any], requires_grad: bool) -> Tensor:
    """Computed in float64, kept in the dtype that was asked for."""
    return finish(np.asarray(values, np.float64).astype(kind), requires_grad)


def steps(M: int, sym: bool) -> Any:
    """0 ... 1 over a symmetric window of M samples, or over M of a periodic one's M + 1."""
    return np.arange(M) / max(M - 1 if sym else M, 1)


def cosines(M: int, a: list[float], sym: bool) -> Any:
    """sum of (-1)**i a_i cos(2 pi i t); 1 for a single sample."""
    if M == 1:
        return np.ones(1)
    t = 2 * pi * steps(M, sym)
    return sum(((-1) ** i * c * np.cos(i * t) for i, c in enumerate(a)), np.zeros(M))


def triangle(M: int, sym: bool) -> Any:
    """1 - |2 t - 1|; 1 for a single sample."""
    return np.ones(1) if M == 1 else 1 - np.abs(2 * steps(M, sym) - 1)


def bessel(M: int, beta: float, sym: bool) -> Any:
    """I0(beta sqrt(1 - (2 t - 1)**2)) / I0(beta); 1 for a single sample."""
    if M == 1:
        return np.ones(1)
    inside = np.maximum(1 - (2 * steps(M, sym) - 1) ** 2, 0)
    return i0(beta * np.sqrt(inside)) / i0(np.asarray(float(beta)))


def _centre(M: int, sym: bool) -> float:
    return (M if not sym and M > 1 else M - 1) / 2


def exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """exp(-|n - center| / tau); the centre may be set for periodic windows only."""
    kind = _checked("exponential", M, dtype, layout, device)
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    middle = _centre(M, sym) if center is None else center
    return _made(np.exp(-np.abs(np.arange(M) - middle) / tau), kind, requires_grad)


def cosine(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """sin(pi (n + 1/2) / M), half a wave."""
    kind = _checked("cosine", M, dtype, layout, device)
    period = M + 1 if not sym and M > 1 else M
    return _made(np.sin(pi * (np.arange(M) + 0.5) / max(period, 1)), kind, requires_grad)


def gaussian(
    M: int,
    *,
    std: float = 1.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """exp(-((n - centre) / std)**2 / 2)."""
    kind = _checked("gaussian", M, dtype, layout, device)
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    away = (np.arange(M) - _centre(M, sym)) / std
    return _made(np.exp(-(away**2) / 2), kind, requires_grad)


def kaiser(
    M: int,
    *,
    beta: float = 12.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """I0(beta sqrt(1 - (2 t - 1)**2)) / I0(beta), t from 0 to 1."""
    kind = _checked("kaiser", M, dtype, layout, device)
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    return _made(bessel(M, beta, sym), kind, requires_grad)


def general_cosine(
    M: int,
    *,
    a: Iterable[float],
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """sum of (-1)**i a_i cos(2 pi i t), t from 0 to 1."""
    kind = _checked("general_cosine", M, dtype, layout, device)
    if not isinstance(a, Iterable):
        raise TypeError("Coefficients must be a list/tuple")
    weights = [float(c) for c in a]
    if not weights:
        raise ValueError("Coefficients cannot be empty")
    return _made(cosines(M, weights, sym), kind, requires_grad)


def general_hamming(
    M: int,
    *,
    alpha: float = 0.54,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """alpha - (1 - alpha) cos(2 pi t)."""
    kind = _checked("general_hamming", M, dtype, layout, device)
    return _made(cosines(M, [alpha, 1 - alpha], sym), kind, requires_grad)


def hamming(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """0.54 - 0.46 cos(2 pi t)."""
    kind = _checked("hamming", M, dtype, layout, device)
    return _made(cosines(M, [0.54, 0.46], sym), kind, requires_grad)


def hann(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """(1 - cos(2 pi t)) / 2."""
    kind = _checked("hann", M, dtype, layout, device)
    return _made(cosines(M, [0.5, 0.5], sym), kind, requires_grad)


def blackman(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """0.42 - 0.5 cos(2 pi t) + 0.08 cos(4 pi t)."""
    kind = _checked("blackman", M, dtype, layout, device)
    return _made(cosines(M, [0.42, 0.5, 0.08], sym), kind, requires_grad)


def bartlett(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """1 - |2 t - 1|, a triangle."""
    kind = _checked("bartlett", M, dtype, layout, device)
    return _made(triangle(M, sym), kind, requires_grad)


def nuttall(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The minimum four-term Blackman-Harris window by Nuttall (1981)."""
    kind = _checked("nuttall", M, dtype, layout, device)
    weights = [0.3635819, 0.4891775, 0.1365995, 0.0106411]
    return _made(cosines(M, weights, sym), kind, requires_grad)
