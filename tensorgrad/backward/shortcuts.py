"""The short cuts that the backward walk takes at nearly every node of a training step.

They are for real gradients on arrays, where nobody watches and nothing is recorded.  The steps are
those of `tensorgrad.backward.engine`, which is the one to read; a test compares the two.
"""

from __future__ import annotations

import sys
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import asarray, ndarray

from tensorgrad.backward import sums
from tensorgrad.backward.fitting import fitted
from tensorgrad.backward.pulling import pull, pull_number
from tensorgrad.graph import saved as packing
from tensorgrad.graph import storages
from tensorgrad.graph.node import (
    ALL,
    NOTHING,
    ONE,
    AccumulateGrad,
    Node,
    hook,
    local,
    mark_inference,
    new,
)
from tensorgrad.machine.arena import is_whole
from tensorgrad.machine.blocks import LARGE
from tensorgrad.machine.constants import float32, float64
from tensorgrad.primitive import Primitive, raw, scalars

if TYPE_CHECKING:
    from tensorgrad.backward.engine import Pass

__all__ = ["at_leaves", "at_node", "descend"]


def _references() -> int:
    """How many references Python counts to an array that a function and its caller hold."""
    array = np.empty(0)

    def accept(leaf: Any, array: Any) -> int:
        return sys.getrefcount(array)

    return accept(None, array)


_SOLE = _references()


def rectified(edge: Any, saved: Any) -> bool:
    """Whether what an operation that selects has selected from is what relu gave at ``edge``.

    Then its gradient may be masked before it is spread over the input: where a selected number is
    0, so is the one that it was selected from. A pooled map has a quarter of the numbers.
    """
    if edge is None or edge.op.name != "relu" or not edge.op.plain or edge.hooks is not None:
        return False
    made = edge.saved
    return type(made) is tuple and len(made) > 0 and made[0] is saved[1]


def summed_by(op: Primitive, node: Any, edge: Any) -> Any:
    """The convolution whose result an operation that selects has selected from, if its gradient
    has the sum of each channel that the selected numbers' has; ``edge`` is what it selected from.

    The gradient of a convolution's bias is these sums, and a pooled map has a quarter of the
    numbers.
    """
    if op.conserves is None or edge is None or not op.conserves(node.params):
        return None
    return edge if edge.op.name == "conv" and edge.hooks is None else None


def descend(this: Pass) -> None:
    """The whole walk, for real gradients on arrays, where nobody watches.

    Instead of sorting all nodes beforehand, the newest one that has a gradient is taken each time:
    of those, only few wait at once.
    """
    pending, owned, retain = this.pending, this.owned, this.retain
    pop = pending.pop
    masked: dict[Any, Any] = {}  # what relu's nodes will be given, masked beforehand
    spread: dict[Any, Any] = {}  # what convolutions will be given, and what has the same sums
    d: Any
    found: Any
    inputs: Any = ()
    waiting = [(-node.seq, node) for node in pending if type(node) is not AccumulateGrad]
    heapify(waiting)
    edge: Any
    node: Any
    alone: Any = None  # the only one that waits, as in a chain; then the heap is empty
    while True:
        if alone is not None:
            node, alone = alone, None
        elif waiting:
            node = heappop(waiting)[1]
        else:
            break
        g = pop(node)
        op, dtype = node.op, node.dtype
        if (
            node.hooks is not None
            or not op.plain
            or (dtype is not float32 and dtype is not float64)
        ):
            fresh = {edge for edge in node.inputs if edge is not None and edge not in pending}
            this.visit(node, g)
            g = None
            for edge in fresh:
                if edge in pending and type(edge) is not AccumulateGrad:
                    heappush(waiting, (-edge.seq, edge))
            continue
        kept = node.storages
        if kept is not None and node.seq < storages.latest:
            packing.check(node)
        saved: Any = node.saved
        if type(saved) is not tuple:
            saved = packing.unpacked(node)
        shape = node.shape
        # What the rules give: ``d`` for ``edge``, then ``other`` for ``later``, then ``found`` for
        # ``inputs`` from the last one on.  Operations of one or two inputs have the first four
        # alone: tuples, and loops over them, are a tenth of a small node's backward.
        edge, later = node.first, node.second
        d = other = None
        found = ()
        try:
            if shape or later is ALL or not op.arithmetic:
                if type(g) is not ndarray:
                    g = asarray(g)
                if later is ALL:
                    inputs, edge = edge, None
                    if spread and (pair := spread.pop(node, None)) is not None and pair[0] is g:
                        sums.tell(*pair)
                        pair = None
                        try:
                            found = [*pull(op, node, g, saved, inputs)]
                        finally:
                            sums.forget()
                    else:
                        found = [*pull(op, node, g, saved, inputs)]
                elif later is ONE:
                    if masked and masked.pop(node, None) is g:
                        d = g
                    elif op.selects and rectified(edge, saved):
                        g = edge.op.rules[0](raw, g, saved[0], None)
                        (d,) = pull(op, node, g, saved, (edge,))
                        masked[edge] = d
                        if (summing := summed_by(op, node, edge.first)) is not None:
                            spread[summing] = d, g
                        summing = None
                    elif op.rule_count == 1 and node.params is None and g.size < LARGE:
                        y, x = saved or (None, edge)  # as in `pull`
                        d = op.rules[0](raw, g, y, x)
                        y = x = None
                    else:
                        (d,) = pull(op, node, g, saved, (edge,))
                        if op.selects and summed_by(op, node, edge) is not None:
                            spread[edge] = d, g
                elif edge is None or later is None or g.size >= LARGE:
                    d, other = pull(op, node, g, saved, (edge, later))
                else:  # as in `pull`
                    y, a, b = saved or (None, edge, later)
                    of_first, of_second = op.rules
                    d, other = of_first(raw, g, y, a, b), of_second(raw, g, y, a, b)
                    y = a = b = None
            else:
                if type(g) is ndarray:
                    g = g[()]
                if later is ONE:
                    d = pull_number(op, g, saved)
                else:
                    of_first, of_second = op.rules
                    a = b = None  # of sums and differences
                    if saved:
                        _, a, b = saved
                        if type(a) is ndarray:
                            a = a[()]
                        if type(b) is ndarray:
                            b = b[()]
                    if edge is not None:
                        d = of_first(scalars, g, None, a, b)
                    if later is not None:
                        other = of_second(scalars, g, None, a, b)
                    a = b = None
        except Exception as error:
            error.add_note(at_node(node))
            raise
        if kept is not None and not retain:
            if None in inputs if later is ALL else edge is None or later is None:
                node.free()
            else:
                node.saved, node.storages = NOTHING, None
        saved = g = None
        even = op.even
        while True:
            if d is not None and edge is not None:
                if (not (even and edge.shape is shape) and not op.exact) or edge.dtype is not dtype:
                    d = fitted(d, edge)
                if edge not in pending:
                    pending[edge] = d
                    if type(edge) is not AccumulateGrad:
                        if alone is not None:
                            heappush(waiting, (-alone.seq, alone))
                            alone = None
                        if waiting:
                            heappush(waiting, (-edge.seq, edge))
                        else:
                            alone = edge
                elif edge in owned:
                    before = pending[edge]
                    np.add(before, d, before)
                else:
                    # One number stays a NumPy scalar until an array is asked for.
                    pending[edge] = d = pending[edge] + d
                    if type(d) is ndarray:
                        owned.add(edge)
            if other is not None:
                edge, d, other = later, other, None
            elif found:
                d = found.pop()
                edge = inputs[len(found)]
            else:
                break
        d = before = edge = None
    for node in [*pending]:
        g = pop(node)
        if type(g) is not ndarray:
            g = asarray(g)
        leaf = node.variable
        held = leaf._grad
        if (
            node.hooks is not None
            or leaf._hooks
            or leaf._post_accumulate_hooks
            or (held is not None and (held._requires_grad or held._array.shape != g.shape))
        ):
            this.visit(node, g)
        else:
            accept(leaf, g, held)
        g = None


def accept(leaf: Any, g: Any, held: Any) -> None:
    """The gradient becomes ``leaf.grad``, or is added to what is held there."""
    if held is None:
        # The walk's own array may become the gradient; one that anybody else can see is copied.
        if sys.getrefcount(g) > _SOLE or (g.base is not None and not is_whole(g)):
            g = g.copy()
        elif not g.flags.carray:
            g = g.copy()  # in C order
        made = leaf._grad = new(hook.tensor)  # as in wrap
        made._array = g
        made._grad = made._held = made._view = made._accumulator = made._hooks = None
        made._node = None
        made._requires_grad = False
        if hook.inference:
            mark_inference(made)
    else:
        np.add(held._array, g, held._array)
        held._bump()


def _repeated(inputs: tuple[Any, ...]) -> bool:
    """Whether an edge occurs twice (or None does, which nobody asks about)."""
    count = len(inputs)
    if count < 3:
        return count == 2 and inputs[0] is inputs[1]
    return len({*inputs}) < count


def at_leaves(root: Any, g: Any, retain: bool | None) -> bool:
    """The whole walk from an operation on leaves alone: there is nothing to sort and to sum.

    False, with nothing done, if the graph is larger, or if somebody watches or waits.
    """
    if type(root) is AccumulateGrad:
        return False
    inputs = root.inputs
    for edge in inputs:
        if edge is None:
            continue
        if type(edge) is not AccumulateGrad:
            return False
        leaf: Any = edge.variable
        if edge.hooks is not None or leaf._hooks or leaf._post_accumulate_hooks:
            return False
        held = leaf._grad
        if held is not None and (held._requires_grad or held._array.shape != edge.shape):
            return False
    dtype, op, context = root.dtype, root.op, local.context
    if (
        root.hooks is not None
        or not op.plain
        or (dtype is not float32 and dtype is not float64)
        or context.on_backward
        or context.anomaly is not None
        or _repeated(inputs)  # x * x: to be summed
    ):
        return False
    if type(root.saved) is not tuple:
        return False
    if root.storages is not None and root.seq < storages.latest:
        packing.check(root)
    saved = root.saved
    recording = context.grad_enabled
    context.grad_enabled = False
    try:
        found = [*pull(op, root, g, saved, inputs)]
    except Exception as error:
        error.add_note(at_node(root))
        raise
    finally:
        context.grad_enabled = recording
    if root.storages is not None and not retain:
        if None in inputs:
            root.free()
        else:
            root.saved, root.storages = NOTHING, None
    saved = ()
    while found:
        d = found.pop()
        edge = inputs[len(found)]
        if d is None or edge is None:
            continue
        if not op.even or edge.shape is not root.shape or edge.dtype is not dtype:
            d = fitted(d, edge)
        leaf = edge.variable
        accept(leaf, d, leaf._grad)
    return True


def at_node(node: Node) -> str:
    """What an error in a rule is told."""
    return f"in the gradient of {node.op.name}, recorded at {node.location}"
