"""Orthogonal polynomials, by their recurrences in the degree: NumPy alone, float64.

The recurrences are stable where the polynomials oscillate and where they grow: the error is that
of a few times n roundings of the size they have between their zeros.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.kernels.special_pieces import wide

__all__ = ["chebyshev", "gegenbauer", "hermite", "laguerre"]

# step(k, p(k), p(k - 1)) is p(k + 1).
Step = Callable[[int, Any, Any], Any]


def _recur(x: Any, n: Any, first: Any, step: Step) -> Any:
    """p(n) with p(0) = 1 and p(1) = first; 0 for n < 0; n is cut to a whole number."""
    n = np.trunc(np.asarray(n, np.float64))
    out = np.zeros(np.broadcast_shapes(x.shape, n.shape))
    highest = int(np.max(n, initial=-1, where=np.isfinite(n)))
    before, now = np.ones_like(x), first
    for k in range(highest + 1):
        np.copyto(out, before, where=n == k)
        if k < highest:
            before, now = now, step(k + 1, now, before)
    np.copyto(out, np.nan, where=(np.isnan(x) & (n >= 0)) | ~np.isfinite(n))
    return out


_FIRST = {
    "t": lambda x: x,
    "u": lambda x: 2 * x,
    "v": lambda x: 2 * x - 1,
    "w": lambda x: 2 * x + 1,
}


@wide
def chebyshev(x: Any, n: Any, kind: str) -> Any:
    """T, U, V or W of degree n: p(k+1) = 2 x p(k) - p(k-1), from the one of degree 1."""
    twice = 2 * x
    return _recur(x, n, _FIRST[kind](x), lambda k, now, before: twice * now - before)


@wide
def gegenbauer(x: Any, n: Any, order: float) -> Any:
    """C of degree n: (k+1) C(k+1) = 2 (k + order) x C(k) - (k + 2 order - 1) C(k-1)."""

    def step(k: int, now: Any, before: Any) -> Any:
        return (2 * (k + order) * x * now - (k + 2 * order - 1) * before) / (k + 1)

    return _recur(x, n, 2 * order * x, step)


@wide
def hermite(x: Any, n: Any, scale: int) -> Any:
    """H (scale 2) or He (scale 1) of degree n: p(k+1) = scale (x p(k) - k p(k-1))."""
    return _recur(x, n, scale * x, lambda k, now, before: scale * (x * now - k * before))


@wide
def laguerre(x: Any, n: Any, order: int) -> Any:
    """L of degree n: (k+1) L(k+1) = (2k + order + 1 - x) L(k) - (k + order) L(k-1)."""

    def step(k: int, now: Any, before: Any) -> Any:
        return ((2 * k + order + 1 - x) * now - (k + order) * before) / (k + 1)

    return _recur(x, n, order + 1 - x, step)
