"""A computation graph as plain data: what every renderer of it reads, and nothing of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["Argument", "Edge", "Group", "Leaf", "Snapshot", "Vertex"]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of an operation: the vertex it comes from, and which of its outputs.

    ``source`` is None for an argument that needs no gradient: the graph does not know it.
    """

    source: int | None
    output: int | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf tensor, however often it is drawn: its name, type, shape, dtype and uses."""

    name: str | None
    type: str
    shape: tuple[int, ...]
    dtype: str
    nbytes: int
    uses: int


@dataclass(frozen=True, slots=True)
class Vertex:
    """One thing to draw.  ``id`` is its index in `Snapshot.vertices`, inputs before consumers.

    kind: ``op`` (an operation), ``leaf`` (one use of a leaf tensor), ``output`` (a root), ``cut``
    (stands for inputs that ``max_nodes`` left out), ``module`` (a closed one, of ``operations``).
    ``times`` is how many equal operations in parallel it stands for.  ``group`` indexes
    `Snapshot.groups`, ``leaf`` indexes `Snapshot.leaves`.  ``formula`` has an equation for the
    gradient of each argument, where it is known.  An operation with several outputs has no
    ``shape`` but ``outputs``: index and shape of each that the graph uses.  ``file`` is relative to
    the working folder, or else the file's name alone: a saved picture does not tell where its
    author lives.  ``gradient`` is the
    norm of the gradient that arrived (of several vertices drawn as one, the largest), None where
    none is known.
    """

    id: int
    kind: Literal["op", "leaf", "output", "cut", "module"]
    op: str
    name: str | None
    shape: tuple[int, ...] | None
    dtype: str
    group: int | None
    arguments: tuple[Argument, ...] = ()
    outputs: tuple[tuple[int, tuple[int, ...]], ...] = ()
    formula: tuple[str | None, ...] = ()
    params: str = ""
    file: str | None = None
    line: int | None = None
    function: str | None = None
    leaf: int | None = None
    operations: int = 0
    gradient: float | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Edge:
    """From one vertex to another; ``times`` counts the arguments that it stands for."""

    source: int
    target: int
    times: int = 1


@dataclass(frozen=True, slots=True)
class Group:
    """A call of a module: its name in its parent, class, dotted path, and the group around it.

    ``call`` numbers the calls of the same module within this graph from 1; ``calls`` is how many
    there are.  ``times`` is how many equal blocks in a row it stands for; a group that was ``made``
    for such a row is no module of its own.
    """

    id: int
    name: str
    cls: str
    path: str
    parent: int | None
    call: int
    calls: int
    times: int = 1
    made: bool = False

    @property
    def label(self) -> str:
        """``conv1: Conv2d``, ``Net``, ``rnn: Cell (call 2 of 5)``, ``0 … 11: Block ×12``."""
        label = f"{self.name}: {self.cls}" if self.name else self.cls
        if self.times > 1:
            return f"{label} ×{self.times}"
        return f"{label} (call {self.call} of {self.calls})" if self.calls > 1 else label


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The graph: vertices, merged edges, the groups around them, and how much was left out.

    ``total`` counts the operations, uses of leaves and outputs of the whole graph, ``hidden``
    those that ``max_nodes``, the limit that was asked for, has left out.  ``operations`` counts
    those that were taken, also where several are drawn as one.
    """

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]
    groups: tuple[Group, ...]
    leaves: tuple[Leaf, ...]
    total: int
    hidden: int
    max_nodes: int | None
    operations: int = 0

    @property
    def notice(self) -> str | None:
        """What to tell the reader when ``max_nodes`` has cut the graph; None if it is whole."""
        if not self.hidden:
            return None
        shown = self.total - self.hidden
        return (
            f"{shown:,} of {self.total:,} nodes shown (max_nodes={self.max_nodes}); … marks a cut"
        )

    def of_kind(self, kind: str) -> Iterator[Vertex]:
        """The vertices of one kind, in order."""
        return (vertex for vertex in self.vertices if vertex.kind == kind)

    def depth(self, group: int | None) -> int:
        """How many groups are around this one; 0 for the outermost, -1 for none at all."""
        depth = -1
        while group is not None:
            depth += 1
            group = self.groups[group].parent
        return depth

    def as_dict(self) -> dict[str, Any]:
        """The snapshot as dicts, lists, strings and numbers."""
        return asdict(self)
