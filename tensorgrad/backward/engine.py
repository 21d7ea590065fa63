"""The backward walk: every node once, consumers first, gradients summed where paths meet.

Nodes are numbered as they are made, and a node is made after its inputs, so descending numbers are
a topological order: no recursion, and a chain of a million nodes is no deeper than one of two.
`Pass.visit` is what happens at a node.  Where nobody watches and nothing is recorded, as in most
training steps, `tensorgrad.backward.shortcuts.descend` does the same at most nodes in less time.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import asarray

from tensorgrad.backward.fitting import cast, fitted, unbroadcast
from tensorgrad.backward.rebuilding import output_node, rebuilt
from tensorgrad.backward.shortcuts import at_node, descend
from tensorgrad.graph import hooks
from tensorgrad.graph import saved as packing
from tensorgrad.graph.node import (
    AccumulateGrad,
    Node,
    OutputNode,
    hook,
    local,
    wrap,
)
from tensorgrad.graph.scope import Walk
from tensorgrad.machine.arena import is_whole
from tensorgrad.primitive import raw, recorded

__all__ = ["FunctionNode", "Walk", "output_node", "unbroadcast", "walk"]


class FunctionNode(Node):
    """The node of a user's `autograd.Function`; ``run`` calls its backward."""

    __slots__ = ("ctx",)
    ctx: Any

    def name(self) -> str:
        return f"{self.op.name}Backward"

    def free(self) -> None:
        """Let go of what forward saved."""
        super().free()
        self.ctx._saved = None

    def run(self, g: Any, create: bool) -> list[Any]:
        """The gradients of the inputs, as arrays or (``create``) as Tensors."""
        return self.ctx._run(self, g, create)  # type: ignore[no-any-return]

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """What forward set on ``ctx``, as in PyTorch, where the node is the ctx."""
            if name.startswith("__") or name == "ctx":
                raise AttributeError(name)
            return getattr(self.ctx, name)


def _references() -> int:
    """How many references Python counts in `_arrive` to an array that only the walk holds."""

    def arrive(g: Any) -> int:
        return sys.getrefcount(g)

    def visit(g: Any) -> int:
        return arrive(g)

    array = np.empty(0)
    return visit(array)


# Interpreters differ here (3.14 borrows references to locals), so it is measured, not assumed.
_SOLE = _references()


def _leading_to(order: list[Node], targets: set[Node]) -> set[Node]:
    """The nodes from which a target can be reached: the only ones that need to run."""
    needed = set(targets)
    for node in reversed(order):
        if any(edge in needed for edge in node.inputs):
            needed.add(node)
    return needed


class Pass(Walk):
    """A walk under way: what is pending, and what it was asked for."""

    __slots__ = (
        "accumulate", "anomaly", "captured", "create", "observers", "owned", "pending", "retain",
    )  # fmt: skip
    pending: dict[Node, Any]  # gradients that have arrived so far
    owned: set[Node]  # nodes whose pending array the walk itself allocated
    captured: dict[Node, Any]
    retain: bool
    create: bool  # gradients are Tensors
    accumulate: bool  # into .grad of leaves
    observers: tuple[Any, ...]
    anomaly: Any

    def visit(self, node: Node, g: Any) -> None:
        """Run a node's rules on its gradient and hand on what they give."""
        pending, create, observers = self.pending, self.create, self.observers
        kind = type(node)
        if isinstance(g, np.generic):
            g = asarray(g)
        if type(g) is list:  # of an operation with several outputs, collected below
            g = tuple(g)
        if node.hooks is not None:
            g = hooks.before(node, g, create)
        if kind is AccumulateGrad:
            g = _arrive(node, g, create, self.targets, self.accumulate, self.captured)
            _observe(observers, node, g)
            return
        _observe(observers, node, g)
        if self.targets is not None and node in self.targets:
            self.captured[node] = g
        if kind is OutputNode:
            source = node.inputs[0]
            parts = pending.get(source) or [None] * len(source.shape)  # type: ignore[arg-type,union-attr]
            index = node.index  # type: ignore[attr-defined]
            if parts[index] is not None:  # an output may have been given a second node
                g = recorded.add(parts[index], g) if create else np.add(parts[index], g)
            parts[index] = g
            pending[source] = parts  # type: ignore[index]
            return
        if self.needed is None:
            wanted = node.inputs
        else:
            needed = self.needed
            wanted = tuple(edge if edge in needed else None for edge in node.inputs)
            if not any(wanted):
                return  # a target above which nothing is asked for: its rules do not run
        if node.storages is not None:
            packing.check(node)
        saved = node.saved
        if type(saved) is not tuple:
            saved = packing.unpacked(node)
        elif not saved:
            saved = (None, *node.inputs)
        anomaly = self.anomaly
        if anomaly is not None:
            anomaly.before(node)
        try:
            found = _contributions(node, g, saved, wanted, create)
        except Exception as error:
            error.add_note(at_node(node))
            raise
        if anomaly is not None:
            anomaly.after(node, found)
        if node.hooks is not None and node.hooks.post:
            found = hooks.after(node, found, g, create)
        if not self.retain and node.storages is not None:
            node.free()
        saved = ()
        while found:
            d = found.pop()
            edge = wanted[len(found)]
            if edge is not None and d is not None:
                self.give(edge, d)

    def give(self, edge: Node, d: Any) -> None:
        """Add a contribution to a node's gradient, in the node's shape and dtype."""
        pending = self.pending
        before = pending.get(edge)
        if self.create:
            if type(d) is not hook.tensor and not hasattr(d, "_array"):
                d = wrap(asarray(d))
            if d.shape != edge.shape:
                d = unbroadcast(recorded, d, edge.shape)
            if d._array.dtype is not edge.dtype:
                d = cast(recorded, d, edge.dtype)
            pending[edge] = d if before is None else recorded.add(before, d)
            return
        d = fitted(d, edge)
        if before is None:
            pending[edge] = d
        elif edge in self.owned:
            np.add(before, d, out=before)
        else:
            pending[edge] = asarray(np.add(before, d))
            self.owned.add(edge)


def walk(
    pending: dict[Node, Any],
    retain: bool,
    create: bool,
    targets: set[Node] | None = None,
    accumulate: bool = True,
    record: bool | None = None,
) -> dict[Node, Any]:
    """Carry gradients from the roots in ``pending`` to the leaves.

    With ``targets``, only what leads to them runs, their gradients are returned, and leaves among
    them are written only if ``accumulate``.  Values are ndarrays, or with ``create`` Tensors, which
    are recorded unless ``record`` is False.
    """
    context = local.context
    this = Pass()
    this.roots, this.targets, this.needed = [*pending], targets, None
    this.pending, this.owned, this.captured = pending, set(), {}
    this.retain, this.create, this.accumulate = retain, create, accumulate
    this.observers, this.anomaly = context.on_backward, context.anomaly
    this.at_end, this._order, this._running = [], None, None
    entry = context.grad_enabled, context.walk
    context.grad_enabled = create if record is None else record
    context.walk = this
    try:
        if create or this.observers or this.anomaly is not None or targets is not None:
            if targets is not None:
                this.needed = _leading_to(this.order, targets)
            for node in this.order:
                g = pending.pop(node, None)
                if g is not None and (this.needed is None or node in this.needed):
                    this.visit(node, g)
        else:
            descend(this)
    finally:
        context.grad_enabled, context.walk = entry
        for end in this.at_end:
            end()
    return this.captured


def _observe(observers: Any, node: Node, g: Any) -> None:
    for observer in observers:
        observer(node, g)


def _arrive(
    node: Any, g: Any, create: bool, targets: Any, accumulate: bool, captured: dict[Node, Any]
) -> Any:
    """A gradient reaches a leaf: through its hooks, then into ``.grad`` or into the answer."""
    leaf = node.variable
    if leaf._hooks:
        g = hooks.call_tensor_hooks(leaf._hooks, g, create)
    if targets is not None and node in targets:
        captured[node] = g
    if not accumulate or (targets is not None and node not in targets):
        return g
    held = leaf._grad
    if create:
        leaf._grad = g if held is None else recorded.add(held, g)
    elif held is None:
        # The walk's own array may become the gradient; one that anybody else can see is copied.
        sole = sys.getrefcount(g) <= _SOLE and is_whole(g) and g.flags.c_contiguous
        leaf._grad = wrap(g if sole and g.flags.writeable else np.array(g, order="C"))
    elif held._requires_grad or held._array.shape != g.shape:
        leaf._grad = wrap(asarray(held._array + g))
    else:
        np.add(held._array, g, out=held._array)
        held._bump()
    after = leaf._post_accumulate_hooks
    if after:
        for function in list(after.values()):
            if (result := function(leaf)) is not None:
                raise TypeError(
                    "a post-accumulate-grad hook must return None, but returned "
                    f"{type(result).__name__!r}; change tensor.grad in place"
                )
    if node.hooks is not None and node.hooks.post:
        hooks.after(node, [], g, create)
    return g


def _contributions(
    node: Node, g: Any, saved: tuple[Any, ...], wanted: tuple[Node | None, ...], create: bool
) -> list[Any]:
    """The general case of running a node's rules."""
    if isinstance(node, FunctionNode):
        return node.run(g, create)
    op = node.op
    xp: Any = recorded if create else raw
    if create and op.composed is not None:
        return _differentiate_twin(node, g, saved, wanted)
    arguments = rebuilt(node, saved) if create else list(saved)
    words = dict(node.params or {})
    if op.keeps:
        extras = arguments.pop()
        if create and "cache" in extras:
            extras = {**extras, "cache": None}
        words.update(extras)
    turn = op.holomorphic and _is_complex(node)
    if turn:
        g = tuple(None if x is None else xp.conj(x) for x in g) if op.outputs else xp.conj(g)
    if op.joint is not None:
        needs = tuple(edge is not None for edge in wanted)
        found = list(op.joint(xp, g, *arguments, needs=needs, **words))
    else:
        found = [
            None if edge is None or rule is None else rule(xp, g, *arguments, **words)
            for rule, edge in zip(op.rules, wanted, strict=False)
        ]
    return [None if d is None else xp.conj(d) for d in found] if turn else found


def _is_complex(node: Node) -> bool:
    dtype: Any = node.dtype  # a tuple of them for an operation with several outputs
    dtypes = dtype if isinstance(dtype, tuple) else (dtype,)
    return any(dtype.kind == "c" for dtype in dtypes)


def _differentiate_twin(
    node: Node, g: Any, saved: tuple[Any, ...], wanted: tuple[Node | None, ...]
) -> list[Any]:
    """Replay a fused primitive's composed twin and differentiate that, with recording on."""
    arguments = rebuilt(node, saved)[1:]
    if node.op.keeps:
        constants = arguments.pop().get("constants")
        words = {**(node.params or {}), **({} if constants is None else {"constants": constants})}
    else:
        words = dict(node.params or {})
    # Each argument goes through a node of its own: f(x, x) must give two gradients, not their sum.
    own = [
        recorded.alias(a) if edge is not None else a
        for a, edge in zip(arguments, wanted, strict=True)
    ]
    assert node.op.composed is not None
    outputs = node.op.composed(*own, **words)
    outputs, seeds = (outputs, g) if node.op.outputs else ((outputs,), (g,))
    roots: dict[Node, Any] = {}
    for output, seed in zip(outputs, seeds, strict=True):
        if seed is not None and output._node is not None:
            roots[output._node] = seed
    targets = {t._node for t, edge in zip(own, wanted, strict=True) if edge is not None}
    found = walk(roots, retain=True, create=True, targets=targets, accumulate=False)
    return [
        None if edge is None else found.get(t._node) for t, edge in zip(own, wanted, strict=True)
    ]
