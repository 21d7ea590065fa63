"""Names for tensors: what a user passes as ``params`` or ``model``, as (name, tensor) pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["is_tensor", "named_tensors"]


def is_tensor(value: object) -> bool:
    """Whether the value has what viz reads of a Tensor."""
    return hasattr(value, "grad_fn") and hasattr(value, "requires_grad")


def named_tensors(source: Any, caller: str) -> list[tuple[str, Any]]:
    """(name, tensor) pairs of a Module, a mapping of names to tensors, or an iterable of pairs.

    A Module in the place of a tensor stands for its parameters, named below it: "D.0.weight".

    Raises TypeError, in the name of ``caller``, for anything else.
    """
    if source is None:
        return []
    if callable(getattr(source, "named_parameters", None)):
        pairs: Iterable[Any] = source.named_parameters()
    elif isinstance(source, Mapping):
        pairs = source.items()
    elif (
        isinstance(source, Iterable)
        and not isinstance(source, str | bytes)
        and not is_tensor(source)
    ):
        pairs = source
    else:
        raise TypeError(
            f"{caller}: expected a Module, a mapping of names to Tensors or an iterable of "
            f"(name, Tensor) pairs, got {type(source).__name__}"
        )
    named = []
    for pair in pairs:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError(
                f"{caller}: expected (name, Tensor) pairs, got an item of type "
                f"{type(pair).__name__}; pass model.named_parameters(), not model.parameters()"
            )
        name, tensor = pair
        if not isinstance(name, str):
            raise TypeError(f"{caller}: a tensor's name must be a str, got {type(name).__name__}")
        if callable(getattr(tensor, "named_parameters", None)):
            named += [(f"{name}.{below}", p) for below, p in tensor.named_parameters()]
            continue
        if not is_tensor(tensor):
            raise TypeError(f"{caller}: {name!r} must be a Tensor, got {type(tensor).__name__}")
        named.append((name, tensor))
    return named
