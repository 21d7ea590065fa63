"""From the engine's nodes to a `Snapshot`: the one place of viz that walks a graph."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tensorgrad.viz.figures.words import visible
from tensorgrad.viz.snapshots.describe import dtype_of, formula_of, nbytes_of, parameters_of
from tensorgrad.viz.snapshots.naming import is_tensor, kind_of, named_scopes
from tensorgrad.viz.snapshots.places import short_path
from tensorgrad.viz.snapshots.snapshot import Argument, Edge, Group, Leaf, Snapshot, Vertex

__all__ = ["capture", "capture_with_sources"]


def capture(roots: Any, names: Iterable[tuple[str, Any]], max_nodes: int | None) -> Snapshot:
    """The graph behind ``roots`` (Tensors or nodes): shapes, places and names; never values.

    ``names`` are (name, Tensor) pairs: a leaf's name, or one for the operation that made the
    tensor.  With ``max_nodes`` the operations nearest the roots are kept.  Needs no buffers, so it
    works after ``backward``; takes no reference to a node or tensor with it.
    """
    return capture_with_sources(roots, names, max_nodes)[0]


def capture_with_sources(
    roots: Any,
    names: Iterable[tuple[str, Any]],
    max_nodes: int | None,
    modules: Mapping[int, str] | None = None,
    caller: str = "viz.graph",
) -> tuple[Snapshot, list[Any]]:
    """The snapshot, and what stands behind each vertex: a node, a leaf tensor, or None.

    ``modules`` are names for modules by their ``id()``.  The second is for looking things up while
    the figure is made, and must not be kept in it.
    """
    of = "loss" if caller == "viz.explore" else "root"
    called: list[str]  # what the picture writes on the roots
    if isinstance(roots, Mapping):
        named = list(_named_roots(roots, ""))
        tensors, called = [root for _, root in named], [f"output {name}" for name, _ in named]
        words = [f"{of}[{name!r}]" for name, _ in named]
        if not named:
            raise TypeError(
                f"{caller}: {of} must be a Tensor, or a dict or list with Tensors that have a "
                "graph, got dict without one"
            )
    else:
        tensors = list(roots) if isinstance(roots, tuple | list) else [roots]
        several = range(len(tensors)) if len(tensors) > 1 else ()
        called = [f"output {index}" for index in several] or ["output"]
        words = [f"{of}[{index}]" for index in several] or [of]
    if not tensors:
        raise ValueError(
            f"{caller}: {of} is empty: there is nothing to draw; pass a Tensor, or a list with one"
        )
    starts = [_root(root, f"{caller}: {which}") for which, root in zip(words, tensors)]
    kept, total = _nearest(starts, max_nodes)
    labels: dict[int, list[str]] = {}
    for name, tensor in names:
        key = id(tensor) if tensor.grad_fn is None else id(_operation(tensor.grad_fn))
        labels.setdefault(key, []).append(visible(name))
    shown = {key: " = ".join(dict.fromkeys(found)) for key, found in labels.items()}
    builder = _Builder(shown, modules or {})
    kept_ids = {id(node) for node in kept}
    for node in _in_order(kept):
        builder.operation(node, kept_ids)
    for name, start in zip(called, starts):
        builder.output(start, visible(name))
    return builder.finish(total, max_nodes), builder.sources


def _named_roots(found: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The tensors with a graph in what a model returned, by their keys: ``scores``, ``boxes.0``."""
    if isinstance(found, Mapping):
        for key, value in found.items():
            yield from _named_roots(value, f"{name}.{key}" if name else str(key))
    elif isinstance(found, tuple | list):
        for index, value in enumerate(found):
            yield from _named_roots(value, f"{name}.{index}")
    elif is_tensor(found) and (found.requires_grad or found.grad_fn is not None):
        yield name, found


class _Root(NamedTuple):
    """Where the walk from one root begins: at an operation (and which output), or at a leaf."""

    operation: Any
    output: int | None
    leaf: Any
    shape: tuple[int, ...] | None
    dtype: str


def _root(root: Any, which: str) -> _Root:
    node = root
    if is_tensor(root):
        node = root.grad_fn
        if node is None and not root.requires_grad:
            raise RuntimeError(
                f"{which} has no graph: it was computed from tensors none of which "
                "requires grad, or under no_grad(); set requires_grad=True on what you want to see"
            )
        if node is None:
            return _Root(None, None, root, tuple(root.shape), dtype_of(root))
    elif not (hasattr(root, "inputs") and hasattr(root, "op")) or isinstance(root, type):
        raise TypeError(f"{which} must be a Tensor or a node (tensor.grad_fn), got {kind_of(root)}")
    if _leaf(node) is not None:
        return _Root(None, None, _leaf(node), tuple(node.shape), str(node.dtype))
    output = getattr(node, "index", None)
    if not _has_several_outputs(node):
        return _Root(_operation(node), output, None, tuple(node.shape), str(node.dtype))
    if is_tensor(root):
        return _Root(node, root.output_nr, None, tuple(root.shape), dtype_of(root))
    return _Root(node, None, None, None, str(node.dtype[0]))


def _has_several_outputs(node: Any) -> bool:
    """Such a node has a tuple of shapes and dtypes; the nodes of its outputs have one each."""
    return isinstance(node.dtype, tuple)


def _leaf(node: Any) -> Any:
    """The leaf tensor whose gradient this node accumulates, or None."""
    return getattr(node, "variable", None)


def _operation(node: Any) -> Any:
    """The operation behind a node: one of its several outputs stands for the whole."""
    return node.inputs[0] if hasattr(node, "index") else node


def _nearest(starts: Sequence[_Root], limit: int | None) -> tuple[list[Any], int]:
    """The operations to draw, breadth first from the roots, and the size of the whole graph.

    An operation counts with the leaves drawn beside it.  The walk goes on after the limit, only to
    count: a picture that says how much it hides is worth a second on a million nodes.
    """
    kept: list[Any] = []
    total = drawn = len(starts)
    total += sum(start.leaf is not None for start in starts)
    first = {id(start.operation): start.operation for start in starts if start.leaf is None}
    seen = set(first)
    queue = deque(first.values())
    full = False
    while queue:
        node = queue.popleft()
        leaves = set()
        for edge in node.inputs:
            if edge is None:
                continue
            leaf = _leaf(edge)
            if leaf is not None:
                leaves.add(id(leaf))
                continue
            source = _operation(edge)
            if id(source) not in seen:
                seen.add(id(source))
                queue.append(source)
        size = 1 + len(leaves)
        total += size
        # Kept is a prefix of the walk: skipping one large operation and going on behind it would
        # leave holes in the middle of the picture.
        full = full or (limit is not None and bool(kept) and drawn + size > limit)
        if not full:
            kept.append(node)
            drawn += size
    return kept, total


def _in_order(nodes: list[Any]) -> list[Any]:
    """Inputs before consumers, in the order in which the program made them."""
    ordered = sorted(nodes, key=lambda node: node.seq)
    place = {id(node): i for i, node in enumerate(ordered)}
    for i, node in enumerate(ordered):
        for edge in node.inputs:
            if edge is not None and place.get(id(_operation(edge)), -1) >= i:
                raise RuntimeError(
                    f"viz.graph: node {node.seq} ({node.op.name}) is older than its input "
                    f"{edge.seq}: the graph has a cycle or was altered by hand"
                )
    return ordered


class _Builder:
    """Collects vertices, groups and leaves in drawing order."""

    def __init__(self, names: dict[int, str], modules: Mapping[int, str]) -> None:
        self.names, self.modules = names, modules
        self.vertices: list[Vertex] = []
        self.sources: list[Any] = []  # the node or leaf behind each vertex
        self.ids: dict[int, int] = {}  # id(operation) -> vertex
        self.leaves: dict[int, tuple[int, Any]] = {}  # id(tensor) -> (number, tensor)
        self.uses: list[int] = []
        self.groups: list[Group] = []
        self.group_ids: dict[Any, int] = {}
        self.calls: dict[Any, list[int]] = {}
        self.outputs: dict[int, dict[int, tuple[int, ...]]] = {}
        self.here = os.getcwd()

    def operation(self, node: Any, kept: set[int]) -> None:
        """Add an operation, after one vertex for each leaf that it reads."""
        group = self._group(node.scope)
        own: dict[int, int] = {}  # the leaves already drawn for this operation
        cut: int | None = None
        arguments = []
        for edge in node.inputs:
            if edge is None:
                arguments.append(Argument(None))
                continue
            leaf = _leaf(edge)
            if leaf is not None:
                if id(leaf) not in own:
                    own[id(leaf)] = self._leaf_vertex(leaf, group)
                arguments.append(Argument(own[id(leaf)]))
                continue
            source = _operation(edge)
            index = getattr(edge, "index", None)
            if id(source) not in kept:
                if cut is None:
                    cut = self._add(
                        None, kind="cut", op="", name=None, shape=None, dtype="", group=group
                    )
                arguments.append(Argument(cut))
                continue
            if index is not None:
                self.outputs.setdefault(id(source), {})[index] = tuple(edge.shape)
            arguments.append(Argument(self.ids[id(source)], index))
        place = node.location
        several = _has_several_outputs(node)
        self.ids[id(node)] = self._add(
            node,
            kind="op",
            op=visible(node.op.name),
            name=self.names.get(id(node)),
            # An operation with several outputs has a tuple of each; `finish` writes the shapes.
            shape=None if several else tuple(node.shape),
            dtype=str(node.dtype[0] if several else node.dtype),
            group=group,
            arguments=tuple(arguments),
            formula=formula_of(node),
            params=parameters_of(node.params),
            file=None if place is None else short_path(place[0], self.here),
            line=None if place is None else int(place[1]),
            function=None if place is None else visible(place[2]),
        )

    def output(self, start: _Root, name: str) -> None:
        """Add the vertex that marks a root."""
        if start.leaf is not None:
            source = self._leaf_vertex(start.leaf, None)
        else:
            source = self.ids[id(start.operation)]
            if start.output is not None and start.shape is not None:
                self.outputs.setdefault(id(start.operation), {})[start.output] = start.shape
        self._add(
            None,
            kind="output",
            op="",
            name=name,
            shape=start.shape,
            dtype=start.dtype,
            group=None,
            arguments=(Argument(source, start.output),),
        )

    def finish(self, total: int, max_nodes: int | None) -> Snapshot:
        """The snapshot, once everything is added."""
        several = {self.ids[key]: found for key, found in self.outputs.items()}
        vertices = []
        edges = []
        for vertex in self.vertices:
            found = several.get(vertex.id)
            if found:
                vertex = _with_outputs(vertex, tuple(sorted(found.items())))
            vertices.append(vertex)
            times: dict[int, int] = {}
            for argument in vertex.arguments:
                if argument.source is not None:
                    times[argument.source] = times.get(argument.source, 0) + 1
            edges += [Edge(source, vertex.id, n) for source, n in times.items()]
        leaves = tuple(
            Leaf(
                name=self.names.get(id(tensor)),
                type=visible(type(tensor).__name__),
                shape=tuple(tensor.shape),
                dtype=dtype_of(tensor),
                nbytes=nbytes_of(tuple(tensor.shape), dtype_of(tensor)),
                uses=self.uses[number],
            )
            for number, tensor in self.leaves.values()
        )
        drawn = sum(vertex.kind != "cut" for vertex in vertices)
        groups = tuple(self._number_calls())
        operations = sum(vertex.kind == "op" for vertex in vertices)
        hidden = total - drawn
        return Snapshot(
            tuple(vertices), tuple(edges), groups, leaves, total, hidden, max_nodes, operations
        )

    def _add(self, source: Any, **fields: Any) -> int:
        self.sources.append(source)
        vertex = Vertex(id=len(self.vertices), **fields)
        self.vertices.append(vertex)
        return vertex.id

    def _leaf_vertex(self, tensor: Any, group: int | None) -> int:
        number, _ = self.leaves.setdefault(id(tensor), (len(self.leaves), tensor))
        if number == len(self.uses):
            self.uses.append(0)
        self.uses[number] += 1
        return self._add(
            tensor,
            kind="leaf",
            op="",
            name=self.names.get(id(tensor)),
            shape=tuple(tensor.shape),
            dtype=dtype_of(tensor),
            group=group,
            leaf=number,
        )

    def _group(self, scope: Any) -> int | None:
        """The group of a scope, made with those around it when first met."""
        group: int | None = None
        for around, name, path in named_scopes(scope, self.modules):
            module = (group, around.name, around.cls, around.owner)
            key = (*module, around.call)
            if key not in self.group_ids:
                self.group_ids[key] = len(self.groups)
                calls = self.calls.setdefault(module, [])
                calls.append(len(self.groups))
                called, cls = visible(name), visible(around.cls)
                made = Group(len(self.groups), called, cls, visible(path), group, 1, 1)
                self.groups.append(made)
            group = self.group_ids[key]
        return group

    def _number_calls(self) -> Iterable[Group]:
        """Calls counted within this graph: a module's own count goes on from step to step."""
        position = {g: (k + 1, len(c)) for c in self.calls.values() for k, g in enumerate(c)}
        for g in self.groups:
            yield Group(g.id, g.name, g.cls, g.path, g.parent, *position[g.id])


def _with_outputs(vertex: Vertex, outputs: tuple[tuple[int, tuple[int, ...]], ...]) -> Vertex:
    fields = {name: getattr(vertex, name) for name in Vertex.__slots__}
    return Vertex(**{**fields, "outputs": outputs})
