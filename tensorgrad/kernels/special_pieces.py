"""How the special functions are evaluated: polynomials on intervals, in float64.

The coefficients in the files beside this one were derived for this package: each function, freed
of its zero or its pole, was interpolated at Chebyshev points in 40 to 50 digits, the series cut
where what follows is below 2**-57 of the function, and rewritten in powers of t, which runs from -1
to 1 over the interval.  Powers, not Clenshaw's recurrence: two array operations a term instead of
three, and on intervals this short the terms do not cancel (the sum of their magnitudes is under
nine times the function, mostly under two).  Measured there: errors of 1e-16 to 6e-16.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

__all__ = ["exp_minus_square", "on_interval", "pieces", "polynomial", "sin_pi", "wide"]


def wide(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compute in float64, and give the result the first argument's type: float32 is then rounded
    once.  Floating-point warnings are silenced: infinities and NaN are values here."""

    @wraps(function)
    def compute(x: Any, *rest: Any) -> Any:
        x = np.asarray(x)
        if x.dtype.kind == "c":
            name = function.__name__.strip("_")
            raise NotImplementedError(f"{name} is not implemented for complex tensors")
        with np.errstate(all="ignore"):
            if x.size <= _BLOCK or any(isinstance(value, np.ndarray) for value in rest):
                y = function(x.astype(np.float64, copy=False), *rest)
                return y.astype(x.dtype, copy=False)
            out = np.empty_like(x)
            source, target = x.ravel("K"), out.ravel("K")  # in the order of memory
            for i in range(0, x.size, _BLOCK):
                part = slice(i, i + _BLOCK)
                target[part] = function(source[part].astype(np.float64, copy=False), *rest)
            return out

    return compute


# A polynomial goes over its array fifty times: in blocks that stay in a core's cache it takes half
# the time. Smaller ones lose more to the overhead of each call than the nearest cache gains.
_BLOCK = 32768


def polynomial(t: Any, coefficients: Sequence[float]) -> Any:
    """Horner's rule; coefficients from the highest power to the lowest."""
    y = np.full_like(t, coefficients[0])
    for c in coefficients[1:]:
        y *= t
        y += c
    return y


def on_interval(x: Any, low: float, high: float, coefficients: Sequence[float]) -> Any:
    """A polynomial in t = (x - middle) / (half the width)."""
    return polynomial((x - (low + high) / 2) * (2 / (high - low)), coefficients)


def pieces(x: Any, *choices: tuple[Any, Callable[[Any], Any]]) -> Any:
    """Each element by the first of the (mask, function) that holds for it, else NaN."""
    out = np.full(x.shape, np.nan)
    left = np.ones(x.shape, bool)
    for mask, function in choices:
        here = mask & left
        if here.all():  # the usual case of a small array: no gathering
            return np.asarray(function(x))
        if here.any():
            out[here] = function(x[here])
            left &= ~here
    return out


def exp_minus_square(x: Any, scale: float = 1.0) -> Any:
    """exp(-scale x**2) with the square's rounding error put back.

    Squaring loses up to half a unit of x**2, which the exponential would turn into a relative
    error: 1e-13 where the result is smallest.  The high part of x, a multiple of 1/16, squares
    exactly; the rest is small.
    """
    high = np.trunc(x * 16) / 16
    y = np.exp(-scale * high * high) * np.exp(-scale * (x - high) * (x + high))
    return np.where(np.abs(x) > 1e4, 0.0, y)  # where the parts would be inf - inf


def sin_pi(x: Any) -> Any:
    """sin(pi x): x is reduced by whole numbers, exactly, before the rounded pi comes in."""
    whole = np.round(x)
    sine = np.sin(np.pi * (x - whole))
    return np.where(np.fmod(whole, 2) == 0, sine, -sine)
