"""The standard's extension ``fft``: discrete Fourier transforms, recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorgrad import fft as functions
from tensorgrad.array_api.dtypes import COMPLEX, FLOATING, REAL_FLOATING, array, asked

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "fft", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft", "irfft",
    "irfftn", "rfft", "rfftfreq", "rfftn",
]  # fmt: skip


def fft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The transform along an axis, cut or filled with zeros to length n."""
    return functions.fft(array("fft", x, COMPLEX), n, axis, norm)


def ifft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of `fft`."""
    return functions.ifft(array("ifft", x, COMPLEX), n, axis, norm)


def fftn(
    x: Tensor,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str = "backward",
) -> Tensor:
    """The transform over axes, cut or filled with zeros to the lengths s."""
    return functions.fftn(array("fftn", x, COMPLEX), s, axes, norm)


def ifftn(
    x: Tensor,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str = "backward",
) -> Tensor:
    """The inverse of `fftn`."""
    return functions.ifftn(array("ifftn", x, COMPLEX), s, axes, norm)


def rfft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The first n // 2 + 1 frequencies of a real signal along an axis."""
    return functions.rfft(array("rfft", x, REAL_FLOATING), n, axis, norm)


def irfft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of `rfft`, of length n, or 2 (m - 1)."""
    return functions.irfft(array("irfft", x, COMPLEX), n, axis, norm)


def rfftn(
    x: Tensor,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str = "backward",
) -> Tensor:
    """The transform of a real array over axes; half of the last one."""
    return functions.rfftn(array("rfftn", x, REAL_FLOATING), s, axes, norm)


def irfftn(
    x: Tensor,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str = "backward",
) -> Tensor:
    """The inverse of `rfftn`."""
    return functions.irfftn(array("irfftn", x, COMPLEX), s, axes, norm)


def hfft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The real transform of a Hermitian signal of which the first half is given."""
    return functions.hfft(array("hfft", x, COMPLEX), n, axis, norm)


def ihfft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of `hfft`: half of a Hermitian signal."""
    return functions.ihfft(array("ihfft", x, REAL_FLOATING), n, axis, norm)


def _frequencies(name: str, n: int, dtype: Any) -> Any:
    kind = asked(dtype)
    if kind is not None and kind.kind != "f":
        raise TypeError(f"{name}: dtype must be a real floating-point type, got {kind}")
    if n < 1:
        raise ValueError(f"{name}: n must be at least 1, got {n}")
    return kind


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies of an `fft` of n samples, d apart: from 0 up, then the negative ones."""
    kind = _frequencies("fftfreq", n, dtype)
    return functions.fftfreq(n, d, dtype=kind, device=device)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies of an `rfft` of n samples, d apart."""
    kind = _frequencies("rfftfreq", n, dtype)
    return functions.rfftfreq(n, d, dtype=kind, device=device)


def fftshift(x: Tensor, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """Frequency 0 moved to the middle of each axis."""
    return functions.fftshift(array("fftshift", x, FLOATING), axes)


def ifftshift(x: Tensor, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """Frequency 0 moved back to the front."""
    return functions.ifftshift(array("ifftshift", x, FLOATING), axes)
