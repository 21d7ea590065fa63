"""Text that is safe and short enough to draw: cleaning, shortening, measuring, numbers as words."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Any

from tensorgrad.consoles import cells, padded, shorten

__all__ = [
    "alike",
    "broken",
    "cells",
    "count",
    "duration",
    "fitting",
    "no_formula",
    "number",
    "padded",
    "percent",
    "plural",
    "power_of_ten",
    "shape",
    "shorten",
    "shorten_all",
    "text_width",
    "visible",
    "wrapped",
]

_REPLACEMENT = "\ufffd"
# Marks that reorder or hide what stands around them: a name must not be able to disguise itself.
_BIDI = frozenset(
    map(chr, (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
)


def visible(text: str) -> str:
    """The text with every character that XML forbids or that cannot be seen made visible.

    C0 controls become their control pictures (NUL is ``␀``, a newline ``␊``); lone surrogates,
    noncharacters, C1 controls, line separators and direction marks become U+FFFD.  Dropping them
    was rejected: two different names must not look the same for want of a character.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible_character, text))


def _visible_character(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if 0x80 <= code < 0xA0 or 0xD800 <= code < 0xE000 or code & 0xFFFE == 0xFFFE:
        return _REPLACEMENT
    if code in (0x2028, 0x2029) or char in _BIDI:
        return _REPLACEMENT
    return char


def shorten_all(texts: Sequence[str], limit: int, *, middle: bool = False) -> list[str]:
    """Each as `shorten` cuts it; those that differ and would look the same have their number."""
    shown = [shorten(text, limit, middle=middle) for text in texts]
    for k in alike(texts, shown):
        sign = f"…#{k + 1}"
        shown[k] = shorten(texts[k], max(1, limit - len(sign)) + 1)[:-1] + sign
    return shown


def alike(texts: Sequence[str], shown: Sequence[str]) -> list[int]:
    """The places of those that are shown as another text is."""
    meant: dict[str, set[str]] = {}
    for text, seen in zip(texts, shown):
        meant.setdefault(seen, set()).add(text)
    return [k for k, seen in enumerate(shown) if len(meant[seen]) > 1]


def wrapped(text: str, width: int = 80, indent: str = "") -> list[str]:
    """Lines of a terminal for a text: broken between words, and within those that are longer.

    What the text begins with, spaces too, stays; further lines begin with ``indent``.
    """
    start = text[: len(text) - len(text.lstrip())]
    lines = [start]
    empty = True  # nothing but the indent is in the last line
    for word in text.split():
        if not empty and cells(lines[-1]) + 1 + cells(word) > width:
            lines.append(indent)
            empty = True
        while cells(lines[-1]) + cells(word) > width and empty and len(word) > 1:
            part = shorten(word, max(width - cells(lines[-1]), 2) + 1)[:-1]
            lines[-1] += part
            lines.append(indent)
            word = word[len(part) :]
        lines[-1] += word if empty else " " + word
        empty = False
    return lines


def broken(text: str, width: float, size: float) -> list[str]:
    """Lines of a bold heading of at most this width, in pixels; a long word is cut."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, bold=True) <= width:
            lines[-1] = longer
        else:
            lines.append(fitting(word, width, size))
    return lines


def fitting(text: str, width: float, size: float) -> str:
    """A bold text, cut in its middle to a width in pixels."""
    if text_width(text, size, bold=True) <= width:
        return text
    limit = next(
        n for n in range(cells(text), 0, -1)
        if n == 1 or text_width(shorten(text, n, middle=True), size, bold=True) <= width
    )  # fmt: skip
    return shorten(text, limit, middle=True)


def no_formula(text: str) -> str:
    """A name for a cell of CSV: spreadsheets run what begins with ``=``, ``+``, ``-`` or ``@``.

    An apostrophe in front makes it text for them.
    """
    return "'" + text if text[:1] in tuple("=+-@\t\r") else text


def plural(n: int, noun: str) -> str:
    """``1 node``, ``2 nodes``, ``1,234 nodes``, ``2 classes``."""
    ending = "" if n == 1 else "es" if noun.endswith("s") else "s"
    return f"{n:,} {noun}{ending}"


def percent(share: float) -> str:
    """A share as ``97.5 %``, one that is not known (NaN) as ``-``."""
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"


def shape(dims: tuple[int, ...] | None) -> str:
    """A shape as Python writes it, without the comma of a vector: ``()``, ``(8)``, ``(8, 3)``."""
    return "" if dims is None else "(" + ", ".join(map(str, dims)) + ")"


def count(n: int) -> str:
    """A number of elements or bytes, in at most five characters: ``950``, ``12.3k``, ``4.1M``."""
    value = float(n)
    for unit in ("", "k", "M", "G", "T"):
        if abs(value) < 999.5:
            return f"{value:.0f}{unit}" if not unit or abs(value) >= 99.95 else f"{value:.1f}{unit}"
        value /= 1000
    return f"{n:.2e}"


def number(value: Any, digits: int = 3) -> str:
    """A float for reading: ``0.0123``, ``1.2e-07``, ``NaN``, ``inf``; ``-`` for None."""
    if value is None:
        return "-"
    value = float(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == 0:
        return "0"
    if 1e-4 <= abs(value) < 10 ** max(digits, 5):
        return f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa}e{int(exponent):+03d}"


def duration(us: float) -> str:
    """Microseconds as ``4.1 µs``, ``53.1 ms``, ``1.23 s``."""
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if abs(us) >= 0.9995 * size:
            return f"{_three(us / size)} {unit}"
    return f"{_three(us)} µs" if abs(us) >= 0.05 else "0"


def _three(value: float) -> str:
    """Three digits, and no exponent."""
    return f"{value:.3g}" if abs(value) < 999.5 else f"{value:,.0f}"


_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(exponent: int) -> str:
    """``10⁻³``."""
    return "10" + str(exponent).translate(_SUPERSCRIPT)


# Advance widths in thousandths of the font size, as Helvetica, Arial and Liberation Sans have
# them; DejaVu Sans, the fallback, is about an eighth wider, which the callers' padding absorbs.
_WIDTHS = {
    222: "ijl'",
    260: "|",
    278: " !,./:;I[\\]ft",
    333: "()-`r",
    334: "{}",
    355: '"',
    389: "*",
    469: "^",
    500: "Jcksvxyz",
    556: "#$0123456789?L_abdeghnopqu",
    584: "+<=>~",
    611: "FTZ",
    667: "&ABEKPSVXY",
    722: "CDHNRUw",
    778: "GOQ",
    833: "Mm",
    889: "%",
    944: "W",
    1015: "@",
}
_WIDTH = {char: width for width, chars in _WIDTHS.items() for char in chars}


def text_width(text: str, size: float, *, bold: bool = False, mono: bool = False) -> float:
    """The width of one line in a sans-serif (or monospaced) font of ``size``, in the same unit."""
    if mono:
        return size * 0.602 * sum(2 if _wide(char) else 1 for char in text)
    total = sum(_WIDTH.get(char) or (1000 if _wide(char) else 620) for char in text)
    return total * size * (1.07 if bold else 1.0) / 1000


def _wide(char: str) -> bool:
    return not char.isascii() and unicodedata.east_asian_width(char) in "WF"
