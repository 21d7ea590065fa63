"""What the functions of linear algebra ask of their arguments, and small steps they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.errors import LinAlgError
from tensorgrad.functions.shape import transpose
from tensorgrad.graph.node import hook, wrap
from tensorgrad.ops import elementwise

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "LinAlgError",
    "adjoint",
    "check_not_mapped",
    "check_numbers",
    "check_square",
    "codes",
    "constant_of",
    "epsilon",
]


def check_numbers(name: str, *tensors: Tensor) -> None:
    """Matrices, or batches of them, of one float or complex dtype that LAPACK knows."""
    for t in tensors:
        if t._array.dtype.char not in "fdFD":
            raise RuntimeError(
                f"{name}: Expected a floating point or complex tensor as input (float32, float64, "
                f"complex64, complex128). Got {t.dtype}; convert it with .float()"
            )
        if t.ndim < 2:
            raise RuntimeError(
                f"{name}: The input tensor A must have at least 2 dimensions, got shape "
                f"{tuple(t.shape)}"
            )
    if len({t._array.dtype for t in tensors}) > 1:
        raise RuntimeError(
            f"{name}: Expected inputs of one dtype, but got {[str(t.dtype) for t in tensors]}"
        )


def check_square(name: str, *tensors: Tensor) -> None:
    """Square matrices, or batches of them."""
    check_numbers(name, *tensors)
    for t in tensors:
        if t.shape[-1] != t.shape[-2]:
            raise RuntimeError(
                f"{name}: A must be batches of square matrices, but they are {t.shape[-2]} by "
                f"{t.shape[-1]} matrices"
            )


def check_not_mapped(name: str, *tensors: Tensor) -> None:
    """Refuse what LAPACK's packed form of one matrix after the other cannot do under vmap."""
    if any(type(t._array) is hook.batch for t in tensors):
        raise RuntimeError(
            f"vmap: {name} is not available in a mapped function; it takes batches: call it on all "
            "examples outside"
        )


def adjoint(x: Tensor) -> Tensor:
    """The conjugate transpose of matrices."""
    turned = transpose(x, -2, -1)
    return elementwise.conj(turned) if x.is_complex() else turned


def codes(a: Tensor, found: Any = 0) -> Tensor:
    """LAPACK's info for each matrix of a batch: 0, or where it failed."""
    return wrap(np.broadcast_to(np.asarray(found, np.int32), a._array.shape[:-2]).copy())


def epsilon(a: Tensor) -> float:
    """The distance from 1 to the next number of a's precision."""
    return float(np.finfo(a._array.dtype).eps)


def constant_of(x: Tensor, value: Any) -> Tensor:
    """value, which x does not move but which requires grad as x does: x gets a gradient of 0.

    PyTorch's results do, where a formula that holds x has an empty product or a step in it.
    """
    return elementwise.where(wrap(np.zeros((), np.bool_)), x, value)
