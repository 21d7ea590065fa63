"""A text for a terminal as a picture: the same columns, in a font of fixed width."""

from __future__ import annotations

import re

from tensorgrad.viz.figures.svg import Element, document, element
from tensorgrad.viz.figures.words import cells as columns

__all__ = ["text_svg"]

SIZE, LINE, MARGIN = 12.0, 17.0, 16.0
ADVANCE = 0.6022 * SIZE  # of DejaVu Sans Mono, Liberation Mono and Menlo


def text_svg(text: str, title: str) -> str:
    """An SVG of some lines of text.

    Words that stand apart by two spaces or more are placed by their column: a character that the
    fixed font lacks, drawn in another, must not move what stands in the next column.
    """
    lines = text.split("\n")
    body: list[Element] = []
    for k, line in enumerate(lines):
        y = MARGIN + SIZE + k * LINE
        ruled = re.fullmatch(r"── (.+?) ─+", line)
        if ruled is not None:
            width = columns(line) * ADVANCE
            start = MARGIN + (columns(ruled[1]) + 1) * ADVANCE
            middle = y - SIZE * 0.3
            body.append(_words(MARGIN, y, ruled[1], "mono strong"))
            body.append(
                element("line", class_="axis", x1=start, x2=MARGIN + width, y1=middle, y2=middle)
            )
            continue
        for found in re.finditer(r"\S+(?: \S+)*", line):
            x = MARGIN + columns(line[: found.start()]) * ADVANCE
            beside = re.search(r"[^\s\d]", line[: found.start()]) is not None
            if beside and found.end() == len(line):
                # The right column ends where it should, whatever its characters' widths are.
                end = MARGIN + columns(line) * ADVANCE
                body.append(_words(end, y, found[0], "mono muted", "end"))
            else:
                kind = "strong" if k == 0 else "muted" if beside else ""
                body.append(_words(x, y, found[0], f"mono {kind}".strip()))
    width = max(map(columns, lines)) * ADVANCE + 2 * MARGIN
    return document(body, width, 2 * MARGIN + LINE * len(lines), label=title, kind="chart")


def _words(x: float, y: float, words: str, kind: str, anchor: str | None = None) -> Element:
    return element("text", words, x=x, y=y, class_=kind, text_anchor=anchor)
