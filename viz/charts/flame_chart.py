"""Where the time of a profile went, from what calls down to what is called: a flame graph."""

from __future__ import annotations

from tensorgrad.viz.charts.call_tree import Call
from tensorgrad.viz.figures.svg import Element, document, element, text
from tensorgrad.viz.figures.words import (
    cells,
    duration,
    padded,
    percent,
    plural,
    shorten,
    text_width,
    wrapped,
)

__all__ = ["flame_chart", "flame_table"]

ROW = 20.0
WIDTH = 960.0
MARGIN = 14.0
LEAST = 1.0  # pixels: what is narrower is not drawn
_CLASSES = {"forward": "soft", "backward": "bar", "module": "card", "range": "cell"}
_WORDS = {"forward": "operation", "backward": "gradient", "module": "module", "range": "range"}


def flame_chart(root: Call, title: str, subtitle: str) -> str:
    """A box for each call, as wide as its share of the time, under the one that it ran in."""
    boxes: list[Element] = []
    whole = root.total or 1.0
    deepest = 0
    stack = [(root, "", MARGIN, 0)]
    while stack:
        call, path, x, depth = stack.pop()
        deepest = max(deepest, depth)
        wide = call.total / whole * WIDTH
        # In the box of a module what is below it needs no path of its own.
        words = call.name.removeprefix(f"{path}.") if call.kind == "module" else call.name
        boxes.append(_box(call, words, x, 82 + depth * ROW, wide, whole))
        path = call.name.partition(" (")[0] if call.kind == "module" else path
        for inner in call.children:
            across = inner.total / whole * WIDTH
            if across >= LEAST:
                stack.append((inner, path, x, depth + 1))
            x += across
    body = [text(MARGIN, 24, title, "title"), text(MARGIN, 42, subtitle, "muted")]
    x = MARGIN
    for kind, word in _WORDS.items():
        body.append(element("rect", class_=_CLASSES[kind], x=x, y=57, width=12, height=10))
        body.append(text(x + 17, 66, word, "muted"))
        x += 17 + text_width(word, 11) * 1.08 + 16
    headings = (text_width(title, 14, bold=True), text_width(subtitle, 11))
    width = max(WIDTH + 2 * MARGIN, 2 * MARGIN + 1.1 * max(headings))
    height = 82 + (deepest + 1) * ROW + 12
    said = f"{title}: {subtitle}"
    return document([*body, *boxes], width, height, label=said, kind="chart")


def _box(call: Call, name: str, x: float, y: float, wide: float, whole: float) -> Element:
    told = f"{call.name}\n{duration(call.total)}, {percent(call.total / whole)}"
    if call.calls > 1:
        told += f"\n{plural(call.calls, 'call')}, {duration(call.total / call.calls)} each"
    box = element("g", element("title", told))
    kind = _CLASSES[call.kind]
    drawn = max(wide - 1, 0.6)
    box.add(element("rect", class_=kind, x=x, y=y, width=drawn, height=ROW - 1.5))
    words = _fitting(name, call.total / whole, drawn - 8)
    if words:
        box.add(text(x + 4, y + 13, words, "on small" if call.kind == "backward" else "small"))
    return box


def _fitting(name: str, share: float, room: float) -> str:
    """The name with its share, the name, or as much of it as says something."""
    for words in (f"{name}, {percent(share)}", name):
        if text_width(words, 10) * 1.1 <= room:
            return words
    for limit in range(cells(name) - 1, 4, -1):
        words = shorten(name, limit)
        if text_width(words, 10) * 1.1 <= room:
            return words
    return ""


def flame_table(root: Call, title: str, subtitle: str, max_rows: int | None) -> str:
    """The same for a terminal, indented; of more rows the slowest."""
    rows = [(len(path), call) for path, call in root.walk()]
    if max_rows is not None and len(rows) > max_rows:
        least = sorted((call.total for _, call in rows), reverse=True)[max_rows - 1]
        rows = [(depth, call) for depth, call in rows if call.total >= least][:max_rows]
    whole = root.total or 1.0
    told = [
        [f"{'  ' * depth}{call.name}", duration(call.total), percent(call.total / whole),
         duration(call.own), f"{call.calls:,}"]
        for depth, call in rows
    ]  # fmt: skip
    head = ["call", "total", "share", "its own", "calls"]
    widths = [max(cells(row[k]) for row in [head, *told]) for k in range(5)]
    widths[0] = min(widths[0], 80 - sum(widths[1:]) - 8)
    out = [*wrapped(title), *wrapped(subtitle), ""]
    for row in [head, *told]:
        right = [row[k].rjust(widths[k]) for k in range(1, 5)]
        indent = min(len(row[0]) - len(row[0].lstrip()), widths[0] // 2)
        name = " " * indent + shorten(row[0].lstrip(), widths[0] - indent, middle=True)
        out.append("  ".join([padded(name, widths[0]), *right]))
    hidden = sum(1 for _ in root.walk()) - len(rows)
    return "\n".join([*out, f"… {plural(hidden, 'row')}"] if hidden else out)
