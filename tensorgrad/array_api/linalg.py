"""The standard's extension ``linalg``: batches of matrices in the last two axes, recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tensorgrad.array_api.dtypes import FLOATING, NUMERIC, array, cast, together
from tensorgrad.array_api.products import matmul, matrix_transpose, tensordot, vecdot
from tensorgrad.array_api.statistics import axes, sum
from tensorgrad.functions import products
from tensorgrad.functions import shape as shapes
from tensorgrad.graph.node import TensorBase
from tensorgrad.linalg import factoring, norms, solving
from tensorgrad.linalg import products as batched
from tensorgrad.ops import elementwise, inverses, reduction

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm",
    "matrix_power", "matrix_rank", "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve",
    "svd", "svdvals", "tensordot", "trace", "vecdot", "vector_norm",
]  # fmt: skip


class EighResult(NamedTuple):
    """Eigenvalues, ascending, and orthonormal eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QRResult(NamedTuple):
    """Orthonormal Q and upper triangular R."""

    Q: Tensor
    R: Tensor


class SlogdetResult(NamedTuple):
    """The sign of a determinant and the logarithm of its absolute value."""

    sign: Tensor
    logabsdet: Tensor


class SVDResult(NamedTuple):
    """U, singular values (descending), Vh."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def cholesky(x: Tensor, /, *, upper: bool = False) -> Tensor:
    """The triangular factor of positive-definite matrices; LinAlgError for others."""
    return factoring.cholesky(array("cholesky", x, FLOATING), upper=upper)


def cross(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The vector product along an axis of length 3; the other axes broadcast."""
    a, b = together("cross", array("cross", x1), array("cross", x2), kinds=NUMERIC)
    for x in (a, b):
        place = axis if axis < 0 else axis - x._array.ndim
        if not -x._array.ndim <= place < 0 or x._array.shape[place] != 3:
            raise ValueError(
                f"cross: axis {axis} must have length 3 in both arrays, got shapes "
                f"{tuple(a.shape)} and {tuple(b.shape)}"
            )
    a, b = shapes.broadcast_tensors(a, b)
    return products.cross(a, b, axis)


def det(x: Tensor, /) -> Tensor:
    """The determinants of square matrices."""
    return solving.det(array("det", x, FLOATING))


def diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    """The diagonals of matrices as a last axis, a view; ``offset`` > 0 is above."""
    return batched.diagonal(array("diagonal", x), offset=offset)


def eigh(x: Tensor, /) -> EighResult:
    """Eigenvalues and eigenvectors of Hermitian matrices; reads the lower triangle."""
    return EighResult(*factoring.eigh(array("eigh", x, FLOATING)))


def eigvalsh(x: Tensor, /) -> Tensor:
    """The eigenvalues, ascending, of Hermitian matrices; reads the lower triangle."""
    return factoring.eigvalsh(array("eigvalsh", x, FLOATING))


def inv(x: Tensor, /) -> Tensor:
    """The inverses of square matrices; LinAlgError for a singular one."""
    return solving.inv(array("inv", x, FLOATING))


def matrix_norm(x: Tensor, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """The norm of matrices: "fro", "nuc", 1, -1, 2, -2, inf or -inf."""
    return norms.matrix_norm(array("matrix_norm", x, FLOATING), ord, keepdim=keepdims)


def matrix_power(x: Tensor, n: int, /) -> Tensor:
    """The n-th power of square matrices; a negative n inverts first."""
    return solving.matrix_power(array("matrix_power", x, FLOATING), n)


def _bound(name: str, x: Any, rtol: Any) -> Any:
    """A relative bound for each matrix; without one, epsilon times the larger side."""
    if rtol is None:
        return float(np.finfo(x._array.dtype).eps) * max(x._array.shape[-2:], default=0)
    if isinstance(rtol, TensorBase):
        return array(name, rtol, FLOATING)
    return rtol


def matrix_rank(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """How many singular values exceed rtol times the largest."""
    array("matrix_rank", x, FLOATING)
    return norms.matrix_rank(x, rtol=_bound("matrix_rank", x, rtol))


def outer(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The outer product of two vectors."""
    a, b = together("outer", array("outer", x1), array("outer", x2), kinds=NUMERIC)
    if a._array.ndim != 1 or b._array.ndim != 1:
        raise ValueError(f"outer: expected vectors, got {tuple(a.shape)} and {tuple(b.shape)}")
    return elementwise.mul(shapes.unsqueeze(a, -1), b)


def pinv(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """The Moore-Penrose inverse; singular values up to rtol times the largest count as 0."""
    array("pinv", x, FLOATING)
    return solving.pinv(x, rtol=_bound("pinv", x, rtol))


def qr(x: Tensor, /, *, mode: str = "reduced") -> QRResult:
    """Q and R with Q R = x; ``mode`` "complete" has a square Q."""
    array("qr", x, FLOATING)
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode must be 'reduced' or 'complete', got {mode!r}")
    return QRResult(*factoring.qr(x, mode))


def slogdet(x: Tensor, /) -> SlogdetResult:
    """The sign and the logarithm of the absolute value of determinants."""
    return SlogdetResult(*solving.slogdet(array("slogdet", x, FLOATING)))


def solve(x1: Tensor, x2: Tensor, /) -> Tensor:
    """X with x1 X = x2; x2 is one vector if it has one axis, else matrices."""
    a, b = together("solve", array("solve", x1), array("solve", x2), kinds=FLOATING)
    if a._array.ndim < 2 or a._array.shape[-1] != a._array.shape[-2]:
        raise ValueError(f"solve: x1 must hold square matrices, got shape {tuple(a.shape)}")
    vector = b._array.ndim == 1
    columns = shapes.unsqueeze(b, -1) if vector else b
    if columns._array.ndim < 2 or columns._array.shape[-2] != a._array.shape[-1]:
        raise ValueError(
            f"solve: shapes {tuple(a.shape)} and {tuple(b.shape)} do not fit x1 X = x2"
        )
    found = inverses.solve(a, columns)
    return shapes.squeeze(found, -1) if vector else found


def svd(x: Tensor, /, *, full_matrices: bool = True) -> SVDResult:
    """U, S, Vh with U diag(S) Vh = x."""
    return SVDResult(*factoring.svd(array("svd", x, FLOATING), full_matrices))


def svdvals(x: Tensor, /) -> Tensor:
    """The singular values, descending."""
    return factoring.svdvals(array("svdvals", x, FLOATING))


def trace(x: Tensor, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """The sums of the diagonals of matrices, in the type that `sum` would give."""
    array("trace", x, NUMERIC)
    return sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def vector_norm(
    x: Tensor, /, *, axis: Any = None, keepdims: bool = False, ord: float = 2
) -> Tensor:
    """(sum |x|**ord)**(1/ord) over axes, all by default; inf and -inf: the extremes; 0: how many
    are not 0.
    """
    array("vector_norm", x, FLOATING)
    place = axes(axis)
    if place == ():
        size = elementwise.abs(x)
        return size if ord else cast(elementwise.ne(size, 0), size._array.dtype)
    if x._array.size == 0 and ord in (float("inf"), float("-inf")):
        reduction.axes_of(place, x._array.ndim)
        return reduction.sum(elementwise.abs(x), axis=place, keepdims=keepdims)
    return norms.vector_norm(x, ord, place, keepdims)
