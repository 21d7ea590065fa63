"""The recorder of operations on one tensor that give views of it.

Where gradients are recorded it is `tensorgrad.recording.recorders.unary`.  Where they are not, a
view is a Tensor that knows its parent, and shares its storage, and making it costs Python's time
alone: a transformer's forward on one example makes as many views as it makes products.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from numpy import ndarray

from tensorgrad.graph.node import TensorBase, hook, local, new, storage_of, wrap
from tensorgrad.graph.storages import SAVED
from tensorgrad.recording.general import failed

if TYPE_CHECKING:
    from tensorgrad.primitive import Primitive
    from tensorgrad.tensor import Tensor

__all__ = ["basic_index", "piece", "reshaped", "shared", "viewing"]


def viewing(op: Primitive, record: Callable[..., Any]) -> Callable[..., Any]:
    """The recorder of an operation; ``record`` is called where something is to be recorded."""
    forward = op.forward

    def view(a: Any, **params: Any) -> Any:
        context = local.context
        if context.grad_enabled or context.dispatch or not isinstance(a, TensorBase):
            return record(a, **params)
        x = a._array
        try:
            y = forward(x, **params)
        except Exception as error:
            raise failed(op, (a,), params, error) from error
        if type(y) is not ndarray or (base := y.base) is None:
            return wrap(y)
        return shared(op, a, y, params) if base is x or base is x.base else wrap(y)

    return view


def reshaped(op: Primitive, tensor: Any, sizes: tuple[Any, ...], seen: bool) -> Tensor | None:
    """A reshape that takes no copy, unrecorded; None where that needs a closer look, or is wrong.

    sizes: as a method was given them, one by one or as one tuple.  seen: only if the strides of the
    array are those that the user sees, which decide on a `view`.
    """
    context = local.context
    if context.grad_enabled or context.dispatch:
        return None
    array, held = tensor._array, tensor._held
    if array.__class__ is not ndarray:
        return None
    if len(sizes) == 1 and isinstance(sizes[0], tuple):
        sizes = sizes[0]
    try:
        if array.flags.c_contiguous:
            if seen and held is not None and (held is SAVED or held.aliases is not None):
                return None
            y = array.reshape(sizes)
        elif held is not None and held.plain and held.aliases is None:
            y = array.reshape(sizes, copy=False)
        else:
            return None
    except (TypeError, ValueError):
        return None
    shape = y.shape
    if shape != sizes and (-1 not in sizes or min(sizes) < -1):  # NumPy infers any negative one
        return None
    return shared(op, tensor, y, {"shape": shape})


def basic_index(index: Any, shape: tuple[int, ...]) -> tuple[Any, ...] | None:
    """An index that gives a view and in which there is nothing to change: of numbers within bounds,
    forward slices, None and at most one Ellipsis; None of another.
    """
    if type(index) is int and shape and -shape[0] <= index < shape[0]:
        return (index,)  # the commonest, and all there is to check
    if type(index) is not tuple:
        index = (index,)
    axis, ndim, skipped = 0, len(shape), False
    for i, part in enumerate(index):
        if type(part) is slice:
            start, stop, step = part.start, part.stop, part.step
            if not (
                (start is None or type(start) is int)
                and (stop is None or type(stop) is int)
                and (step is None or (type(step) is int and step > 0))
            ):
                return None
        elif part is None:
            continue
        elif part is Ellipsis:
            before, axis = axis, ndim - sum([p is not None for p in index[i + 1 :]])
            if skipped or axis < before:
                return None
            skipped = True
            continue
        elif type(part) is not int or axis >= ndim or not -shape[axis] <= part < shape[axis]:
            return None
        axis += 1
    return index if axis <= ndim else None


def piece(record: Any, tensor: Any, index: tuple[Any, ...]) -> Tensor:
    """What ``record``, the recorder of `getitem`, gives for numbers within bounds, slices, None."""
    context, array = local.context, tensor._array
    if context.grad_enabled or context.dispatch or array.__class__ is not ndarray:
        out: Tensor = record(tensor, index=index)
        return out
    # The Ellipsis makes even a single element a view.
    y = array[index] if Ellipsis in index else array[(*index, Ellipsis)]
    return shared(record.primitive, tensor, y, {"index": index})


def shared(op: Primitive, parent: Any, array: Any, params: dict[str, Any]) -> Tensor:
    """A Tensor on an array that is ``op`` of its parent's, on the same memory, unrecorded."""
    held = parent._held
    if held is None:  # the first view of this memory, and so of all of it
        held = storage_of(parent)
        held.plain = parent._array.flags.c_contiguous
    elif held is SAVED:
        held = storage_of(parent)
    out: Tensor = new(hook.tensor)
    out._array = array
    out._held = held
    out._grad = out._accumulator = out._hooks = out._node = None
    out._requires_grad = False
    out._view = (parent, op, params, held.stamp)
    # Aliases are listed where strides cannot tell how the memory is laid out.
    if not held.plain and (held.aliases is not None or not parent._array.flags.c_contiguous):
        hook.register_alias(parent, out)
    return out
