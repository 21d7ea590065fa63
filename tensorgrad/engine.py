"""The backward walk: every node once, consumers first, gradients summed where paths meet.

Nodes are numbered as they are made, and a node is made after its inputs, so sorting by number is a
topological order: no recursion, and a chain of a million nodes is no deeper than one of two.
There are two loops, for arrays and for Tensors; the rules are the same.
"""

from __future__ import annotations

import sys
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import asarray, ndarray

from tensorgrad import hooks
from tensorgrad import saved as packing
from tensorgrad.fitting import cast, unbroadcast
from tensorgrad.node import (
    NOTHING,
    AccumulateGrad,
    Node,
    OutputNode,
    hook,
    local,
    wrap,
)
from tensorgrad.primitive import raw, recorded
from tensorgrad.rebuilding import output_node, rebuilt
from tensorgrad.scope import Walk
from tensorgrad.shortcuts import arrive, at_node, pull, pull_number

__all__ = ["FunctionNode", "Walk", "output_node", "unbroadcast", "walk"]

_seq = attrgetter("seq")
_single, _double = np.dtype(np.float32), np.dtype(np.float64)


class FunctionNode(Node):
    """The node of a user's `autograd.Function`; ``run`` calls its backward."""

    __slots__ = ("ctx",)
    ctx: Any

    def name(self) -> str:
        return f"{self.op.name}Backward"

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
    """How many references Python counts to an array that only one local variable holds."""
    array = np.empty(0)
    return sys.getrefcount(array)


# Interpreters differ here (3.14 borrows references to locals), so it is measured, not assumed.
_SOLE = _references()


def _order(roots: dict[Node, Any]) -> list[Node]:
    """All nodes below the roots, consumers before their inputs, the leaves last."""
    order: list[Node] = []
    leaves: list[Node] = []
    for root in roots:
        (leaves if type(root) is AccumulateGrad else order).append(root)
    seen = {*roots}
    for node in order:  # which grows meanwhile
        for edge in node.inputs:
            if edge is not None and edge not in seen:
                seen.add(edge)
                if type(edge) is AccumulateGrad:
                    leaves.append(edge)
                else:
                    order.append(edge)
    if len(order) > 1:
        order.sort(key=_seq, reverse=True)
    order += leaves
    return order


def _leading_to(order: list[Node], targets: set[Node]) -> set[Node]:
    """The nodes from which a target can be reached: the only ones that need to run."""
    needed = set(targets)
    for node in reversed(order):
        if any(edge in needed for edge in node.inputs):
            needed.add(node)
    return needed


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
    order = _order(pending)
    needed = None if targets is None else _leading_to(order, targets)
    captured: dict[Node, Any] = {}
    context = local.context
    observers = context.on_backward
    anomaly = context.anomaly
    owned: set[Node] = set()  # nodes whose pending array the walk itself allocated
    entry = context.grad_enabled, context.walk
    context.grad_enabled = create if record is None else record
    context.walk = this = Walk()
    this.order, this.needed, this.targets = order, needed, targets
    this.at_end, this._running = [], None
    usual = not (create or observers or anomaly is not None or targets is not None)
    try:
        for node in order:
            g = pending.pop(node, None)
            if g is None or (needed is not None and node not in needed):
                continue
            kind = type(node)
            if usual and node.hooks is None:
                # The short cut that nearly all nodes of a training step take; the steps are those
                # below, without what nobody asked for.
                if kind is AccumulateGrad:
                    if type(g) is not ndarray:
                        g = asarray(g)
                    if arrive(node.variable, g):  # type: ignore[attr-defined]
                        continue
                elif kind is Node and (op := node.op).plain:
                    dtype = node.dtype
                    if dtype is _single or dtype is _double:
                        storages = node.storages
                        if storages is not None:
                            seq = node.seq
                            for storage in storages:
                                if storage is not None and storage.stamp > seq:
                                    raise packing.overwritten(node)
                        saved = node.saved
                        if type(saved) is not tuple:
                            saved = packing.unpacked(node)
                        inputs = node.inputs
                        try:
                            if node.shape or not op.arithmetic:
                                if type(g) is not ndarray:
                                    g = asarray(g)
                                found = pull(op, node, g, saved, inputs)
                            else:
                                found = pull_number(op, g, saved, inputs)
                        except Exception as error:
                            error.add_note(at_node(node))
                            raise
                        if storages is not None and not retain:
                            if None in inputs:
                                node.free()
                            else:
                                node.saved, node.storages = NOTHING, None
                        saved = ()
                        g = None
                        edge: Any
                        for edge, d in zip(inputs, found):
                            if d is None or edge is None:
                                continue
                            if type(d) is not ndarray:
                                if not edge.shape and edge.dtype is dtype:
                                    # One number stays a NumPy scalar until an array is asked for.
                                    before = pending.get(edge)
                                    if before is None:
                                        pending[edge] = d
                                        continue
                                    if edge not in owned:
                                        before = before[()] if type(before) is ndarray else before
                                        pending[edge] = before + d
                                        continue
                                d = asarray(d)
                            if d.shape != edge.shape:
                                d = asarray(unbroadcast(raw, d, edge.shape))
                            if d.dtype is not edge.dtype:
                                d = cast(raw, d, edge.dtype)
                            before = pending.get(edge)
                            if before is None:
                                pending[edge] = d
                            elif edge in owned:
                                np.add(before, d, before)
                            else:
                                pending[edge] = asarray(np.add(before, d))
                                owned.add(edge)
                        found = d = before = None
                        continue
            if isinstance(g, np.generic):
                g = asarray(g)
            if type(g) is list:  # of an operation with several outputs, collected below
                g = tuple(g)
            if node.hooks is not None:
                g = hooks.before(node, g, create)
            if kind is AccumulateGrad:
                g = _arrive(node, g, create, targets, accumulate, captured)
                if observers:
                    _observe(observers, node, g)
                continue
            if observers:
                _observe(observers, node, g)
            if targets is not None and node in targets:
                captured[node] = g
            if kind is OutputNode:
                source = node.inputs[0]
                parts = pending.get(source) or [None] * len(source.shape)  # type: ignore[arg-type,union-attr]
                index = node.index  # type: ignore[attr-defined]
                if parts[index] is not None:  # an output may have been given a second node
                    g = recorded.add(parts[index], g) if create else np.add(parts[index], g)
                parts[index] = g
                pending[source] = parts  # type: ignore[index]
                continue
            if needed is None:
                wanted = node.inputs
            else:
                wanted = tuple(edge if edge in needed else None for edge in node.inputs)
                if not any(wanted):
                    continue  # a target above which nothing is asked for: its rules do not run
            saved = node.saved
            if type(saved) is not tuple:
                saved = packing.unpacked(node)
            elif not saved:
                saved = (None, *node.inputs)
            storages = node.storages
            if storages is not None:
                seq = node.seq
                for storage in storages:
                    if storage is not None and storage.stamp > seq:
                        raise packing.overwritten(node)
            op = node.op
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
            if not retain and storages is not None:
                node.free()
                if kind is FunctionNode:
                    node.ctx._saved = None  # type: ignore[attr-defined]
            saved = ()
            while found:
                d = found.pop()
                edge = wanted[len(found)]
                if edge is None or d is None:
                    continue
                if create:
                    if type(d) is not hook.tensor and not hasattr(d, "_array"):
                        d = wrap(asarray(d))
                    if d.shape != edge.shape:
                        d = unbroadcast(recorded, d, edge.shape)
                    if d._array.dtype is not edge.dtype:
                        d = cast(recorded, d, edge.dtype)
                    before = pending.get(edge)
                    pending[edge] = d if before is None else recorded.add(before, d)
                    continue
                if type(d) is not ndarray:
                    d = asarray(d)
                if d.shape != edge.shape:
                    d = asarray(unbroadcast(raw, d, edge.shape))  # a sum of all is a scalar
                if d.dtype is not edge.dtype:
                    d = cast(raw, d, edge.dtype)
                before = pending.get(edge)
                if before is None:
                    pending[edge] = d
                elif edge in owned:
                    np.add(before, d, out=before)
                else:
                    pending[edge] = asarray(np.add(before, d))
                    owned.add(edge)
                before = None
            d = None
    finally:
        context.grad_enabled, context.walk = entry
        for end in this.at_end:
            end()
    return captured


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
        # The walk's frame holds one reference more than a sole local would.
        sole = sys.getrefcount(g) <= _SOLE + 1 and g.base is None and g.flags.c_contiguous
        leaf._grad = wrap(g if sole and g.flags.writeable else np.array(g, order="C"))
    elif held._requires_grad or held._array.shape != g.shape:
        leaf._grad = wrap(asarray(held._array + g))
    else:
        np.add(held._array, g, out=held._array)
        held._bump()
    after = leaf._post_accumulate_hooks
    if after:
        for function in list(after.values()):
            function(leaf)
    if node.hooks is not None and node.hooks.post:
        hooks.after(node, [], g, create)
    return g


def _contributions(
    node: Node, g: Any, saved: tuple[Any, ...], wanted: tuple[Node | None, ...], create: bool
) -> list[Any]:
    """The general case of running a node's rules."""
    if type(node) is FunctionNode:
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
