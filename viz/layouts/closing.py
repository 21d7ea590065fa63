"""Modules below a depth drawn as one box each."""

from __future__ import annotations

from collections.abc import Sequence

from tensorgrad.viz.layouts.grouping import GroupTree
from tensorgrad.viz.layouts.quotient import quotient
from tensorgrad.viz.snapshots.snapshot import Argument, Snapshot, Vertex

__all__ = ["close_modules"]


def close_modules(snapshot: Snapshot, depth: int) -> Snapshot:
    """The snapshot with ``depth`` levels of modules open, and the modules below as single boxes."""
    tree = GroupTree(snapshot)
    closed: dict[int | None, int | None] = {None: None}
    for home in set(tree.home):
        real = [g for g in tree.chain(home) if g is not None and not snapshot.groups[g].made]
        closed[home] = real[depth] if len(real) > depth else None
    members: dict[int, list[int]] = {}
    for vertex in snapshot.vertices:
        group = closed[tree.home[vertex.id]]
        if group is not None:
            members.setdefault(group, []).append(vertex.id)
    stands = list(range(len(snapshot.vertices)))
    replaced = {}
    for group, inside in members.items():
        for v in inside:
            stands[v] = inside[0]
        replaced[inside[0]] = _module(snapshot, group, inside)
    return quotient(snapshot, stands, lambda a, b: True, replaced, snapshot.groups) or snapshot


def _module(snapshot: Snapshot, group: int, inside: Sequence[int]) -> Vertex:
    """The box of a closed module: what it reads, the shape of what it gives, if that is one."""
    own = set(inside)
    vertices = [snapshot.vertices[v] for v in inside]
    sources = dict.fromkeys(
        (a.source, a.output)
        for vertex in vertices
        for a in vertex.arguments
        if a.source is not None and a.source not in own
    )
    given = {e.source for e in snapshot.edges if e.source in own and e.target not in own}
    result = snapshot.vertices[given.pop()] if len(given) == 1 else None
    norms = [vertex.gradient for vertex in vertices if vertex.gradient is not None]
    return Vertex(
        id=inside[0],
        kind="module",
        op="",
        name=snapshot.groups[group].label,
        shape=None if result is None else result.shape,
        dtype="" if result is None else result.dtype,
        group=snapshot.groups[group].parent,
        arguments=tuple(Argument(source, output) for source, output in sources),
        operations=sum(v.operations if v.kind == "module" else v.kind == "op" for v in vertices),
        # NaN is the largest of all.
        gradient=max(norms, key=lambda norm: (norm != norm, norm), default=None),
    )
