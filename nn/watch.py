"""The backward hooks of a module's call: identities around its forward tell them both gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.custom.function import Function
from tensorgrad.graph.node import storage_of, wrap
from tensorgrad.graph.provenance import warn
from tensorgrad.tensor import Tensor

if TYPE_CHECKING:
    from tensorgrad.nn.module import Module

__all__ = ["Watch", "watch_last_node"]


class _Through(Function):
    """The identity on several tensors at once: one node through which all their gradients pass."""

    @staticmethod
    def forward(ctx: Any, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        return tensors

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return gradients


class Watch:
    """The backward hooks of one call.

    A plain tensor hook on inputs and outputs would not do: an input that is used elsewhere too
    has a gradient that is not this module's alone.
    """

    def __init__(self, module: Module, before: list[Any], after: list[Any]) -> None:
        self.module, self.before, self.after = module, before, after
        self.grad_output: tuple[Any, ...] = ()
        self.inputs_watched = False
        self.count = 0

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Pass the arguments that are Tensors through an identity whose gradients are seen."""
        self.count = len(args)
        places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        args, node = _pass_through(args, places)
        self.inputs_watched = node is not None
        if node is not None and self.after:
            kinds = [(args[place]._array.shape, args[place]._array.dtype) for place in places]

            def arrived(grad_inputs: tuple[Any, ...], _: Any) -> tuple[Any, ...] | None:
                spread: list[Any] = [None] * self.count
                for place, gradient, kind in zip(places, grad_inputs, kinds, strict=True):
                    # A tensor that got nothing counts as zeros, so that hooks find a tensor.
                    spread[place] = wrap(np.zeros(*kind)) if gradient is None else gradient
                found = self._tell(tuple(spread))
                return None if found is None else tuple(found[place] for place in places)

            node.register_hook(arrived)
        return args

    def leave(self, result: Any) -> Any:
        """Pass the outputs that are Tensors through an identity whose gradients are seen."""
        several = isinstance(result, (tuple, list))
        outputs = tuple(result) if several else (result,)
        places = [i for i, out in enumerate(outputs) if isinstance(out, Tensor)]
        watched, node = _pass_through(outputs, places)
        if node is None:
            return result

        def arrived(gradients: tuple[Any, ...]) -> tuple[Any, ...] | None:
            spread: list[Any] = [None] * len(outputs)
            for place, gradient in zip(places, gradients, strict=True):
                spread[place] = gradient
            current = tuple(spread)
            for hook in self.before:
                changed = hook(self.module, current)
                if changed is not None:
                    current = _same_length("full_backward_pre_hook", changed, current)
            self.grad_output = current
            if not self.inputs_watched:
                warn(
                    f"{type(self.module).__name__}: a full backward hook is firing when gradients "
                    "are computed with respect to module outputs, since no inputs require "
                    "gradients."
                )
                if self.after:
                    self._tell((None,) * self.count)
            return tuple(current[place] for place in places)

        node.register_prehook(arrived)
        if not several:
            return watched[0]
        if isinstance(result, tuple) and hasattr(result, "_fields"):
            return type(result)(*watched)
        return type(result)(watched)

    def _tell(self, grad_input: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Call the backward hooks; the gradients they put in place of the inputs', if any."""
        changed = False
        for hook in self.after:
            found = hook(self.module, grad_input, self.grad_output)
            if found is not None:
                grad_input = _same_length("full_backward_hook", found, grad_input)
                changed = True
        return grad_input if changed else None


def _same_length(name: str, found: Any, expected: tuple[Any, ...]) -> tuple[Any, ...]:
    given: tuple[Any, ...] = found if isinstance(found, tuple) else (found,)
    if not all(gradient is None or isinstance(gradient, Tensor) for gradient in given):
        kinds = ", ".join(type(gradient).__name__ for gradient in given)
        raise TypeError(f"{name} returned {kinds}; a tuple of Tensors or None was expected")
    if len(given) != len(expected):
        raise RuntimeError(
            f"{name} returned {len(given)} gradients, but expected {len(expected)}: one per "
            "argument or output of the module"
        )
    return given


def _pass_through(values: tuple[Any, ...], places: list[int]) -> tuple[tuple[Any, ...], Any]:
    """The values with those at ``places`` passed through one identity node, and that node."""
    tensors = [values[i] for i in places]
    if not any(t.requires_grad for t in tensors):
        return values, None
    passed = _Through.apply(*tensors)
    made = list(values)
    node = None
    for i, before, after in zip(places, tensors, passed, strict=True):
        # One memory, one version: a write to either must be seen by nodes that saved it.
        after._storage = storage_of(before)
        if before.requires_grad:  # the others stay as they are: detached
            made[i] = after
            node = after.grad_fn
    return tuple(made), node


def watch_last_node(module: Module, hooks: list[Any], args: tuple[Any, ...], result: Any) -> None:
    """Put the old kind of backward hooks on the node that made the (first) output.

    They see the gradients of that node's own inputs, whatever the operation that came last takes.
    """
    found = result
    while not isinstance(found, Tensor):
        if isinstance(found, dict):
            found = next((v for v in found.values() if isinstance(v, Tensor)), None)
        else:
            found = found[0] if isinstance(found, (tuple, list)) and found else None
        if found is None:
            return
    node = found.grad_fn
    if node is None:
        return
    for hook in hooks:

        def told(grad_inputs: Any, grad_outputs: Any, hook: Any = hook) -> Any:
            return hook(module, grad_inputs, grad_outputs)

        node.register_hook(told)
    before = {a.grad_fn for a in args if isinstance(a, Tensor) and a.grad_fn is not None}
    if before != {following for following, _ in node.next_functions}:
        warn(
            f"{type(module).__name__}: a non-full backward hook when the forward contains multiple "
            "autograd Nodes is deprecated: it misses some grad_input. Please use "
            "register_full_backward_hook to get the documented behavior.",
            FutureWarning,
        )
