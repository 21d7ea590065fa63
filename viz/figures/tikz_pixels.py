"""Pixels inside of a TikZ picture: the bytes of an SVG's PNG as an inline image of PDF.

A rectangle for each pixel was rejected: TeX's memory ends at about 60,000 of them, which are two
dozen photographs of 32x32.  A PNG's rows are compressed as PDF's are, filters included, so they
pass as they are, in hexadecimal.
"""

from __future__ import annotations

import base64
import struct
import textwrap
from collections.abc import Iterator

from tensorgrad.viz.figures.svg import fmt

__all__ = ["LARGEST", "pixel_lines"]

LARGEST = 1_000_000  # bytes: a character of their two is a word of TeX's five million
_PREFIX = "data:image/png;base64,"


def pixel_lines(
    href: str, x: float, y: float, width: float, height: float
) -> tuple[list[str], int]:
    """The lines that draw an image of these points, and how many bytes it has.

    href: an 8-bit PNG of grey or colours that is not interlaced, as `pixels.picture` makes them.
    x, y: its lower left corner.
    """
    if not href.startswith(_PREFIX):
        raise ValueError("viz: an image that is no PNG has no TikZ form here")
    chunks = dict(_chunks(base64.b64decode(href.removeprefix(_PREFIX))))
    across, down, bits, kind = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    colours, space = {0: (1, "/G"), 2: (3, "/RGB")}[kind]
    rows = chunks[b"IDAT"]
    form = (
        f"BI /W {across} /H {down} /BPC {bits} /CS {space} /F [/AHx /Fl] /DP [null << "
        f"/Predictor 15 /Colors {colours} /BitsPerComponent {bits} /Columns {across} >>] ID"
    )
    place = f"q {fmt(width)} 0 0 {fmt(height)} {fmt(x)} {fmt(y)} cm"
    lines = [
        rf"\path ({fmt(x)}bp, {fmt(y)}bp) rectangle ({fmt(x + width)}bp, {fmt(y + height)}bp);",
        # The command by which all of TikZ writes into a PDF, whatever the engine; it has an @.
        r"\csname pgfsys@invoke\endcsname{" + place,
        form,
        *textwrap.wrap(rows.hex(), 100),
        "> EI Q}%",
    ]
    return lines, len(rows)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        at += 12 + size
