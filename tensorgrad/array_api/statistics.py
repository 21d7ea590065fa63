"""Reductions, running sums and products, truth of many, differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.array_api.dtypes import (
    ANY,
    FLOATING,
    NUMERIC,
    REAL,
    REAL_FLOATING,
    array,
    asked,
    cast,
)
from tensorgrad.functions import statistics as functions
from tensorgrad.functions.shape import wrap_dim
from tensorgrad.graph.node import wrap
from tensorgrad.ops import elementwise
from tensorgrad.ops import reduction as ops
from tensorgrad.ops import shape as shapes

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "all", "any", "count_nonzero", "cumulative_prod", "cumulative_sum", "diff", "max", "mean",
    "min", "prod", "std", "sum", "var",
]  # fmt: skip


def axes(axis: Any) -> Any:
    """An axis argument as the core takes it: None, an int or a tuple."""
    return axis if axis is None or isinstance(axis, int) else tuple(axis)


def accumulated(x: Any, dtype: Any) -> tuple[Any, np.dtype[Any]]:
    """What a sum adds up and the type of the result: 64 bits for whole numbers, unless asked."""
    have = x._array.dtype
    kind = asked(dtype)
    if kind is None:
        kind = {"i": np.dtype(np.int64), "u": np.dtype(np.uint64)}.get(have.kind, have)
    # Whole numbers add up in int64 and are cast then: modulo 2**64 that is the same.
    whole = have.kind in "iu" and kind.kind in "iu"
    return (x if whole else cast(x, kind)), kind


def sum(x: Tensor, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """The sum over axes."""
    terms, kind = accumulated(array("sum", x, NUMERIC), dtype)
    return cast(ops.sum(terms, axis=axes(axis), keepdims=keepdims), kind)  # type: ignore[no-any-return]


def prod(x: Tensor, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """The product over axes."""
    terms, kind = accumulated(array("prod", x, NUMERIC), dtype)
    return cast(ops.prod(terms, axis=axes(axis), keepdims=keepdims), kind)  # type: ignore[no-any-return]


def mean(x: Tensor, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The mean over axes; NaN of nothing."""
    return ops.mean(array("mean", x, FLOATING), axis=axes(axis), keepdims=keepdims)


def var(
    x: Tensor, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """The variance: squared deviations over (count - correction); NaN where that is not above 0."""
    array("var", x, REAL_FLOATING)
    return ops.var(x, axis=axes(axis), correction=correction, keepdims=keepdims)


def std(
    x: Tensor, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """The standard deviation, sqrt(var)."""
    array("std", x, REAL_FLOATING)
    return elementwise.sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))


def max(x: Tensor, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The maximum over axes; NaN wins; ties share the gradient evenly."""
    return ops.amax(array("max", x, REAL), axis=axes(axis), keepdims=keepdims)


def min(x: Tensor, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The minimum over axes; NaN wins; ties share the gradient evenly."""
    return ops.amin(array("min", x, REAL), axis=axes(axis), keepdims=keepdims)


def all(x: Tensor, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Whether all elements over axes are nonzero; NaN is."""
    return ops.all(array("all", x, ANY), axis=axes(axis), keepdims=keepdims)


def any(x: Tensor, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Whether some element over axes is nonzero; NaN is."""
    return ops.any(array("any", x, ANY), axis=axes(axis), keepdims=keepdims)


def count_nonzero(x: Tensor, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """How many elements over axes are nonzero."""
    found = elementwise.ne(array("count_nonzero", x, ANY), 0)
    return ops.sum(found, axis=axes(axis), keepdims=keepdims)


def _running(name: str, x: Tensor, axis: int | None) -> int:
    ndim = array(name, x, NUMERIC)._array.ndim
    if ndim == 0:
        raise ValueError(f"{name}: expected at least one dimension, got a 0-d array")
    if axis is None:
        if ndim > 1:
            raise ValueError(f"{name}: axis must be given for an array of {ndim} dimensions")
        return 0
    return wrap_dim(axis, ndim)


def _with_initial(out: Any, axis: int, value: int) -> Any:
    shape = tuple(1 if i == axis else n for i, n in enumerate(out._array.shape))
    return shapes.cat(wrap(np.full(shape, value, out._array.dtype)), out, axis=axis)


def cumulative_sum(
    x: Tensor,
    /,
    *,
    axis: int | None = None,
    dtype: Any = None,
    include_initial: bool = False,
) -> Tensor:
    """The running sum along an axis, which vectors need not name; with a first 0 if asked."""
    place = _running("cumulative_sum", x, axis)
    terms, kind = accumulated(x, dtype)
    out = cast(ops.cumsum(terms, axis=place), kind)
    return _with_initial(out, place, 0) if include_initial else out  # type: ignore[no-any-return]


def cumulative_prod(
    x: Tensor,
    /,
    *,
    axis: int | None = None,
    dtype: Any = None,
    include_initial: bool = False,
) -> Tensor:
    """The running product along an axis, which vectors need not name; with a first 1 if asked."""
    place = _running("cumulative_prod", x, axis)
    terms, kind = accumulated(x, dtype)
    out = cast(functions.cumprod(terms, place), kind)
    return _with_initial(out, place, 1) if include_initial else out  # type: ignore[no-any-return]


def diff(
    x: Tensor,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Tensor:
    """n times the difference of neighbours along an axis."""
    for part in (x, prepend, append):
        if part is not None:
            array("diff", part, NUMERIC)
    return functions.diff(x, n, axis, prepend, append)
