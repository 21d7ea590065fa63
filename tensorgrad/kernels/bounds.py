"""How large the numbers of an array can be: what one kernel knows of its result, for the next.

oneDNN makes 0 of NaN, so its kernels look first whether all numbers are finite, which takes as long
as some of them compute.  A convolution whose sums cannot overflow has a finite result, and a bound
of it.  What is known holds as long as nobody else can write to the array: who runs kernels one
after the other, on arrays that nobody else sees, calls `forget` before anybody does.
"""

from __future__ import annotations

import threading
from typing import Any

__all__ = ["forget", "known", "tell"]


class _Told(threading.local):
    array: Any = None
    square = 0.0


_told = _Told()


def tell(array: Any, square: float) -> None:
    """The square of no number of the array is larger; they are finite."""
    _told.array, _told.square = array, square


def known(array: Any) -> float | None:
    """What was told of this very array; None if the last one told of was another."""
    return _told.square if _told.array is array else None


def forget() -> None:
    """Nothing is known of any array."""
    _told.array = None
