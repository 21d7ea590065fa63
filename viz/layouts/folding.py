"""Repeated blocks drawn once: the twelve equal blocks of a transformer as one box, marked ×12.

Blocks are equal if they are the same operations on the same shapes, connected in the same way, in
modules of the same classes; what stands in the leaves does not matter.  What repeats may be several
modules and operations in a row: the convolution, batch norm and ReLU of a stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tensorgrad.viz.layouts.quotient import quotient
from tensorgrad.viz.snapshots.snapshot import Group, Snapshot, Vertex

__all__ = ["fold_repeats"]

LEAST = 3  # repetitions worth folding: two are read as quickly as a mark
LONGEST = 8  # items of a level in one repetition

Item = tuple[str, int]  # ("g", group) or ("v", vertex) of a level


def fold_repeats(snapshot: Snapshot) -> Snapshot:
    """The snapshot with its runs of equal blocks folded, at every level of modules."""
    finder = _Finder(snapshot)
    finder.level(None)
    if not finder.folds:
        return snapshot
    return finder.folded() or snapshot


@dataclass(slots=True)
class _Fold:
    """A run: for each vertex of every repetition which one it is in, and its twin in the first."""

    copy: dict[int, int]
    twin: dict[int, int]
    times: int


class _Finder:
    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.folds: list[_Fold] = []
        self.folds_of: dict[int, list[_Fold]] = {}
        self.groups: list[Group] = list(snapshot.groups)
        self.moved: dict[int, int] = {}  # group or vertex into a group made for a run
        self.known: dict[Any, int] = {}  # signatures as numbers
        self.children: dict[int | None, list[Item]] = {None: []}
        self.members: dict[int, list[int]] = {g.id: [] for g in snapshot.groups}
        self._walk()
        self.signature: dict[int, int] = {}

    def _walk(self) -> None:
        seen: set[int] = set()
        for vertex in self.snapshot.vertices:
            item: Item = ("v", vertex.id)
            group = vertex.group
            while group is not None:
                self.members[group].append(vertex.id)
                group = self.snapshot.groups[group].parent
            group = vertex.group
            while True:
                self.children.setdefault(group, []).append(item)
                if group is None or group in seen:
                    break
                seen.add(group)
                item, group = ("g", group), self.snapshot.groups[group].parent

    # --- Finding runs ----------------------------------------------------------------------------

    def level(self, group: int | None) -> None:
        """Find the runs among the items of a level, then within what is left to be drawn."""
        todo: list[int | None] = [group]
        while todo:
            items = self.children.get(todo.pop(), [])
            marks = [self._mark(item) for item in items]
            i = 0
            while i < len(items):
                length, times = self._run(items, marks, i)
                todo += [number for kind, number in items[i : i + length] if kind == "g"]
                if times >= LEAST:
                    self._add(items, i, length, times)
                i += length * times

    def _run(self, items: Sequence[Item], marks: Sequence[int], i: int) -> tuple[int, int]:
        """How long the repetition that starts here is, and how often it comes; (1, 1) for none."""
        best = (1, 1)
        for length in range(1, min(LONGEST, (len(items) - i) // LEAST) + 1):
            if not any(kind == "g" for kind, _ in items[i : i + length]):
                continue
            first = self._whole(items[i : i + length])
            times = 1
            at = i + length
            while (
                marks[at : at + length] == marks[i : i + length]
                and self._whole(items[at : at + length]) == first
            ):
                times += 1
                at += length
            if times >= LEAST and length * times > best[0] * best[1]:
                times = self._in_a_row(items[i:at], length)
                if times >= LEAST and length * times > best[0] * best[1]:
                    best = (length, times)
        return best

    def _in_a_row(self, items: Sequence[Item], length: int) -> int:
        """How many repetitions from the first on read of the others but the one before them.

        Two streams through the same layers, in turns, are not one that is twice as long.
        """
        copy: dict[int, int] = {}
        for number, start in enumerate(range(0, len(items), length)):
            vertices = self._vertices(items[start : start + length])
            for v in vertices:
                for argument in self.snapshot.vertices[v].arguments:
                    source = argument.source
                    if source is not None and copy.get(source, number - 1) != number - 1:
                        return number
            copy.update(dict.fromkeys(vertices, number))
        return len(items) // length

    def _mark(self, item: Item) -> int:
        kind, number = item
        if kind == "g":
            if number not in self.signature:
                self.signature[number] = self._whole([item])
            return self.signature[number]
        return self._whole([item])

    def _whole(self, items: Sequence[Item]) -> int:
        """A number for what these items are together: equal numbers, equal blocks."""
        vertices = self._vertices(items)
        place = {v: k for k, v in enumerate(vertices)}
        levels: dict[int | None, int] = {}
        parts: list[Any] = []
        for v in vertices:
            vertex = self.snapshot.vertices[v]
            arguments = tuple(
                None if a.source is None else (place.get(a.source, -1), a.output)
                for a in vertex.arguments
            )
            if vertex.group not in levels:
                levels[vertex.group] = len(levels)
                parts.append(self._modules(vertex.group, items))
            parts.append((_kind(vertex), levels[vertex.group], arguments))
        return self.known.setdefault(tuple(parts), len(self.known))

    def _modules(self, group: int | None, items: Sequence[Item]) -> tuple[str, ...]:
        """The classes of the modules around a vertex, up to the level of the items."""
        tops = {number for kind, number in items if kind == "g"}
        chain = []
        while group is not None:
            chain.append(self.snapshot.groups[group].cls)
            if group in tops:
                return tuple(chain)
            group = self.snapshot.groups[group].parent
        return ()

    def _vertices(self, items: Sequence[Item]) -> list[int]:
        found: list[int] = []
        for kind, number in items:
            found += self.members[number] if kind == "g" else [number]
        return found

    # --- Folding ---------------------------------------------------------------------------------

    def _add(self, items: Sequence[Item], i: int, length: int, times: int) -> None:
        runs = [items[i + k * length : i + (k + 1) * length] for k in range(times)]
        copies = [self._vertices(run) for run in runs]
        fold = _Fold({}, {}, times)
        for k, copy in enumerate(copies):
            fold.copy.update(dict.fromkeys(copy, k))
            fold.twin.update(zip(copy, copies[0]))
        self.folds.append(fold)
        for v in fold.copy:
            self.folds_of.setdefault(v, []).append(fold)
        named = [[self.groups[n] for kind, n in run if kind == "g"] for run in (runs[0], runs[-1])]
        first, last = named[0][0], named[1][-1]
        name = first.name if first.name == last.name else f"{first.name} … {last.name}"
        if length == 1:
            whole = replace(first, name=name, call=1, calls=1, times=times)
            self.groups[first.id] = whole
            return
        cls = ", ".join(group.cls for group in named[0])
        made = Group(len(self.groups), name, cls, "", first.parent, 1, 1, times, made=True)
        self.groups.append(made)
        for kind, number in runs[0]:
            if kind == "g":
                self.groups[number] = replace(self.groups[number], parent=made.id)
            else:
                self.moved[number] = made.id

    def folded(self) -> Snapshot | None:
        """The snapshot with what was found; None if that would be no longer acyclic."""
        vertices = self.snapshot.vertices
        stands = [self._follow(v)[0] for v in range(len(vertices))]
        beside = self._beside(stands)
        largest: dict[int, float] = {}
        for vertex in vertices:
            if vertex.gradient is not None:
                at = stands[vertex.id]
                largest[at] = _larger(largest.get(at), vertex.gradient)
        # Copies of a module's calls are counted as calls no more where they are one box now.
        replaced = {
            v: replace(
                vertices[v],
                group=self.moved.get(v, vertices[v].group),
                gradient=largest.get(v),
                times=beside.get(v, 1),
            )
            for v in set(stands)
        }
        return quotient(self.snapshot, stands, self._kept, replaced, self.groups)

    def _beside(self, stands: list[int]) -> dict[int, int]:
        """Fold what each repetition feeds outside, like the fifty slices of a stacked sequence.

        Equal operations that read the same of what is folded are drawn once too; how many times.
        """
        rows: dict[Any, list[int]] = {}
        drawn = set(self.folds_of)
        for vertex in self.snapshot.vertices:
            sources = [a.source for a in vertex.arguments if a.source is not None]
            if vertex.kind != "op" or vertex.id in self.folds_of or not drawn & set(sources):
                continue
            reads = tuple((a.source and stands[a.source], a.output) for a in vertex.arguments)
            row = rows.setdefault((_kind(vertex), vertex.group, reads), [])
            row.append(vertex.id)
            if len(row) == LEAST:
                drawn.update(row)
            if len(row) >= LEAST:
                drawn.add(vertex.id)
                stands[row[1]] = stands[row[2]] = stands[vertex.id] = row[0]
        return {row[0]: len(row) for row in rows.values() if len(row) >= LEAST}

    def _follow(self, v: int) -> tuple[int, list[tuple[_Fold, int]]]:
        """The vertex that is drawn for this one, and the repetitions that this one is in."""
        path: list[tuple[_Fold, int]] = []
        done = 0
        while True:
            folds = self.folds_of.get(v, [])
            if done >= len(folds):
                return v, path
            fold = folds[done]
            path.append((fold, fold.copy[v]))
            v = fold.twin[v]
            done += 1

    def _kept(self, source: int, target: int) -> bool:
        """Edges from one repetition to another are not drawn, those within only in the first."""
        of = {id(fold): copy for fold, copy in self._follow(source)[1]}
        for fold, copy in self._follow(target)[1]:
            other = of.get(id(fold))
            if other is not None and (other != copy or copy):
                return False
        return True


def _kind(vertex: Vertex) -> tuple[Any, ...]:
    return (
        vertex.kind,
        vertex.op,
        vertex.shape,
        vertex.dtype,
        vertex.params,
        tuple(shape for _, shape in vertex.outputs),
    )


def _larger(a: float | None, b: float) -> float:
    """The larger of two norms; NaN is the largest of all."""
    return b if a is None or b != b or b > a else a
