"""What `SummaryWriter` is given, checked before TensorBoard's own package sees it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from numbers import Integral
from typing import Any, TypeVar

__all__ = ["check_writer", "step_of", "tagged", "whole"]

Method = TypeVar("Method", bound=Callable[..., None])


def tagged(method: Method) -> Method:
    """The method, whose first argument must be a string: protocol buffers would say it oddly."""

    @functools.wraps(method)
    def call(self: Any, *args: Any, **words: Any) -> None:
        tag = args[0] if args else words.get("main_tag", words.get("tag", ""))
        if not isinstance(tag, str):
            raise TypeError(f"{method.__name__}: a tag must be a string, got {tag!r}")
        method(self, *args, **words)

    return call  # type: ignore[return-value]


def step_of(name: str, value: Any) -> int:
    """A step as PyTorch takes it: whatever ``int`` makes a number of that 64 bits hold."""
    try:
        step = int(value)
    except (TypeError, ValueError):
        raise TypeError(f"SummaryWriter: {name} must be a whole number, got {value!r}") from None
    if not -(1 << 63) <= step < 1 << 63:
        raise ValueError(f"SummaryWriter: {name} must fit in 64 bits, got {value!r}")
    return step


def whole(what: str, value: Any, least: int) -> int:
    """The value, if it is a whole number from ``least`` on."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{what} must be a whole number, got {value!r}")
    if value < least:
        raise ValueError(f"{what} must be at least {least}, got {value}")
    return int(value)


def check_writer(max_queue: Any, flush_secs: Any, comment: Any, filename_suffix: Any) -> int:
    """The number of events that may wait; raises for what a writer cannot be made with."""
    max_queue = whole("SummaryWriter: max_queue", max_queue, 0)
    if not isinstance(flush_secs, (int, float)) or not flush_secs > 0:
        raise ValueError(f"SummaryWriter: flush_secs must be above 0, got {flush_secs!r}")
    for name, text in (("comment", comment), ("filename_suffix", filename_suffix)):
        if not isinstance(text, str):
            raise TypeError(f"SummaryWriter: {name} must be a string, got {text!r}")
    return int(max_queue)
