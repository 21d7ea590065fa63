"""Modules that hold modules: `Sequential`, `ModuleList`, `ModuleDict`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from operator import index as as_index
from typing import Any, Self, overload

from tensorgrad.graph.node import local
from tensorgrad.nn.module import Module, indented
from tensorgrad.nn.short_calls import Rest, in_turn, recorded, unrecorded

__all__ = ["ModuleDict", "ModuleList", "Sequential"]


class _Numbered(Module):
    """A list of modules, registered as "0", "1", ...

    `Sequential` and `ModuleList` differ in what calling them does, in how they print, and in what
    ``+`` accepts.
    """

    def _place(self, idx: Any, *, end: bool = False) -> int:
        """A list index counted from the front; ``end`` allows the place behind the last."""
        length = len(self)
        idx = int(as_index(idx))
        if not -length <= idx < length + end:
            raise IndexError(
                f"{type(self).__name__}: index {idx} is out of range for {length} modules"
            )
        place: int = idx + length if idx < 0 else idx
        return place

    def _set_all(self, modules: Iterable[Module | None]) -> None:
        """Register modules as "0", "1", ... in place of what is there; all or nothing."""
        modules = list(modules)
        for module in modules:
            _check(self, module)
        self._modules.clear()
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __setitem__(self, idx: int, module: Module) -> None:
        _check(self, module)
        self.add_module(list(self._modules)[self._place(idx)], module)

    def __delitem__(self, idx: int | slice) -> None:
        keys = list(self._modules)
        gone = keys[idx] if isinstance(idx, slice) else [keys[self._place(idx)]]
        self._set_all(m for key, m in self._modules.items() if key not in gone)

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        _check(self, module)
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"{type(self).__name__}.extend should be called with an iterable, but got "
                f"{type(modules).__name__}"
            )
        self._set_all([*self, *modules])
        return self

    def pop(self, key: int | slice) -> Any:
        """Take a module (or a slice of them) out and return it."""
        found = self[key]
        del self[key]
        return found

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            return type(self)._of(list(self)[idx])
        return list(self._modules.values())[self._place(idx)]

    @classmethod
    def _of(cls, modules: list[Module]) -> Any:
        raise NotImplementedError


def _check(owner: Module, module: Any) -> None:
    if module is not None and not isinstance(module, Module):
        raise TypeError(
            f"{type(owner).__name__}: {type(module).__name__} object {module!r:.60} is not a "
            "Module subclass"
        )


class Sequential(_Numbered):
    """Modules called one after the other, each with what the one before returned.

    Takes the modules as arguments, or an OrderedDict that names them.
    """

    @overload
    def __init__(self, *args: Module) -> None: ...
    @overload
    def __init__(self, arg: OrderedDict[str, Module], /) -> None: ...
    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for i, module in enumerate(args):
                self.add_module(str(i), module)

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):  # names are kept, as PyTorch keeps them
            named: Any = OrderedDict(list(self._modules.items())[idx])
            return type(self)(named)
        return super().__getitem__(idx)

    def insert(self, index: int, module: Module) -> Self:
        """Put a module before place ``index``; AssertionError, as in PyTorch, if it is none."""
        if not isinstance(module, Module):
            raise AssertionError(
                f"Sequential.insert: {type(module).__name__} object {module!r:.60} is not a Module"
            )
        modules = list(self)
        modules.insert(self._place(index, end=True), module)
        self._set_all(modules)
        return self

    def extend(self, sequential: Iterable[Module]) -> Self:
        """Add modules at the end."""
        for module in list(sequential):
            self.append(module)
        return self

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(
                "add operator supports only objects of Sequential class, but "
                f"{type(other).__name__} is given."
            )
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Self:
        if not isinstance(other, Sequential):
            raise ValueError(
                "add operator supports only objects of Sequential class, but "
                f"{type(other).__name__} is given."
            )
        return self.extend(other)

    def __mul__(self, other: int) -> Sequential:
        return Sequential(*list(self) * self._times(other))

    __rmul__ = __mul__

    def __imul__(self, other: int) -> Self:
        times = self._times(other)
        return self.extend(list(self) * (times - 1))

    def _times(self, other: Any) -> int:
        if not isinstance(other, int):
            raise TypeError(
                f"unsupported operand type(s) for *: {type(self).__name__} and "
                f"{type(other).__name__}"
            )
        if other <= 0:
            raise ValueError(
                f"Non-positive multiplication factor {other} for {type(self).__name__}"
            )
        return other

    @in_turn
    def forward(self, input: Any) -> Any:
        """The input through all modules."""
        if local.context.grad_enabled:
            return recorded(self._modules, input)
        if input.__class__ is Rest:  # the call of this module did what it could without a scope
            return unrecorded(input.modules, input.value)
        return unrecorded(self._modules.values(), input)


class ModuleList(_Numbered):
    """A list of modules that are registered; calling it is an error, looping over it is the use."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    @classmethod
    def _of(cls, modules: list[Module]) -> Any:
        return cls(modules)

    def insert(self, index: int, module: Module) -> None:
        """Put a module before place ``index``, counted as Python's lists count."""
        _check(self, module)
        modules = list(self)
        modules.insert(as_index(index), module)
        self._set_all(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __repr__(self) -> str:
        """Runs of equal modules as one line: ``(0-2): 3 x Linear(...)``."""
        runs: list[tuple[int, int, str]] = []
        for i, module in enumerate(self):
            text = indented(module)
            if runs and runs[-1][2] == text:
                runs[-1] = (runs[-1][0], i, text)
            else:
                runs.append((i, i, text))
        if not runs:
            return f"{self._get_name()}()"
        lines = [
            f"({first}): {text}"
            if first == last
            else f"({first}-{last}): {last - first + 1} x {text}"
            for first, last, text in runs
        ]
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


class ModuleDict(Module):
    """A dictionary of modules that are registered under its keys, in order of insertion."""

    def __init__(
        self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None
    ) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Take everything out."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Take a module out and return it."""
        return self._modules.pop(key)

    def keys(self) -> KeysView[str]:
        """The keys."""
        return self._modules.keys()

    def items(self) -> ItemsView[str, Any]:
        """Keys and modules."""
        return self._modules.items()

    def values(self) -> ValuesView[Any]:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add modules from a mapping or from (key, module) pairs."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                "ModuleDict.update should be called with an iterable of key/value pairs, but got "
                f"{type(modules).__name__}"
            )
        pairs = modules.items() if isinstance(modules, (Mapping, ModuleDict)) else modules
        for pair in list(pairs):
            if not isinstance(pair, Iterable):
                raise TypeError(f"ModuleDict: expected (key, module) pairs, got {pair!r:.60}")
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise ValueError(f"ModuleDict: expected (key, module) pairs, got {pair!r:.60}")
            self[pair[0]] = pair[1]
