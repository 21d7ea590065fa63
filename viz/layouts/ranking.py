"""Ranks for a layered layout: every edge points down at least one row, and few edges are long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

__all__ = ["find_strands", "rank_items", "topological"]

Pair = tuple[int, int]

GATHERED = 4  # computed inputs above which an operation gathers (stack, cat)


def topological(n: int, edges: Sequence[Pair]) -> list[int]:
    """Items 0..n-1 so that edges go forward; shorter than n if there is a cycle."""
    incoming = [0] * n
    after: list[list[int]] = [[] for _ in range(n)]
    for tail, head in edges:
        incoming[head] += 1
        after[tail].append(head)
    order = [item for item in range(n) if not incoming[item]]
    for item in order:  # grows while it is walked
        for head in after[item]:
            incoming[head] -= 1
            if not incoming[head]:
                order.append(head)
    return order


def rank_items(n: int, edges: Sequence[Pair]) -> list[int]:
    """A rank for each item of an acyclic graph, from 0.

    Longest paths from the bottom, so that a leaf stands right above its consumer; then parts that
    hang by longer edges on one side are shifted to shorten them.  Network simplex would find the
    optimum; on graphs of computations it gains next to nothing and costs most of the time.
    """
    before: list[list[int]] = [[] for _ in range(n)]
    after: list[list[int]] = [[] for _ in range(n)]
    for tail, head in edges:
        after[tail].append(head)
        before[head].append(tail)
    rank = [0] * n
    for item in reversed(topological(n, edges)):
        rank[item] = min((rank[head] - 1 for head in after[item]), default=0)
    for _ in range(12):
        if not _shift_parts(rank, before, after):
            break
    if strands := find_strands(n, edges):
        _lift_strands(rank, edges, before, after, strands)
    lowest = min(rank, default=0)
    return [r - lowest for r in rank]


def _shift_parts(rank: list[int], before: list[list[int]], after: list[list[int]]) -> bool:
    """Shift each part joined by edges of length 1, if that shortens the edges leaving it."""
    part = _tight_parts(rank, after)
    members: dict[int, list[int]] = {}
    for item, root in enumerate(part):
        members.setdefault(root, []).append(item)
    moved = False
    for root, items in members.items():
        ups: list[int] = []
        downs: list[int] = []
        fan_in = fan_out = 0
        for item in items:
            ups += [rank[item] - rank[tail] for tail in before[item] if part[tail] != root]
            downs += [rank[head] - rank[item] for head in after[item] if part[head] != root]
            fan_in += sum(len(before[head]) for head in after[item] if part[head] != root)
            fan_out += sum(len(after[tail]) for tail in before[item] if part[tail] != root)
        # Where it is all the same, long edges are better at the end where many meet: they share
        # one way there.
        gathered = len(ups) == len(downs) and fan_in > 2 * fan_out
        if ups and (len(ups) > len(downs) or gathered) and (slack := min(ups) - 1) > 0:
            step = -slack
        elif len(downs) > len(ups) and (slack := min(downs) - 1) > 0:
            step = slack
        else:
            continue
        for item in items:
            rank[item] += step
        moved = True
    return moved


def find_strands(n: int, edges: Sequence[Pair]) -> set[int]:
    """What lies on a way of its own between something and a gathering of many (stack, cat)."""
    if max(Counter(head for _, head in edges).values(), default=0) <= GATHERED:
        return set()  # nothing gathers, as mostly
    before: list[list[int]] = [[] for _ in range(n)]
    after: list[list[int]] = [[] for _ in range(n)]
    for tail, head in edges:
        after[tail].append(head)
        before[head].append(tail)
    gathers = [sum(1 for tail in tails if before[tail]) > GATHERED for tails in before]
    strands: set[int] = set()
    for item in reversed(topological(n, edges)):
        if len(after[item]) == 1 and before[item]:
            head = after[item][0]
            if gathers[head] or head in strands:
                strands.add(item)
    return strands


def _lift_strands(
    rank: list[int],
    edges: Sequence[Pair],
    before: list[list[int]],
    after: list[list[int]],
    strands: set[int],
) -> None:
    """Draw strands up to the value that they come from; leaves come along.

    The outputs of a recurrent net's steps would all stand in the row above the operation that
    stacks them, far from their steps and as wide as there are steps; beside its step each is near
    what it belongs to, and the long ways to the gathering share one trunk.
    """
    for item in topological(len(rank), edges):
        if item not in strands:
            continue
        leaves = {t for t in before[item] if not before[t] and len(after[t]) == 1}
        flow = [rank[tail] for tail in before[item] if tail not in leaves]
        if flow:
            rank[item] = max(flow) + 1
            for leaf in leaves:
                rank[leaf] = rank[item] - 1


def _tight_parts(rank: list[int], after: list[list[int]]) -> list[int]:
    """Union-find over the edges of length 1: for each item the representative of its part."""
    parent = list(range(len(rank)))

    def find(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for tail, heads in enumerate(after):
        for head in heads:
            if rank[head] - rank[tail] == 1:
                a, b = find(tail), find(head)
                if a != b:
                    parent[max(a, b)] = min(a, b)
    return [find(item) for item in range(len(rank))]
