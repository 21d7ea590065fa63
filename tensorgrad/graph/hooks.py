"""Hooks: a user's functions called with gradients as the backward walk reaches them."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.graph.node import Node, hook, local, wrap

__all__ = ["NodeHooks", "RemovableHandle", "register_post_hook", "register_pre_hook"]

_ids = itertools.count()


class RemovableHandle:
    """What registering a hook returns: ``remove()`` it, or use it as a context manager."""

    def __init__(self, table: dict[int, Any]) -> None:
        self.id = next(_ids)
        self._table: dict[int, Any] | None = table

    def remove(self) -> None:
        """Take the hook back; a second call does nothing."""
        if self._table is not None:
            self._table.pop(self.id, None)
            self._table = None

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


class NodeHooks:
    """The hooks of one node: on its output's gradient, before it runs, after it ran."""

    __slots__ = ("metadata", "post", "pre", "retain", "tensor")

    def __init__(self) -> None:
        self.tensor: dict[int, Callable[[Any], Any]] = {}
        self.pre: dict[int, Callable[[Any], Any]] = {}
        self.post: dict[int, Callable[[Any, Any], Any]] = {}
        self.retain: list[weakref.ref[Any]] = []
        self.metadata: dict[Any, Any] = {}


def hooks_of(node: Node) -> NodeHooks:
    """The node's hooks, made when first needed."""
    if node.hooks is None:
        node.hooks = NodeHooks()
    found: NodeHooks = node.hooks
    return found


def move_retained(tensor: Any, old: Node, new: Node) -> None:
    """retain_grad() of a tensor is for its newest values: it follows a write in place."""
    if old.hooks is None:
        return
    for reference in old.hooks.retain[:]:
        if reference() is tensor:
            old.hooks.retain.remove(reference)
            hooks_of(new).retain.append(reference)


def add_hook(table: dict[int, Any], function: Any) -> RemovableHandle:
    """Put a function into a table of hooks."""
    if not callable(function):
        raise TypeError(f"a hook must be callable, got {type(function).__name__}")
    handle = RemovableHandle(table)
    table[handle.id] = function
    return handle


def register_pre_hook(node: Node, function: Any) -> RemovableHandle:
    """``function(grad_outputs)`` before the node's rules; it may return new ones."""
    return add_hook(hooks_of(node).pre, function)


def register_post_hook(node: Node, function: Any) -> RemovableHandle:
    """``function(grad_inputs, grad_outputs)`` after the node's rules; it may return new inputs'."""
    return add_hook(hooks_of(node).post, function)


def leaf_hooks(leaf: Any) -> dict[int, Any]:
    """The table of a leaf's hooks, made when first needed."""
    if leaf._hooks is None:
        leaf._hooks = {}
    table: dict[int, Any] = leaf._hooks
    return table


def call_tensor_hooks(table: dict[int, Callable[[Any], Any]], gradient: Any, create: bool) -> Any:
    """Pass a gradient (ndarray or Tensor) through tensor hooks, each of which may replace it."""
    given = gradient if create else wrap(gradient)
    current = given
    for function in list(table.values()):
        result = _call(function, create, current)
        if result is not None:
            if not hasattr(result, "_array"):
                raise TypeError(
                    f"hook {function!r} returned {type(result).__name__}: expected a Tensor or None"
                )
            if tuple(result.shape) != tuple(current.shape):
                raise RuntimeError(
                    f"hook {function!r} changed the size of the gradient from "
                    f"{tuple(current.shape)} to {tuple(result.shape)}"
                )
            current = result
    if current is given:
        return gradient
    return current if create else current._array


def before(node: Node, g: Any, create: bool) -> Any:
    """Everything that happens to a node's gradient before its rules run."""
    hooks: NodeHooks = node.hooks
    if hooks.tensor:
        g = call_tensor_hooks(hooks.tensor, g, create)
    for reference in hooks.retain:
        tensor = reference()
        if tensor is not None:
            tensor._grad = _added(tensor._grad, g, create)
    for function in list(hooks.pre.values()):
        several = isinstance(g, tuple)
        given = g if several else (g,)
        shown = given if create else tuple(None if a is None else wrap(a) for a in given)
        result = _call(function, create, shown)
        if result is not None:
            result = result if isinstance(result, tuple) else (result,)
            result = result if create else tuple(None if t is None else t._array for t in result)
            g = result if several else result[0]
    return g


def _added(held: Any, g: Any, create: bool) -> Any:
    """What a non-leaf that keeps its gradient has after one more, as a leaf would."""
    if create:
        return g if held is None else hook.recorded.add(held, g)
    return wrap(g.copy() if held is None else np.asarray(held._array + g))


def after(node: Node, contributions: list[Any], g: Any, create: bool) -> list[Any]:
    """The node's post hooks, which may replace the gradients of its inputs."""
    hooks: NodeHooks = node.hooks
    given = g if isinstance(g, tuple) else (g,)

    def show(values: Any) -> tuple[Any, ...]:
        if create:
            return tuple(values)
        return tuple(None if value is None else wrap(value) for value in values)

    for function in list(hooks.post.values()):
        result = _call(function, create, show(contributions), show(given))
        if result is not None:
            result = result if isinstance(result, tuple) else (result,)
            if len(result) != len(contributions):
                raise RuntimeError(
                    f"hook {function!r} of {node.name()} returned {len(result)} gradients, "
                    f"expected {len(contributions)}"
                )
            contributions = [t if create or t is None else t._array for t in result]
    return contributions


def _call(function: Callable[..., Any], create: bool, *args: Any) -> Any:
    """Run a user's function with recording on only if the gradients are being recorded."""
    context = local.context
    was = context.grad_enabled
    context.grad_enabled = create
    try:
        return function(*args)
    finally:
        context.grad_enabled = was
