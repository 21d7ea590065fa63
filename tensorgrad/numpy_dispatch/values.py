"""Choosing, sorting, searching, and elementwise functions that are not ufuncs."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.functions import combining, complex_parts, sorting
from tensorgrad.functions import elementwise as basic
from tensorgrad.functions import indexing as functions
from tensorgrad.functions import special as special_functions
from tensorgrad.functions import trigonometric as trigonometry
from tensorgrad.functions.shape import reshape
from tensorgrad.graph.node import wrap
from tensorgrad.numpy_dispatch.table import (
    ABSENT,
    cast,
    flat,
    given,
    implements,
    no_others,
    tensor_of,
    tensors_of,
)
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops import floating, indexing

__all__: list[str] = []


def _truth(condition: Any) -> Any:
    c: Any = tensor_of(condition)
    return c if c._array.dtype.kind == "b" else ops.ne(c, 0)


@implements("where")
def _where(condition: Any, x: Any = ABSENT, y: Any = ABSENT, /) -> Any:
    held = _truth(condition)
    if x is ABSENT and y is ABSENT:
        return _nonzero(held)
    numbers = (bool, int, float, complex)
    a, b = (v if isinstance(v, numbers) else tensor_of(v) for v in (x, y))
    return ops.where(held, a, b)


@implements("select")
def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    found: Any = default
    for held, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        found = _where(held, choice, found)
    return found


@implements("nonzero")
def _nonzero(a: Any) -> Any:
    return functions.nonzero(tensor_of(a), as_tuple=True)


@implements("flatnonzero")
def _flatnonzero(a: Any) -> Any:
    return functions.nonzero(reshape(tensor_of(a), (-1,)), as_tuple=True)[0]


@implements("argwhere")
def _argwhere(a: Any) -> Any:
    return functions.argwhere(tensor_of(a))


@implements("clip")
def _clip(a: Any, a_min: Any = ABSENT, a_max: Any = ABSENT, out: Any = None, *,
          min: Any = ABSENT, max: Any = ABSENT, **rest: Any) -> Any:  # fmt: skip
    no_others("clip", {"out": out, **rest})
    numbers = (bool, int, float, complex, type(None))
    low, high = (given(v, given(w, None)) for v, w in ((a_min, min), (a_max, max)))
    low, high = (v if isinstance(v, numbers) else tensor_of(v) for v in (low, high))
    x: Any = tensor_of(a)
    return ops.clone(x) if low is None and high is None else basic.clamp(x, low, high)


@implements("round", "around")
def _round(a: Any, decimals: int = 0, out: Any = None) -> Any:
    no_others("round", {"out": out})
    x: Any = tensor_of(a)
    if x.is_complex():
        return complex_parts.complex(*(ops.round(p, decimals=decimals) for p in (x.real, x.imag)))
    return ops.round(x, decimals=decimals)


@implements("fix")
def _fix(x: Any, out: Any = None) -> Any:
    no_others("fix", {"out": out})
    return ops.trunc(tensor_of(x))


@implements("nan_to_num")
def _nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None,
                neginf: Any = None) -> Any:  # fmt: skip
    if not copy:
        raise TypeError("np.nan_to_num: copy=False is not supported for a Tensor")
    return floating.nan_to_num(tensor_of(x), nan=nan, posinf=posinf, neginf=neginf)


@implements("real")
def _real(val: Any) -> Any:
    return basic.real(tensor_of(val))


@implements("imag")
def _imag(val: Any) -> Any:
    x: Any = tensor_of(val)
    return ops.imag(x) if x.is_complex() else wrap(np.zeros(x.shape, x._array.dtype))


@implements("angle")
def _angle(z: Any, deg: bool = False) -> Any:
    found = complex_parts.angle(tensor_of(z))
    return ops.mul(found, 180 / np.pi) if deg else found


@implements("sinc")
def _sinc(x: Any) -> Any:
    return trigonometry.sinc(tensor_of(x))


@implements("i0")
def _i0(x: Any) -> Any:
    return special_functions.i0(tensor_of(x))


@implements("vander")
def _vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    return combining.vander(tensor_of(x), N, increasing)


@implements("interp")
def _interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """Linear between the points; recorded in all three, by the two points around each place."""
    no_others("interp", {"period": period})
    at, places, values = tensors_of((x, xp, fp))
    last = places.shape[0] - 1
    above = np.clip(np.searchsorted(places._array, at._array, side="right"), 1, max(last, 1))
    if last == 0:
        inner = ops.add(ops.mul(at, 0), values[0])
    else:
        x0, x1 = (indexing.take_rows(places, index=i, axis=0) for i in (above - 1, above))
        y0, y1 = (indexing.take_rows(values, index=i, axis=0) for i in (above - 1, above))
        inner = ops.add(y0, ops.mul(ops.div(ops.sub(y1, y0), ops.sub(x1, x0)), ops.sub(at, x0)))
    low, high = places[0], places[last]
    inner = ops.where(ops.lt(at, low), values[0] if left is None else left, inner)
    return ops.where(ops.gt(at, high), values[last] if right is None else right, inner)


# --- Taking -----------------------------------------------------------------------------------


@implements("take")
def _take(a: Any, indices: Any, axis: int | None = None, out: Any = None,
          mode: str = "raise") -> Any:  # fmt: skip
    no_others("take", {"out": out})
    x, place = flat(tensor_of(a), axis)
    index = np.asarray(getattr(indices, "_array", indices))
    n = x.shape[place]
    if mode == "wrap":
        index = index % n
    elif mode == "clip":
        index = np.clip(index, 0, n - 1)
    elif np.any((index < -n) | (index >= n)):
        raise IndexError(f"np.take: an index is out of bounds for axis {axis} with size {n}")
    return indexing.take_rows(x, index=np.where(index < 0, index + n, index), axis=place)


@implements("take_along_axis")
def _take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    x, place = flat(tensor_of(arr), axis)
    index = np.asarray(getattr(indices, "_array", indices))
    whole = np.where(index < 0, index + x.shape[place], index)
    return functions.take_along_dim(x, wrap(whole), place)


@implements("compress")
def _compress(condition: Any, a: Any, axis: int | None = None, out: Any = None) -> Any:
    no_others("compress", {"out": out})
    return _take(a, np.flatnonzero(_truth(condition)._array), axis)


@implements("extract")
def _extract(condition: Any, arr: Any) -> Any:
    return _take(arr, np.flatnonzero(_truth(condition)._array))


@implements("delete")
def _delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    x, place = flat(tensor_of(arr), axis)
    return _take(x, np.delete(np.arange(x.shape[place]), getattr(obj, "_array", obj)), place)


# --- Sorting ----------------------------------------------------------------------------------


@implements("sort")
def _sort(a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *,
          stable: Any = None) -> Any:  # fmt: skip
    no_others("sort", {"order": order})  # the sort is stable: any kind is honoured
    x, place = flat(tensor_of(a), axis)
    return sorting.sort(x, place).values


@implements("partition")
def _partition(a: Any, kth: Any, axis: int | None = -1, kind: Any = None, order: Any = None) -> Any:
    return _sort(a, axis, order=order)  # in order, which every partition may be


@implements("argsort")
def _argsort(a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *,
             stable: Any = None) -> Any:  # fmt: skip
    no_others("argsort", {"order": order})
    x, place = flat(tensor_of(a), axis)
    return sorting.argsort(x, place)


@implements("searchsorted")
def _searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    edges, values = (np.asarray(tensor_of(t)._array) for t in (a, v))
    order = getattr(sorter, "_array", sorter)
    return wrap(np.asarray(np.searchsorted(edges, values, side, order), np.int64))  # type: ignore[call-overload]


@implements("unique")
def _unique(ar: Any, return_index: bool = False, return_inverse: bool = False,
            return_counts: bool = False, axis: int | None = None, *, equal_nan: bool = True,
            sorted: bool = True) -> Any:  # fmt: skip
    # Always in order, which sorted=False permits.
    x: Any = tensor_of(ar)
    _, first, inverse, counts = np.unique(
        x._array, return_index=True, return_inverse=True, return_counts=True, axis=axis,
        equal_nan=equal_nan,
    )  # fmt: skip
    whole, place = flat(x, axis)
    found = [indexing.take_rows(whole, index=first, axis=place)]
    for wanted, part in ((return_index, first), (return_inverse, inverse), (return_counts, counts)):
        if wanted:
            found.append(wrap(part.astype(np.int64)))
    return found[0] if len(found) == 1 else tuple(found)


@implements("unique_values")
def _unique_values(x: Any) -> Any:
    return cast(_unique(x, equal_nan=False), None)
