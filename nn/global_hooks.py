"""Hooks of every module of the program: for debugging and for tools that watch any model.

Each is called before the hooks of the same kind of the module itself.  What they do for one module
is told at the methods of `Module` of the same names.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from tensorgrad.graph.hooks import RemovableHandle
from tensorgrad.nn import hooks as kinds

__all__ = [
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
    "registered",
]

Hook = Callable[..., Any]

# Called when something is registered, by what it is.
_registration: dict[str, OrderedDict[int, Hook]] = {
    "buffer": OrderedDict(),
    "module": OrderedDict(),
    "parameter": OrderedDict(),
}


def _everywhere() -> kinds.Hooks:
    if kinds.everywhere.hooks is None:
        kinds.everywhere.hooks = kinds.Hooks()
    return kinds.everywhere.hooks


def registered(what: str, owner: Any, name: str, value: Any) -> Any:
    """Tell the hooks that a buffer, module or parameter is registered; what stands in its place."""
    for hook in list(_registration[what].values()):
        replaced = hook(owner, name, value)
        if replaced is not None:
            value = replaced
    return value


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, args)`` before every module's forward."""
    return kinds.add_forward_pre(_everywhere(), hook)


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after every module's forward."""
    return kinds.add_forward(_everywhere(), hook, False, with_kwargs, always_call)


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` in backward, for every module."""
    return kinds.add(_everywhere().backward_pre, hook)


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` in backward, for every module."""
    return kinds.add_backward(_everywhere(), hook, False, True, "all Modules")


def register_module_backward_hook(hook: Hook) -> RemovableHandle:
    """The old kind: see `Module.register_backward_hook`."""
    return kinds.add_backward(_everywhere(), hook, False, False, "all Modules")


def register_module_buffer_registration_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` at every registration; it may return another buffer."""
    return kinds.add(_registration["buffer"], hook)


def register_module_module_registration_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, name, submodule)`` at every registration; it may return another."""
    return kinds.add(_registration["module"], hook)


def register_module_parameter_registration_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, name, param)`` at every registration; it may return another parameter."""
    return kinds.add(_registration["parameter"], hook)
