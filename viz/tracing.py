"""Watching a forward and a backward pass: what flowed through each node, as statistics.

Both use the engine's two entrances for observers and cost nothing outside their blocks.  They keep
numbers, never arrays, and refer to nodes by their numbers, so a graph can be freed as ever.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, NamedTuple, Never, Self

import numpy as np

from tensorgrad.autograd import observe_backward, observe_forward
from tensorgrad.graph.node import Freed
from tensorgrad.graph.provenance import warn
from tensorgrad.viz.figures.words import number, plural, shape, visible
from tensorgrad.viz.snapshots.naming import is_tensor, kind_of
from tensorgrad.viz.snapshots.statistics import ArrayStats, array_stats

__all__ = ["Arrival", "Recording", "Trace", "operation_of", "record", "trace_backward"]


_WORDS = {"nan": "NaN", "inf": "inf", "empty": "empty"}  # in the place of a norm


def operation_of(node: Any) -> tuple[int, int | None]:
    """A node's operation by its number, and which of several outputs the node stands for."""
    index = getattr(node, "index", None)
    return (node.seq, None) if index is None else (node.inputs[0].seq, index)


class _Block:
    """A ``with`` block in which `_see` is called by one of the engine's entrances."""

    def __init__(self, observe: Callable[[Any], Any], caller: str) -> None:
        self._observe, self._caller = observe, caller
        self._block: Any = None

    def __enter__(self) -> Self:
        if self._block is not None:
            raise RuntimeError(
                f"{self._caller}: this block is already entered; make another one with "
                f"{self._caller}(...)"
            )
        self._block = self._observe(self._see)
        self._block.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        block, self._block = self._block, None
        block.__exit__(kind, error, trace)

    def _see(self, node: Any, value: Any) -> None:
        raise NotImplementedError


class Recording(_Block):
    """The statistics of every output recorded in a block: what ``with viz.record()`` gives."""

    def __init__(self) -> None:
        super().__init__(observe_forward, "viz.record")
        self._stats: dict[tuple[int, int | None], ArrayStats] = {}

    def _see(self, node: Any, output: Any) -> None:
        array = getattr(output, "_array", None)
        if isinstance(array, np.ndarray):  # inside vmap it is a batch of something else
            self._stats[operation_of(node)] = array_stats(array)

    def of(self, source: Any, output: int | None = None) -> ArrayStats | None:
        """What a Tensor was when it was made, or what a node gave (``output``: of several).

        None for what was not computed in the block.
        """
        if is_tensor(source):
            if source.grad_fn is None:
                return None
            output, source = source.output_nr, source.grad_fn
        seq, index = operation_of(source)
        index = output if index is None else index
        return self._stats.get((seq, index)) or self._stats.get((seq, None))

    def __len__(self) -> int:
        return len(self._stats)

    def __repr__(self) -> str:
        return f"<Recording of {plural(len(self), 'value')}>"


def record(*mistaken: Never) -> Recording:
    """Keep the statistics of every value that is computed in a ``with`` block.

    ``with viz.record() as recording: loss = model(x).sum()``, then
    ``viz.explore(loss, record=recording)``.  Only operations that are recorded for the gradient
    are seen, in this thread; of arrays with at most 16 elements the values are kept as well.
    Takes no argument: TypeError says so, as `trace_backward` takes the loss.
    """
    if mistaken:
        given = kind_of(mistaken[0])
        raise TypeError(
            f"viz.record: takes nothing, got {given}; what is computed in the block is seen: "
            "`with viz.record() as recording: loss = model(x).sum()`"
        )
    return Recording()


class Arrival(NamedTuple):
    """One gradient that reached a node: an operation by its number, or a leaf by its identity.

    ``stats`` is a tuple for an operation with several outputs, with None where nothing arrived.
    """

    step: int
    op: str
    seq: int | None
    leaf: int | None
    stats: ArrayStats | tuple[ArrayStats | None, ...]

    @property
    def parts(self) -> Iterator[ArrayStats]:
        """The statistics of what arrived, output by output."""
        found = self.stats if isinstance(self.stats, tuple) else (self.stats,)
        return (part for part in found if part is not None)


class Trace(_Block):
    """The gradients of a block in the order in which they arrived; prints as a table."""

    def __init__(self, root: int | None) -> None:
        super().__init__(observe_backward, "viz.trace_backward")
        self.arrivals: list[Arrival] = []
        self._root = root  # the number of the loss's operation
        self._leaves: dict[int, Any] = {}  # id -> weak reference

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        if error is None and self._root is not None and not self._reached(self._root):
            warn(
                "viz.trace_backward: no gradient reached this loss in the block; call "
                "loss.backward() inside the with",
                RuntimeWarning,
            )

    def _reached(self, seq: int) -> bool:
        return any(arrival.seq == seq for arrival in self.arrivals)

    def _see(self, node: Any, gradient: Any) -> None:
        if getattr(node, "index", None) is not None:
            return  # the operation itself follows, with the gradients of all its outputs
        if isinstance(gradient, tuple | list):
            stats: Any = tuple(None if part is None else _stats(part) for part in gradient)
        else:
            stats = _stats(gradient)
        leaf = getattr(node, "variable", None)
        if leaf is not None:
            self._leaves[id(leaf)] = weakref.ref(leaf)
        self.arrivals.append(
            Arrival(
                len(self.arrivals) + 1,
                "leaf" if leaf is not None else visible(node.op.name),
                node.seq if leaf is None else None,
                None if leaf is None else id(leaf),
                stats,
            )
        )

    def key_of(self, source: Any) -> tuple[int | None, int | None]:
        """How a node or leaf is called in ``arrivals``: its number, or the leaf's identity."""
        if is_tensor(source):
            seen = self._leaves.get(id(source))
            # An identity is given again once its tensor is gone.
            return None, id(source) if seen is not None and seen() is source else None
        return operation_of(source)[0], None

    def __len__(self) -> int:
        return len(self.arrivals)

    def __str__(self) -> str:
        lines = [f"backward: {plural(len(self), 'gradient')} in the order of arrival"]
        for arrival in self.arrivals:
            for part in arrival.parts:
                norm = _WORDS.get(part.status) or number(part.norm)
                lines.append(f"{arrival.step:>5}  {arrival.op:<20} {shape(part.shape):<18} {norm}")
        return "\n".join(lines)

    __repr__ = __str__


def _stats(gradient: Any) -> ArrayStats:
    return array_stats(np.asarray(getattr(gradient, "_array", gradient)))


_ANY = object()  # of a loss that was not given: None is a mistake, such as backward()'s result


def trace_backward(loss: Any = _ANY) -> Trace:
    """Keep the statistics of every gradient of a ``with`` block, in the order of arrival.

    ``with viz.trace_backward(loss) as trace: loss.backward()``, then
    ``viz.explore(loss, trace=trace)``.  Given the loss, it warns where the block's backward did not
    start there; without one it takes what comes.  Raises TypeError for a loss that is no Tensor,
    RuntimeError for one without a graph, or whose graph an earlier backward freed.
    """
    if loss is _ANY:
        return Trace(None)
    if not is_tensor(loss):
        raise TypeError(
            f"viz.trace_backward: loss must be a Tensor, got {kind_of(loss)}; write "
            "`with viz.trace_backward(loss) as trace: loss.backward()`"
        )
    if loss.grad_fn is None:
        why = "no operation computed it" if loss.requires_grad else "no input of it requires grad"
        raise RuntimeError(f"viz.trace_backward: the loss has no graph: {why}")
    if _is_freed(loss.grad_fn):
        raise RuntimeError(
            "viz.trace_backward: backward() has already freed the graph of this loss; enter the "
            "block before it, or pass retain_graph=True to the first backward()"
        )
    return Trace(operation_of(loss.grad_fn)[0])


def _is_freed(root: Any) -> bool:
    """Whether an earlier backward took arrays that another one would need."""
    seen = {root}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if type(getattr(node, "saved", None)) is Freed:
            return True
        fresh = {edge for edge in node.inputs if edge is not None} - seen
        seen |= fresh
        waiting += fresh
    return False
