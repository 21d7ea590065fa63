"""A smaller array with the same sums as a gradient: what the walk tells the rules that add up.

The gradient behind a max pooling is that of the pooled numbers, spread over a map.  Whoever wants
its sum for each channel, as a convolution does for its bias, may add up the pooled ones: a quarter.
The walk tells it for the length of one rule, in which nobody can write to either array.
"""

from __future__ import annotations

import threading
from typing import Any

__all__ = ["forget", "smaller", "tell"]


class _Told(threading.local):
    whole: Any = None
    part: Any = None


_told = _Told()


def tell(whole: Any, part: Any) -> None:
    """Of arrays (N, C, ...): for each channel both have the same sum."""
    _told.whole, _told.part = whole, part


def smaller(whole: Any) -> Any:
    """The array with the same sums, if one was told of for this very array; else itself."""
    return _told.part if _told.whole is whole else whole


def forget() -> None:
    """Nothing is known of any array."""
    _told.whole = _told.part = None
