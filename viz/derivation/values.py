"""The values behind a graph: what nodes saved, and what can be computed from that again.

A node saves only what its rule reads; a variable that no rule reads is computed anew from its own
inputs.  All in double precision, so that differences of these values say something.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad import autograd
from tensorgrad.graph.node import Freed, Spec, TensorBase, wrap
from tensorgrad.graph.saved import unpacked
from tensorgrad.primitive import Primitive, primitives, raw
from tensorgrad.views.following import COPY_SLICES, through
from tensorgrad.viz.derivation.between import Key, key_of, leaf_of
from tensorgrad.viz.figures.words import visible

__all__ = ["Unknown", "Values", "double"]

Array = np.ndarray[Any, Any]


class Unknown(Exception):
    """A value that cannot be had; the message says why."""


def double(value: Any) -> Any:
    """Real and complex numbers in double precision; anything else as it is."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "fc":
        return value.astype(np.complex128 if value.dtype.kind == "c" else np.float64)
    return value


class Values:
    """The values of variables and constants of a graph whose arrays have not been freed."""

    def __init__(self, operations: Sequence[Any]) -> None:
        self._known: dict[Key, Array] = {}
        self._why: dict[Key, str] = {}
        self._saved: dict[int, tuple[Any, ...]] = {}
        self.freed = any(type(node.saved) is Freed for node in operations)
        if self.freed:
            return
        for node in operations:
            self._collect(node)
        for node in operations:
            self._compute(node)

    def _collect(self, node: Any) -> None:
        saved = node.saved if type(node.saved) is tuple else unpacked(node)
        self._saved[id(node)] = saved
        for edge in node.inputs:
            leaf = leaf_of(edge)
            if leaf is None:
                continue
            storage = leaf._storage
            if storage is not None and storage.stamp > node.seq:
                self._why[id(leaf)] = "it was written after this operation had read it"
                self._known.pop(id(leaf), None)
            elif id(leaf) not in self._why:
                self._known[id(leaf)] = double(leaf._array)
        if not saved:
            return
        if isinstance(saved[0], np.ndarray) and not node.op.outputs:
            self._known[id(node)] = double(saved[0])
        elif isinstance(saved[0], tuple):
            for k, y in enumerate(saved[0]):
                if isinstance(y, np.ndarray):
                    self._known[(id(node), k)] = double(y)
        for edge, entry in zip(node.inputs, saved[1:], strict=False):
            if edge is not None and isinstance(entry, np.ndarray):
                self._known.setdefault(key_of(edge), double(entry))

    def _compute(self, node: Any) -> None:
        """The output of an operation whose inputs are known."""
        if id(node) in self._known or (id(node), 0) in self._known:
            return
        try:
            result = self.run(node, [self.argument(node, i) for i in range(len(node.inputs))])
        except Unknown as why:
            self._why[id(node)] = str(why)
            return
        if node.op.outputs:
            for k, y in enumerate(result):
                self._known.setdefault((id(node), k), y)
        else:
            self._known[id(node)] = result

    def of(self, key: Key) -> Array | None:
        """A variable's value, if it is known."""
        return self._known.get(key)

    def why(self, key: Key) -> str:
        """Why a variable's value is not known."""
        return self._why.get(key if isinstance(key, int) else key[0], "its value is not kept")

    def reads(self, node: Any, i: int) -> bool:
        """Whether an argument, or the output computed from it, was saved for a rule to read."""
        saved = self._saved.get(id(node), ())
        return i + 1 < len(saved) and isinstance(saved[i + 1], np.ndarray)

    def argument(self, node: Any, i: int, *, anything: bool = False) -> Any:
        """The value of an argument; Unknown if it is not kept.

        ``anything``: where no rule of this operation reads it or the output, the gradient does
        not depend on it, and any numbers will do.
        """
        edge = node.inputs[i]
        saved = self._saved.get(id(node), ())
        entry = saved[i + 1] if i + 1 < len(saved) else None
        if edge is not None:
            found = self._known.get(key_of(edge))
            if found is not None:
                return found
            shape, dtype = edge.shape, edge.dtype
        elif isinstance(entry, Spec):
            shape, dtype = entry.shape, entry.dtype
        else:
            return double(entry)
        silent = not saved or not isinstance(saved[0], (np.ndarray, tuple))
        if anything and silent and not isinstance(entry, np.ndarray):
            return double(np.ones(shape, dtype))
        name = node.op.arguments[i] if i < len(node.op.arguments) else str(i)
        raise Unknown(f"the value of {visible(node.op.name)}'s argument {name} is not kept")

    def run(self, node: Any, arguments: Sequence[Any]) -> Any:
        """An operation's forward on arrays, in double precision.

        Of a fused operation its composed form: its statistics must move with its input.
        """
        op: Primitive = node.op
        if op is COPY_SLICES:
            return _written(*arguments, **(node.params or {}))
        if op is not primitives.get(op.name):
            own = hasattr(node, "ctx")
            raise Unknown(
                f"{visible(op.name)} is your own function: its forward is not recorded"
                if own
                else f"{visible(op.name)} has no forward of its own"
            )
        params = dict(node.params or {})
        if op.name == "astype" and np.dtype(params["dtype"]).kind in "fc":
            return arguments[0]
        if op.composed is not None:
            saved = self._saved.get(id(node), ())
            constants = saved[-1].get("constants") if op.keeps and saved else None
            if constants is not None:
                params["constants"] = constants
            given = [wrap(a) if isinstance(a, np.ndarray) else a for a in arguments]
            with autograd.no_grad():
                found = op.composed(*given, **params)
            return tuple(t._array for t in found) if op.outputs else _array(found)
        found = getattr(raw, op.name)(*arguments, **params)
        return tuple(map(np.asarray, found)) if op.outputs else np.asarray(found)


def _written(base: Any, value: Any, *, steps: Any) -> Array:
    """The base of a view with the new part in place."""
    if base is None or value is None:
        raise Unknown("what was written into a view is not kept")
    made = np.array(base, np.result_type(base, value))
    through(made, steps)[...] = value
    return made


def _array(found: Any) -> Array:
    return found._array if isinstance(found, TensorBase) else np.asarray(found)
