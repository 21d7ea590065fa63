"""Where data sets are looked for, and what is said when they are not there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["ENVIRONMENT", "data_folder", "first_existing", "not_found"]

ENVIRONMENT = "TENSORGRAD_DATA"


def data_folder(root: str | os.PathLike[str] | None) -> Path:
    """``root``; else the folder named by ``TENSORGRAD_DATA``; else the user's cache folder.

    The folder need not exist. An explicit ``root`` is the only place that is then looked at: data
    found elsewhere by surprise would be worse than an error.
    """
    if root is not None:
        return Path(root).expanduser()
    if named := os.environ.get(ENVIRONMENT):
        return Path(named).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "tensorgrad"


def first_existing(folder: Path, names: Sequence[str]) -> Path | None:
    """The first of ``names`` that is a file of ``folder``, else the first that is there at all.

    A folder under a file's name is returned too, so that reading it can say so, rather than
    reporting as missing what the user sees in the listing.
    """
    paths = [folder / name for name in names]
    for path in paths:
        if path.is_file():
            return path
    return next((path for path in paths if path.exists()), None)


def not_found(
    dataset: str, what: str, looked: Iterable[Path], root: str | os.PathLike[str] | None
) -> FileNotFoundError:
    """The error for data that are not there: where they were looked for, and what to do."""
    places = "\n".join(f"  {path}" for path in looked)
    if root is not None:
        chosen = f"root={os.fspath(root)!r}"
    elif os.environ.get(ENVIRONMENT):
        chosen = f"the environment variable {ENVIRONMENT}"
    else:
        chosen = f"the default folder, since root is None and {ENVIRONMENT} is not set"
    return FileNotFoundError(
        f"{dataset}: {what} not found. Looked in (from {chosen}):\n{places}\n"
        f"Put the files there, name their folder by root= or {ENVIRONMENT}, or pass download=True."
    )
