"""``compile`` and what programs ask of ``torch.compiler``: there is no compiler.

Operations run as they are called.  ``compile`` returns what it is given, so that a program that
compiles its model runs unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = [
    "compile",
    "disable",
    "is_compiling",
    "is_dynamo_compiling",
    "is_exporting",
    "list_backends",
    "reset",
]

_MODES = ("default", "lite", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")


def compile(
    model: Any = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., Any] | None = None,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Any:
    """The model or function itself; without one, a decorator that returns what it decorates.

    The arguments say how to compile; they are checked, and there is nothing to apply them to.
    """
    if mode is not None and mode not in _MODES:
        raise RuntimeError(f"compile: unrecognized mode={mode!r}, should be one of {list(_MODES)}")
    if mode is not None and options is not None:
        raise RuntimeError("compile: either mode or options can be specified, not both")
    if model is None:
        return lambda function: compile(function, mode=mode, options=options)
    if not callable(model):
        raise AssertionError(f"compile: a callable is expected, got {type(model).__name__}")
    return model


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """The function itself (or a decorator that returns it): nothing compiles it anyway."""
    return (lambda function: function) if fn is None else fn


def is_compiling() -> bool:
    """Always False."""
    return False


def is_dynamo_compiling() -> bool:
    """Always False."""
    return False


def is_exporting() -> bool:
    """Always False."""
    return False


def list_backends(exclude_tags: Any = ("debug", "experimental")) -> list[str]:
    """Empty: there is no compiler."""
    return []


def reset() -> None:
    """Nothing is cached."""
