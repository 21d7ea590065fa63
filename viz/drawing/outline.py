"""A graph as text: the program that it recorded, line by line, indented by module."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from tensorgrad.viz.drawing.cards import formula_lines, gradient_text, leaf_name
from tensorgrad.viz.figures.words import (
    cells,
    count,
    padded,
    plural,
    shape,
    shorten,
    shorten_all,
    wrapped,
)
from tensorgrad.viz.snapshots.snapshot import Snapshot, Vertex

__all__ = ["outline"]

Row = tuple[str, str, str]

WIDTH = 80  # columns of a terminal
NAME = 36  # of them for a leaf's name; `data` has all of it


def outline(snapshot: Snapshot, show: tuple[str, ...]) -> str:
    """One line an operation, in the order in which they ran; ``%3`` is the third one's result.

    A dot stands for an argument that needs no gradient.  A leaf has a line of its own where it is
    first read, and is written by its name in the operations that read it.
    """
    writer = _Writer(snapshot, show)
    for vertex in snapshot.vertices:
        writer.vertex(vertex)
    return writer.finish()


def _short(arguments: list[str]) -> list[str]:
    """The arguments, of more than three of a kind one: what a folded run gives to a stack."""
    out: list[str] = []
    for name, same in groupby(arguments):
        times = len(list(same))
        out += [name] * times if times < 4 else [f"{name} ×{times}"]
    return out


def _most(lengths: Iterable[int], limit: int) -> int:
    """The largest of those that are not above a limit."""
    return max((n for n in lengths if n <= limit), default=0)


def _lines(row: Row, first: int, second: int) -> list[str]:
    """A row in its columns; what has no room beside its neighbours goes below them."""
    call, facts, notes = row
    line = f"{padded(call, first)}  {padded(facts, second)}  {notes}".rstrip()
    if cells(line) <= WIDTH:
        return [line]
    below = " " * (len(call) - len(call.lstrip()) + 6)
    room = WIDTH - 2 - min(cells(facts) + (2 + cells(notes) if notes else 0), WIDTH // 2)
    calls = wrapped(call, room if cells(call) <= room else WIDTH, below)
    left = f"{padded(calls[-1], first)}  {padded(facts, second)}  {notes}".rstrip()
    for beside in (left, "  ".join(filter(None, (calls[-1], facts, notes)))):
        if cells(beside) <= WIDTH:
            return [*calls[:-1], beside]
    return [*calls, *wrapped(below + "  ".join(filter(None, (facts, notes))), WIDTH, below)]


class _Writer:
    def __init__(self, snapshot: Snapshot, show: tuple[str, ...]) -> None:
        self.snapshot, self.show = snapshot, show
        names = list(dict.fromkeys(v.name for v in snapshot.vertices if v.kind == "leaf"))
        known = [name for name in names if name is not None]
        self.short = dict(zip(known, shorten_all(known, NAME, middle=True)))
        computed = (v.id for v in snapshot.vertices if v.kind in ("op", "module"))
        self.numbers = {vertex: n for n, vertex in enumerate(computed, 1)}
        self.rows: list[Row] = []
        self.open: list[int] = []  # the groups around the line being written
        self.written: set[int] = set()  # leaves

    def finish(self) -> str:
        rows = self.rows
        # Few long calls and few operations of many outputs must not push all others out of their
        # columns, or beyond those of a terminal.
        third = _most((cells(row[2]) for row in rows), 24)
        second = _most((cells(row[1]) for row in rows), 24)
        first = _most((cells(row[0]) for row in rows if any(row[1:])), min(44, 76 - second - third))
        lines = [line for row in rows for line in _lines(row, first, second)]
        summary = [line for part in self._summary() for line in wrapped(part)]
        return "\n".join([*summary, "", *lines])

    def vertex(self, vertex: Vertex) -> None:
        if vertex.kind == "cut" or (vertex.kind == "leaf" and vertex.leaf in self.written):
            return
        indent = "  " * self._enter(vertex.group)
        facts = self._facts(vertex)
        if vertex.kind == "leaf":
            assert vertex.leaf is not None
            self.written.add(vertex.leaf)
            leaf = self.snapshot.leaves[vertex.leaf]
            uses = "" if leaf.uses == 1 else f"  used {leaf.uses} times"
            kind = leaf.type if leaf.name is not None else "leaf"
            grad = f"  {gradient_text(vertex)}" if "grad" in self.show else ""
            self.rows.append((indent + self._leaf(vertex), facts, kind + uses + grad))
            return
        arguments = [self._argument(a.source, a.output) for a in vertex.arguments]
        if vertex.kind == "output":
            self.rows.append((f"{indent}{vertex.name} = {arguments[0]}", facts, ""))
            return
        inside = ", ".join(_short(arguments))
        if "params" in self.show and vertex.params:
            inside += f"; {vertex.params}"
        made = vertex.op
        notes = [f"# {vertex.name}"] if vertex.name else []
        if vertex.kind == "module":
            made, notes = f"[{vertex.name}]", [plural(vertex.operations, "operation")]
        call = f"{indent}%{self.numbers[vertex.id]} = {made}({shorten(inside, 120)})"
        if vertex.times > 1:
            notes.append(f"×{vertex.times}")
        if "grad" in self.show:
            notes.append(gradient_text(vertex))
        if "location" in self.show and vertex.file is not None:
            notes.append(f"{vertex.file}:{vertex.line}")
        self.rows.append((call, facts, "  ".join(notes)))
        if "formula" in self.show:
            self.rows += [(f"{indent}    {line}", "", "") for line in formula_lines(vertex)]

    def _enter(self, group: int | None) -> int:
        """Write the headings of the groups that this line is the first of; return the depth."""
        chain: list[int] = []
        while group is not None:
            chain.append(group)
            group = self.snapshot.groups[group].parent
        chain.reverse()
        same = 0
        while same < min(len(chain), len(self.open)) and chain[same] == self.open[same]:
            same += 1
        for depth in range(same, len(chain)):
            label = self.snapshot.groups[chain[depth]].label
            heading = "  " * depth + shorten(label, WIDTH - 20, middle=True)
            self.rows.append((heading, "", ""))
        self.open = chain
        return len(chain)

    def _argument(self, source: int | None, output: int | None) -> str:
        if source is None:
            return "·"
        vertex = self.snapshot.vertices[source]
        if vertex.kind == "leaf":
            return self._leaf(vertex)
        if vertex.kind == "cut":
            return "…"
        return f"%{self.numbers[source]}" + ("" if output is None else f"[{output}]")

    def _leaf(self, vertex: Vertex) -> str:
        name = leaf_name(self.snapshot, vertex)
        if vertex.name is None:
            return name.replace(" ", "#")
        # The part behind the module's path, unless that alone is too long.
        return name if cells(name) <= NAME else self.short[vertex.name]

    def _facts(self, vertex: Vertex) -> str:
        facts = []
        if "shape" in self.show:
            several = "  ".join(f"[{i}] {shape(dims)}" for i, dims in vertex.outputs)
            facts.append(several or shape(vertex.shape))
        if "dtype" in self.show:
            facts += [vertex.dtype] if vertex.dtype else []
        if "bytes" in self.show and vertex.leaf is not None:
            facts.append(f"{count(self.snapshot.leaves[vertex.leaf].nbytes)}B")
        return "  ".join(facts)

    def _summary(self) -> list[str]:
        snapshot = self.snapshot
        elements = 0
        for leaf in snapshot.leaves:
            size = 1
            for n in leaf.shape:
                size *= n
            elements += size
        parts = [
            plural(snapshot.operations, "operation"),
            f"{plural(len(snapshot.leaves), 'leaf tensor')} with {plural(elements, 'element')}",
            plural(sum(1 for _ in snapshot.of_kind("output")), "output"),
        ]
        line = "graph: " + ", ".join(parts)
        return [line, snapshot.notice] if snapshot.notice else [line]
