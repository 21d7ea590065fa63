"""DOT source: the picture in Graphviz's language, and a bare skeleton for its layout alone.

Labels are quoted here.  The ``graphviz`` package would pass ``<b>..</b>`` on as markup, breaks on a
trailing backslash and on NUL, and leaves ``\\N`` to be replaced by the node's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from tensorgrad.viz.drawing.cards import Card
from tensorgrad.viz.drawing.heat import HeatScale
from tensorgrad.viz.figures.theme import colour
from tensorgrad.viz.figures.words import visible
from tensorgrad.viz.layouts.layout import RankDir
from tensorgrad.viz.snapshots.snapshot import Snapshot, Vertex

__all__ = ["dot_source", "quoted", "skeleton"]

_KIND_STYLE = {
    "op": ("op", "op-edge", "rounded,filled"),
    "leaf": ("leaf", "leaf-edge", "filled"),
    "output": ("output", "output-edge", "rounded,filled,bold"),
    "cut": ("paper", "muted", "dashed"),
    "module": ("module", "module-edge", "rounded,filled,bold"),
}


def quoted(lines: str | Iterable[str]) -> str:
    """Any text, or several lines of it, as a quoted DOT string that shows exactly that text.

    In labels Graphviz reads HTML entities and backslash escapes; both are escaped.
    """
    each = [lines] if isinstance(lines, str) else lines
    return '"' + "\\n".join(_line(line) for line in each) + '"'


def _line(line: str) -> str:
    return visible(line).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')


def dot_source(
    snapshot: Snapshot,
    cards: Mapping[int, Card],
    rankdir: RankDir,
    heat: HeatScale | None = None,
) -> str:
    """The graph as a reader would write it in DOT: labelled, coloured, sized by Graphviz."""
    font = 'fontname="Arial"'
    head = [
        f"  rankdir={rankdir}; nodesep=0.25; ranksep=0.35; labeljust=l; {_upper_labels(rankdir)}",
        f"  {font}; fontsize=10;",
        f'  bgcolor="{colour("paper")}"; fontcolor="{colour("muted")}";',
        f'  node [shape=box, {font}, fontsize=11, height=0.3, margin="0.1,0.05", '
        f'fontcolor="{colour("ink")}"];',
        f'  edge [{font}, fontsize=10, arrowsize=0.6, color="{colour("line")}", '
        f'fontcolor="{colour("muted")}"];',
    ]
    if snapshot.notice:
        head.append(f"  label={quoted(snapshot.notice)};")

    def node(vertex: Vertex) -> str:
        card = cards[vertex.id]
        fill, edge, style = _KIND_STYLE[vertex.kind]
        ink = ""
        mark = "" if heat is None or vertex.kind == "output" else heat.mark(vertex.gradient)
        if mark:
            fill = {"bad": "warn"}.get(mark, mark)
            ink = f', fontcolor="{colour(f"ink-on-{mark}")}"' if mark.startswith("heat") else ""
        return (
            f"{vertex.id} [label={quoted((card.title, *card.details))}, "
            f'style="{style}", fillcolor="{colour(fill)}", color="{colour(edge)}"{ink}];'
        )

    def group(number: int) -> str:
        tint = colour(f"group{snapshot.depth(number) % 3}")
        label = quoted(snapshot.groups[number].label)
        return f'label={label}; style="filled"; fillcolor="{tint}"; color="{colour("group-edge")}";'

    edges = _edges(snapshot, None)
    return _digraph([*head, *_nested(snapshot, node, group), *edges])


def skeleton(
    snapshot: Snapshot,
    sizes: Mapping[int, tuple[float, float]],
    labels: Mapping[int, float],
    rankdir: RankDir,
) -> str:
    """The graph for layout only: boxes of given sizes, and no text of the user's at all.

    Labels that need room are rows of ``x`` in Courier, whose width every Graphviz knows.
    """
    head = [
        f"  rankdir={rankdir}; nodesep=0.22; ranksep=0.36; labeljust=l; {_upper_labels(rankdir)}",
        '  node [shape=box, fixedsize=true, label=""]; edge [arrowsize=0.6];',
        '  fontname="Courier"; fontsize=10; edge [fontname="Courier", fontsize=10];',
    ]

    def node(vertex: Vertex) -> str:
        width, height = sizes[vertex.id]
        return f"{vertex.id} [width={width / 72:.4f}, height={height / 72:.4f}];"

    def group(number: int) -> str:
        # Twice a short label's width, so that a line down the middle of a small box passes it by.
        width = max(labels[number], min(2 * labels[number], 140.0))
        return f'label="{"x" * max(1, round(width / 6))}"; margin=9;'

    edges = _edges(snapshot, "xxx")
    return _digraph([*head, *_nested(snapshot, node, group), *edges])


def _edges(snapshot: Snapshot, label: str | None) -> list[str]:
    """The edges; a merged one has its number as label, or the given stand-in of equal width."""
    kind = [vertex.kind for vertex in snapshot.vertices]
    fed = {e.target for e in snapshot.edges if kind[e.source] in ("leaf", "cut")}
    lines = []
    for e in snapshot.edges:
        # What flows between operations comes from above an operation's own leaves: otherwise the
        # boxes of two modules stand side by side and the main line drifts like a staircase.
        flows = kind[e.source] == "op"
        words = ["weight=12"] if flows else []
        words += ["minlen=2"] if flows and e.target in fed else []
        words += [f'label="{label or f"×{e.times}"}"'] if e.times > 1 else []
        lines.append(f"  {e.source} -> {e.target}" + (f" [{', '.join(words)}];" if words else ";"))
    return lines


def _upper_labels(rankdir: RankDir) -> str:
    """Groups' labels at the upper end, also where dot turns the drawing over."""
    return "labelloc=b;" if rankdir == "BT" else "labelloc=t;"


def _digraph(lines: list[str]) -> str:
    return "\n".join(["digraph {", *lines, "}", ""])


def _nested(
    snapshot: Snapshot, node: Callable[[Vertex], str], group: Callable[[int], str]
) -> list[str]:
    """The vertices inside their clusters, in drawing order, indented."""
    inside: dict[int | None, list[tuple[str, int]]] = {None: []}
    for vertex in snapshot.vertices:
        chain = []
        at = vertex.group
        while at is not None and at not in inside:
            chain.append(at)
            at = snapshot.groups[at].parent
        for number in reversed(chain):
            inside[number] = []
            inside[snapshot.groups[number].parent].append(("group", number))
        inside[vertex.group].append(("node", vertex.id))
    lines: list[str] = []
    # Depth first without recursion: a scope can be nested deeper than Python's stack.
    todo = [(1, kind, number) for kind, number in reversed(inside[None])]
    while todo:
        depth, kind, number = todo.pop()
        indent = "  " * depth
        if kind == "node":
            lines.append(indent + node(snapshot.vertices[number]))
        elif kind == "end":
            lines.append(indent + "}")
        else:
            lines.append(f"{indent}subgraph cluster_{number} {{ {group(number)}")
            todo.append((depth, "end", number))
            todo += [(depth + 1, *item) for item in reversed(inside[number])]
    return lines
