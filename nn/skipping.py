"""Making modules whose parameters are not filled, because something else will be loaded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec

from tensorgrad.tensor import Tensor

__all__ = ["skippable", "skipped"]

P = ParamSpec("P")


class _Skipping(threading.local):
    on = False


_skipping = _Skipping()


@contextmanager
def skipped() -> Iterator[None]:
    """Inside it, and in this thread, what is `skippable` returns its tensor untouched."""
    before, _skipping.on = _skipping.on, True
    try:
        yield
    finally:
        _skipping.on = before


def skippable(fill: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """A function that fills its first argument, or does nothing where that is `skipped`."""

    @wraps(fill)
    def filled(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        if _skipping.on:
            tensor: Any = args[0] if args else kwargs["tensor"]
            return tensor  # type: ignore[no-any-return]
        return fill(*args, **kwargs)

    return filled
