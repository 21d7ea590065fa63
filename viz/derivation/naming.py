"""A readable name for every variable of a derivation, none twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tensorgrad.viz.derivation.between import Key
from tensorgrad.viz.derivation.source import Sources, visits

__all__ = ["Names"]

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
        self._taken: set[str] = set()
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
        around_names = _by_identity(around, key_of)
        for key, name in around_names.items():
            if key not in self._names and key not in known:
                wanted.append((key, name))
        self._number(wanted)
        self._parameters(nodes)

    def of(self, key: Key) -> str:
        """The name of a variable; an unnamed one gets the next x1, x2, ..."""
        if key not in self._names:
            self._counter += 1
            while f"x{self._counter}" in self._taken:
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
        self._taken.add(name)

    def another(self, name: str) -> str:
        """This name, or the same with a number if something is called so already."""
        unique, k = name, 2
        while unique in self._taken:
            unique = f"{name}′{k}" if name[-1:].isdigit() else f"{name}{k}"
            k += 1
        self._taken.add(unique)
        return unique

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


def _by_identity(around: Mapping[str, Any], key_of: Any) -> dict[Key, str]:
    """Which of the caller's variables hold leaves; the first name that a tensor has."""
    found: dict[Key, str] = {}
    for name, value in around.items():
        if name.startswith("_") or not hasattr(value, "grad_fn") or not hasattr(value, "is_leaf"):
            continue
        if value.requires_grad and value.is_leaf:
            found.setdefault(key_of(value), name)
    return found
