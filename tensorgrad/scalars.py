"""Numbers that are to become elements of a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["data", "datum", "element"]

Array = np.ndarray[Any, Any]


def element(name: str, value: Any, dtype: np.dtype[Any]) -> Any:
    """A number as a 0-d array of a dtype; what is no number (a tensor, an array) as it is.

    As PyTorch converts numbers: fractions are dropped, unsigned types wrap negative whole numbers,
    a bool is whether the number is not 0. RuntimeError if the dtype cannot hold it otherwise: too
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
            wraps = dtype.kind == "u" and isinstance(value, int)
            lowest = -limits.max if wraps else limits.min
            fits = lowest <= value <= limits.max  # not so of NaN
            if fits:
                value = int(value)
                if value < 0 and wraps:
                    value += limits.max + 1
    if not fits:
        raise RuntimeError(
            f"{name}: value cannot be converted to type {dtype} without overflow: {value}"
        )
    return np.asarray(value, dtype)


def datum(name: str, value: Any, dtype: np.dtype[Any]) -> Array:
    """A number that is data, as a 0-d array of a dtype: as `element`, but as PyTorch reads data.

    A float too large is infinite. ValueError for a whole number beyond 64 bits, OverflowError for
    a negative one and TypeError for a fraction in uint64, TypeError for a complex number in a real
    dtype.
    """
    if dtype.kind in "fc":
        return np.array(value, dtype)
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.item()
    if isinstance(value, complex) and dtype.kind != "b":
        raise TypeError(f"{name}: must be real number, not complex: {value}")
    if isinstance(value, float) and dtype.char == "L":
        raise TypeError(f"{name}: an integer is required for uint64, got {value}")
    if isinstance(value, int) and dtype.kind in "iu":
        if dtype.char == "L" and value < 0:
            raise OverflowError(f"{name}: can't convert negative int to unsigned: {value}")
        if not -(2**63) <= value < 2 ** (64 if dtype.char == "L" else 63):
            raise ValueError(f"{name}: overflow: {value} is no {dtype}")
    made: Array = element(name, value, dtype)
    return made


def data(name: str, nested: Any, dtype: np.dtype[Any]) -> Array:
    """Nested lists of numbers as an array, each as `datum`; ValueError if they are ragged."""
    array = np.array(nested, dtype=object)
    if any(isinstance(v, (list, tuple)) or getattr(v, "ndim", 0) for v in array.flat):
        raise ValueError(f"{name}: the nested lists are ragged")
    made = [datum(name, value, dtype) for value in array.flat]
    return np.array(made, dtype).reshape(array.shape)


def _fits_float(value: float, dtype: np.dtype[Any]) -> bool:
    """Infinities and NaN do; a number beyond the largest does not."""
    return not float(np.finfo(dtype).max) < abs(value) < np.inf
