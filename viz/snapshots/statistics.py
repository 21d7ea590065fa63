"""What is kept of an array: its statistics, and its values only where they are few."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["ArrayStats", "array_stats", "root_mean_square"]

BINS = 24
FEW = 16  # so many values are kept themselves
SAMPLE = 1 << 16  # so many elements at most are counted for a histogram
BLOCK = 1 << 20  # elements in float64 at a time

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class ArrayStats:
    """Statistics of an array's finite elements; ``nan`` and ``inf`` count the others.

    Of complex numbers the magnitudes are meant.  ``norm`` is the Euclidean norm, ``zeros`` the
    share of zeros among all elements.  What is not known (of no elements) is None, never 0.
    ``counts`` are those of `BINS` equal intervals from ``min`` to ``max``, over a regular sample
    where there are more than 65,536 elements; ``values`` are the elements where they are at most
    16, in row-major order.
    """

    shape: tuple[int, ...]
    dtype: str
    mean: float | None = None
    std: float | None = None
    min: float | None = None
    max: float | None = None
    norm: float | None = None
    zeros: float | None = None
    nan: int = 0
    inf: int = 0
    counts: tuple[int, ...] = ()
    values: tuple[float | str, ...] | None = None

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def status(self) -> str:
        """``ok``, ``zero`` (0 everywhere), ``nan`` or ``inf`` (some elements are), ``empty``."""
        if not self.size:
            return "empty"
        if self.nan or self.inf:
            return "nan" if self.nan else "inf"
        return "ok" if self.norm else "zero"

    def as_dict(self) -> dict[str, Any]:
        """For JSON, with numbers to six digits."""
        numbers = {name: _rounded(getattr(self, name)) for name in _NUMBERS}
        return {
            "shape": list(self.shape),
            "dtype": self.dtype,
            "status": self.status,
            **numbers,
            "nan": self.nan,
            "inf": self.inf,
            "counts": list(self.counts),
            "values": None if self.values is None else list(self.values),
        }


_NUMBERS = ("mean", "std", "min", "max", "norm", "zeros")


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def array_stats(array: Array) -> ArrayStats:
    """The statistics of an array, in float64."""
    dtype = array.dtype.name
    flat = array.reshape(-1)
    if flat.dtype.kind == "c":
        values: Any = [f"{complex(v):.4g}" for v in flat] if flat.size <= FEW else None
        flat = np.abs(flat)
    else:
        values = [_rounded(float(v)) for v in flat] if flat.size <= FEW else None
    known: dict[str, Any] = {"shape": array.shape, "dtype": dtype}
    known["values"] = None if values is None else tuple(values)
    if not flat.size:
        return ArrayStats(**known)
    finite = np.isfinite(flat)
    if not finite.all():
        nan = int(np.isnan(flat).sum())
        known |= {"nan": nan, "inf": int(flat.size - finite.sum()) - nan}
    zeros = 1.0 - int(np.count_nonzero(flat)) / flat.size
    flat = flat if finite.all() else flat[finite]
    known["zeros"] = zeros
    if not flat.size:
        return ArrayStats(**known)
    low, high = float(flat.min()), float(flat.max())
    largest = max(abs(low), abs(high))
    mean, std, norm = _moments(flat, largest) if largest else (0.0, 0.0, 0.0)
    known |= {"mean": mean, "std": std, "min": low, "max": high, "norm": norm}
    return ArrayStats(**known, counts=_histogram(flat, low, high))


def _moments(flat: Array, largest: float) -> tuple[float, float, float]:
    """Mean, standard deviation and norm; scaled, so that squares neither overflow nor vanish."""
    if flat.size <= BLOCK:
        scaled = flat.astype(np.float64) / largest
        mean = float(scaled.mean())
        away = scaled - mean
        std = math.sqrt(float(away @ away) / flat.size)
        return mean * largest, std * largest, math.sqrt(float(scaled @ scaled)) * largest
    total = squares = 0.0
    for start in range(0, flat.size, BLOCK):
        scaled = flat[start : start + BLOCK].astype(np.float64) / largest
        total += float(scaled.sum())
        squares += float(scaled @ scaled)
    mean = total / flat.size
    away_squared = 0.0
    for start in range(0, flat.size, BLOCK):
        away = flat[start : start + BLOCK].astype(np.float64) / largest - mean
        away_squared += float(away @ away)
    std = math.sqrt(away_squared / flat.size)
    return mean * largest, std * largest, math.sqrt(squares) * largest


def _histogram(flat: Array, low: float, high: float) -> tuple[int, ...]:
    if flat.size > SAMPLE:
        flat = flat[:: -(-flat.size // SAMPLE)]
    span = high - low
    if not span:
        return ()
    if not math.isfinite(span):  # the ends are far apart: halve everything
        flat, low, span = flat.astype(np.float64) / 2, low / 2, high / 2 - low / 2
    # np.histogram takes ten times as long on the small arrays that most nodes have.
    place = (flat.astype(np.float64) - low) * (BINS / span)
    bins = np.minimum(place.astype(np.intp), BINS - 1)
    return tuple(np.bincount(bins, minlength=BINS).tolist())


def root_mean_square(array: Array) -> float:
    """The root mean square of the elements, in float64; 0 for no elements."""
    values = np.abs(array).astype(np.float64)
    top = float(values.max(initial=0.0))
    if not top or not math.isfinite(top):
        return top
    return top * math.sqrt(float(np.mean(np.square(values / top))))
