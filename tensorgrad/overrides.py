"""``torch.overrides``: what decides whether a function is handed to an argument's own class.

A function of yours may ask `has_torch_function` of its arguments and pass the call on by
`handle_torch_function`, as PyTorch's do.  The functions of this package do not ask: a subclass of
Tensor is computed with as a Tensor, and its ``__torch_function__`` is not called.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from tensorgrad.tensor import Tensor

__all__ = [
    "handle_torch_function",
    "has_torch_function",
    "has_torch_function_unary",
    "has_torch_function_variadic",
    "is_tensor_like",
    "wrap_torch_function",
]


def is_tensor_like(inp: Any) -> bool:
    """Whether it is a Tensor, or of a class that has a ``__torch_function__``."""
    return isinstance(inp, Tensor) or hasattr(inp, "__torch_function__")


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether one of the arguments is of a class that has a ``__torch_function__``."""
    return any(hasattr(type(arg), "__torch_function__") for arg in relevant_args)


def has_torch_function_unary(arg: Any) -> bool:
    """`has_torch_function` of one argument."""
    return has_torch_function((arg,))


def has_torch_function_variadic(*args: Any) -> bool:
    """`has_torch_function` of several."""
    return has_torch_function(args)


def _by_turns(relevant_args: Iterable[Any]) -> list[Any]:
    """One argument of each class that is to be asked, subclasses before what they come from."""
    turns: list[Any] = []
    for arg in relevant_args:
        kind = type(arg)
        if not hasattr(kind, "__torch_function__") or any(type(one) is kind for one in turns):
            continue
        above = (i for i, one in enumerate(turns) if issubclass(kind, type(one)))
        turns.insert(next(above, len(turns)), arg)
    return turns


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """``public_api(*args, **kwargs)`` by the ``__torch_function__`` of an argument's class.

    The first that does not return ``NotImplemented`` decides; if none does, a TypeError is raised.
    """
    turns = _by_turns(relevant_args)
    types = tuple(type(arg) for arg in turns)
    for arg in turns:
        result = arg.__torch_function__(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    name = f"{public_api.__module__}.{public_api.__name__}"
    raise TypeError(
        f"no implementation found for {name!r} on types that implement __torch_function__: "
        f"{[kind.__name__ for kind in types]}"
    )


def wrap_torch_function(dispatcher: Callable[..., Iterable[Any]]) -> Callable[..., Any]:
    """A decorator: a call is handed on if one of ``dispatcher(*args, **kwargs)`` asks for it."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def passed_on(*args: Any, **kwargs: Any) -> Any:
            relevant = tuple(dispatcher(*args, **kwargs))
            if has_torch_function(relevant):
                return handle_torch_function(passed_on, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return passed_on

    return decorate
