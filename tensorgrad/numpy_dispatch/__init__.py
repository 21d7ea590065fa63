"""NumPy's functions called with Tensors: what `Tensor.__array_ufunc__` and
`Tensor.__array_function__` do.

One table says which adapter stands for which NumPy function; the files fill it by family.  What is
in the table is recorded; what is not is refused with the way out, never converted silently, because
a conversion would lose the gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from tensorgrad.graph.node import TensorBase
from tensorgrad.numpy_dispatch import arranging as arranging
from tensorgrad.numpy_dispatch import plain as plain
from tensorgrad.numpy_dispatch import products as products
from tensorgrad.numpy_dispatch import reductions as reductions
from tensorgrad.numpy_dispatch import signals as signals
from tensorgrad.numpy_dispatch import values as values
from tensorgrad.numpy_dispatch.table import FUNCTIONS, name_of
from tensorgrad.numpy_dispatch.ufuncs import UFUNCS, call_ufunc

__all__ = ["FUNCTIONS", "UFUNCS", "call_function", "call_ufunc"]


def call_function(function: Any, types: Any, args: Any, words: Any) -> Any:
    """What ``function(*args, **words)`` is for Tensors; NotImplemented for strange types."""
    if not all(issubclass(t, (TensorBase, ndarray, np.generic)) for t in types):
        return NotImplemented
    adapter = FUNCTIONS.get(function)
    if adapter is None:
        name = name_of(function)
        raise TypeError(
            f"{name} has no tensorgrad equivalent; compute it on the array, "
            f"{name}(x.detach().numpy(), ...), where no gradient is needed"
        )
    return adapter(*args, **words)
