"""What a caller asks for: a loss, variables, and their names."""

from __future__ import annotations

from collections.abc import Mapping
from types import FrameType
from typing import Any, NamedTuple

from tensorgrad.viz.derivation.between import Part, between, key_of
from tensorgrad.viz.derivation.naming import Names
from tensorgrad.viz.snapshots.naming import (
    is_module,
    is_tensor,
    kind_of,
    module_names,
    named_tensors,
)

__all__ = ["Asked", "ask", "key_of_tensor"]


class Asked(NamedTuple):
    """A loss's node, the variables by name, what lies between, and all names."""

    root: Any
    wanted: list[tuple[str, Any]]
    part: Part
    names: Names


def ask(loss: Any, wrt: Any, params: Any, gradient: Any, frame: FrameType, caller: str) -> Asked:
    """Check what was asked for, in the name of ``caller``; ``frame`` is the user's."""
    root = _root(loss, gradient, caller)
    around = {**frame.f_globals, **frame.f_locals}
    given = named_tensors(params, f"{caller}: params")
    wanted = _wanted(wrt, given, around, caller)
    part = between(root, [tensor for _, tensor in wanted])
    known = {id(tensor) for _, tensor in given}
    named = given + [(n, t) for n, t in wanted if id(t) not in known]
    modules = module_names(params)
    if not is_tensor(wrt) and not isinstance(wrt, str | list | tuple):
        modules = {**module_names(wrt), **modules}
    pairs = [(n, t) for n, t in named if n]
    names = Names(part.everything, pairs, around, key_of_tensor, modules)
    names.name(key_of(root), _variable(loss, around) or "L")
    return Asked(root, wanted, part, names)


def _root(loss: Any, gradient: Any, caller: str) -> Any:
    if not is_tensor(loss):
        raise TypeError(f"{caller}: loss must be a Tensor, got {kind_of(loss)}")
    if gradient is not None and not is_tensor(gradient):
        raise TypeError(f"{caller}: gradient must be a Tensor, got {kind_of(gradient)}")
    if loss.grad_fn is None and loss.requires_grad:
        raise RuntimeError(
            f"{caller}: loss is a leaf, no operation computed it: there is nothing to derive"
        )
    if loss.grad_fn is None:
        raise RuntimeError(
            f"{caller}: loss has no graph: it was computed from tensors none of which requires "
            "grad, or under no_grad(); set requires_grad=True on what you differentiate by"
        )
    if gradient is None and loss.numel() != 1:
        raise RuntimeError(
            f"{caller}: loss has shape {tuple(loss.shape)}; reduce it to one number (.sum(), "
            ".mean()), or pass its gradient"
        )
    return loss.grad_fn


def _wanted(
    wrt: Any, given: list[tuple[str, Any]], around: Mapping[str, Any], caller: str
) -> list[Any]:
    """(name or "", tensor) pairs of what to differentiate by."""
    if isinstance(wrt, str):
        for name, tensor in given:
            if name == wrt:
                return [(name, tensor)]
        known = ", ".join(name for name, _ in given[:8]) or "none: pass params=model"
        raise ValueError(f"{caller}: no parameter is called {wrt!r}; there are {known}")
    called = {id(tensor): name for name, tensor in given}
    if is_tensor(wrt):
        pairs = [("", wrt)]
    elif is_module(wrt) or isinstance(wrt, Mapping):
        pairs = named_tensors(wrt, f"{caller}: wrt")
    elif isinstance(wrt, (list, tuple)):
        pairs = []
        for item in wrt:
            if isinstance(item, str):
                pairs += _wanted(item, given, around, caller)
            elif is_tensor(item):
                pairs.append(("", item))
            else:
                raise TypeError(f"{caller}: wrt must hold Tensors, got {kind_of(item)}")
    else:
        raise TypeError(
            f"{caller}: wrt must be a Tensor, a list or mapping of Tensors, a Module, or a name "
            f"with params=model, got {kind_of(wrt)}"
        )
    if not pairs:
        raise ValueError(f"{caller}: wrt is empty")
    found = []
    for name, tensor in pairs:
        if not tensor.requires_grad:
            raise RuntimeError(
                f"{caller}: {name or 'wrt'} does not require grad; call requires_grad_() on it "
                "before the loss is computed"
            )
        name = called.get(id(tensor), name) or _variable(tensor, around) or ""
        found.append((name, tensor))
    return found


def _variable(tensor: Any, around: Mapping[str, Any]) -> str | None:
    """What the caller calls a tensor."""
    for name, value in around.items():
        if value is tensor and not name.startswith("_"):
            return name
    return None


def key_of_tensor(tensor: Any) -> Any:
    """What identifies the variable of a tensor."""
    return id(tensor) if tensor.grad_fn is None else key_of(tensor.grad_fn)
