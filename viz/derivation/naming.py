"""A readable name for every variable of a derivation, none twice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tensorgrad.viz.derivation.between import Key
from tensorgrad.viz.derivation.source import Sources, visits
from tensorgrad.viz.derivation.symbols import GREEK, split_name
from tensorgrad.viz.figures.words import cells, shorten, visible
from tensorgrad.viz.snapshots.naming import is_tensor

__all__ = ["Names"]

LONG = 40  # columns of a terminal

_ARGUMENTS = {"w": "weight", "b": "bias", "w_ih": "weight_ih", "w_hh": "weight_hh"}

_NORMS = {
    (op, argument): name
    for op in ("batch_norm", "layer_norm", "rms_norm")
    for argument, name in (("w", "gamma"), ("b", "beta"))
}


class Names:
    """Names by node (or leaf), from the user's, from the caller's variables, from the source."""

    def __init__(
        self,
        nodes: list[Any],
        given: Iterable[tuple[str, Any]],
        around: Mapping[str, Any],
        key_of: Any,
        modules: Mapping[int, str],
    ) -> None:
        self.modules = modules  # names of modules by their id()
        self.sources = Sources()
        self.whole: dict[str, str] = {}  # of names that are cut
        self._taken: set[tuple[str, str]] = set()  # as they are written: weight and W are alike
        self._names: dict[Key, str] = {}
        self._key_of = key_of
        self._counter = 0
        known = {id(n) for n in nodes}
        for name, tensor in given:
            self._give(key_of(tensor), name)
        wanted: list[tuple[Key, str]] = []
        for visit in visits(nodes):
            last = visit[-1]
            target = self.sources.target(last)
            if target is not None:
                wanted.append((id(last), target))
        self._held = _arrays(around)
        # The sizes of all of them, with those that a gradient goes through.
        self._words = {n: _size(value) for n, value in around.items() if _is_variable(value)}
        self._apart: list[tuple[str, Any, str]] = []
        around_names = _by_identity(around, key_of)
        for key, name in around_names.items():
            if key not in self._names and key not in known:
                wanted.append((key, name))
        # What no line assigns to a single name: ``(g,) = grad(...)``, ``q, k, v = x.chunk(3)``.
        made = {key for key, _ in wanted}
        wanted += [
            (key, name)
            for key, name in _by_identity(around, key_of, leaves=False).items()
            if key in known and key not in made and key not in self._names
        ]
        self._number(wanted)
        self._parameters(nodes)

    def of(self, key: Key) -> str:
        """The name of a variable; an unnamed one gets the next x1, x2, ..."""
        if key not in self._names:
            self._counter += 1
            while ("x", str(self._counter)) in self._taken:
                self._counter += 1
            self._give(key, f"x{self._counter}")
        return self._names[key]

    def has(self, key: Key) -> bool:
        """Whether a variable has been named."""
        return key in self._names

    def name(self, key: Key, name: str) -> None:
        """Name a variable unless it has a name."""
        if key not in self._names:
            self._give(key, name)

    def _give(self, key: Key, name: str) -> None:
        if key not in self._names:
            self._names[key] = self.another(name)

    def take(self, name: str) -> None:
        """Nothing else is to be called so."""
        self._taken.add(_written(name))

    def another(self, name: str) -> str:
        """This name, or the same with a number if something is called so already.

        One that is longer than formulas bear is cut in its middle; the legend has all of it.
        """
        whole = visible(name)
        if cells(whole) > LONG:
            name = shorten(whole, LONG, middle=True)
        unique, k = name, 2
        while _written(unique) in self._taken:
            unique = f"{name}′{k}" if name[-1:].isdigit() else f"{name}{k}"
            k += 1
        if name != whole and cells(whole) > LONG:
            self.whole[unique] = whole
        self.take(unique)
        return unique

    def may_be(self, word: str, shape: Any) -> bool:
        """Whether a constant can be what a source line names, which may name what a whole call is
        given: the call makes constants of its own.
        """
        size = self._words.get(word)
        return size is None or not isinstance(shape, tuple) or size == math.prod(shape)

    def of_constant(self, own: str, value: Any) -> str:
        """What the caller calls the array with these values, or ``own`` if that is nobody's."""
        value = None if value is None else np.asarray(value)
        # Arrays of one number repeated say nothing: ones are not what a variable has that is 1.
        if value is not None and value.size > 1 and (value != value.flat[0]).any():
            for name, held in self._held.items():
                if held.shape == value.shape and np.array_equal(held, value):
                    return name
        if own not in self._words:
            return own
        # The caller's variable of this name is something else.
        for known, other, name in self._apart:
            if known == own and value is not None and np.array_equal(other, value):
                return name
        k = 2
        while f"{own}{k}" in self._words or _written(f"{own}{k}") in self._taken:
            k += 1
        self._apart.append((own, value, f"{own}{k}"))
        return f"{own}{k}"

    def _number(self, wanted: list[tuple[Key, str]]) -> None:
        """A name that is used again and again (``h`` in a loop) is numbered from 1."""
        uses: dict[str, int] = {}
        for key, name in wanted:
            if key not in self._names:
                uses[name] = uses.get(name, 0) + 1
        seen: dict[str, int] = {}
        for key, name in wanted:
            if key in self._names:
                continue
            if uses[name] > 1 and not name[-1:].isdigit():
                seen[name] = seen.get(name, 0) + 1
                name = f"{name}{seen[name]}"
            self._give(key, name)

    def _parameters(self, nodes: list[Any]) -> None:
        """A leaf inside a module, under the module's path: ``fc1.weight``."""
        for node in nodes:
            names = self.sources.operands(node)
            alone = node.scope is None
            for i, edge in enumerate(node.inputs):
                leaf = getattr(edge, "variable", None)
                if leaf is None or self.has(self._key_of(leaf)):
                    continue
                arguments = node.op.arguments
                argument = arguments[i] if i < len(arguments) else ""
                if not alone and argument in _ARGUMENTS:
                    own = _ARGUMENTS[argument]
                    if not node.scope.path:
                        own = _NORMS.get((node.op.name, argument), own)
                    path = f"{node.scope.path}." if node.scope.path else ""
                    self._give(self._key_of(leaf), path + own)
                elif i < len(names) and names[i]:
                    self._give(self._key_of(leaf), str(names[i]))
                elif (node.op.name, argument) in _NORMS:
                    self._give(self._key_of(leaf), _NORMS[node.op.name, argument])


def _written(name: str) -> tuple[str, str]:
    """What a name looks like in a formula: its letters and its subscript."""
    letters, below = split_name(name)
    return GREEK.get(letters, letters), below


def _arrays(around: Mapping[str, Any]) -> dict[str, Any]:
    """The caller's variables that hold arrays or tensors without a gradient, as arrays."""
    found = {}
    for name, value in around.items():
        if is_tensor(value):  # of some there is no array: in vmap, before a lazy layer ran
            value = None if value.requires_grad else getattr(value, "_array", None)
        known = isinstance(value, np.ndarray) and value.dtype.kind in "biufc"
        if known and not name.startswith("_"):
            found[name] = value
    return found


def _is_variable(value: Any) -> bool:
    """Whether a letter that means this means something else than a constant of a graph."""
    return isinstance(value, np.ndarray) or is_tensor(value)


def _size(value: Any) -> int:
    return math.prod(map(int, value.shape))


def _by_identity(around: Mapping[str, Any], key_of: Any, *, leaves: bool = True) -> dict[Key, str]:
    """Which of the caller's variables hold leaves, or results; the first name that a tensor has."""
    found: dict[Key, str] = {}
    for name, value in around.items():
        if name.startswith("_") or not hasattr(value, "grad_fn") or not hasattr(value, "is_leaf"):
            continue
        if value.requires_grad and value.is_leaf == leaves:
            found.setdefault(key_of(value), name)
    return found
