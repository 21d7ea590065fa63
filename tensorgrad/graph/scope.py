"""What a thread is doing: whether it records, in which module, and who watches."""

from __future__ import annotations

import threading
from collections.abc import Callable
from operator import attrgetter
from types import CodeType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tensorgrad.graph.node import Node

__all__ = ["Context", "Scope", "Walk", "local", "push_scope"]


class Scope:
    """Where in a tree of modules a node was made: an immutable linked record of plain values.

    ``name`` is the name under which the parent registered the module, ``cls`` its class's name,
    ``call`` how many times this module had been called before within the same program, ``owner``
    the module's ``id()``: two outermost ones of one class have nothing else that differs.
    """

    __slots__ = ("call", "cls", "name", "owner", "parent")

    parent: Scope | None
    name: str
    cls: str
    call: int
    owner: int

    @property
    def path(self) -> str:
        """The dotted path from the outermost module, as in ``named_modules``: ``features.0``."""
        names: list[str] = []
        scope: Scope | None = self
        while scope is not None:
            if scope.name:
                names.append(scope.name)
            scope = scope.parent
        return ".".join(reversed(names))

    def __repr__(self) -> str:
        return f"Scope({self.path or self.cls!r}, {self.cls}, call {self.call})"


_seq = attrgetter("seq")


class Walk:
    """What others may know of the backward pass that runs: hooks, and recomputation."""

    __slots__ = ("__weakref__", "_order", "_running", "at_end", "needed", "roots", "targets")
    roots: list[Node]
    needed: set[Node] | None
    targets: set[Node] | None
    at_end: list[Any]  # called without arguments when the pass is over
    _order: list[Node] | None
    _running: set[Node] | None

    @property
    def order(self) -> list[Node]:
        """All nodes below the roots, consumers before their inputs, the leaves last."""
        if self._order is None:
            order = [*self.roots]
            seen = {*order}
            for node in order:  # which grows meanwhile
                for edge in node.inputs:
                    if edge is not None and edge not in seen:
                        seen.add(edge)
                        order.append(edge)
            order.sort(key=_seq, reverse=True)  # a leaf's number is 0
            self._order = order
        return self._order

    def will_run(self, node: Node) -> bool:
        """Whether a gradient may still reach a node, or has."""
        if self._running is None:
            self._running = set(self.order)
        return node in self._running and (self.needed is None or node in self.needed)


class Context:
    """What one thread is doing: whether it records, in which module, and who watches."""

    __slots__ = (
        "anomaly",
        "before_write",
        "dispatch",
        "grad_enabled",
        "inference",
        "module",
        "on_backward",
        "on_forward",
        "place",
        "profiler",
        "saved_hooks",
        "saved_hooks_disabled",
        "scope",
        "vmaps",
        "walk",
    )

    def __init__(self) -> None:
        self.grad_enabled = True
        self.inference = False  # in the block of an inference_mode
        self.scope: Scope | None = None
        # The user's line, while only the package's code can run until an operation is recorded.
        self.place: tuple[CodeType | None, int] | None = None
        self.module: Any = None  # whose forward runs: children are named by their place in it
        self.saved_hooks: tuple[Any, ...] = ()  # pairs (pack, unpack), the innermost last
        self.saved_hooks_disabled: str | None = None  # the message of who forbids them
        self.before_write: tuple[Callable[[Any], object], ...] = ()  # see allow_mutation_on_...
        self.walk: Any = None  # the backward pass that runs now
        self.anomaly: Any = None  # what detect_anomaly keeps, while it is on
        self.on_forward: tuple[Callable[[Node, Any], object], ...] = ()
        self.vmaps: tuple[Any, ...] = ()  # the frames of mapped functions, outermost first
        # Who is given each operation, as (primitive, arguments, parameters), before its recorder
        # runs it: mapped functions, a profiler.  It returns NotImplemented to let it be.  While it
        # is set nothing goes past the recorders.
        self.dispatch: Callable[[Any, Any, Any], Any] | None = None
        self.profiler: Any = None  # what collects times of this thread's operations, while it does
        self.on_backward: tuple[Callable[[Node, Any], object], ...] = ()


class _Local(threading.local):
    def __init__(self) -> None:
        self.context = Context()


local = _Local()


class push_scope:
    """Enter a module's scope for the body of a ``with``."""

    __slots__ = ("context", "scope")

    def __init__(self, name: str, cls: str, call: int, owner: int = 0) -> None:
        self.context = local.context
        self.scope = made = Scope()  # which has no __init__: a module's call cannot afford one
        made.parent, made.name, made.cls = self.context.scope, name, cls
        made.call, made.owner = call, owner

    def __enter__(self) -> Scope:
        self.context.scope = self.scope
        return self.scope

    def __exit__(self, *error: object) -> None:
        self.context.scope = self.scope.parent
