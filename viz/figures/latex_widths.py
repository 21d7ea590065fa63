"""How wide pdflatex sets a text, so that a table can be made to fit before it is compiled."""

from __future__ import annotations

import unicodedata

__all__ = ["BOLD", "latex_width"]

BOLD = 1.16  # how much wider bold letters are
# Advance widths of Computer Modern at 10 points in hundredths of a point, signs as `latex_escape`
# writes them: "<" is one of mathematics.  Times and Helvetica are narrower.
_WIDTHS = {
    278: "!',.:;[]`il|",
    306: "fj",
    333: "- ",
    361: "I_",
    389: "()t",
    394: "rs",
    444: "cez",
    472: "?",
    500: '"$*/0123456789\\^ago{}~–',
    514: "J",
    528: "kqvxy",
    556: "Sbdhnpu",
    611: "Z",
    625: "L",
    653: "F",
    681: "EP",
    708: "B",
    722: "CTw",
    736: "R",
    750: "AHNUVXY",
    764: "D",
    785: "&+<=>@GKOQ×±−",
    833: "#%m",
    917: "M",
    1000: "—",
    1028: "W",
    1170: "…",
}
_WIDTH = {char: width for width, chars in _WIDTHS.items() for char in chars}
_OTHER = 700  # Greek, ligatures, arrows


def latex_width(shown: str) -> float:
    """Points in letters of 10, of a text as `as_pdflatex_shows` it."""
    letters = shown if shown.isascii() else unicodedata.normalize("NFD", shown)
    # An accent stands above its letter and takes no room.
    known = (char for char in letters if not unicodedata.combining(char))
    return sum(_WIDTH.get(char, _OTHER) for char in known) / 100
