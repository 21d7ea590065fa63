"""Any text as LaTeX, for whatever engine reads it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import groupby

from tensorgrad.viz.figures.words import visible

__all__ = ["WORD", "as_pdflatex_shows", "both_forms", "latex_escape"]

# Signs of formulas that pdflatex does not take as they are, in mathematics.
_MATHS = {
    "∂": r"\partial", "⊙": r"\odot", "−": "-", "±": r"\pm", "·": r"\cdot", "×": r"\times",
    "√": r"\surd", "Σ": r"\Sigma", "Δ": r"\Delta", "𝟏": r"\mathbf{1}", "∈": r"\in", "→": r"\to",
    "←": r"\leftarrow", "≠": r"\ne", "≤": r"\le", "≥": r"\ge", "≈": r"\approx",
    "‖": r"\|", "∞": r"\infty", "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta",
    "ε": r"\varepsilon", "ζ": r"\zeta", "η": r"\eta", "θ": r"\theta", "κ": r"\kappa",
    "λ": r"\lambda", "μ": r"\mu", "µ": r"\mu", "ν": r"\nu", "ξ": r"\xi", "π": r"\pi",
    "ρ": r"\rho", "σ": r"\sigma", "τ": r"\tau", "φ": r"\varphi", "χ": r"\chi", "ψ": r"\psi",
    "ω": r"\omega", "Γ": r"\Gamma", "Θ": r"\Theta", "Λ": r"\Lambda", "Π": r"\Pi",
    "Φ": r"\Phi", "Ψ": r"\Psi", "Ω": r"\Omega", "∑": r"\sum", "∏": r"\prod", "∇": r"\nabla",
    "⋆": r"\star", "∧": r"\wedge", "∨": r"\vee", "¬": r"\neg", "⊗": r"\otimes", "⊕": r"\oplus",
    "∘": r"\circ", "°": r"^{\circ}", "÷": r"\div", "•": r"\bullet", "↑": r"\uparrow",
    "↓": r"\downarrow", "↔": r"\leftrightarrow", "⇒": r"\Rightarrow", "⌊": r"\lfloor",
    "⌋": r"\rfloor", "⌈": r"\lceil", "⌉": r"\rceil", "⟨": r"\langle", "⟩": r"\rangle",
    "∼": r"\sim", "∝": r"\propto", "∅": r"\emptyset", "∀": r"\forall", "∃": r"\exists",
}  # fmt: skip

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    '"': "''",  # the straight one needs an encoding that plain LaTeX does not load
    "[": "{[}", "*": "{*}",  # after \\ they would be its arguments
    "`": "{`}", "--": "-{}-",  # would join with their neighbours into another sign
    "…": r"\dots{}", "—": "---", "–": "--", "“": "``", "”": "''", "‘": "`", "’": "'", "\xa0": "~",
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}",
    "Ø": r"\O{}", "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}", "§": r"\S{}", "¶": r"\P{}",
    "£": r"\pounds{}", "©": r"\copyright{}", "¡": "!`", "¿": "?`",
}  # fmt: skip
_RAISED = dict(zip("⁻⁰¹²³⁴⁵⁶⁷⁸⁹⁺ᵀᵖⁿ", [*"-0123456789+", r"\top", "p", "n"], strict=True))
_LOWERED = dict(
    zip("₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ₊₋₌₍₎", "0123456789aehijklmnoprstuvx+-=()", strict=True)
)
# Accents over the letter before them: in mathematics where Unicode has no letter with this one.
_OVER = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0307": "dot", "\u0308": "ddot"}
# Accents that plain LaTeX sets over any letter; it has no ogonek.
_ACCENTS = dict(
    zip(
        "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327",
        "`'^~=u.\"rHvc",
        strict=True,
    )
)
_KNOWN = re.escape("".join([*_SPECIAL, *_MATHS, *_RAISED, *_LOWERED]).replace("--", ""))
_PIECES = re.compile(
    f"[A-Za-z][{''.join(_OVER)}]|[{''.join(_RAISED)}]+|[{''.join(_LOWERED)}]+|--|[{_KNOWN}]|"
    f"[^\\x00-\\x7f{_KNOWN}]+"
)
# What `_piece` writes where pdflatex lacks a character: first the others' form, then its own.
_UNICODE = re.compile(r"\\ifdefined\\Umathchar (.*?)\\else(.*?)\\fi\{\}", re.DOTALL)
WORD = 20  # letters of a word that a narrow column can hold
_LONG = re.compile(rf"(\S{{{WORD + 1},}})")
_BREAKS = re.compile(rf".{{1,{WORD}}}?[./_:,=](?![./_:,=])|.{{1,{WORD}}}", re.DOTALL)


def latex_escape(text: str, *, breaks: bool = False, room: int | None = None) -> str:
    """Any text as LaTeX shows it; nothing in it is a command.

    Characters that pdflatex lacks stand as their code points there, as themselves for LuaLaTeX and
    XeLaTeX.  ``breaks``: long words may be broken, at their points and slashes or anywhere.
    ``room``: where code points are wider than so many characters, and than the text has, pdflatex
    shows its beginning and its end.
    """
    if room is not None and _cut(text, room) != text:
        own, codes = both_forms(text, room)
        return rf"\ifdefined\Umathchar {own}\else {codes}\fi{{}}"
    if not breaks:
        return _PIECES.sub(_piece, visible(text))
    words = _LONG.split(visible(text))
    shown = "".join(
        r"\allowbreak{}".join(map(latex_escape, _BREAKS.findall(word)))
        if len(word) > WORD and k % 2
        else latex_escape(word)
        for k, word in enumerate(words)
    )
    return shown.replace(r"]\fi{}", r"]\allowbreak\fi{}")  # code points make short words long


def both_forms(text: str, room: int) -> tuple[str, str]:
    """The text escaped for engines that have its letters, and for pdflatex."""
    own = _UNICODE.sub(r"\1", latex_escape(text))
    return own, _UNICODE.sub(r"\2", latex_escape(_cut(text, room)))


def as_pdflatex_shows(text: str, room: int | None = None) -> str:
    """The text with code points where pdflatex has no character, to know how wide it is there."""
    if text.isascii():
        return visible(text)
    return _PIECES.sub(_shown_piece, visible(_cut(text, room)))


def _shown_piece(found: re.Match[str]) -> str:
    out = _piece(found)
    if "Umathchar" not in out:
        return found[0]
    runs = groupby(found[0], lambda char: _accented(char) is not None)
    return "".join("".join(run) if plain else f"[{_codes(run)}]" for plain, run in runs)


def _cut(text: str, room: int | None) -> str:
    """The text, or where code points make it too wide what of its beginning and end fits."""
    if room is None or text.isascii():
        return text
    room = max(room, len(text))
    if len(as_pdflatex_shows(text)) <= room:
        return text
    head = tail = ""
    for char in text:
        if len(as_pdflatex_shows(head + char)) > room // 2:
            break
        head += char
    left = room - 1 - len(as_pdflatex_shows(head))
    for char in reversed(text):
        if len(as_pdflatex_shows(char + tail)) > left:
            break
        tail = char + tail
    return f"{head}…{tail}"


def _piece(found: re.Match[str]) -> str:
    text = found[0]
    if text in _SPECIAL:
        return _SPECIAL[text]
    if text in _MATHS:
        return f"${_MATHS[text]}$"
    if text[-1] in _OVER and text[0].isascii():
        return rf"$\{_OVER[text[-1]]}{{{text[0]}}}$"
    if text[0] in _RAISED:
        return f"$^{{{''.join(_RAISED[char] for char in text)}}}$"
    if text[0] in _LOWERED:
        return f"$_{{{''.join(_LOWERED[char] for char in text)}}}$"
    out = ""
    for accented, chars in groupby(text, lambda char: _accented(char) is not None):
        if accented:
            out += "".join(str(_accented(char)) for char in chars)
        else:
            shown = "".join(chars)
            out += rf"\ifdefined\Umathchar {shown}\else{{[}}{_codes(shown)}]\fi{{}}"
    return out


def _codes(chars: Iterable[str]) -> str:
    return " ".join(f"U+{ord(char):04X}" for char in chars)


def _accented(char: str) -> str | None:
    """A letter with one accent, as the accent's command makes it."""
    letter, *marks = list(unicodedata.normalize("NFD", char))
    if letter.isascii() and len(marks) == 1 and marks[0] in _ACCENTS:
        return rf"\{_ACCENTS[marks[0]]}{{{letter}}}"
    return None
