"""Arrays of pixels as PNG files."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["encode_png"]

_COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # grey, grey and alpha, RGB, RGB and alpha


def encode_png(pixels: NDArray[Any]) -> bytes:
    """The PNG of uint8 pixels (height, width) or (height, width, channels), 1 to 4 channels.

    Source: the PNG specification, https://www.w3.org/TR/png/.
    """
    pixels = np.asarray(pixels)
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in _COLOR_TYPES:
        raise ValueError(
            f"encode_png: pixels are {pixels.dtype} of shape {pixels.shape}; uint8 of (height, "
            "width) or (height, width, 1 to 4) was expected"
        )
    height, width, channels = pixels.shape
    if not height or not width:
        raise ValueError("encode_png: an image without pixels cannot be a PNG")
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOR_TYPES[channels], 0, 0, 0)
    # Each row begins with the number of its filter; 0, none, is enough for what is drawn here.
    rows = np.concatenate(
        [np.zeros((height, 1), np.uint8), pixels.reshape(height, width * channels)], axis=1
    )
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
