"""Reductions with PyTorch's ``dim`` and ``keepdim``."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tensorgrad.dtypes import numpy_dtype
from tensorgrad.functions.shape import dimension, wrap_dim
from tensorgrad.graph.node import TensorBase
from tensorgrad.graph.provenance import warn
from tensorgrad.ops import conversion, elementwise, indexing, shape
from tensorgrad.ops import reduction as ops
from tensorgrad.ops import softmax as soft
from tensorgrad.ops.kinds import zeros
from tensorgrad.ops.reduction import count as count_of
from tensorgrad.primitive import recorded
from tensorgrad.recording.spelling import check_flag
from tensorgrad.return_types import returned_by

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "cumsum",
    "log_softmax",
    "logsumexp",
    "max",
    "mean",
    "min",
    "norm",
    "prod",
    "softmax",
    "std",
    "std_mean",
    "sum",
    "var",
    "var_mean",
]


@returned_by("max")
class max_(NamedTuple):
    """Maxima along a dimension and the index of the first of each."""

    values: Tensor
    indices: Tensor


@returned_by("min")
class min_(NamedTuple):
    """Minima along a dimension and the index of the first of each."""

    values: Tensor
    indices: Tensor


def axis_of(dim: Any) -> Any:
    """PyTorch's dim as the core's axis: None or () is all, a list is a tuple."""
    if type(dim) is int:
        return dim
    if dim is None or (isinstance(dim, (tuple, list)) and len(dim) == 0):
        return None
    return tuple(map(dimension, dim)) if isinstance(dim, (tuple, list)) else dimension(dim)


def _typed(input: Tensor, dtype: Any) -> Tensor:
    return input if dtype is None else input.to(numpy_dtype(dtype))


def as_asked(found: Tensor, dtype: Any) -> Tensor:
    """A sum or product of integers, made as int64, in the dtype that was asked for."""
    if dtype is None or found._array.dtype is (kind := numpy_dtype(dtype)):
        return found
    return elementwise.astype(found, dtype=kind)


def sum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over all elements or over dimensions; integers add up as int64 unless dtype says."""
    found = ops.sum(_typed(input, dtype), axis=axis_of(dim), keepdims=keepdim)
    return as_asked(found, dtype)


def mean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over all elements or over dimensions; floating-point only."""
    return ops.mean(_typed(input, dtype), axis=axis_of(dim), keepdims=keepdim)


def prod(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The product of all elements or along one dimension."""
    if isinstance(dim, (tuple, list)):
        raise TypeError(f"prod(): argument 'dim' must be int, not {type(dim).__name__}")
    return as_asked(ops.prod(_typed(input, dtype), axis=axis_of(dim), keepdims=keepdim), dtype)


def _spread(name: str, dim: Any, unbiased: Any, correction: Any) -> tuple[Any, float]:
    """var(x, unbiased), var(x, dim, unbiased) and var(x, dim, correction=c) in one form."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None:
        check_flag(name, "unbiased", unbiased)
        if correction is not None:
            raise TypeError(f"{name}(): got both unbiased and correction, of which one is enough")
        correction = 1 if unbiased else 0
    return axis_of(dim), 1 if correction is None else correction


def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
) -> Tensor:
    """The variance: squared deviations over (count - correction); correction 1 by default."""
    return _variance("var", input, *_spread("var", dim, unbiased, correction), keepdim)


def _variance(name: str, input: Tensor, axis: Any, correction: float, keepdim: bool) -> Tensor:
    _check_freedom(name, input, axis, correction)
    if input._array.dtype.kind == "c":  # |x - mean|**2: of both parts
        parts = [
            ops.var(part(input), axis=axis, correction=correction, keepdims=keepdim)
            for part in (conversion.real, conversion.imag)
        ]
        return elementwise.add(*parts)
    return ops.var(input, axis=axis, correction=correction, keepdims=keepdim)


def _check_freedom(name: str, input: Tensor, axis: Any, correction: float) -> None:
    """A warning where too few elements are left for a variance, which is then NaN or infinite."""
    count = count_of(input._array.shape, axis)
    if count <= correction:
        warn(
            f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the "
            f"reduction factor (input numel divided by output numel), but {count} elements and a "
            f"correction of {correction} were given."
        )


def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
) -> Tensor:
    """The standard deviation, sqrt(var)."""
    return root_of(_variance("std", input, *_spread("std", dim, unbiased, correction), keepdim))


def var_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
) -> tuple[Tensor, Tensor]:
    """(var, mean)."""
    return _both("var_mean", input, *_spread("var_mean", dim, unbiased, correction), keepdim)


def _both(
    name: str, input: Tensor, axis: Any, correction: float, keepdim: bool
) -> tuple[Tensor, Tensor]:
    first = _variance(name, input, axis, correction, keepdim)
    return first, ops.mean(input, axis=axis, keepdims=keepdim)


def std_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
) -> tuple[Tensor, Tensor]:
    """(std, mean)."""
    first, second = _both(
        "std_mean", input, *_spread("std_mean", dim, unbiased, correction), keepdim
    )
    return root_of(first), second


def amax(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """The maximum over dimensions; ties share the gradient evenly."""
    return ops.amax(input, axis=_where_some("amax", input, dim), keepdims=keepdim)


def amin(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """The minimum over dimensions; ties share the gradient evenly."""
    return ops.amin(input, axis=_where_some("amin", input, dim), keepdims=keepdim)


def _where_some(name: str, input: Tensor, dim: Any) -> Any:
    """The axes; RuntimeError for all of an empty tensor (along a dimension it is an IndexError)."""
    axis = axis_of(dim)
    if axis is None and not input._array.size:
        raise RuntimeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
            "reduction dim with the 'dim' argument."
        )
    return axis


def _one(input: Tensor, dim: int, keepdim: bool, arg: Any) -> tuple[Tensor, Tensor]:
    """The extreme along one dimension, and its first index, to which all of the gradient goes."""
    axis = axis_of(dim)
    ranked = input
    if input._array.dtype.kind == "b":  # argmax refuses bools, as PyTorch's does
        ranked = elementwise.astype(input, dtype=np.dtype(np.uint8))
    where = arg(ranked, axis=axis, keepdims=True)
    index = where._array
    if input._array.ndim == 0:
        return elementwise.clone(input), where
    picked = indexing.gather(input, index=index, axis=axis)
    if keepdim:
        return picked, where
    axis = wrap_dim(axis, input._array.ndim)
    size = tuple(n for i, n in enumerate(picked.shape) if i != axis)
    return shape.reshape(picked, shape=size), shape.reshape(where, shape=size)


def _not_empty(name: str, input: Tensor) -> None:
    if not input._array.size:
        raise RuntimeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0, got "
            f"{tuple(input.shape)}. Specify the reduction dim with the 'dim' argument."
        )


def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """max(x): all elements, ties share; max(x, dim): (values, indices); max(x, y): elementwise."""
    if other is not None or isinstance(dim, TensorBase):
        return elementwise.maximum(input, dim if other is None else other)
    if dim is None:
        _not_empty("max", input)
        return ops.amax(input, axis=None, keepdims=False)
    return max_(*_one(input, dim, keepdim, ops.argmax))


def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """min(x): all elements, ties share; min(x, dim): (values, indices); min(x, y): elementwise."""
    if other is not None or isinstance(dim, TensorBase):
        return elementwise.minimum(input, dim if other is None else other)
    if dim is None:
        _not_empty("min", input)
        return ops.amin(input, axis=None, keepdims=False)
    return min_(*_one(input, dim, keepdim, ops.argmin))


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the first maximum along a dimension, or in the flattened tensor."""
    return ops.argmax(input, axis=_one_axis("argmax", dim), keepdims=keepdim)


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the first minimum along a dimension, or in the flattened tensor."""
    return ops.argmin(input, axis=_one_axis("argmin", dim), keepdims=keepdim)


def _one_axis(name: str, dim: Any) -> Any:
    if isinstance(dim, (tuple, list)):
        raise TypeError(f"{name}(): argument 'dim' must be int, not {type(dim).__name__}")
    return axis_of(dim)


def _like_bytes(found: Tensor, input: Tensor) -> Tensor:
    """PyTorch's answer for uint8, once its only truth values, is a uint8."""
    return elementwise.astype(found, dtype=np.uint8) if input._array.dtype == np.uint8 else found


def all(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are nonzero; with dim=() whether each is."""
    if isinstance(dim, (tuple, list)) and not dim:
        return _like_bytes(elementwise.ne(input, 0), input)
    return _like_bytes(ops.all(input, axis=axis_of(dim), keepdims=keepdim), input)


def any(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether some element is nonzero; with dim=() whether each is."""
    if isinstance(dim, (tuple, list)) and not dim:
        return _like_bytes(elementwise.ne(input, 0), input)
    return _like_bytes(ops.any(input, axis=axis_of(dim), keepdims=keepdim), input)


def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """How many elements are nonzero."""
    return ops.sum(elementwise.ne(input, 0), axis=axis_of(dim), keepdims=False)


def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The running sum along a dimension."""
    axis = wrap_dim(dim, input.ndim)
    return as_asked(ops.cumsum(_typed(input, dtype), axis=axis), dtype)


def _real(name: str, input: Tensor, dtype: Any) -> Tensor:
    """The input in the dtype that was asked for, which must be a floating-point one."""
    typed = _typed(input, dtype)
    if typed._array.dtype.kind != "f":
        raise NotImplementedError(
            f"{name}(): not implemented for {typed.dtype}; "
            + ("convert the input with .float()" if dtype is None else "its values are real")
        )
    return typed


def softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """e**x_i / sum_j e**x_j along a dimension, of floating-point numbers."""
    return soft.softmax(_real("softmax", input, dtype), axis=dimension(dim))


def log_softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """log(softmax(x)), stable, of floating-point numbers."""
    return soft.log_softmax(_real("log_softmax", input, dtype), axis=dimension(dim))


def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """log sum e**x over dimensions, stable."""
    return soft.logsumexp(input, axis=axis_of(dim), keepdims=keepdim)


def root_of(squares: Tensor) -> Tensor:
    """The square root of a sum of squares: its slope at 0 is inf, the subgradient of both is 0."""
    found = squares._array
    if type(found) is np.ndarray and np.count_nonzero(found) == found.size:
        return elementwise.sqrt(squares)
    zero = elementwise.eq(squares, 0)
    if not np.any(zero._array):
        return elementwise.sqrt(squares)
    return elementwise.where(zero, 0, elementwise.sqrt(elementwise.where(zero, 1, squares)))


def norm(
    input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The p-norm of the elements, over all or some dimensions; p "fro" is 2, inf the largest."""
    typed, axis = _typed(input, dtype), axis_of(dim)
    if typed._array.dtype.kind not in "fc":
        raise RuntimeError(
            f"norm: Expected a floating point or complex tensor as input. Got {typed.dtype}; "
            "convert it with .float(), or pass dtype"
        )
    if typed._array.dtype.char == "e":  # whose squares leave its range
        wide = elementwise.astype(typed, dtype=np.dtype(np.float32))
        return elementwise.astype(norm(wide, p, dim, keepdim), dtype=typed._array.dtype)
    square = p in ("fro", None, 2)
    # The square of a real number is that of its absolute value.
    x = typed if square and typed._array.dtype.kind == "f" else elementwise.abs(typed)
    if square:
        squares = ops.sum(elementwise.mul(x, x), axis=axis, keepdims=keepdim)
        return root_of(squares)
    if p == float("inf"):
        return ops.amax(x, axis=axis, keepdims=keepdim)
    if p == -float("inf"):
        return ops.amin(x, axis=axis, keepdims=keepdim)
    if p == 0:
        nonzero = elementwise.astype(elementwise.ne(x, 0), dtype=x._array.dtype)
        # With an edge to x, so that the gradient is 0, not missing.
        counted = elementwise.add(nonzero, zeros(recorded, x))
        return ops.sum(counted, axis=axis, keepdims=keepdim)
    if p == 1:
        return ops.sum(x, axis=axis, keepdims=keepdim)
    if not isinstance(p, (int, float)) or builtins.isinstance(p, bool):
        raise RuntimeError(f"norm: p must be a number or 'fro', got {p!r}")
    return elementwise.pow(ops.sum(elementwise.pow(x, p), axis=axis, keepdims=keepdim), 1 / p)
