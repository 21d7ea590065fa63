"""Norms of vectors and matrices, condition numbers, ranks."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.dtypes import numpy_dtype
from tensorgrad.functions.reduction import axis_of
from tensorgrad.functions.shape import movedim, reshape, wrap_dim
from tensorgrad.graph.node import wrap
from tensorgrad.linalg.checks import LinAlgError, check_numbers, check_square, constant_of
from tensorgrad.linalg.factoring import svdvals
from tensorgrad.linalg.solving import _bounds
from tensorgrad.ops import elementwise, inverses, reduction

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["cond", "matrix_norm", "matrix_rank", "norm", "vector_norm"]


def _typed(name: str, x: Tensor, dtype: Any) -> Tensor:
    if x._array.dtype.kind not in "fc":
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {x.dtype}; convert "
            "it with .float()"
        )
    if dtype is None:
        return x
    wanted = numpy_dtype(dtype)
    if wanted.kind not in "fc" or (x.is_complex() and wanted.kind != "c"):
        raise RuntimeError(f"{name}: the dtype {wanted} does not hold the input's {x.dtype}")
    return elementwise.astype(x, dtype=wanted)


def vector_norm(
    x: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """(sum |x|**ord)**(1/ord) over dimensions; inf and -inf: the extremes; 0: how many are not 0.

    Where the norm is 0 its gradient is 0.
    """
    if isinstance(ord, (str, bool)) or not isinstance(ord, (int, float)):
        raise RuntimeError(f"linalg.vector_norm: ord must be a number, got {ord!r}")
    typed = _typed("linalg.vector_norm", x, dtype)
    if typed._array.dtype.char == "e":  # whose squares leave its range
        wide = elementwise.astype(typed, dtype=np.dtype(np.float32))
        return elementwise.astype(vector_norm(wide, ord, dim, keepdim), dtype=typed._array.dtype)
    size = elementwise.abs(typed)
    axis = axis_of(dim)
    if size.numel() == 0 and (ord < 0 or ord == inf):
        kept = reduction.axes_of(axis, size.ndim)
        if any(size._array.shape[i] == 0 for i in kept):
            raise RuntimeError(
                f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor because the "
                f"operation does not have an identity (shape {tuple(x.shape)})"
            )
    words: Any = {"axis": axis, "keepdims": keepdim}
    if ord == inf:
        return reduction.amax(size, **words)
    if ord == -inf:
        return reduction.amin(size, **words)
    if ord == 0:
        counted = elementwise.astype(elementwise.ne(size, 0), dtype=size._array.dtype)
        return reduction.sum(constant_of(size, counted), **words)
    if ord == 1:
        return reduction.sum(size, **words)
    hole = size._array == 0
    if ord == 2:
        total = reduction.sum(elementwise.mul(size, size), **words)
    else:
        # |x|**ord has an infinite slope (ord < 1) or value (ord < 0) at 0.
        if ord < 1 and hole.any():
            safe = elementwise.where(hole, 1, size)
            powers = elementwise.where(hole, 0.0 if ord > 0 else inf, elementwise.pow(safe, ord))
        else:
            powers = elementwise.pow(size, ord)
        total = reduction.sum(powers, **words)
    zero = total._array == 0 if ord > 0 else np.isinf(total._array)
    if not zero.any():
        return _root(total, ord)
    return elementwise.where(zero, 0, _root(elementwise.where(zero, 1, total), ord))


def _root(total: Tensor, ord: float) -> Tensor:
    return elementwise.sqrt(total) if ord == 2 else elementwise.pow(total, 1 / ord)


def _extreme(ord: Any, count: int) -> Any:
    """What makes a norm of ``count`` sizes: the largest, which of none is 0, or the smallest."""
    if ord < 0:
        return reduction.amin
    return reduction.amax if count else reduction.sum


def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The norm of matrices in two dimensions: "fro", "nuc", 1, -1, inf, -inf, 2 or -2.

    1 and inf are the largest sums of a column's and of a row's absolute values, 2 the largest
    singular value, "nuc" their sum; a negative order has the smallest.
    """
    A = _typed("linalg.matrix_norm", A, dtype)
    dims = tuple(dim) if isinstance(dim, (tuple, list)) else (dim,)
    if A.ndim < 2 or len(dims) != 2:
        raise RuntimeError(
            "linalg.matrix_norm: The input tensor A must have at least 2 dimensions and dim two, "
            f"got shape {tuple(A.shape)} and dim={dim}"
        )
    rows, columns = (wrap_dim(d, A.ndim) for d in dims)
    if rows == columns:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got {dims}")
    if ord == "fro":
        return vector_norm(A, 2, (rows, columns), keepdim)
    if ord in (1, -1, inf, -inf):
        summed, other = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = reduction.sum(elementwise.abs(A), axis=summed, keepdims=True)
        result = _extreme(ord, A.shape[other])(sums, axis=other, keepdims=True)
    elif ord in ("nuc", 2, -2):
        values = svdvals(movedim(A, (rows, columns), (-2, -1)))
        if ord == "nuc":
            one = reduction.sum(values, axis=-1, keepdims=False)
        else:
            one = _extreme(ord, values.shape[-1])(values, axis=-1, keepdims=False)
        result = one
    else:
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    shape = [1 if i in (rows, columns) else n for i, n in enumerate(A._array.shape)]
    if not keepdim:
        shape = [n for i, n in enumerate(shape) if i not in (rows, columns)]
    return reshape(result, shape)


def norm(
    input: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """A vector norm (no ``ord``, or one dimension) or a matrix norm (``ord``, two dimensions)."""
    dims = None if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if dims is not None and len(dims) not in (1, 2) and ord is not None:
        raise RuntimeError(
            f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}"
        )
    if dims is None and ord is not None and input.ndim not in (1, 2):
        raise RuntimeError(
            "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got "
            f"{input.ndim}D."
        )
    matrix = ord is not None and (len(dims) == 2 if dims is not None else input.ndim == 2)
    if matrix:
        return matrix_norm(input, ord, dims or (-2, -1), keepdim, dtype=dtype)
    if isinstance(ord, str):
        raise RuntimeError(f"linalg.norm: Order {ord!r} is a matrix norm; give two dimensions")
    return vector_norm(input, 2 if ord is None else ord, dims, keepdim, dtype=dtype)


def cond(A: Tensor, p: Any = None) -> Tensor:
    """How much a matrix enlarges relative errors: norm(A) * norm(A^-1), inf for a singular one.

    p: None or 2, the ratio of extreme singular values; -2, its reciprocal; an order of
    `matrix_norm` otherwise.
    """
    check_numbers("linalg.cond", A)
    if p in (None, 2, -2):
        values = svdvals(A)
        largest = reduction.amax(values, axis=-1, keepdims=False)
        smallest = reduction.amin(values, axis=-1, keepdims=False)
        if p == -2:
            return elementwise.div(smallest, largest)
        return elementwise.div(largest, smallest)
    if p not in ("fro", "nuc", inf, -inf, 1, -1):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    check_square("linalg.cond", A)
    try:
        inverse = inverses.inv(A)
    except LinAlgError:
        singular = np.linalg.matrix_rank(A._array) < A.shape[-1]
        safe = elementwise.where(singular[..., None, None], np.eye(A.shape[-1]), A)
        safe = elementwise.astype(safe, dtype=A._array.dtype)
        return elementwise.where(singular, inf, cond(safe, p))
    return elementwise.mul(matrix_norm(A, p), matrix_norm(inverse, p))


def matrix_rank(
    A: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Tensor:
    """How many singular values exceed max(atol, rtol * the largest); ``tol`` is an old atol."""
    check_numbers("linalg.matrix_rank", A)
    if tol is not None:
        if atol is not None or rtol is not None:
            raise RuntimeError("linalg.matrix_rank: give tol, or atol and rtol, not both")
        atol, rtol = tol, 0.0
    absolute, relative = _bounds("linalg.matrix_rank", A, atol, rtol)
    if hermitian:
        check_square("linalg.matrix_rank", A)
        values = np.abs(np.linalg.eigvalsh(A._array))
    else:
        values = np.linalg.svd(A._array, compute_uv=False)
    bound = np.maximum(absolute, relative * values.max(-1, initial=0))
    return wrap((values > bound[..., None]).sum(-1).astype(np.int64))
