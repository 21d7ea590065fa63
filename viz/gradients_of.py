"""The norms of gradients in a snapshot: from a trace, or from what leaves have accumulated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tensorgrad.viz.snapshots.snapshot import Snapshot
from tensorgrad.viz.snapshots.statistics import ArrayStats, array_stats
from tensorgrad.viz.tracing import Trace

__all__ = ["norm_of", "with_gradients"]


def with_gradients(snapshot: Snapshot, sources: Sequence[Any], trace: Trace | None) -> Snapshot:
    """The snapshot with the norm of the gradient that arrived last at each vertex.

    Without a trace that of a leaf is its ``.grad``, and of operations none is known.
    """
    arrived = {} if trace is None else {(a.seq, a.leaf): list(a.parts) for a in trace.arrivals}
    vertices = []
    for vertex, source in zip(snapshot.vertices, sources):
        parts: list[ArrayStats] = []
        if trace is not None and source is not None:
            key = trace.key_of(source)
            parts = [] if key == (None, None) else arrived.get(key, [])
        elif vertex.kind == "leaf" and source.grad is not None:
            parts = [array_stats(source.grad.detach().numpy())]
        vertices.append(replace(vertex, gradient=norm_of(parts)) if parts else vertex)
    return replace(snapshot, vertices=tuple(vertices))


def norm_of(parts: Sequence[ArrayStats]) -> float | None:
    """The norm over all parts; NaN or infinite where an element is, None of no elements."""
    statuses = {part.status for part in parts}
    for bad in ("nan", "inf"):
        if bad in statuses:
            return float(bad)
    known = [part.norm for part in parts if part.norm is not None]
    return math.hypot(*known) if known else None
