"""The re-entrant checkpoint: an `autograd.Function` whose backward runs a backward of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tensorgrad.autograd import Function, backward, enable_grad, is_grad_enabled, no_grad
from tensorgrad.graph.node import TensorBase, local
from tensorgrad.graph.provenance import warn
from tensorgrad.random import get_rng_state, set_rng_state

__all__ = ["CheckpointFunction", "check_backward_validity", "detach_variable"]


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The tensors among the inputs outside their graphs, requiring grad if they did."""
    if not isinstance(inputs, tuple):
        raise RuntimeError(
            f"Only tuple of tensors is supported. Got Unsupported input type: {type(inputs)}"
        )
    return tuple(
        value.detach().requires_grad_(value.requires_grad) if _is_tensor(value) else value
        for value in inputs
    )


def _is_tensor(value: Any) -> bool:
    return isinstance(value, TensorBase)


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warn if none of the inputs requires grad."""
    if not any(value.requires_grad for value in inputs if _is_tensor(value)):
        text = "None of the inputs have requires_grad=True. Gradients will be None"
        warn(text)


class CheckpointFunction(Function):
    """``apply(function, preserve_rng_state, *args)``."""

    @staticmethod
    def forward(ctx: Any, run_function: Any, preserve_rng_state: bool, *args: Any) -> Any:
        """The function, unrecorded; its tensors are saved."""
        check_backward_validity(args)
        ctx.run_function = run_function
        ctx.rng_state = get_rng_state() if preserve_rng_state else None
        ctx.tensor_places = [i for i, value in enumerate(args) if _is_tensor(value)]
        ctx.inputs = [None if _is_tensor(value) else value for value in args]
        ctx.save_for_backward(*(value for value in args if _is_tensor(value)))
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """The function again, recorded, and a backward of its own."""
        if local.context.walk.targets is not None:
            raise RuntimeError(
                "When use_reentrant=True, utils.checkpoint is incompatible with .grad() or passing "
                "an `inputs` parameter to .backward(). To resolve this error, you can either set "
                "use_reentrant=False, or call .backward() without passing the `inputs` argument."
            )
        if is_grad_enabled():
            raise RuntimeError(
                "When use_reentrant=True, utils.checkpoint is incompatible with create_graph=True: "
                "the gradient of its gradient would be missing. Set use_reentrant=False."
            )
        inputs = list(ctx.inputs)
        for place, tensor in zip(ctx.tensor_places, ctx.saved_tensors, strict=True):
            inputs[place] = tensor
        detached = detach_variable(tuple(inputs))
        now = get_rng_state()
        try:
            if ctx.rng_state is not None:
                set_rng_state(ctx.rng_state)
            with enable_grad():
                outputs = ctx.run_function(*detached)
        finally:
            if ctx.rng_state is not None:
                set_rng_state(now)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        pairs = [
            (output, gradient)
            for output, gradient in zip(outputs, gradients, strict=True)
            if _is_tensor(output) and output.requires_grad
        ]
        if not pairs:
            raise RuntimeError(
                "none of output has requires_grad=True, this checkpoint() is not necessary"
            )
        backward([output for output, _ in pairs], [gradient for _, gradient in pairs])
        return (None, None, *(v.grad if _is_tensor(v) else None for v in detached))
