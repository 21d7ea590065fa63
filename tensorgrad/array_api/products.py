"""The products of linear algebra that the main namespace has too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorgrad.array_api.dtypes import NUMERIC, array, cast, together
from tensorgrad.functions import einsum
from tensorgrad.functions import shape as shapes
from tensorgrad.ops import elementwise, reduction
from tensorgrad.ops import linalg as ops

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["matmul", "matrix_transpose", "tensordot", "vecdot"]


def _two(name: str, x1: Any, x2: Any) -> tuple[Any, ...]:
    return together(name, array(name, x1), array(name, x2), kinds=NUMERIC)


def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The matrix product: vectors, matrices, and batches of them with broadcasting."""
    a, b = _two("matmul", x1, x2)
    if not a._array.ndim or not b._array.ndim:
        raise ValueError("matmul: a 0-d array is not a matrix; use multiply")
    return ops.matmul(a, b)


def matrix_transpose(x: Tensor, /) -> Tensor:
    """The last two axes exchanged, as a view."""
    if array("matrix_transpose", x)._array.ndim < 2:
        raise ValueError(f"matrix_transpose: expected matrices, got shape {tuple(x.shape)}")
    return shapes.transpose(x, -2, -1)


def tensordot(
    x1: Tensor, x2: Tensor, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2
) -> Tensor:
    """The sum of products over pairs of axes: the last ``axes`` of x1 with the first of x2, or two
    lists of axes to pair.
    """
    a, b = _two("tensordot", x1, x2)
    return einsum.tensordot(a, b, axes)


def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The inner products of vectors along an axis (from the end), the first ones conjugated."""
    a, b = _two("vecdot", x1, x2)
    if axis >= 0:  # the same one from the end in both, if they have as many dimensions
        if a._array.ndim != b._array.ndim:
            raise ValueError("vecdot: axis must be negative for arrays of different dimensions")
        axis -= a._array.ndim
    for x in (a, b):
        if not -x._array.ndim <= axis < 0:
            raise IndexError(f"vecdot: axis {axis} is not one of shape {tuple(x.shape)}")
    if a._array.shape[axis] != b._array.shape[axis]:
        raise ValueError(
            f"vecdot: axis {axis} has different lengths in shapes {tuple(a.shape)} and "
            f"{tuple(b.shape)}"
        )
    left = elementwise.conj(a) if a._array.dtype.kind == "c" else a
    total = reduction.sum(elementwise.mul(left, b), axis=axis, keepdims=False)
    return cast(total, a._array.dtype)  # type: ignore[no-any-return]
