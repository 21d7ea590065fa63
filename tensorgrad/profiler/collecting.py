"""What a profile keeps while it runs: a record for each operation, gradient and named range.

Operations come through the entrance before the recorders (`Context.dispatch`), gradients through
the observers of the backward pass, so that nothing is paid while nobody profiles.  An operation
costs some 3 us more while somebody does: what is kept of it is a few references and two times;
names of lines are looked up afterwards.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from time import perf_counter_ns
from types import CodeType
from typing import Any

from numpy import ndarray

from tensorgrad.autograd import observe_backward
from tensorgrad.batching.dispatch import batched
from tensorgrad.graph.node import AccumulateGrad, Node, OutputNode, Scope, TensorBase, hook, local
from tensorgrad.graph.provenance import caller, frames
from tensorgrad.nn.global_hooks import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from tensorgrad.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from tensorgrad.profiler.flops import flops

__all__ = ["BACKWARD", "FORWARD", "RANGE", "STEP", "Collector", "Record"]

FORWARD, BACKWARD, RANGE = "forward", "backward", "range"
STEP = "Optimizer.step#"  # what the range of an optimizer's step is called before its class
_OPERANDS = (TensorBase, int, float, complex, type(None))


class Record:
    """One of them; times in nanoseconds of `time.perf_counter_ns`."""

    __slots__ = (
        "code", "end", "flops", "kind", "lasti", "name", "nbytes", "parent", "scope", "seq",
        "shapes", "stack", "start", "thread",
    )  # fmt: skip
    name: str
    kind: str
    start: int
    end: int
    thread: int
    parent: Record | None
    scope: Scope | None  # the modules that ran; of a gradient, when its operation was recorded
    code: CodeType | None  # with lasti the user's line; of a gradient, its operation's
    lasti: int
    seq: int  # of the node that an operation made, or whose gradient this is; -1 without one
    shapes: Sequence[tuple[int, ...]]
    stack: Sequence[tuple[CodeType, int]]
    nbytes: int  # of new arrays in the results
    flops: int


class Collector:
    """Collects in the thread that starts it, from `start` to `stop`."""

    def __init__(
        self, shapes: bool, memory: bool, stacks: bool, flops: bool, modules: bool
    ) -> None:
        self.shapes, self.memory, self.stacks = shapes, memory, stacks
        self.flops, self.modules = flops, modules
        self.records: list[Record] = []
        self.began = self.ended = 0
        self._thread = threading.get_ident()
        self._paused = False
        self._open: list[Record] = []
        self._names: dict[Any, str] = {}  # of gradients, by operation
        self._walks: list[tuple[Any, Record]] = []
        self._undo: list[Any] = []
        self._take = self.take  # bound once

    def start(self) -> None:
        """From here on everything that this thread does is collected."""
        context = local.context
        if context.profiler is not None:
            raise RuntimeError(
                "profile: another profiler is running in this thread; end it before another begins"
            )
        context.profiler = self
        self._arm()
        watching = observe_backward(self._see)
        watching.__enter__()
        self._undo = [lambda: watching.__exit__(None, None, None)]
        before = register_optimizer_step_pre_hook(self._before_step)
        after = register_optimizer_step_post_hook(self._after)
        self._undo += [before.remove, after.remove]
        if self.modules:
            before = register_module_forward_pre_hook(self._before_module)
            after = register_module_forward_hook(self._after, always_call=True)
            self._undo += [before.remove, after.remove]
        self.began = perf_counter_ns()

    def stop(self) -> None:
        """The end; what is open ends here."""
        self.ended = perf_counter_ns()
        if threading.get_ident() != self._thread:
            raise RuntimeError("profile: must be stopped in the thread that started it")
        self._leave()
        for record in self._open:
            record.end = self.ended
        self._open.clear()

    def _leave(self) -> None:
        """Nobody is asked, and nothing seen, any more."""
        local.context.profiler = None
        self._arm()
        while self._undo:
            self._undo.pop()()

    def pause(self, paused: bool) -> None:
        """Let pass what comes now, or collect again."""
        self._paused = paused
        local.context.profiler = None if paused else self
        self._arm()

    def _arm(self) -> None:
        """Who is asked before the next operation."""
        context = local.context
        if context.profiler is self:
            context.dispatch = self._take
        else:
            context.dispatch = batched if context.vmaps else None

    # --- Records ----------------------------------------------------------------------------------

    def begin(self, name: str, kind: str = RANGE) -> Record:
        """A record of what begins now, inside of what is open."""
        context = local.context
        code, lasti = context.place or caller(2)
        record = self._begin(name, kind, context.scope, code, lasti)
        if self.stacks:
            record.stack = frames(2)
        record.start = perf_counter_ns()
        return record

    def _begin(
        self, name: str, kind: str, scope: Scope | None, code: CodeType | None, lasti: int
    ) -> Record:
        record = Record()
        record.name, record.kind, record.scope = name, kind, scope
        record.code, record.lasti, record.thread = code, lasti, self._thread
        opened = self._open
        record.parent = opened[-1] if opened else None
        record.shapes, record.stack, record.nbytes, record.flops, record.seq = (), (), 0, 0, -1
        self.records.append(record)
        opened.append(record)
        record.start = perf_counter_ns()
        return record

    def end(self, record: Record) -> None:
        """What was begun ends, and so does what is still open inside of it."""
        now = perf_counter_ns()
        opened = self._open
        if opened and opened[-1] is record:  # as mostly
            record.end = now
            opened.pop()
        elif record in opened:
            for last in opened[opened.index(record) :]:
                last.end = now
            del opened[opened.index(record) :]

    # --- Operations -------------------------------------------------------------------------------

    def take(self, op: Any, args: Any, params: Any) -> Any:
        """Run an operation on the clock; arguments that are to be converted first go past it."""
        context = local.context
        for arg in args:
            if not isinstance(arg, _OPERANDS):
                return batched(op, args, params) if context.vmaps else NotImplemented
        run = getattr(hook.recorded, op.name)
        record = self.begin(op.name, FORWARD)
        context.dispatch = batched if context.vmaps else None
        try:
            out = run(*args, **params)
        finally:
            self.end(record)
            self._arm()
        outs = out if type(out) is tuple else (out,)
        made: Any = next((o._node for o in outs if o._node is not None), None)
        if type(made) is OutputNode:  # what made all of the outputs
            made = made.inputs[0]
        if made is not None:
            record.seq = made.seq
        if self.shapes:
            record.shapes = [_shape(arg) for arg in args]
        if self.memory:
            made_here = [o._array for o in outs if o._view is None and type(o._array) is ndarray]
            record.nbytes = sum(array.nbytes for array in made_here)
        if self.flops:
            record.flops = flops(op.name, [_shape(arg) for arg in args], _shape(outs[0]), params)
        return out

    # --- Gradients --------------------------------------------------------------------------------

    def _see(self, node: Any, g: Any) -> None:
        """The backward pass has come to a node, so it is done with the one before."""
        if self._paused:
            return
        walk = local.context.walk
        known, around = self._walks[-1] if self._walks else (None, None)
        if known is walk and around is not None and around in self._open:
            if self._open[-1] is not around:
                self.end(self._open[self._open.index(around) + 1])
        else:  # a new one, or one that a hook has ended with a range around it
            self._walks.append((walk, self.begin("backward")))
            walk.at_end.append(self._walked)
        kind = type(node)
        if kind is OutputNode:  # its gradient is only put beside those of the other outputs
            return
        if kind is AccumulateGrad:
            code, lasti = local.context.place or caller(2)
        else:
            code, lasti = node.code, node.lasti
        name = self._names.get(node.op) if kind is Node else node.name()
        if name is None:
            name = self._names[node.op] = node.name()
        record = self._begin(name, BACKWARD, node.scope, code, lasti)
        record.seq = node.seq
        if self.shapes:
            record.shapes = [_shape(part) for part in (g if type(g) is tuple else (g,))]

    def _walked(self) -> None:
        self.end(self._walks.pop()[1])

    # --- Ranges -----------------------------------------------------------------------------------

    def _elsewhere(self) -> bool:
        """Whether this is not to be seen: these hooks are those of all threads."""
        return local.context.profiler is not self

    def _before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if self._elsewhere():
            return
        self.begin(f"{STEP}{type(optimizer).__name__}.step")

    def _before_module(self, module: Any, args: Any) -> None:
        if self._elsewhere():
            return
        scope = local.context.scope
        path = scope.path if scope is not None else ""
        self.begin(f"nn.Module: {type(module).__name__}" + (f" {path}" if path else ""))

    def _after(self, *anything: Any) -> None:
        """The innermost range ends."""
        if self._open and not self._elsewhere():
            self.end(self._open[-1])


def _forked() -> None:
    """A worker that was forked meanwhile is not profiled: nobody will ask for what it collects."""
    if isinstance(profiler := local.context.profiler, Collector):
        profiler._leave()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(getattr(value, "shape", ()))
