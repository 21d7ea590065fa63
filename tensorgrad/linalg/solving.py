"""Inverses, linear systems, determinants, powers."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tensorgrad.functions.shape import movedim, reshape, squeeze, unsqueeze
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.linalg.checks import (
    LinAlgError,
    check_numbers,
    check_square,
    codes,
    constant_of,
    epsilon,
)
from tensorgrad.ops import elementwise, reduction
from tensorgrad.ops import inverses as ops
from tensorgrad.ops import linalg as products
from tensorgrad.return_types import returned_by

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "det",
    "inv",
    "inv_ex",
    "logdet",
    "lstsq",
    "matrix_exp",
    "matrix_power",
    "pinv",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "tensorinv",
    "tensorsolve",
]


@returned_by("linalg_inv_ex")
class inv_ex_(NamedTuple):
    """The inverses, and 0 or the row at which each failed."""

    inverse: Tensor
    info: Tensor


@returned_by("linalg_solve_ex")
class solve_ex_(NamedTuple):
    """The solutions, and 0 or the row at which each failed."""

    result: Tensor
    info: Tensor


@returned_by("linalg_slogdet")
class slogdet_(NamedTuple):
    """The sign of a determinant and the logarithm of its absolute value."""

    sign: Tensor
    logabsdet: Tensor


@returned_by("linalg_lstsq")
class lstsq_(NamedTuple):
    """Solutions, sums of squared residuals, ranks, singular values."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


def inv(A: Tensor) -> Tensor:
    """The inverse of square matrices; LinAlgError for a singular one."""
    check_square("linalg.inv", A)
    return ops.inv(A)


def _singular_at(a: Any) -> Any:
    """For each matrix 0, or one more than the row of the pivot that is 0 in its LU factors."""
    from tensorgrad.kernels.triangular import pivoted

    packed = pivoted(a)[0]
    zero = np.diagonal(packed, 0, -2, -1) == 0
    return np.where(zero.any(-1), zero.argmax(-1) + 1, 0) if a.shape[-1] else np.zeros(a.shape[:-2])


def inv_ex(A: Tensor, *, check_errors: bool = False) -> inv_ex_:
    """The inverse of square matrices and, instead of an error, where it failed (then it is inf)."""
    check_square("linalg.inv_ex", A)
    try:
        return inv_ex_(ops.inv(A), codes(A))
    except LinAlgError:
        if check_errors:
            raise
    failed = _singular_at(A._array)
    safe = elementwise.where((failed != 0)[..., None, None], np.eye(A.shape[-1]), A)
    inverse = ops.inv(elementwise.astype(safe, dtype=A._array.dtype))
    return inv_ex_(
        elementwise.where((failed != 0)[..., None, None], float("inf"), inverse), codes(A, failed)
    )


def _bounds(name: str, a: Tensor, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """The absolute and relative bound under which a singular value counts as 0, per matrix."""
    given = [t._array if isinstance(t, TensorBase) else t for t in (atol, rtol)]
    if any(t is not None and np.any(np.asarray(t) < 0) for t in given):
        raise RuntimeError(f"{name}: atol and rtol must not be negative, got {atol} and {rtol}")
    absolute = 0.0 if given[0] is None else given[0]
    default = epsilon(a) * max(a.shape[-2:])
    if given[1] is None:  # an absolute bound, where there is one, stands alone
        return absolute, np.where(np.asarray(absolute) > 0, 0.0, default)[()]
    return absolute, given[1]


def pinv(
    A: Tensor, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Tensor:
    """The Moore-Penrose inverse; singular values up to max(atol, rtol * the largest) count as 0.

    ``rcond`` is an old name of rtol.  ``hermitian``: A is Hermitian, and one triangle is read.
    """
    check_numbers("linalg.pinv", A)
    if hermitian:
        check_square("linalg.pinv", A)
    if rcond is not None and rtol is not None:
        raise RuntimeError("linalg.pinv: rcond and rtol mean the same; give one of them")
    absolute, relative = _bounds("linalg.pinv", A, atol, rtol if rcond is None else rcond)
    return ops.pinv(A, atol=absolute, rtol=relative, hermitian=hermitian)


def _is_vector(A: Tensor, B: Tensor) -> bool:
    return B.ndim == 1 or (A.ndim - 1 == B.ndim and B.shape == A.shape[:-1])


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X with A X = B, or X A = B with ``left=False``; B may hold vectors (..., n)."""
    check_square("linalg.solve", A)
    if not isinstance(B, TensorBase) or B._array.dtype != A._array.dtype:
        raise RuntimeError(
            f"linalg.solve: Expected A and B to have the same dtype, but found {A.dtype} and "
            f"{getattr(B, 'dtype', type(B))}"
        )
    vector = _is_vector(A, B)
    if vector and not left:
        raise RuntimeError(
            "linalg.solve: Vector broadcasting of the left hand side is not supported for "
            "left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)"
        )
    columns: Any = unsqueeze(B, -1) if vector else B
    if columns.ndim < 2 or columns.shape[-2 if left else -1] != A.shape[-1]:
        raise RuntimeError(
            f"linalg.solve: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'} ({tuple(A.shape)} and {tuple(B.shape)})"
        )
    if not left:
        return _turn(ops.solve(_turn(A), _turn(columns)))
    y = ops.solve(A, columns)
    return squeeze(y, -1) if vector else y


def _turn(x: Tensor) -> Tensor:
    return movedim(x, -1, -2)


def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> solve_ex_:
    """As `solve`, with codes instead of an error for singular matrices (NaN is their solution)."""
    try:
        return solve_ex_(solve(A, B, left=left), codes(A))
    except LinAlgError:
        if check_errors:
            raise
    failed = _singular_at(A._array)
    mask = (failed != 0)[..., None, None]
    safe = elementwise.astype(elementwise.where(mask, np.eye(A.shape[-1]), A), dtype=A._array.dtype)
    result = solve(safe, B, left=left)
    shape = mask[..., 0] if _is_vector(A, B) else mask
    return solve_ex_(elementwise.where(shape, float("nan"), result), codes(A, failed))


def solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """X with A X = B (X A = B with ``left=False``) for triangular A, whose other half is not read.

    ``unitriangular``: the diagonal is taken as 1.  A singular A gives inf and NaN, not an error.
    """
    check_numbers("linalg.solve_triangular", A, B)
    check_square("linalg.solve_triangular", A)
    if B.shape[-2 if left else -1] != A.shape[-1]:
        raise RuntimeError(
            f"linalg.solve_triangular: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'} ({tuple(A.shape)} and {tuple(B.shape)})"
        )
    if left:
        return ops.solve_triangular(A, B, upper=upper, unit=unitriangular)
    return _turn(ops.solve_triangular(_turn(A), _turn(B), upper=not upper, unit=unitriangular))


_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


def lstsq(A: Tensor, B: Tensor, rcond: Any = None, *, driver: str | None = None) -> lstsq_:
    """X of least |A X - B|, of the shortest ones: by the singular values, whatever the driver.

    rcond: singular values up to rcond times the largest count as 0.
    driver: "gelsy" (the default), "gels", "gelsd" or "gelss", which choose what is returned
        besides: ranks from all but gels, singular values from gelsd and gelss; residuals where
        A has full rank and more rows than columns (not from gelsy).
    """
    check_numbers("linalg.lstsq", A)
    if driver not in (None, *_DRIVERS):
        raise RuntimeError(
            f"linalg.lstsq: parameter `driver` should be one of {_DRIVERS}, got {driver!r}"
        )
    if B._array.dtype != A._array.dtype:
        raise RuntimeError(
            f"linalg.lstsq: Expected input and other to have the same dtype, but got {A.dtype} "
            f"and {B.dtype}"
        )
    driver = driver or "gelsy"
    vector = _is_vector(A, B)
    columns: Any = unsqueeze(B, -1) if vector else B
    if columns.ndim < 2 or columns.shape[-2] != A.shape[-2]:
        raise RuntimeError(
            f"linalg.lstsq: input.size(-2) should match other.size(-2): A has shape "
            f"{tuple(A.shape)}, B {tuple(B.shape)}"
        )
    bound = epsilon(A) * max(A.shape[-2:]) if rcond is None else float(rcond)
    solution = products.matmul(ops.pinv(A, atol=0.0, rtol=bound, hermitian=False), columns)
    singular = np.linalg.svd(A._array, compute_uv=False)
    top = singular.max(-1, initial=0, keepdims=True)
    rank = (singular > bound * top).sum(-1).astype(np.int64)
    m, n = A.shape[-2:]
    empty = wrap(np.zeros(0, A._array.real.dtype))
    # None, but of what requires grad as the solution does, as in PyTorch.
    residuals: Any = elementwise.real(reshape(solution, (-1,))[:0])
    if m > n and driver != "gelsy" and (driver == "gels" or np.all(rank == n)):
        left = elementwise.sub(products.matmul(A, solution), columns)
        size = elementwise.abs(left)
        residuals = reduction.sum(elementwise.mul(size, size), axis=-2, keepdims=False)
    return lstsq_(
        squeeze(solution, -1) if vector else solution,
        squeeze(residuals, -1) if vector and residuals.numel() else residuals,
        wrap(np.zeros(0, np.int64)) if driver == "gels" else wrap(rank),
        wrap(singular) if driver in ("gelsd", "gelss") else empty,
    )


def det(A: Tensor) -> Tensor:
    """The determinant of square matrices."""
    check_square("linalg.det", A)
    return ops.det(A)


def slogdet(A: Tensor) -> slogdet_:
    """The sign of the determinant (a unit number for complex matrices) and log |det|."""
    check_square("linalg.slogdet", A)
    sign, size = ops.slogdet(A)
    return slogdet_(sign, size)


def logdet(input: Tensor) -> Tensor:
    """log det: NaN for a negative determinant, -inf for a singular matrix."""
    check_square("logdet", input)
    sign, size = ops.slogdet(input)
    if input.is_complex():
        return elementwise.add(elementwise.log(sign), size)
    return elementwise.where(sign._array < 0, float("nan"), size)


def matrix_exp(input: Tensor) -> Tensor:
    """e**A as a power series of square matrices."""
    check_square("linalg.matrix_exp", input)
    return ops.matrix_exp(input)


def matrix_power(input: Tensor, n: int) -> Tensor:
    """The n-th power of square matrices; a negative n inverts first."""
    if input._array.dtype.kind in "fc" or n < 0:
        check_square("linalg.matrix_power", input)
    elif input.ndim < 2 or input.shape[-1] != input.shape[-2]:
        raise RuntimeError(
            f"linalg.matrix_power: A must be batches of square matrices, got {tuple(input.shape)}"
        )
    if n == 0:
        return constant_of(input, wrap(np.eye(input.shape[-1], dtype=input._array.dtype)))
    base = input if n > 0 else ops.inv(input)
    power, result = abs(n), None
    while power:
        if power & 1:
            result = base if result is None else products.matmul(result, base)
        power >>= 1
        if power:
            base = products.matmul(base, base)
    assert result is not None
    return result if result is not input else input.clone()


def tensorinv(input: Tensor, ind: int = 2) -> Tensor:
    """The inverse of a tensor as a map from its last dimensions to its first ``ind``."""
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', got {ind}")
    first, last = input._array.shape[:ind], input._array.shape[ind:]
    if prod(first) != prod(last):
        raise RuntimeError(
            f"Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {prod(last)} != {prod(first)}"
        )
    matrix = reshape(input, (prod(first), prod(last)))
    return reshape(inv(matrix), (*last, *first))


def tensorsolve(A: Tensor, B: Tensor, dims: Any = None) -> Tensor:
    """X with tensordot(A, X, X.ndim) = B; ``dims`` of A are moved to its end first."""
    if dims is not None:
        moved = tuple(dims)
        A = movedim(A, moved, tuple(range(A.ndim - len(moved), A.ndim)))
    rest = A._array.shape[B.ndim :]
    if prod(rest) != prod(B._array.shape):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {prod(rest)} != {prod(B._array.shape)}"
        )
    matrix = reshape(A, (-1, prod(rest)))
    return reshape(solve(matrix, reshape(B, (-1,))), rest)
