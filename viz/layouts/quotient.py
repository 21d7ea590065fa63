"""A snapshot in which several vertices are drawn as one: the common part of folding and closing."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from tensorgrad.viz.snapshots.snapshot import Argument, Edge, Group, Snapshot, Vertex

__all__ = ["quotient"]


def quotient(
    snapshot: Snapshot,
    stands: Sequence[int],
    kept: Callable[[int, int], bool],
    replaced: Mapping[int, Vertex],
    groups: Sequence[Group],
) -> Snapshot | None:
    """The snapshot with each vertex drawn by the one that stands for it; None if that is a cycle.

    ``stands`` names a vertex for each; of the edges those are drawn that are ``kept``.
    ``replaced`` has vertices to draw in place of some, with the old ids of arguments and of groups,
    ``groups`` all groups; those in which nothing is left are dropped.
    """
    times: dict[tuple[int, int], int] = {}
    for edge in snapshot.edges:
        pair = stands[edge.source], stands[edge.target]
        if pair[0] != pair[1] and kept(edge.source, edge.target):
            times[pair] = times.get(pair, 0) + edge.times
    order = _order(stands, list(times))
    if order is None:
        return None
    new = {old: i for i, old in enumerate(order)}
    drawn = [replaced.get(old, snapshot.vertices[old]) for old in order]
    group_ids, left = _used_groups(groups, drawn)
    vertices = tuple(
        replace(
            vertex,
            id=i,
            group=None if vertex.group is None else group_ids[vertex.group],
            arguments=tuple(_argument(a, order[i], stands, new) for a in vertex.arguments),
        )
        for i, vertex in enumerate(drawn)
    )
    edges = sorted((new[b], new[a], n) for (a, b), n in times.items())
    return replace(
        snapshot,
        vertices=vertices,
        edges=tuple(Edge(a, b, n) for b, a, n in edges),
        groups=left,
    )


def _argument(
    argument: Argument, reader: int, stands: Sequence[int], new: Mapping[int, int]
) -> Argument:
    if argument.source is None:
        return argument
    source = stands[argument.source]
    # What a repeated block reads from the one before it has no place in the drawing.
    return Argument(None if source == reader else new[source], argument.output)


def _order(stands: Sequence[int], pairs: list[tuple[int, int]]) -> list[int] | None:
    """The vertices that are drawn, inputs before consumers, else in their old order."""
    drawn = dict.fromkeys(stands)
    incoming = dict.fromkeys(drawn, 0)
    after: dict[int, list[int]] = {stand: [] for stand in drawn}
    for a, b in pairs:
        incoming[b] += 1
        after[a].append(b)
    ready = [stand for stand in drawn if not incoming[stand]]
    heapq.heapify(ready)
    order = []
    while ready:
        stand = heapq.heappop(ready)
        order.append(stand)
        for b in after[stand]:
            incoming[b] -= 1
            if not incoming[b]:
                heapq.heappush(ready, b)
    return order if len(order) == len(drawn) else None


def _used_groups(
    groups: Sequence[Group], drawn: Sequence[Vertex]
) -> tuple[dict[int, int], tuple[Group, ...]]:
    """New numbers of the groups that hold something, outer ones first, and those groups."""
    used: set[int] = set()
    for vertex in drawn:
        group = vertex.group
        while group is not None and group not in used:
            used.add(group)
            group = groups[group].parent
    depth: dict[int | None, int] = {None: 0}

    def depth_of(group: int | None) -> int:
        chain = []
        while group not in depth:
            assert group is not None
            chain.append(group)
            group = groups[group].parent
        for inner in reversed(chain):
            depth[inner] = depth[groups[inner].parent] + 1
        return depth[chain[0]] if chain else depth[group]

    ordered = sorted(used, key=lambda group: (depth_of(group), group))
    ids = {group: i for i, group in enumerate(ordered)}
    left = tuple(
        replace(groups[g], id=i, parent=None if groups[g].parent is None else ids[groups[g].parent])  # type: ignore[index]  # a parent of a used group is used
        for g, i in ids.items()
    )
    return ids, left
