"""How large a gradient is, as one of a few colours on a log scale."""

from __future__ import annotations

import math
from collections.abc import Iterable

from tensorgrad.viz.figures.svg import Element, element, text
from tensorgrad.viz.figures.theme import HEAT
from tensorgrad.viz.figures.words import number, text_width

__all__ = ["HeatScale"]


class HeatScale:
    """Colours for the norms of gradients, from the smallest to the largest of those given."""

    def __init__(self, norms: Iterable[float | None]) -> None:
        norms = list(norms)
        known = [n for n in norms if n is not None and math.isfinite(n) and n > 0]
        # What the legend has beside the scale.
        self.marks = {
            "zero" if n == 0 else "bad"
            for n in norms
            if n is not None and not (math.isfinite(n) and n)
        }
        self.known = bool(known)
        self.low, self.high = (min(known), max(known)) if known else (1.0, 1.0)
        low, high = math.log10(self.low), math.log10(self.high)
        # At least two decades: rounding between equal gradients must not fill the scale.
        missing = max(0.0, 2.0 - (high - low)) / 2
        self._from, self._span = low - missing, max(high - low, 2.0)

    def mark(self, norm: float | None) -> str:
        """``heat0`` to ``heat8``, ``zero``, ``bad`` (NaN, infinite), or "" for no gradient."""
        if norm is None:
            return ""
        if not math.isfinite(norm):
            return "bad"
        if norm == 0:
            return "zero"
        share = (math.log10(norm) - self._from) / self._span
        return f"heat{max(0, min(len(HEAT) - 1, int(share * len(HEAT))))}"

    def legend(self, x: float, y: float) -> tuple[list[Element], float]:
        """The scale with its ends, starting at (x, y); and where it ends."""
        parts: list[Element] = []
        low, high = f"‖gradient‖  {number(self.low)}", number(self.high)
        if not self.known and not self.marks:
            parts.append(text(x, y + 9, "no gradient was traced", "muted"))
            return parts, x + text_width("no gradient was traced", 11) * 1.06
        if self.known:
            parts.append(text(x, y + 9, low))
            x += text_width(low, 11) * 1.06 + 6
            for i in range(len(HEAT)):
                parts.append(element("rect", x=x, y=y, width=13, height=11, class_=f"heat{i}"))
                x += 13
            parts.append(text(x + 6, y + 9, high))
            x += 6 + text_width(high, 11) * 1.06 + 14
        for mark, word in (("nograd", "none"), ("zero", "zero"), ("bad", "not finite")):
            if mark == "nograd" or mark in self.marks:
                parts.append(element("rect", x=x, y=y, width=13, height=11, class_=mark))
                parts.append(text(x + 18, y + 9, word))
                x += 18 + text_width(word, 11) * 1.06 + 14
        return parts, x - 14
