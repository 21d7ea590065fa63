"""Text for consoles: how wide it is there, and signs spelled where they cannot be shown."""

from __future__ import annotations

import codecs
import sys
import unicodedata
from io import TextIOWrapper

__all__ = ["cells", "padded", "shorten", "spell", "spell_on_consoles"]

_SIGNS = {
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯╶╴", "+"),
    **dict.fromkeys("─━╌", "-"),
    **dict.fromkeys("│┃╎", "|"),
    **dict(zip("▁▂▃▄▅▆▇█", "_.,-=+*#")),
    **dict(zip("▉▊▋▌▍▎▏░▒▓", "##||||..:#")),
    **dict(zip("·•×∗−–—‹›‘’“”′∘⋆⟨⟩", "**x*---<>''\"\"'o*<>")),
    "…": "...", "→": "->", "←": "<-", "↑": "^", "↓": "v", "↔": "<->", "⇒": "=>",
    "∈": " in ", "∑": "sum", "Σ": "sum", "∏": "prod", "Π": "prod", "∂": "d",
    "∇": "grad", "√": "sqrt", "∞": "inf", "∧": "and", "∨": "or",
    "≈": "~", "∼": "~", "≠": "!=", "≤": "<=", "≥": ">=", "≪": "<<", "≫": ">>",
    "⊙": "(*)", "⊗": "(x)", "⊤": "T", "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")", "‖": "||",
    "✓": "ok", "✗": "WRONG",
    "\u0302": "_hat", "\u0303": "_tilde", "\u0304": "_bar", "\u0307": "_dot",
}  # fmt: skip


def cells(text: str) -> int:
    """How many columns of a terminal a text takes: of 漢 two, of an accent that combines none."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def padded(text: str, width: int, *, right: bool = False) -> str:
    """The text with spaces behind it, or before it, up to so many columns of a terminal."""
    space = " " * (width - cells(text))
    return space + text if right else text + space


def shorten(text: str, limit: int, *, middle: bool = False) -> str:
    """The text, cut to ``limit`` columns with an ellipsis at its end or in its middle."""
    if cells(text) <= limit:
        return text
    head = (limit - 1) // 2 if middle else limit - 1
    return _start(text, head) + "…" + _start(text[::-1], limit - 1 - head)[::-1]


def _start(text: str, limit: int) -> str:
    """As much of a text's beginning as has room; a mark that combines stays with its letter."""
    if text.isascii():
        return text[:limit]
    end = taken = 0
    while end < len(text) and (taken := taken + _cells(text[end])) <= limit:
        end += 1
    return text[:end]


def spell(sign: str) -> str:
    """A sign in ASCII: ``x̄`` is x_bar, ``σ`` sigma, ``²`` ^2, ``│`` a bar; else its code."""
    if sign.isascii():
        return sign
    known = _SIGNS.get(sign)
    if known is not None:
        return known
    kind, _, plain = unicodedata.decomposition(sign).rpartition("> ")
    if kind in ("<super", "<sub"):
        letters = "".join(spell(chr(int(code, 16))) for code in plain.split())
        return ("^" if kind == "<super" else "_") + letters
    words = unicodedata.name(sign, "").split()
    if words[:1] == ["GREEK"] and words[2:3] == ["LETTER"]:
        letter = words[3].lower()
        return letter if words[1] == "SMALL" else letter.capitalize()
    whole = unicodedata.normalize("NFKD", sign)
    if whole != sign:
        return "".join(map(spell, whole))
    if unicodedata.combining(sign):
        return ""
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"


def _spelled(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(spell, error.object[error.start : error.end])), error.end


def spell_on_consoles() -> None:
    """Let standard output and errors, where they are not UTF-8, spell what they cannot show."""
    codecs.register_error("tensorgrad.spelled", _spelled)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and not stream.encoding.lower().startswith("utf"):
            stream.reconfigure(errors="tensorgrad.spelled")
