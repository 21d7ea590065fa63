"""Numbers that are to become elements of a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["element"]


def element(name: str, value: Any, dtype: np.dtype[Any]) -> Any:
    """A number as a 0-d array of a dtype; what is no number (a tensor, an array) as it is.

    As PyTorch converts numbers: fractions are dropped, unsigned types wrap negative numbers, a
    bool is whether the number is not 0. RuntimeError if the dtype cannot hold it otherwise: too
    large, NaN or infinite as a whole number, with an imaginary part where there is none.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, (bool, int, float, complex)):
        return value
    if dtype.kind == "b":
        return np.asarray(bool(value))
    if dtype.kind == "c":
        fits = _fits_float(complex(value).real, dtype) and _fits_float(complex(value).imag, dtype)
    elif isinstance(value, complex) and value.imag != 0:
        fits = False
    else:
        value = value.real
        if dtype.kind == "f":
            fits = _fits_float(value, dtype)
        else:
            limits = np.iinfo(dtype)
            lowest = -limits.max if dtype.kind == "u" else limits.min
            fits = isinstance(value, int) or np.isfinite(value)
            if fits:
                value = int(value)
                fits = lowest <= value <= limits.max
                if value < 0 and dtype.kind == "u":
                    value += limits.max + 1
    if not fits:
        raise RuntimeError(
            f"{name}: value cannot be converted to type {dtype} without overflow: {value}"
        )
    return np.asarray(value, dtype)


def _fits_float(value: float, dtype: np.dtype[Any]) -> bool:
    """Infinities and NaN do; a number beyond the largest does not."""
    return not float(np.finfo(dtype).max) < abs(value) < np.inf
