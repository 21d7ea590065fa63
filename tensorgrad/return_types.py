"""The named tuples that operations return, under PyTorch's names: ``return_types.max``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

__all__: list[str] = []


def _text(self: Any) -> str:
    parts = ",\n".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
    return f"tensorgrad.return_types.{type(self).__name__}(\n{parts})"


def returned_by(operation: str) -> Callable[[type[T]], type[T]]:
    """Give a NamedTuple an operation's name and its place here, and print it as PyTorch does."""

    def publish(made: type[T]) -> type[T]:
        made.__name__ = made.__qualname__ = operation
        made.__module__ = __name__
        made.__repr__ = _text  # type: ignore[method-assign]
        globals()[operation] = made  # where pickle finds it
        __all__.append(operation)
        return made

    return publish
