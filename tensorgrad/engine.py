"""The backward walk: every node once, consumers first, gradients summed where paths meet.

Nodes are numbered as they are made, and a node is made after its inputs, so sorting by number is a
topological order: no recursion, and a chain of a million nodes is no deeper than one of two.
There are two loops, for arrays and for Tensors; the rules are the same.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import asarray, ndarray

from tensorgrad import hooks
from tensorgrad import saved as packing
from tensorgrad.node import AccumulateGrad, Freed, Node, OutputNode, hook, local, make_node, wrap
from tensorgrad.primitive import raw, recorded
from tensorgrad.scope import Walk

__all__ = ["FunctionNode", "Walk", "output_node", "unbroadcast", "walk"]

_seq = attrgetter("seq")


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


def unbroadcast(xp: Any, g: Any, shape: tuple[int, ...]) -> Any:
    """Sum a gradient over the axes along which its argument was broadcast."""
    lead = g.ndim - len(shape)
    if lead < 0 or any(n != 1 and n != m for n, m in zip(shape, g.shape[lead:], strict=True)):
        return xp.broadcast_to(g, shape=shape)  # a rule may answer with a scalar
    axes = tuple(range(lead)) + tuple(
        i + lead for i, n in enumerate(shape) if n == 1 and g.shape[i + lead] != 1
    )
    if axes:
        g = xp.sum(g, axis=axes, keepdims=False)
    return xp.reshape(g, shape=shape)


def _cast(xp: Any, g: Any, dtype: np.dtype[Any]) -> Any:
    """Give a gradient the dtype of what it is a gradient of; the real part for a real one."""
    if _kind(g) == "c" and dtype.kind != "c":
        g = xp.real(g)
    return xp.astype(g, dtype=dtype)


def _kind(g: Any) -> str:
    kind: str = (g if isinstance(g, ndarray) else g._array).dtype.kind
    return kind


def _order(roots: Iterable[Node]) -> list[Node]:
    """All nodes below the roots, consumers before their inputs."""
    seen = set(roots)
    stack = list(seen)
    order = []
    while stack:
        node = stack.pop()
        order.append(node)
        for edge in node.inputs:
            if edge is not None and edge not in seen:
                seen.add(edge)
                stack.append(edge)
    order.sort(key=_seq, reverse=True)
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
    *,
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
    context.walk = this = Walk(order, needed, targets)
    try:
        for node in order:
            g = pending.pop(node, None)
            if g is None or (needed is not None and node not in needed):
                continue
            kind = type(node)
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
                if type(saved) is Freed:
                    raise packing.freed(node)
                saved = packing.unpacked(node)
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
                if create or kind is FunctionNode or op.joint or op.keeps or node.dtype.kind == "c":
                    found = _contributions(node, g, saved, wanted, create)
                elif node.params is None:
                    found = [
                        None if edge is None else rule(raw, g, *saved)  # type: ignore[misc]
                        for rule, edge in zip(op.rules, wanted)
                    ]
                else:
                    params = node.params
                    found = [
                        None if edge is None else rule(raw, g, *saved, **params)  # type: ignore[misc]
                        for rule, edge in zip(op.rules, wanted)
                    ]
            except Exception as error:
                error.add_note(f"in the gradient of {op.name}, recorded at {node.location}")
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
                        d = _cast(recorded, d, edge.dtype)
                    before = pending.get(edge)
                    pending[edge] = d if before is None else recorded.add(before, d)
                    continue
                if type(d) is not ndarray:
                    d = asarray(d)
                if d.shape != edge.shape:
                    d = asarray(unbroadcast(raw, d, edge.shape))  # a sum of all is a scalar
                if d.dtype is not edge.dtype:
                    d = _cast(raw, d, edge.dtype)
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
    after = getattr(leaf, "_post_accumulate_hooks", None)
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
    arguments = _rebuilt(node, saved) if create else list(saved)
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


def _rebuilt(node: Node, saved: tuple[Any, ...]) -> list[Any]:
    """The saved arrays as Tensors at their places in the graph."""
    storages = node.storages or (None,) * len(saved)
    y, *arguments = saved
    if isinstance(y, tuple):
        rebuilt: list[Any] = [
            tuple(wrap(array, output_node(node, k, array)) for k, array in enumerate(y))
        ]
    else:
        rebuilt = [y if y is None else wrap(y, node)]
        if y is not None:
            rebuilt[0]._storage = storages[0]
    for i, entry in enumerate(arguments):
        if isinstance(entry, (ndarray, hook.batch)):
            tensor = wrap(entry, node.inputs[i])
            tensor._storage = storages[i + 1]
            rebuilt.append(tensor)
        else:
            rebuilt.append(entry)
    return rebuilt


def output_node(node: Any, index: int, spec: Any) -> OutputNode:
    """The node of one output, of a shape and dtype: the one recorded, while it lives."""
    alive = node.outputs[index]
    found: Any = alive() if alive is not None else None
    if found is not None:
        return found  # type: ignore[no-any-return]
    made: Any = make_node(node.op, (node,), (), None, spec.shape, spec.dtype, OutputNode)
    made.index = index
    node.outputs[index] = weakref.ref(made)
    return made  # type: ignore[no-any-return]


def _differentiate_twin(
    node: Node, g: Any, saved: tuple[Any, ...], wanted: tuple[Node | None, ...]
) -> list[Any]:
    """Replay a fused primitive's composed twin and differentiate that, with recording on."""
    arguments = _rebuilt(node, saved)[1:]
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
