"""Which line of the user's program made a node.

A node keeps the code object and instruction offset of the first frame outside the package: two
references, no frame (a frame would keep every local of the program alive).  Line numbers are
looked up only when somebody asks.
"""

from __future__ import annotations

import sys
import warnings
from types import CodeType, FrameType
from typing import NamedTuple

__all__ = ["Location", "caller", "frames", "inside", "locate", "outside", "warn"]


class Location(NamedTuple):
    """A place in a program: file, line (from 1) and function."""

    filename: str
    lineno: int
    function: str

    def __str__(self) -> str:
        return f"{self.filename}:{self.lineno}"


# Which files belong to the package and which do not, by file name.  Kept as sets of strings, whose
# hashes are cached: a comparison of prefixes for every frame of every operation would cost five
# times as much.
outside: set[str] = set()
inside = {"<frozen importlib._bootstrap>"}


def _belongs(name: str, filename: str) -> bool:
    """A frame's globals name its module wherever the package is installed, links included."""
    belongs = name.partition(".")[0] == "tensorgrad" and not filename.startswith("<")
    (inside if belongs else outside).add(filename)
    return belongs


def caller(depth: int) -> tuple[CodeType | None, int]:
    """Code and instruction offset of the nearest frame outside the package, from ``depth`` up."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:
        code = frame.f_code
        filename = code.co_filename
        if filename not in inside and (
            filename in outside or not _belongs(frame.f_globals.get("__name__", ""), filename)
        ):
            return code, frame.f_lasti
        frame = frame.f_back
    return None, 0


def frames(depth: int) -> list[tuple[CodeType, int]]:
    """Code and instruction offset of all frames outside the package, the innermost first."""
    found = []
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        filename = frame.f_code.co_filename
        if filename in outside or (filename not in inside and not _belongs(name, filename)):
            found.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return found


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """A warning of the line of the user's program, however deep in the package it is noticed."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and (
        frame.f_globals.get("__name__", "").partition(".")[0] == "tensorgrad"
    ):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def locate(code: CodeType | None, lasti: int) -> Location | None:
    """The line of an instruction."""
    if code is None:
        return None
    line = code.co_firstlineno
    for start, end, at in code.co_lines():
        if start <= lasti < end:
            line = at if at is not None else line
            break
    return Location(code.co_filename, line, code.co_qualname)
