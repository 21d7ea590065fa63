"""What passes through a model's activations: zeros, dead units, saturation, a constant output."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tensorgrad.graph.node import Node, local
from tensorgrad.graph.provenance import Location, locate
from tensorgrad.viz.diagnosis.activations import OPERATIONS, Kind, inside, kind_of
from tensorgrad.viz.figures.words import visible
from tensorgrad.viz.monitoring.shelf import Shelf, taken
from tensorgrad.viz.snapshots.places import short_place

if TYPE_CHECKING:
    from tensorgrad.graph.scope import Scope
    from tensorgrad.nn import Module

__all__ = ["Activation", "Activity", "Inert", "Part", "Place"]

Array = NDArray[Any]
Keep = Callable[[Array], tuple[BytesIO, int]]  # copies the elements: the block and where

_UNKNOWN: Any = object()
_new: Any = tuple.__new__  # a NamedTuple's own goes through two more calls
# Operations that make one function of several: x σ(x), max(x, 0) + α (e^min(x, 0) − 1).
_COMBINING = {"mul", "add", "sub", "div", "where"}
_LOOKED_AT = _COMBINING | OPERATIONS
_CALLS = 8  # of one activation in one step that are looked at: a loop may make thousands


class Place(NamedTuple):
    """An activation function in one place of the program."""

    name: str
    kind: Kind
    location: Location | None


class Part(NamedTuple):
    """A few numbers of an array: where their bytes are, dtype, shape, and the axis of units."""

    block: BytesIO
    start: int
    dtype: Any
    shape: tuple[int, ...]
    axis: int

    def array(self) -> Array:
        """The numbers."""
        size = math.prod(self.shape)
        data = taken(self.block, self.start, size * self.dtype.itemsize)
        return np.frombuffer(data, self.dtype).reshape(self.shape)

    def moved(self, shelf: Shelf) -> Part:
        """The same in other memory."""
        block, start = shelf.put(self.array())
        return self._replace(block=block, start=start)


@dataclass(slots=True)
class Activation:
    """What was seen of one activation in one step: parts of its outputs, judged when asked.

    Of large ones of what can die it is only kept where the output is stuck.
    """

    place: Place
    parts: list[Part] = field(default_factory=list)
    is_output: bool = False  # what the model returns: there a sigmoid is meant to saturate


class Activity:
    """Watches the calls of a model through hooks, between `install` and `remove`.

    Only operations inside the model count, and only where they are recorded: an evaluation under
    ``no_grad`` does not.  Nothing of the graph is kept, only copies of a few numbers, by ``keep``.
    """

    def __init__(self, model: Module, keep: Keep, elements: int = 1 << 13) -> None:
        self.model, self.keep, self.elements = model, keep, elements
        self.found: dict[Any, Activation] = {}
        self.users: dict[int, Location | None] = {}  # id(parameter) -> the line that uses it
        self.output: Part | None = None  # some rows and columns of what the model returned
        self._few = elements // 4  # so many are looked at of any kind of activation
        self._places: dict[Any, Place | None] = {}  # None: no activation, or a part of one
        self._names: list[str] = []  # of places
        self._codes: dict[int, Any] = {}
        self._recent: dict[int | None, tuple[Node, Any]] = {}  # in this call of the model
        self._whole = False  # hooks on every module, since the model itself is not called
        self.called = True  # since it was installed
        self.watching = False
        self._depth = 0
        self._base: Scope | None = None
        self._prefix = ""
        self._find_users = True
        self.nbytes = 0  # of what was found
        self._others: tuple[Any, ...] = ()  # who else watched when the model was called
        self._all: tuple[Any, ...] = ()
        self._handles: list[tuple[Any, str, tuple[Any, ...]]] = []
        self._kept: dict[Any, tuple[Any, tuple[Any, ...]]] = {}  # hooks that are not in use now

    def install(self) -> None:
        """Begin anew.  Hooks go to the model, or to all modules if it is its parts that are called.

        (``model.encode(x)`` calls those.)  A hook costs its module the short way of being called.
        """
        if self.watching:
            self.remove()
        self.watching = True
        self._whole = self._whole or not self.called
        self.called = False
        self._find_users = not self.users
        self.found, self.output, self.nbytes = {}, None, 0
        modules = self.model.named_modules() if self._whole else (("", self.model),)
        for name, module in modules:
            kept = self._kept.pop((module, name), None)
            if kept is not None and module._hooks is None:
                module.__dict__["_hooks"] = kept[0]
                self._handles.append((module, name, kept[1]))
                continue
            before, after = _Hook(self._enter, name), _Hook(self._leave, name)
            handles = (
                module.register_forward_pre_hook(before),
                module.register_forward_hook(after, always_call=True),
            )
            self._handles.append((module, name, handles))

    def remove(self) -> None:
        """End: the modules are as before."""
        for module, name, handles in self._handles:
            hooks = module._hooks
            if hooks is not None and hooks.count == len(handles):
                # There are none but these: put aside together, to be put back in one piece.
                self._kept[module, name] = hooks, handles
                module.__dict__["_hooks"] = None  # calls take the short way again
                continue
            for handle in handles:
                handle.remove()
        self._handles.clear()
        self.watching = False
        if self._depth:
            self._stop()
            self._depth = 0

    def _enter(self, name: str, module: Any, output: Any) -> None:
        self._depth += 1
        if self._depth == 1:
            self.called = True
            context = local.context
            self._base, self._prefix = context.scope, name
            self._others = context.on_forward
            context.on_forward = self._all = (*self._others, self._node)

    def _leave(self, name: str, module: Any, output: Any) -> None:
        if self._depth > 1:
            self._depth -= 1
            return
        self._depth = 0
        if not name:
            rows = _rows(output)
            self.output = None if rows is None else self._part(rows, 0)
            if self._recent:
                self._mark_outputs(output)
        self._stop()

    def _stop(self) -> None:
        self._recent.clear()  # it would keep the graph
        context = local.context
        if context.on_forward is self._all:
            context.on_forward = self._others
        else:  # somebody else began or ended to watch meanwhile
            context.on_forward = tuple(w for w in context.on_forward if w != self._node)
        self._others = self._all = ()
        self._base = None

    def _mark_outputs(self, output: Any) -> None:
        for item in output if isinstance(output, (tuple, list)) else (output,):
            node = getattr(item, "grad_fn", None)
            while node is not None and node.op.view:  # sigmoid(x).squeeze(-1)
                node = node.inputs[0]
            known = self._recent.get(getattr(node, "seq", None))
            seen = None if known is None else self.found.get(known[1])
            if seen is not None and not seen.place.kind.dies:
                seen.is_output = True

    def _node(self, node: Node, out: Any) -> None:
        """Called for every operation that is recorded while the model runs.

        What it does for an activation that is known is spelled out here: between two looks the
        caches forget it, so that each function that is called costs a few microseconds.
        """
        op = node.op.name
        if self._find_users:
            self._note_users(node)
        if op not in _LOOKED_AT:
            return
        if op in _COMBINING and self._recent:
            self._combine(node)
        # A place in the program: operation, instruction, modules.  The code object by its number,
        # since hashing one takes as long as all else; `_codes` keeps it, so that no other can get
        # the number.
        scope, base = node.scope, self._base
        names = [op, "" if scope is None else scope.cls]
        while scope is not base and scope is not None:
            names.append(scope.name)
            scope = scope.parent
        key = (id(node.code), node.lasti, self._prefix, *names)
        place = self._places.get(key, _UNKNOWN)
        if place is _UNKNOWN:
            place = self._new_place(key, node)
        if place is None:
            return
        self._recent[node.seq] = node, key
        seen = self.found.get(key)
        if seen is None:
            seen = self.found[key] = Activation(place)
        y = out._array
        if len(seen.parts) == _CALLS or not y.size:
            return
        if y.ndim == 2 and y.size <= self._few:
            seen.parts.append(self._part(y, 1))
            return
        kind, axis = place.kind, _unit_axis(node)
        # A share is known well enough from a quarter of what tells dead units from rare ones.
        part = _thinned(y, axis, self.elements if kind.dies else self.elements // 4)
        seen.parts.append(self._part(kind.stuck(part) if kind.dies else part, axis))

    def _combine(self, node: Node) -> None:
        """What an operation reads may be but a part of the function that it makes: not judged."""
        for edge in node.inputs:
            before = self._recent.get(getattr(edge, "seq", None))
            if before is not None and inside(before[0], node):
                self._places[before[1]] = None
                self.found.pop(before[1], None)

    def _part(self, array: Array, axis: int) -> Part:
        self.nbytes += array.nbytes
        part: Part = _new(Part, (*self.keep(array), array.dtype, array.shape, axis))
        return part

    def _note_users(self, node: Node) -> None:
        """Which line uses which parameter."""
        for edge in node.inputs:
            variable = getattr(edge, "variable", None)
            if variable is not None and id(variable) not in self.users:
                self.users[id(variable)] = locate(node.code, node.lasti)

    def _new_place(self, key: Any, node: Node) -> Place | None:
        """``0.act: relu`` for a module, ``block: relu at net.py:12`` for a function."""
        kind = kind_of(node)
        self._codes[id(node.code)] = node.code
        self._places[key] = None
        if kind is None:
            return None
        path, op = self._path(node.scope), kind.name
        location = locate(node.code, node.lasti)
        name = visible(f"{path}: {op}" if path else op)
        if node.scope is None or node.scope.cls.lower() != op:
            name += f" at {short_place(location)}"
        others = sum(name == of_other.partition(" #")[0] for of_other in self._names)
        name = f"{name} #{others + 1}" if others else name
        self._names.append(name)
        place = self._places[key] = Place(name, kind, location)
        return place

    def _path(self, scope: Scope | None) -> str:
        names: list[str] = []
        while scope is not None and scope is not self._base:
            if scope.name:
                names.append(scope.name)
            scope = scope.parent
        if self._prefix:
            names.append(self._prefix)
        return ".".join(reversed(names))


class Inert:
    """What stands in a copy of a watched model in place of a hook: it does nothing."""

    def __call__(self, *args: Any) -> None:
        return None


class _Hook:
    """A hook that is not copied or pickled with its module: a copy is not watched."""

    __slots__ = ("_function", "_name")

    def __init__(self, function: Callable[[str, Any, Any], None], name: str) -> None:
        self._function, self._name = function, name

    def __call__(self, module: Any, args: Any, output: Any = None) -> None:
        self._function(self._name, module, output)

    def __reduce__(self) -> tuple[type[Inert], tuple[()]]:
        return Inert, ()


def _unit_axis(node: Node) -> int:
    """The axis of units: channels after a convolution or of an image, else the last."""
    dims = len(node.shape)
    if dims != 3:
        return 1 if dims == 4 else max(dims - 1, 0)
    source = node.inputs[0]
    while source is not None and source.op.name in ("batch_norm", "add"):
        source = source.inputs[0] if source.inputs else None
    return 1 if source is not None and source.op.name == "conv" else 2


def _thinned(y: Array, axis: int, limit: int) -> Array:
    """Evenly spaced parts of an array along all its axes, units first thinned to 256."""
    if y.size <= limit:
        return y
    steps = [1] * y.ndim
    steps[axis] = -(-y.shape[axis] // 256)
    left = max(1, limit // -(-y.shape[axis] // steps[axis]))
    others = [k for k in range(y.ndim) if k != axis]
    # From the last axis on: neighbouring positions tell less than other examples.
    for k in reversed(others):
        rest = 1
        for j in others:
            rest *= -(-y.shape[j] // steps[j])
        if rest > left:
            steps[k] = min(-(-rest // left), max(1, y.shape[k] // (1 if k == 0 else 4)))
    return y[tuple(slice(None, None, step) for step in steps)]


def _rows(output: Any) -> Array | None:
    """At most 64 rows of 64 numbers of a batch of outputs; None for what is none."""
    array: Array | None = getattr(output, "_array", None)
    if array is None or not output._requires_grad or array.dtype.kind != "f" or not array.size:
        return None
    shape = array.shape
    if len(shape) < 2 or shape[0] < 4:
        return None
    if len(shape) > 2 or shape[0] > 64 or shape[1] > 64:
        array = array[:: -(-len(array) // 64)].reshape(-1, array.size // len(array))
        array = array[:, :: -(-array.shape[1] // 64)]
    return array
