"""Forward-mode differentiation with dual numbers: tangents that follow a running program.

Inside a `dual_level`, `make_dual` marks a place in the graph and keeps its tangent; `unpack_dual`
gives the tangent of whatever was computed from it, J v, by reverse mode twice.  So there is no
second rule for any operation, which could disagree with the first one; a product costs about as
much as two backward passes.  What is not recorded (under ``no_grad``, ``detach``) has no tangent.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tensorgrad.autograd.grad_mode import _GradMode, enable_grad
from tensorgrad.autograd.products import push, reached, settle, zeros_like
from tensorgrad.errors import describe
from tensorgrad.graph.node import Node, TensorBase, local
from tensorgrad.primitive import recorded

__all__ = [
    "UnpackedDualTensor",
    "dual_level",
    "enter_dual_level",
    "exit_dual_level",
    "make_dual",
    "unpack_dual",
]


class _Dual(NamedTuple):
    """A place in the graph, its tangent, and the leaf behind it if it was made for it."""

    place: Any
    tangent: Any
    leaf: Any


# The duals of the level that is open, by the node of their place; None where none is.
_duals: dict[Node, _Dual] | None = None
_recording = False  # whether the thread recorded before the level was entered


class UnpackedDualTensor(NamedTuple):
    """(primal, tangent) of a tensor; the tangent is None where it depends on no dual."""

    primal: Any
    tangent: Any


def enter_dual_level() -> int:
    """Open the level that duals live in, and record; returns its number, 0: there is one only."""
    global _duals, _recording
    if _duals is not None:
        raise RuntimeError(
            "Nested forward mode AD is not supported at the moment: exit_dual_level() first, or "
            "use func.jvp, which may be nested"
        )
    _duals = {}
    _recording = local.context.grad_enabled
    local.context.grad_enabled = not local.context.inference
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """Close the level: its tensors have no tangents any more."""
    global _duals
    if _duals is None:
        raise RuntimeError("exit_dual_level: no level is open; enter_dual_level() opens one")
    if level not in (None, 0):
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created: level "
            f"{level}, and level 0 is open"
        )
    _duals = None
    local.context.grad_enabled = _recording


class dual_level(_GradMode):
    """A block, or a decorated function, in which duals live; it yields the level's number."""

    def __enter__(self) -> int:  # type: ignore[override]
        return enter_dual_level()

    def __exit__(self, *error: object) -> None:
        exit_dual_level()

    def _again(self) -> dual_level:
        return dual_level()


def _check(tensor: Any, what: str) -> None:
    if not isinstance(tensor, TensorBase):
        raise TypeError(f"make_dual: {what} must be a Tensor, not {type(tensor).__name__}")
    if tensor._array.dtype.kind not in "fc":
        raise ValueError(
            f"Expected {what} to be floating point or complex, but got: {describe(tensor)}"
        )


def make_dual(tensor: Any, tangent: Any, *, level: int | None = None) -> Any:
    """The same values with a tangent, for what is computed from the result.

    The result shares memory with ``tensor`` and, being recorded, requires grad.
    """
    if _duals is None or level not in (None, 0):
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
            "enter_dual_level() first."
        )
    _check(tensor, "primal")
    _check(tangent, "tangent")
    if tangent._array.shape != tensor._array.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original "
            f"Tensor, this is not supported: the primal is {describe(tensor)}, the tangent "
            f"{describe(tangent)}"
        )
    if _within(tensor):
        raise RuntimeError(
            "Making a dual Tensor based on a Tensor that already has a forward gradient at the "
            "same level 0 is not supported."
        )
    with enable_grad():
        leaf = None if tensor.requires_grad else tensor.detach().requires_grad_()
        place = recorded.alias(tensor if leaf is None else leaf)
        _duals[place._node] = _Dual(place, tangent, leaf)
        # One alias more: what is written into the result must not move the place.
        dual = recorded.alias(place)
        if leaf is not None:
            # A write into the dual writes into ``tensor`` too, and is no write into a leaf.
            place._view = dual._view = None
        return dual


def _within(tensor: Any) -> list[_Dual]:
    """The duals that a tensor was computed from."""
    if not _duals or not tensor.requires_grad:
        return []
    nodes = reached([tensor])
    return [dual for node, dual in _duals.items() if node in nodes]


def unpack_dual(tensor: Any, *, level: int | None = None) -> UnpackedDualTensor:
    """(primal, tangent): what was computed, and its derivative along the tangents of the duals.

    Both are recorded only if something that requires grad, besides the duals, leads to them.
    """
    if not isinstance(tensor, TensorBase):
        raise TypeError(f"unpack_dual: expected a Tensor, not {type(tensor).__name__}")
    if level not in (None, 0):
        if level < 0:
            return UnpackedDualTensor(tensor, None)
        raise RuntimeError(f"unpack_dual: there is no level {level}")
    duals = _within(tensor)
    if not duals:
        return UnpackedDualTensor(tensor, None)
    with enable_grad():
        (tangent,), dummies = push(
            [tensor], [d.place for d in duals], [d.tangent for d in duals], create=True
        )
        if tangent is None:  # a step function of a dual, as sign
            tangent = zeros_like(tensor)
        own = [*(d.leaf for d in duals if d.leaf is not None), *dummies]
        (primal,), (tangent,) = (settle([t], own) for t in (recorded.alias(tensor), tangent))
    return UnpackedDualTensor(primal, tangent)
