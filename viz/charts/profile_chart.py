"""Where the time of a profile went, as bars: a row a module, line or operation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tensorgrad.viz.charts.scales import Linear
from tensorgrad.viz.figures.svg import Element, document, element, text
from tensorgrad.viz.figures.words import (
    cells,
    duration,
    padded,
    percent,
    plural,
    shorten,
    shorten_all,
    text_width,
    wrapped,
)

if TYPE_CHECKING:
    from tensorgrad.viz.profiles import Spent

__all__ = ["profile_chart", "profile_table"]

ROW = 20.0
ROOM = 420.0  # of the longest bar
MARGIN = 14.0
# The parts of a bar in their order, each with its class and what the legend calls it.
_PARTS = (
    ("forward", "soft", "forward"),
    ("backward", "bar", "backward"),
    ("update", "dot", "optimizer"),
    ("other", "zeros", "outside of operations"),
)


def profile_chart(
    rows: Sequence[Spent], title: str, subtitle: str, elapsed: float, *, by_line: bool = False
) -> str:
    """A bar for each row, in parts; beside it the time and its share of ``elapsed`` (us)."""
    # Of a line of the program the file and the number stand in front.
    names = shorten_all([row.name for row in rows], 48, middle=not by_line)
    left = MARGIN + max((text_width(name, 11) * 1.08 for name in names), default=0) + 10
    most = max((row.total for row in rows), default=0.0) or 1.0
    scale = Linear(0.0, most, left, left + ROOM)
    top = 82.0
    bottom = top + ROW * len(rows)
    body: list[Element] = [
        text(MARGIN, 24, title, "title"),
        text(MARGIN, 42, subtitle, "muted"),
        *_legend(rows, left, 66),
        *_grid(scale, top, bottom),
    ]
    for k, (row, name) in enumerate(zip(rows, names)):
        y = top + ROW * (k + 0.5)
        line = element("g", element("title", _tooltip(row, elapsed)))
        line.add(element("rect", x=0, y=y - ROW / 2, width=left, height=ROW, fill_opacity=0))
        line.add(text(left - 8, y + 4, name, None, "end"))
        x = left
        for part, kind, _ in _PARTS:
            wide = getattr(row, part) / most * ROOM
            if wide > 0:
                line.add(element("rect", class_=kind, x=x, y=y - 6.5, width=wide, height=13))
                x += wide
        told = f"{duration(row.total)}, {_share(row.total, elapsed)}"
        covered = text_width(told, 10) * 1.1 + 4
        # No line of the grid runs through it.
        line.add(element("rect", class_="paper", x=x + 4, y=y - 7, width=covered, height=14))
        line.add(text(x + 6, y + 4, told, "muted small"))
        body.append(line)
    beside = text_width("999 ms, 100.0 %", 10) * 1.1
    headings = (text_width(title, 14, bold=True), text_width(subtitle, 11))
    width = max(left + ROOM + 6 + beside + MARGIN, 2 * MARGIN + 1.1 * max(headings))
    said = f"{title}: {plural(len(rows), 'row')}, {subtitle}"
    return document(body, width, bottom + 30, label=said, kind="chart")


def _legend(rows: Sequence[Spent], x: float, y: float) -> Iterator[Element]:
    """A sample of each part that there is."""
    for part, kind, word in _PARTS:
        if any(getattr(row, part) > 0 for row in rows):
            yield element("rect", class_=kind, x=x, y=y - 9, width=12, height=10)
            yield text(x + 17, y, word, "muted")
            x += 17 + text_width(word, 11) * 1.08 + 16


def _grid(scale: Linear, top: float, bottom: float) -> Iterator[Element]:
    for value, _ in scale.ticks(5):
        x = scale(value)
        yield element("path", class_="grid", d=f"M{x:.1f} {top:.1f}V{bottom:.1f}")
        yield text(x, bottom + 16, duration(value), "muted small", "middle")
    yield element("path", class_="axis", d=f"M{scale.start:.1f} {top:.1f}V{bottom:.1f}")


def _share(total: float, elapsed: float) -> str:
    return percent(total / elapsed if elapsed else float("nan"))


def _tooltip(row: Spent, elapsed: float) -> str:
    lines = [row.name]
    for part, _, word in _PARTS:
        if getattr(row, part) > 0:
            lines.append(f"{word} {duration(getattr(row, part))}")
    lines.append(f"{duration(row.total)}, {_share(row.total, elapsed)}")
    return "\n".join([*lines, plural(row.calls, "call")] if row.calls else lines)


def profile_table(
    rows: Sequence[Spent], title: str, subtitle: str, what: str, elapsed: float
) -> str:
    """The same for a terminal; a bar of the share at the end of each line."""
    head = [what, "forward", "backward", "total", "share", "calls", ""]
    lines = []
    for row in rows:
        ways = [duration(way) if way else "-" for way in (row.forward, row.backward)]
        calls = f"{row.calls:,}" if row.calls else "-"
        lines.append([row.name, *ways, duration(row.total), _share(row.total, elapsed), calls])
    widths = [max(cells(line[k]) for line in [head, *lines]) for k in range(6)]
    room = 80 - sum(widths[1:]) - 2 * 6  # for names and bars: bars give way first
    bar = min(12, max(5, room - widths[0]))
    widths[0] = min(widths[0], max(room - bar, 16))
    names = shorten_all([line[0] for line in lines], widths[0], middle=what != "line")
    for line, row in zip(lines, rows):
        line.append("█" * round(row.total / (elapsed or 1.0) * bar) or "▏")
    out = [*wrapped(title), *wrapped(subtitle), ""]
    for name, line in zip([shorten(what, widths[0]), *names], [head, *lines]):
        right = [line[k].rjust(widths[k]) for k in range(1, 6)]
        out.append("  ".join([padded(name, widths[0]), *right, line[6]]).rstrip())
    return "\n".join(out)
