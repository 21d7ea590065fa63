"""sinc and its derivatives of every order, without the cancellation of their textbook forms."""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np

from tensorgrad.kernels.special_pieces import sin_pi, wide

__all__ = ["sinc", "spherical_j0"]


def sinc(x: Any, order: int) -> Any:
    """The derivative of the given order of sin(pi x) / (pi x), which is 1 at 0.

    Near 0 by its power series; elsewhere by (x f)^(n) = n f^(n-1) + x f^(n), which divides by x and
    is stable where pi |x| is not smaller than n.  Real or complex; float64 inside.
    """
    kind = x.dtype
    z = np.asarray(x, np.complex128 if kind.kind == "c" else np.float64)
    small = np.abs(z) * np.pi < max(1.5, order)
    with np.errstate(all="ignore"):
        far = _recurrence(np.where(small, 1, z), order)
        near = _series(np.where(small, z, 0), order)
        return np.where(small, near, far).astype(kind)


def _series(x: Any, order: int) -> Any:
    """The sum over 2k >= n of (-1)**k pi**(2k) x**(2k - n) / ((2k - n)! (2k + 1))."""
    total: Any = 0
    first = (order + 1) // 2
    for k in reversed(range(first, first + 16 + order)):
        left = 2 * k - order
        total = total + (-1) ** k * np.pi ** (2 * k) / (factorial(left) * (2 * k + 1)) * x**left
    return total


def _recurrence(x: Any, order: int) -> Any:
    if x.dtype.kind == "c":
        sine, cosine = np.sin(np.pi * x), np.cos(np.pi * x)
    else:
        whole = np.round(x)
        cosine = np.cos(np.pi * (x - whole)) * np.where(np.fmod(whole, 2) == 0, 1, -1)
        sine = sin_pi(x)
    turns = (sine, cosine, -sine, -cosine)
    f = sine / (np.pi * x)
    for n in range(1, order + 1):
        f = (np.pi ** (n - 1) * turns[n % 4] - n * f) / x
    return f


@wide
def spherical_j0(x: Any) -> Any:
    """sin(x) / x, 1 at 0 and 0 at infinity."""
    y = np.sin(x) / np.where(x == 0, 1, x)
    return np.where(x == 0, 1.0, np.where(np.isinf(x), 0.0, y))
