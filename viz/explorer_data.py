"""What the explorer's page is made of: a snapshot with statistics, formulas and source lines."""

from __future__ import annotations

import linecache
from collections.abc import Iterable
from typing import Any

from tensorgrad.viz.drawing.cards import Card, formula_lines, leaf_name, make_cards
from tensorgrad.viz.figures.theme import HEAT
from tensorgrad.viz.figures.words import count, plural, shape, shorten, text_width, visible
from tensorgrad.viz.layouts.grouping import GroupTree
from tensorgrad.viz.snapshots.snapshot import Snapshot, Vertex
from tensorgrad.viz.snapshots.statistics import ArrayStats, array_stats
from tensorgrad.viz.tracing import Recording, Trace

__all__ = ["explorer_data", "summary"]

NEIGHBOURS = 3  # lines of the program above and below the one that made a node
LINE_LIMIT = 160

# Behind each vertex: its node, its leaf tensor, or None.
Sources = list[Any]


def explorer_data(
    snapshot: Snapshot,
    sources: Sources,
    trace: Trace | None,
    recording: Recording | None,
    title: str,
) -> dict[str, Any]:
    """The page's data: plain dicts, lists, strings and numbers."""
    tree = GroupTree(snapshot)
    cards = make_cards(snapshot, ("shape",))
    lines = _Lines()
    return {
        "title": title,
        "notice": snapshot.notice,
        "heat": [list(stop) for stop in HEAT],
        "traced": trace is not None,
        "recorded": recording is not None,
        "nodes": [
            _node(snapshot, v, cards[v.id], tree.home[v.id], source, recording, lines)
            for v, source in zip(snapshot.vertices, sources)
        ],
        "edges": [[e.source, e.target, e.times] for e in snapshot.edges],
        "groups": [_group(snapshot, tree, g) for g in range(len(snapshot.groups))],
        "leaves": _leaves(snapshot, sources),
        "steps": [] if trace is None else _steps(snapshot, sources, trace),
        "lines": lines.found,
    }


def _node(
    snapshot: Snapshot,
    vertex: Vertex,
    card: Card,
    home: int | None,
    source: Any,
    recording: Recording | None,
    lines: _Lines,
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "kind": vertex.kind,
        "title": card.title,
        "details": list(card.details),
        "width": card.width,
        "height": card.height,
        "name": _full_name(snapshot, vertex),
        "op": vertex.op,
        "shape": ", ".join(f"[{i}] {shape(d)}" for i, d in vertex.outputs) or shape(vertex.shape),
        "dtype": vertex.dtype,
        "home": home,
    }
    if vertex.leaf is not None:
        made["leaf"] = vertex.leaf
    if vertex.kind != "op":
        return made
    op = source.op
    names = list(op.arguments)
    made["arguments"] = [
        [names[i] if i < len(names) else f"x{i}", argument.source, argument.output]
        for i, argument in enumerate(vertex.arguments)
    ]
    made["params"] = vertex.params
    first = (op.__doc__ or "").strip().partition("\n")[0]
    made["forward"] = visible(first.replace("``", ""))
    made["backward"] = formula_lines(vertex)
    if not made["backward"] and getattr(op, "prose", None):
        made["prose"] = visible(" ".join(op.prose.split()))
    made["values"] = _values(vertex, source, recording)
    place = source.location
    if place is not None:
        made["place"] = [vertex.file, vertex.line, vertex.function]
        made["source"] = lines.around(place[0], place[1])
    return made


def _full_name(snapshot: Snapshot, vertex: Vertex) -> str:
    if vertex.leaf is not None:
        return snapshot.leaves[vertex.leaf].name or leaf_name(snapshot, vertex)
    return vertex.name or vertex.op


def _values(vertex: Vertex, node: Any, recording: Recording | None) -> list[Any]:
    """The statistics of each output that is known; none without a recording."""
    if recording is None:
        return []
    if not vertex.outputs:
        return _known([(None, recording.of(node))])
    return _known([(index, recording.of(node, index)) for index, _ in vertex.outputs])


def _known(found: Iterable[tuple[int | None, ArrayStats | None]]) -> list[dict[str, Any]]:
    """Statistics for the page; ``output`` says which of several outputs they are of."""
    return [
        stats.as_dict() if index is None else {"output": index, **stats.as_dict()}
        for index, stats in found
        if stats is not None
    ]


def _group(snapshot: Snapshot, tree: GroupTree, number: int) -> dict[str, Any]:
    group = snapshot.groups[number]
    label = shorten(group.label, 40)
    # The room beside the text is for the mark that says whether the module is open.
    return {
        "label": label,
        "cls": group.cls,
        "path": group.path,
        "parent": tree.parent[number],
        "width": round(text_width(label, 10.0) * 1.06 + 18, 1),
    }


def _leaves(snapshot: Snapshot, sources: Sources) -> list[dict[str, Any]]:
    """Each leaf once: its value and accumulated gradient as they are now."""
    tensors = {v.leaf: s for v, s in zip(snapshot.vertices, sources) if v.leaf is not None}
    made = []
    for number, leaf in enumerate(snapshot.leaves):
        tensor = tensors[number]
        grad = tensor.grad
        made.append(
            {
                "type": leaf.type,
                "size": count(leaf.nbytes) + "B",
                "uses": leaf.uses,
                "value": array_stats(tensor.detach().numpy()).as_dict(),
                "grad": None if grad is None else array_stats(grad.detach().numpy()).as_dict(),
            }
        )
    return made


def _steps(snapshot: Snapshot, sources: Sources, trace: Trace) -> list[dict[str, Any]]:
    """The arrivals that concern this graph: the vertices that each reaches, what arrived."""
    vertices: dict[Any, list[int]] = {}
    for vertex, source in zip(snapshot.vertices, sources):
        if source is not None:
            vertices.setdefault(trace.key_of(source), []).append(vertex.id)
    steps = []
    for arrival in trace.arrivals:
        reached = vertices.get((arrival.seq, arrival.leaf))
        if reached is None or arrival.seq is arrival.leaf is None:
            continue
        stats = arrival.stats
        parts = enumerate(stats) if isinstance(stats, tuple) else [(None, stats)]
        steps.append({"nodes": reached, "stats": _known(parts)})
    return steps


class _Lines:
    """Lines of programs around the places that made nodes; each place is stored once."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []
        self.places: dict[tuple[str, int], int | None] = {}

    def around(self, path: str, line: int) -> int | None:
        """The number of an excerpt in ``found``; None where the program cannot be read."""
        key = (path, line)
        if key not in self.places:
            self.places[key] = self._read(path, line)
        return self.places[key]

    def _read(self, path: str, line: int) -> int | None:
        text = linecache.getlines(path)  # which also knows the cells of a notebook
        if not 1 <= line <= len(text):
            return None
        first = max(1, line - NEIGHBOURS)
        near = [one.rstrip("\n").expandtabs(4) for one in text[first - 1 : line + NEIGHBOURS]]
        # Less the indentation that all share: the column is narrow.
        margin = min((len(one) - len(one.lstrip()) for one in near if one.strip()), default=0)
        near = [one[margin:] for one in near]
        self.found.append(
            {
                "first": first,
                "line": line,
                "text": [shorten(visible(one), LINE_LIMIT) for one in near],
            }
        )
        return len(self.found) - 1


def summary(data: dict[str, Any]) -> str:
    """What the page shows, in two or three lines of text."""
    operations = sum(node["kind"] == "op" for node in data["nodes"])
    lines = [
        f"explorer: {plural(operations, 'operation')}, {plural(len(data['leaves']), 'leaf tensor')}"
    ]
    lines.append("values: recorded" if data["recorded"] else "values: not kept (viz.record)")
    lines.append(
        f"backward: {plural(len(data['steps']), 'step')}"
        if data["traced"]
        else "backward: not traced (viz.trace_backward)"
    )
    return "\n".join(lines)
