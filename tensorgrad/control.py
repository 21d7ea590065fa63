"""Branches and loops as functions, as PyTorch's compiler wants them; here they are Python's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.graph.node import TensorBase

__all__ = ["cond", "while_loop"]


def _truth(value: Any, name: str) -> bool:
    if isinstance(value, TensorBase):
        if value._array.dtype != bool or value._array.size != 1:
            raise RuntimeError(
                f"{name}: the condition must be a bool or a bool tensor of one element, got shape "
                f"{list(value._array.shape)} of {value._array.dtype}"
            )
        return bool(value._array.reshape(()))
    return bool(value)


def cond(
    pred: Any,
    true_fn: Callable[..., Any],
    false_fn: Callable[..., Any],
    operands: tuple[Any, ...] | list[Any] = (),
) -> Any:
    """``true_fn(*operands)`` if pred holds, else ``false_fn(*operands)``; only one is called."""
    for function in (true_fn, false_fn):
        if not callable(function):
            raise RuntimeError(f"cond: expected two functions, got {type(function).__name__}")
    if not isinstance(operands, (tuple, list)):
        raise RuntimeError(f"cond: operands must be a tuple, got {type(operands).__name__}")
    return true_fn(*operands) if _truth(pred, "cond") else false_fn(*operands)


def while_loop(
    cond_fn: Callable[..., Any],
    body_fn: Callable[..., Any],
    carried_inputs: tuple[Any, ...] | list[Any],
) -> tuple[Any, ...]:
    """``carried = body_fn(*carried)`` as long as ``cond_fn(*carried)`` holds; the last of them."""
    for function in (cond_fn, body_fn):
        if not callable(function):
            raise RuntimeError(f"while_loop: expected two functions, got {type(function).__name__}")
    if not isinstance(carried_inputs, (tuple, list)):
        raise RuntimeError(
            f"while_loop: carried_inputs must be a tuple, got {type(carried_inputs).__name__}"
        )
    carried = tuple(carried_inputs)
    while _truth(cond_fn(*carried), "while_loop"):
        found = body_fn(*carried)
        if not isinstance(found, (tuple, list)) or len(found) != len(carried):
            raise RuntimeError(
                f"while_loop: body_fn must return as many values as it takes, {len(carried)}, in a "
                "tuple"
            )
        carried = tuple(found)
    return carried
