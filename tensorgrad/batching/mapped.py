"""In and out of a mapped call: tensors of all examples as tensors of one, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tensorgrad.batching.dispatch import batched
from tensorgrad.batching.value import Batch, Frame
from tensorgrad.graph.node import hook, local, wrap

__all__ = ["entered", "unwrapped", "wrapped"]


@contextmanager
def entered(frame: Frame) -> Iterator[None]:
    """Within it the frame is the innermost mapped call."""
    context = local.context
    before, dispatch = context.vmaps, context.dispatch
    context.vmaps = (*before, frame)
    if dispatch is None:  # else whoever has it will hand on to mapped functions
        context.dispatch = batched
    try:
        yield
    finally:
        context.vmaps, context.dispatch = before, dispatch


def wrapped(tensor: Any, dim: int, frame: Frame) -> Any:
    """A tensor of all examples as the tensor of one."""
    if dim:
        axes = [dim, *(i for i in range(tensor._array.ndim) if i != dim)]
        tensor = hook.recorded.permute(tensor, axes=tuple(axes))
    return wrap(Batch(frame, tensor, batched=True))


def unwrapped(tensor: Any, dim: int | None, frame: Frame) -> Any:
    """The tensor of all examples behind that of one, with the examples at ``dim``."""
    if tensor._view is not None:
        hook.refresh_view(tensor)
    array = tensor._array
    own = isinstance(array, Batch) and array.frame is frame
    physical = array.physical if own else tensor
    has_examples = own and array.batched
    if dim is None:
        if has_examples:
            raise ValueError(
                "vmap: the function has an output that depends on the example, but out_dims is "
                "None for it; give the dimension at which the examples should stand"
            )
        return physical
    if not has_examples:
        shape = physical._array.shape
        physical = hook.recorded.broadcast_to(physical, shape=(frame.size, *shape))
    ndim = physical._array.ndim
    if not -ndim <= dim < ndim:
        raise IndexError(
            f"vmap: Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but "
            f"got {dim}) in out_dims"
        )
    dim %= ndim
    if dim:
        axes = list(range(1, ndim))
        axes.insert(dim, 0)
        physical = hook.recorded.permute(physical, axes=tuple(axes))
    return physical
