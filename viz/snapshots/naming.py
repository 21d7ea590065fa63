"""Names for tensors and modules: what a user passes as ``params`` or ``model``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tensorgrad.graph.node import TensorBase
from tensorgrad.nn import Module

__all__ = [
    "is_module",
    "is_tensor",
    "kind_of",
    "module_names",
    "named_scopes",
    "named_tensors",
]


def is_tensor(value: object) -> bool:
    """Whether the value is a Tensor, and not one of another library."""
    return isinstance(value, TensorBase)


def is_module(value: object) -> bool:
    """Whether the value is a Module: not the class of one, nor one of another library."""
    return isinstance(value, Module)


def kind_of(value: object) -> str:
    """What a value is, for an error; what has a namesake here with the library it is from."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    kind = type(value)
    library = kind.__module__.partition(".")[0]
    like_ours = hasattr(value, "grad_fn") or hasattr(value, "named_parameters")
    ours = is_tensor(value) or is_module(value)
    return kind.__name__ if ours or not like_ours else f"{library}.{kind.__name__}"


def named_tensors(source: Any, caller: str) -> list[tuple[str, Any]]:
    """(name, tensor) pairs of a Module, a mapping of names to tensors, or an iterable of pairs.

    A Module in the place of a tensor stands for its parameters, named below it: "D.0.weight".

    Raises TypeError, in the name of ``caller``, for anything else.
    """
    if source is None:
        return []
    if is_module(source):
        pairs: Iterable[Any] = source.named_parameters()
    elif isinstance(source, Mapping):
        pairs = source.items()
    elif (
        isinstance(source, Iterable)
        and not isinstance(source, str | bytes)
        and not hasattr(source, "grad_fn")  # a tensor, of whatever library
    ):
        pairs = source
    else:
        raise TypeError(
            f"{caller}: expected a Module, a mapping of names to Tensors or an iterable of "
            f"(name, Tensor) pairs, got {kind_of(source)}"
        )
    named = []
    for pair in pairs:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError(
                f"{caller}: expected (name, Tensor) pairs, got an item of type "
                f"{kind_of(pair)}; pass model.named_parameters(), not model.parameters()"
            )
        name, tensor = pair
        if not isinstance(name, str):
            raise TypeError(f"{caller}: a tensor's name must be a str, got {type(name).__name__}")
        if is_module(tensor):
            named += [(f"{name}.{below}", p) for below, p in tensor.named_parameters()]
            continue
        if not is_tensor(tensor):
            raise TypeError(f"{caller}: {name!r} must be a Tensor, got {kind_of(tensor)}")
        named.append((name, tensor))
    return named


def module_names(source: Any) -> dict[int, str]:
    """The ``id()`` of each module in what `named_tensors` takes, with its dotted name there."""
    if is_module(source):
        return {id(module): name for name, module in source.named_modules() if name}
    pairs = source.items() if isinstance(source, Mapping) else source
    if not isinstance(pairs, Iterable) or is_tensor(pairs):
        return {}
    names: dict[int, str] = {}
    for name, value in pairs:
        if is_module(value):
            for below, module in value.named_modules():
                names.setdefault(id(module), f"{name}.{below}" if below else name)
    return names


def named_scopes(scope: Any, names: Mapping[int, str]) -> list[tuple[Any, str, str]]:
    """A scope and those around it, the outermost first, each with its name and its dotted path.

    A module that no other has registered, as most outermost ones, is called what ``names`` say.
    """
    chain = []
    while scope is not None:
        chain.append(scope)
        scope = scope.parent
    found = []
    path = ""
    for scope in reversed(chain):
        name = scope.name
        if name:
            path = f"{path}.{name}" if path else name
        elif scope.owner in names:
            name = path = names[scope.owner]
        found.append((scope, name, path))
    return found
