"""Text for consoles that cannot show all of it: signs are spelled with what there is."""

from __future__ import annotations

import codecs
import sys
import unicodedata
from io import TextIOWrapper

__all__ = ["spell", "spell_on_consoles"]

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
