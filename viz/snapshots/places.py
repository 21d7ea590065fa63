"""Places in a program as a reader wants them: short, and without where its author lives."""

from __future__ import annotations

import os

from tensorgrad.graph.provenance import Location
from tensorgrad.viz.figures.words import visible

__all__ = ["short_path", "short_place"]


def short_path(path: str, here: str | None = None) -> str:
    """A file's path relative to the working folder (``here``), or else its name alone."""
    start = (os.getcwd() if here is None else here) + os.sep
    short = path[len(start) :] if path.startswith(start) else os.path.basename(path)
    return visible(short.replace(os.sep, "/"))


def short_place(location: Location | None, here: str | None = None) -> str | None:
    """``train.py:12``; None for no place."""
    if location is None:
        return None
    return f"{short_path(location.filename, here)}:{location.lineno}"
