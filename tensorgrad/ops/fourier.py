"""Discrete Fourier transforms.  They are linear, and their adjoints are transforms again."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching import families
from tensorgrad.primitive import primitive

_OPPOSITE = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


def _transposed(xp: Any, g: Any, y: Any, x: Any, *, axes: Any, inverse: bool, norm: str) -> Any:
    # The matrix of e**(-2 pi i jk/n) is symmetric: the transpose is the transform itself.
    return xp.fft(g, axes=axes, inverse=inverse, norm=norm)


@primitive(_transposed, formula="transform(g)", batch=families.along("axes"))
def fft(x: Any, *, axes: tuple[int, ...], inverse: bool, norm: str) -> Any:
    """The transform of a complex array along axes, or the inverse one.

    norm: "backward" divides the inverse by n, "forward" the other, "ortho" both by sqrt(n).
    """
    mode: Any = norm
    transform = np.fft.ifftn if inverse else np.fft.fftn
    return transform(x, axes=axes, norm=mode) if axes else x.copy()


def _half_rule(xp: Any, g: Any, y: Any, x: Any, *, axis: int, norm: str) -> Any:
    n = x.shape[axis]
    widths = tuple((0, n - g.shape[i] if i == axis else 0) for i in range(g.ndim))
    return xp.fft(xp.pad(g, widths=widths, value=0), axes=(axis,), inverse=False, norm=norm)


@primitive(_half_rule, formula="real(transform_of_half(g, x))", batch=families.along("axis"))
def rfft(x: Any, *, axis: int, norm: str) -> Any:
    """The first half, n // 2 + 1 frequencies, of the transform of a real array along an axis."""
    mode: Any = norm
    return np.fft.rfft(x, axis=axis, norm=mode)


def _twice(half: int, n: int, ndim: int, axis: int, dtype: Any) -> Any:
    """2 for frequencies that stand for their mirror images too, 1 for the first and Nyquist's."""
    weight = np.full(half, 2, np.empty(0, dtype).real.dtype)
    weight[0] = 1
    if n % 2 == 0 and half == n // 2 + 1:
        weight[-1] = 1
    return weight.reshape([-1 if i == axis else 1 for i in range(ndim)])


def _real_rule(xp: Any, g: Any, y: Any, x: Any, *, n: int, axis: int, norm: str) -> Any:
    back = xp.rfft(g, axis=axis, norm=_OPPOSITE[norm])
    return xp.mul(back, _twice(back.shape[axis], n, g.ndim, axis, x.dtype))


@primitive(
    _real_rule, formula="spectrum_doubled(g)", holomorphic=False, batch=families.along("axis")
)
def irfft(x: Any, *, n: int, axis: int, norm: str) -> Any:
    """The real array, n long, whose transform along an axis has x (n // 2 + 1 long) as its half."""
    mode: Any = norm
    return np.fft.irfft(x, n, axis=axis, norm=mode)
