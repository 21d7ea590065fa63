"""Making a layer's parameters: the ``device`` and ``dtype`` arguments of every constructor."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.device import check_device
from tensorgrad.dtypes import default_float, numpy_dtype
from tensorgrad.graph.node import wrap
from tensorgrad.nn.parameter import Parameter
from tensorgrad.tensor import Tensor

__all__ = ["full", "parameter"]


def _kind(owner: object, device: Any, dtype: Any) -> np.dtype[Any]:
    """The NumPy type that is meant; RuntimeError where the layer could not be trained in it."""
    check_device(device)
    kind = default_float() if dtype is None else numpy_dtype(dtype)
    if kind.kind not in "fc":
        raise RuntimeError(
            f"{type(owner).__name__}: only floating point and complex dtypes can require "
            f"gradients, got dtype={dtype!r}"
        )
    return kind


def _check_sizes(owner: object, shape: tuple[Any, ...]) -> None:
    for size in shape:
        if isinstance(size, bool) or not hasattr(size, "__index__"):
            raise TypeError(f"{type(owner).__name__}: sizes must be ints, got {size!r}")
        if size < 0:
            raise RuntimeError(
                f"{type(owner).__name__}: Trying to create tensor with negative dimension {size}"
            )


def parameter(owner: object, shape: tuple[int, ...], device: Any, dtype: Any) -> Parameter:
    """An unwritten Parameter for the module ``owner``, which the errors name."""
    _check_sizes(owner, shape)
    return Parameter(wrap(np.empty(shape, _kind(owner, device, dtype))))


def full(owner: object, shape: tuple[int, ...], value: float, device: Any, dtype: Any) -> Tensor:
    """A constant tensor, for a buffer of the module ``owner``."""
    _check_sizes(owner, shape)
    return wrap(np.full(shape, value, _kind(owner, device, dtype)))
