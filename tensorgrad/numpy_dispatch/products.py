"""Products, NumPy's ``np.linalg`` and ``np.fft``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad import fft, linalg
from tensorgrad.array_api import linalg as standard
from tensorgrad.functions import einsum as sums
from tensorgrad.functions import products
from tensorgrad.functions import shape as shapes
from tensorgrad.functions.diagonals import diagonal
from tensorgrad.numpy_dispatch.table import (
    ABSENT,
    axes_of,
    cast,
    floats_of,
    given,
    implements,
    no_others,
    tensor_of,
    tensors_of,
)
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops import reduction
from tensorgrad.primitive import recorded

__all__: list[str] = []


@implements("dot")
def _dot(a: Any, b: Any, out: Any = None) -> Any:
    no_others("dot", {"out": out})
    x, y = tensors_of((a, b))
    if not x.ndim or not y.ndim:
        return ops.mul(x, y)
    return recorded.matmul(x, y) if y.ndim == 1 else sums.tensordot(x, y, ([-1], [-2]))


@implements("vdot")
def _vdot(a: Any, b: Any, /) -> Any:
    x, y = (t.reshape(-1) for t in tensors_of((a, b)))
    return recorded.matmul(ops.conj(x) if x.is_complex() else x, y)


@implements("inner")
def _inner(a: Any, b: Any, /) -> Any:
    return products.inner(*tensors_of((a, b)))


@implements("outer")
def _outer(a: Any, b: Any, out: Any = None) -> Any:
    no_others("outer", {"out": out})
    x, y = (t.reshape(-1) for t in tensors_of((a, b)))
    return ops.mul(x[:, None], y)


@implements("kron")
def _kron(a: Any, b: Any) -> Any:
    return products.kron(*tensors_of((a, b)))


@implements("tensordot", "linalg.tensordot")
def _tensordot(a: Any, b: Any, axes: Any = 2, **rest: Any) -> Any:
    axes = rest.pop("axes", axes)
    no_others("tensordot", rest)
    x, y = tensors_of((a, b))
    return sums.tensordot(x, y, axes)


@implements("cross", "linalg.cross")
def _cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1,
           axis: int | None = None) -> Any:  # fmt: skip
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = tensors_of((a, b))
    x, y = shapes.movedim(x, axisa, -1), shapes.movedim(y, axisb, -1)
    if x.shape[-1] != 3 or y.shape[-1] != 3:
        raise ValueError(
            f"np.cross: both vectors must have 3 elements, got {x.shape[-1]} and {y.shape[-1]}"
        )
    x, y = shapes.broadcast_tensors(x, y)
    return shapes.movedim(products.cross(x, y, -1), -1, axisc)


@implements("einsum")
def _einsum(*operands: Any, out: Any = None, optimize: Any = False, dtype: Any = None,
            **rest: Any) -> Any:  # fmt: skip
    # optimize only chooses the order of the products, which tensorgrad chooses itself.
    no_others("einsum", {"out": out, **rest})
    if isinstance(operands[0], str):
        parts = tensors_of(cast(tensor_of(x), dtype) for x in operands[1:])
        return sums.einsum(operands[0], *parts)
    paired = operands[: len(operands) // 2 * 2]  # array, axes, array, axes, ..., and the result's
    parts = tensors_of(cast(tensor_of(x), dtype) for x in paired[::2])
    mixed: list[Any] = []
    for part, names in zip(parts, paired[1::2], strict=True):
        mixed += [part, list(names)]
    return sums.einsum(*mixed, *(list(names) for names in operands[len(paired) :]))


@implements("trace")
def _trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None,
           out: Any = None) -> Any:  # fmt: skip
    no_others("trace", {"out": out})
    line = cast(diagonal(tensor_of(a), offset, axis1, axis2), dtype)
    return reduction.sum(line, axis=-1, keepdims=False)


@implements("linalg.trace")
def _linalg_trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    return _trace(x, offset, -2, -1, dtype)


# --- linalg ---------------------------------------------------------------------------------------


def _through(name: str, function: Callable[..., Any]) -> None:
    """The same arguments, whole numbers as floats."""

    def adapter(a: Any, *args: Any, **words: Any) -> Any:
        return function(floats_of(a), *args, **words)

    implements(f"linalg.{name}")(adapter)


for _name in ("cholesky", "det", "eig", "eigh", "eigvals", "eigvalsh", "inv", "matrix_power",
              "slogdet", "svdvals"):  # fmt: skip
    _through(_name, getattr(linalg, _name))
for _name in ("diagonal", "matrix_norm", "matrix_transpose", "vector_norm"):
    _through(_name, getattr(standard, _name))


def _through_two(name: str, function: Callable[..., Any]) -> None:
    """The same arguments, two arrays of their common type."""

    def adapter(a: Any, b: Any, /, **words: Any) -> Any:
        return function(*tensors_of((a, b)), **words)

    implements(f"linalg.{name}")(adapter)


for _name in ("matmul", "outer", "vecdot"):
    _through_two(_name, getattr(standard, _name))


@implements("linalg.norm")
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    t, dims = floats_of(x), axes_of(axis)
    if ord is None and axis is None:
        return linalg.vector_norm(t, 2, None, keepdims)
    return linalg.norm(t, ord, dims, keepdims)


@implements("linalg.cond")
def _cond(x: Any, p: Any = None) -> Any:
    return linalg.cond(floats_of(x), p)


@implements("linalg.qr")
def _qr(a: Any, mode: str = "reduced") -> Any:
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"np.linalg.qr: mode {mode!r} is not supported for a Tensor")
    found = linalg.qr(floats_of(a), mode)
    return found.R if mode == "r" else found


@implements("linalg.svd")
def _svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    # hermitian allows another algorithm; the result is the same.
    x = floats_of(a)
    return linalg.svd(x, full_matrices) if compute_uv else linalg.svdvals(x)


@implements("linalg.solve")
def _solve(a: Any, b: Any) -> Any:
    return standard.solve(*tensors_of((floats_of(a), floats_of(b))))


@implements("linalg.lstsq")
def _lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    x, y = tensors_of((floats_of(a), floats_of(b)))
    if x.ndim != 2 or y.ndim not in (1, 2):
        raise np.linalg.LinAlgError("np.linalg.lstsq: a must be a matrix, b a vector or a matrix")
    columns = y[:, None] if y.ndim == 1 else y
    found = linalg.lstsq(x, columns, rcond, driver="gelsd")
    solution = found.solution[:, 0] if y.ndim == 1 else found.solution
    return solution, found.residuals, found.rank, found.singular_values


def _bound(x: Any, rcond: Any, rtol: Any, default: Any) -> Any:
    if given(rtol, None) is not None:
        return rtol
    if rcond is not None:
        return rcond
    if rtol is ABSENT:
        return default
    return float(np.finfo(x._array.dtype).eps) * max(x.shape[-2:])


@implements("linalg.pinv")
def _pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = ABSENT) -> Any:
    x = floats_of(a)
    return linalg.pinv(x, rtol=_bound(x, rcond, rtol, 1e-15), hermitian=hermitian)


@implements("linalg.matrix_rank")
def _matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    x = floats_of(A)
    if x.ndim < 2:
        return cast(ops.ne(reduction.any(x, axis=None, keepdims=False), 0), np.int64)
    return linalg.matrix_rank(x, tol, hermitian, rtol=rtol)


@implements("linalg.multi_dot")
def _multi_dot(arrays: Any, *, out: Any = None) -> Any:
    no_others("linalg.multi_dot", {"out": out})
    return linalg.multi_dot(tensors_of(arrays))


@implements("linalg.tensorinv")
def _tensorinv(a: Any, ind: int = 2) -> Any:
    return linalg.tensorinv(floats_of(a), ind)


@implements("linalg.tensorsolve")
def _tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    x, y = tensors_of((floats_of(a), floats_of(b)))
    return linalg.tensorsolve(x, y, axes)


# --- fft ------------------------------------------------------------------------------------------


def _transform(name: str, sizes: str, places: str, default: Any) -> None:
    function = getattr(fft, name)

    def adapter(a: Any, size: Any = None, place: Any = default, norm: Any = None,
                out: Any = None, **words: Any) -> Any:  # fmt: skip
        size, place = words.pop(sizes, size), words.pop(places, place)
        no_others(f"fft.{name}", {"out": out, **words})
        return function(tensor_of(a), size, place, norm)

    implements(f"fft.{name}")(adapter)


for _name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
    _transform(_name, "n", "axis", -1)
for _name in ("fft2", "ifft2", "rfft2", "irfft2"):
    _transform(_name, "s", "axes", (-2, -1))
for _name in ("fftn", "ifftn", "rfftn", "irfftn"):
    _transform(_name, "s", "axes", None)


@implements("fft.fftshift")
def _fftshift(x: Any, axes: Any = None) -> Any:
    return fft.fftshift(tensor_of(x), axes)


@implements("fft.ifftshift")
def _ifftshift(x: Any, axes: Any = None) -> Any:
    return fft.ifftshift(tensor_of(x), axes)
