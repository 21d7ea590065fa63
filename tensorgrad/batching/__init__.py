"""Batching: what an operation does when its arguments stand for a whole batch of values.

Under `tensorgrad.func.vmap` a Tensor's ``_array`` is a `Batch`: it has the shape and dtype of one
example, and holds the Tensor of all of them, with the examples along a new first axis.  A primitive
that meets one runs its batching rule, declared beside its gradient, on that larger Tensor; nothing
else in the library knows about batches.  Gradients asked for inside the mapped function are
recorded on the examples, those asked for outside on the larger Tensors, so the two nest in any
order.
"""

from tensorgrad.batching import protocol as protocol  # teaches NumPy's functions about Batches
from tensorgrad.batching.value import (
    Batch,
    Frame,
    beside,
    contiguous,
    each_example,
    everything,
    is_batched,
    lift,
    on_arrays,
)

__all__ = [
    "Batch",
    "Frame",
    "beside",
    "contiguous",
    "each_example",
    "everything",
    "is_batched",
    "lift",
    "on_arrays",
]
