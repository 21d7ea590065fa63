"""Writing a file so that nobody ever sees half of it."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["path_of", "write_atomically"]


def path_of(f: Any, caller: str) -> Path | None:
    """The path meant by ``f``; None for an object that is not one."""
    if isinstance(f, (str, os.PathLike)):
        name = os.fspath(f)
        if not isinstance(name, str):
            raise TypeError(f"{caller}: the path must be text, got {type(name).__name__}")
        if not name:
            raise FileNotFoundError(f"{caller}: the path is empty")
        return Path(name)
    return None


def write_atomically(
    path: Path, write: Callable[[Path], object], content: Callable[[], bytes]
) -> None:
    """Have ``write`` fill a temporary file in the same folder, and put it in the place of ``path``.

    Its bytes are on the disk before it gets the name. A link stays a link; an existing file's
    permissions stay. What is not a file (a pipe, a device) gets ``content()``: a file must never
    take its place.
    """
    path = Path(os.path.realpath(path))
    if path.is_dir():
        raise IsADirectoryError(f"save: {path} is a folder; a file was expected")
    if not path.parent.is_dir():
        # PyTorch's type and words.
        raise RuntimeError(f"save: Parent directory {path.parent} does not exist.")
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        with path.open("wb") as stream:
            stream.write(content())
        return
    part = path.parent / f".{path.name[:100]}.{secrets.token_hex(8)}.part"
    try:
        # Made empty first, to learn which permissions the system gives a new file here: ``write``
        # may put another one, with permissions of its own, in its place.
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        mode = stat.S_IMODE((path if path.exists() else part).stat().st_mode)
        write(part)
        part.chmod(mode)
        _sync(part, os.O_RDWR)
        os.replace(part, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
    if os.name == "posix":  # the new name itself; elsewhere a folder cannot be opened
        _sync(path.parent, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
