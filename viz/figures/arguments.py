"""Checks of arguments that several functions share: errors say which, where, what is expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from tensorgrad.viz.figures.words import visible

__all__ = ["flag", "heading", "listed", "one_of", "real", "whole"]


def heading(value: Any, caller: str, name: str = "title") -> str:
    """A title, with what cannot be seen made visible."""
    if not isinstance(value, str):
        raise TypeError(f"{caller}: {name} must be a string, got {type(value).__name__}")
    return visible(value)


def one_of(value: Any, known: Sequence[str | None], caller: str, name: str) -> None:
    """Raise ValueError unless the value is one of a few words (or None, where that is one)."""
    if not (value is None or isinstance(value, str)) or value not in known:
        shown = " or ".join(map(repr, known)) if len(known) == 2 else ", ".join(map(repr, known))
        some = "" if len(known) == 2 else "one of "
        raise ValueError(f"{caller}: {name} must be {some}{shown}, not {value!r}")


def whole(value: Any, least: int, caller: str, name: str) -> None:
    """Raise TypeError unless the value is an int, ValueError where it is below ``least``."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{caller}: {name} must be an int, got {_brief(value)}")
    if value < least:
        raise ValueError(f"{caller}: {name} must be at least {least}, got {value}")


def real(value: Any, caller: str, name: str) -> float:
    """The value as a float; TypeError unless it is a number."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{caller}: {name} must be a number, got {_brief(value)}")
    return float(value)


def flag(value: Any, caller: str, name: str) -> None:
    """Raise TypeError unless the value is a bool."""
    if not isinstance(value, bool):
        raise TypeError(f"{caller}: {name} must be True or False, got {_brief(value)}")


def listed(value: Any, caller: str, name: str, what: str) -> list[Any]:
    """The items of a list, an array or another iterable, of a string its letters (labels="abc");
    but not the keys of a mapping.
    """
    if isinstance(value, bytes | Mapping) or not isinstance(value, Iterable):
        raise TypeError(f"{caller}: {name} must be {what}, got {_brief(value)}")
    if getattr(value, "ndim", 1) == 0:
        raise TypeError(f"{caller}: {name} must be {what}, got one number")
    return list(value)


def _brief(value: Any) -> str:
    """Numbers and words as they are, anything else by its type."""
    plain = value is None or isinstance(value, bool | int | float | str)
    return repr(value) if plain else type(value).__name__
