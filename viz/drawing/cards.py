"""What is written on each box of a graph, and how large the box must be for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from tensorgrad.viz.figures.arguments import listed
from tensorgrad.viz.figures.words import count, number, plural, shape, shorten, text_width
from tensorgrad.viz.snapshots.describe import nbytes_of
from tensorgrad.viz.snapshots.snapshot import Snapshot, Vertex

__all__ = ["SHOW", "Card", "as_show", "formula_lines", "gradient_text", "leaf_name", "make_cards"]

# What `show` may name: one or several of these are written below each box's title.
SHOW = ("shape", "dtype", "bytes", "params", "formula", "location", "grad")

TITLE_SIZE, DETAIL_SIZE = 11.0, 10.0
TITLE_LIMIT, DETAIL_LIMIT = 30, 44


@dataclass(frozen=True, slots=True)
class Card:
    """A box's title and further lines, all that is known as a tooltip, and the size in pixels."""

    title: str
    details: tuple[str, ...]
    tooltip: str
    width: float
    height: float


def as_show(show: str | Iterable[str]) -> tuple[str, ...]:
    """Check what a user wants to see, and put it in the order of `SHOW`."""
    wanted = [show] if isinstance(show, str) else listed(show, "viz.graph", "show", "names")
    for name in wanted:
        if name not in SHOW:
            close = get_close_matches(str(name), SHOW, 1)
            hint = f"did you mean {close[0]!r}? It" if close else "it"
            raise ValueError(
                f"viz.graph: show has {name!r}; {hint} may name {', '.join(map(repr, SHOW))}"
            )
    return tuple(name for name in SHOW if name in wanted)


def make_cards(snapshot: Snapshot, show: tuple[str, ...]) -> Mapping[int, Card]:
    """A card for each vertex, by id."""
    return {vertex.id: _card(snapshot, vertex, show) for vertex in snapshot.vertices}


def leaf_name(snapshot: Snapshot, vertex: Vertex) -> str:
    """A leaf as its module calls it (``weight`` in the box of ``conv1``), or type and number."""
    assert vertex.leaf is not None
    if vertex.name is None:
        return f"{snapshot.leaves[vertex.leaf].type} {vertex.leaf}"
    if vertex.group is not None and " = " not in vertex.name:
        prefix = snapshot.groups[vertex.group].path + "."
        if len(vertex.name) > len(prefix) > 1 and vertex.name.startswith(prefix):
            return vertex.name[len(prefix) :]
    return vertex.name


def _card(snapshot: Snapshot, vertex: Vertex, show: tuple[str, ...]) -> Card:
    if vertex.kind == "cut":
        note = snapshot.notice or ""
        return Card("…", (), note, 26.0, 18.0)
    title = _title(snapshot, vertex)
    details = tuple(shorten(line, DETAIL_LIMIT) for line in _details(vertex, show))
    limit = TITLE_LIMIT + 12 if vertex.kind == "module" else TITLE_LIMIT
    short = shorten(title, limit, middle=True)
    widths = [text_width(short, TITLE_SIZE, bold=True)]
    widths += [text_width(line, DETAIL_SIZE) for line in details]
    # The room at the sides also covers a fallback font that is an eighth wider.
    width = max(40.0, round(max(widths) * 1.06) + 16.0)
    height = 22.0 + 13.0 * len(details)
    return Card(short, details, _tooltip(snapshot, vertex, title), width, height)


def _title(snapshot: Snapshot, vertex: Vertex) -> str:
    if vertex.kind == "leaf":
        return leaf_name(snapshot, vertex)
    if vertex.kind in ("output", "module"):
        return vertex.name or vertex.kind
    title = f"{vertex.name} = {vertex.op}" if vertex.name else vertex.op
    return f"{title} ×{vertex.times}" if vertex.times > 1 else title


def _details(vertex: Vertex, show: tuple[str, ...]) -> list[str]:
    lines = []
    shapes = [f"[{i}] {shape(dims)}" for i, dims in vertex.outputs] or [shape(vertex.shape)]
    if "shape" in show and len(shapes) > 1:
        lines += shapes[:-1] if len(shapes) <= 4 else [*shapes[:2], f"… {len(shapes) - 3} more"]
    first = [shapes[-1]] if "shape" in show and shapes[-1] else []
    if "dtype" in show:
        first += [vertex.dtype] if vertex.dtype else []
    if "bytes" in show and vertex.dtype:
        sizes = [dims for _, dims in vertex.outputs] or [vertex.shape or ()]
        nbytes = sum(nbytes_of(dims, vertex.dtype) for dims in sizes)
        first.append(f"{count(nbytes)}B")
    if first:
        lines.append("  ".join(first))
    if vertex.kind == "module":
        lines.append(plural(vertex.operations, "operation"))
    if "params" in show and vertex.params:
        lines.append(vertex.params)
    if "formula" in show:
        lines += formula_lines(vertex)
    if "location" in show and vertex.file is not None:
        lines.append(f"{vertex.file.rpartition('/')[2]}:{vertex.line}")
    if "grad" in show and vertex.kind != "output":
        lines.append(gradient_text(vertex))
    return lines


def gradient_text(vertex: Vertex) -> str:
    """``‖grad‖ 0.0123``; a gradient that was not computed is never 0."""
    known = vertex.gradient is not None
    return f"‖grad‖ {number(vertex.gradient)}" if known else "no gradient"


def formula_lines(vertex: Vertex) -> list[str]:
    """``ā = ȳ ⊙ b``: the gradient with respect to each argument that needs one."""
    needed = [argument.source is not None for argument in vertex.arguments]
    return [f for need, f in zip(needed, vertex.formula) if need and f is not None]


def _tooltip(snapshot: Snapshot, vertex: Vertex, title: str) -> str:
    """Everything about a vertex, a line each: what a browser shows under the pointer."""
    lines = [title]
    if vertex.kind == "leaf" and vertex.leaf is not None:
        leaf = snapshot.leaves[vertex.leaf]
        lines[0] = leaf.name or title
        times = "once" if leaf.uses == 1 else f"{leaf.uses} times"
        lines.append(f"{leaf.type}, a leaf, used {times}")
    shapes = ", ".join(f"[{i}] {shape(d)}" for i, d in vertex.outputs) or shape(vertex.shape)
    lines += [f"{shapes} {vertex.dtype}".strip()] if vertex.dtype else []
    if vertex.kind == "module":
        lines.append(plural(vertex.operations, "operation"))
    if vertex.gradient is not None:
        lines.append(gradient_text(vertex))
    if vertex.group is not None:
        group = snapshot.groups[vertex.group]
        lines.append(f"in {group.path or group.cls} ({group.cls})")
    if vertex.params:
        lines.append(vertex.params)
    lines += formula_lines(vertex)
    if vertex.file is not None:
        lines.append(f"{vertex.file}:{vertex.line} in {vertex.function}")
    return "\n".join(lines)
