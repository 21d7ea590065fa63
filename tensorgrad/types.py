"""Names for annotations, as PyTorch's programs import them."""

from __future__ import annotations

import os
from typing import IO, TypeAlias

from tensorgrad.device import device

__all__ = ["Device", "FileLike", "Number"]

Number: TypeAlias = int | float | bool
Device: TypeAlias = device | str | int | None
FileLike: TypeAlias = str | os.PathLike[str] | IO[bytes]
