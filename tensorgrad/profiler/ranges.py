"""Names for parts of a program, which a profile shows with what ran inside of them."""

from __future__ import annotations

from contextlib import ContextDecorator
from typing import Any

from tensorgrad.graph.node import local

__all__ = ["record_function"]


class record_function(ContextDecorator):
    """Show the body of a ``with``, or of a decorated function, as a range of this name in profiles.

    args is shown behind the name.  Without a running profile it costs less than a microsecond.
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        if not isinstance(name, str):
            raise TypeError(f"record_function: name must be a string, not {type(name).__name__}")
        self.name, self.args = name, args
        self._open: list[tuple[Any, Any]] = []  # a stack: one object may decorate a recursion

    def __enter__(self) -> record_function:
        profiler = local.context.profiler
        name = self.name if self.args is None else f"{self.name} | {self.args}"
        self._open.append((profiler, None if profiler is None else profiler.begin(name)))
        return self

    def __exit__(self, *error: object) -> None:
        profiler, record = self._open.pop()
        if profiler is not None:
            profiler.end(record)
