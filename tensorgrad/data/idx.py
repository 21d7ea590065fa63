"""Reading IDX, the file format of MNIST: a typed, sized array of bytes, often gzipped.

The format: two zero bytes, a type code (8 for unsigned bytes), the number of dimensions, each
dimension as a big-endian 32-bit integer, then the elements, last dimension fastest.
Source: the description on the MNIST page of LeCun, Cortes and Burges.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_idx"]

_UNSIGNED_BYTE = 8
# The header is not to be believed when it asks for terabytes; EMNIST, the largest set in this
# format, has 0.64 GB of images.
_LARGEST = 1 << 30


def read_idx(path: str | os.PathLike[str], shape: tuple[int | None, ...]) -> NDArray[np.uint8]:
    """The unsigned bytes of an IDX file, plain or gzipped, as an array of ``shape``.

    ``None`` in ``shape`` stands for any size. A file that is not what is expected, too short or
    too long raises ValueError naming the file and both what was found and what was expected. No
    more is unpacked than the header announces (and never more than 1 GiB).
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; an IDX file was expected")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty; an IDX file was expected")
    try:
        with _open(path) as stream:
            found = _read_header(stream, path, shape)
            return _read_elements(stream, path, found)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ValueError(
            f"{path}: the gzip data are damaged or cut off ({error}); fetch the file again"
        ) from error


def _open(path: Path) -> IO[bytes]:
    # By content, not by suffix: browsers and archivers both drop and keep ".gz" wrongly.
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path, "rb")) if zipped else path.open("rb")


def _read_header(stream: IO[bytes], path: Path, shape: tuple[int | None, ...]) -> tuple[int, ...]:
    header = stream.read(4 + 4 * len(shape))
    magic = (_UNSIGNED_BYTE << 8) | len(shape)
    if len(header) >= 4 and (seen := int.from_bytes(header[:4], "big")) != magic:
        raise ValueError(
            f"{path}: the file starts with 0x{seen:08x}, but an IDX file of unsigned bytes in "
            f"{len(shape)} dimension{'s' * (len(shape) > 1)} starts with 0x{magic:08x}"
        )
    if len(header) < 4 + 4 * len(shape):
        raise ValueError(
            f"{path}: the file ends within its header, after {len(header)} of "
            f"{4 + 4 * len(shape)} bytes"
        )
    found = struct.unpack(f">{len(shape)}I", header[4:])
    if any(want is not None and got != want for got, want in zip(found, shape)):
        wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
        raise ValueError(f"{path}: the header says shape {found}, but {wanted} was expected")
    if math.prod(found) > _LARGEST:
        raise ValueError(
            f"{path}: the header says shape {found}, {math.prod(found):,} bytes; more than "
            f"{_LARGEST:,} are not read"
        )
    return found


def _read_elements(stream: IO[bytes], path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    total = math.prod(shape)
    # Filled in place: bytes followed by frombuffer would be read-only, and a copy doubles memory.
    array = np.empty(total, np.uint8)
    filled = 0
    while filled < total:
        piece = stream.read(min(total - filled, 1 << 20))
        if not piece:
            raise ValueError(
                f"{path}: the file is cut off: its header announces {total:,} elements, "
                f"shape {shape}, but only {filled:,} follow"
            )
        array[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
        filled += len(piece)
    # One more byte: it must not be there, and asking for it makes gzip check its checksum.
    if stream.read(1):
        raise ValueError(
            f"{path}: more data follow the {total:,} elements of shape {shape} that the header "
            "announces"
        )
    return array.reshape(shape)
