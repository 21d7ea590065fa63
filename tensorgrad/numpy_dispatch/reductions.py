"""Sums, means, extremes, quantiles, running sums, differences, with NumPy's arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.functions import calculus, quantiles, statistics
from tensorgrad.functions import elementwise as basic
from tensorgrad.functions import shape as shapes
from tensorgrad.graph.node import wrap
from tensorgrad.numpy_dispatch.table import (
    ABSENT,
    axes_of,
    cast,
    flat,
    floats_of,
    given,
    implements,
    no_others,
    tensor_of,
)
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops import reduction

__all__: list[str] = []


def _words(axis: Any, keepdims: Any) -> dict[str, Any]:
    return {"axis": axes_of(axis), "keepdims": bool(given(keepdims, False))}


@implements("sum")
def _sum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
         **rest: Any) -> Any:  # fmt: skip
    no_others("sum", {"out": out, **rest})
    return reduction.sum(cast(tensor_of(a), dtype), **_words(axis, keepdims))


@implements("prod")
def _prod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
          **rest: Any) -> Any:  # fmt: skip
    no_others("prod", {"out": out, **rest})
    return reduction.prod(cast(tensor_of(a), dtype), **_words(axis, keepdims))


@implements("mean")
def _mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
          **rest: Any) -> Any:  # fmt: skip
    no_others("mean", {"out": out, **rest})
    return reduction.mean(cast(floats_of(a), dtype), **_words(axis, keepdims))


@implements("var")
def _var(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
         keepdims: Any = False, *, correction: Any = ABSENT, **rest: Any) -> Any:  # fmt: skip
    no_others("var", {"out": out, **rest})
    correction = given(correction, ddof)
    x = cast(floats_of(a), dtype)
    words = _words(axis, keepdims)
    if not x.is_complex():
        return reduction.var(x, correction=correction, **words)
    parts = (reduction.var(p, correction=correction, **words) for p in (ops.real(x), ops.imag(x)))
    return ops.add(*parts)


@implements("std")
def _std(a: Any, *args: Any, **words: Any) -> Any:
    return ops.sqrt(_var(a, *args, **words))


@implements("max", "amax")
def _max(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **rest: Any) -> Any:
    no_others("max", {"out": out, **rest})
    return reduction.amax(tensor_of(a), **_words(axis, keepdims))


@implements("min", "amin")
def _min(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **rest: Any) -> Any:
    no_others("min", {"out": out, **rest})
    return reduction.amin(tensor_of(a), **_words(axis, keepdims))


@implements("ptp")
def _ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    no_others("ptp", {"out": out})
    return ops.sub(_max(a, axis, keepdims=keepdims), _min(a, axis, keepdims=keepdims))


@implements("all")
def _all(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **rest: Any) -> Any:
    no_others("all", {"out": out, **rest})
    return reduction.all(tensor_of(a), **_words(axis, keepdims))


@implements("any")
def _any(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **rest: Any) -> Any:
    no_others("any", {"out": out, **rest})
    return reduction.any(tensor_of(a), **_words(axis, keepdims))


@implements("count_nonzero")
def _count_nonzero(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    return reduction.sum(ops.ne(tensor_of(a), 0), **_words(axis, keepdims))


def _ranked(a: Any) -> Any:
    x: Any = tensor_of(a)
    return cast(x, np.uint8) if x._array.dtype.kind == "b" else x


@implements("argmax")
def _argmax(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    no_others("argmax", {"out": out})
    return reduction.argmax(_ranked(a), **_words(axis, keepdims))


@implements("argmin")
def _argmin(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    no_others("argmin", {"out": out})
    return reduction.argmin(_ranked(a), **_words(axis, keepdims))


# --- Without NaN ------------------------------------------------------------------------------


def _filled(a: Any, value: float) -> tuple[Any, Any]:
    """The array with NaNs replaced, and where a number was."""
    x: Any = tensor_of(a)
    if x._array.dtype.kind in "biu":
        return x, ops.eq(x, x)
    missing = ops.isnan(x)
    return ops.where(missing, value, x), ops.logical_not(missing)


@implements("nansum")
def _nansum(a: Any, *args: Any, **words: Any) -> Any:
    return _sum(_filled(a, 0.0)[0], *args, **words)


@implements("nanprod")
def _nanprod(a: Any, *args: Any, **words: Any) -> Any:
    return _prod(_filled(a, 1.0)[0], *args, **words)


@implements("nancumsum")
def _nancumsum(a: Any, *args: Any, **words: Any) -> Any:
    return _cumsum(_filled(a, 0.0)[0], *args, **words)


@implements("nancumprod")
def _nancumprod(a: Any, *args: Any, **words: Any) -> Any:
    return _cumprod(_filled(a, 1.0)[0], *args, **words)


@implements("nanmean")
def _nanmean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
             **rest: Any) -> Any:  # fmt: skip
    no_others("nanmean", {"out": out, **rest})
    x, there = _filled(cast(floats_of(a), dtype), 0.0)
    words = _words(axis, keepdims)
    return ops.div(reduction.sum(x, **words), reduction.sum(there, **words))


@implements("nanvar")
def _nanvar(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
            keepdims: Any = False, *, correction: Any = ABSENT, **rest: Any) -> Any:  # fmt: skip
    no_others("nanvar", {"out": out, **rest})
    x, there = _filled(cast(floats_of(a), dtype), 0.0)
    centre = _nanmean(a, axis, dtype, keepdims=True)
    apart = ops.where(there, ops.sub(x, centre), 0.0)
    words = _words(axis, keepdims)
    squares = reduction.sum(ops.mul(apart, basic.conj(apart)), **words)
    free = ops.sub(reduction.sum(there, **words), given(correction, ddof))
    freedom = ops.where(ops.gt(free, 0), free, float("nan"))
    found = ops.div(squares, freedom)
    return ops.real(found) if found.is_complex() else cast(found, squares._array.dtype)


@implements("nanstd")
def _nanstd(a: Any, *args: Any, **words: Any) -> Any:
    return ops.sqrt(_nanvar(a, *args, **words))


def _nanextreme(name: str, extreme: Any, worst: float, a: Any, axis: Any, keepdims: Any) -> Any:
    x, there = _filled(a, worst)
    words = _words(axis, keepdims)
    found = extreme(x, **words)
    some = reduction.any(there, **words)
    return found if x._array.dtype.kind in "biu" else ops.where(some, found, float("nan"))


@implements("nanmax")
def _nanmax(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **rest: Any) -> Any:
    no_others("nanmax", {"out": out, **rest})
    return _nanextreme("nanmax", reduction.amax, -float("inf"), a, axis, keepdims)


@implements("nanmin")
def _nanmin(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **rest: Any) -> Any:
    no_others("nanmin", {"out": out, **rest})
    return _nanextreme("nanmin", reduction.amin, float("inf"), a, axis, keepdims)


# --- Order statistics -----------------------------------------------------------------------------

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(
    name: str, function: Any, a: Any, q: Any, axis: Any, keepdims: Any, words: Any
) -> Any:
    method = words.pop("method", "linear")
    words.pop("overwrite_input", None)  # a permission, which nothing here needs
    no_others(name, words)
    if method not in _METHODS:
        raise TypeError(f"np.{name}: method must be one of {_METHODS} for a Tensor, got {method!r}")
    x = floats_of(a)
    if isinstance(axis, tuple):
        rest = [i for i in range(x.ndim) if i not in {d % x.ndim for d in axis}]
        if given(keepdims, False):
            raise TypeError(f"np.{name}: keepdims with several axes is not supported for a Tensor")
        x, axis = shapes.movedim(x, rest, list(range(len(rest)))).flatten(len(rest)), -1
    levels = wrap(np.asarray(getattr(q, "_array", q)).astype(x._array.dtype))
    return function(x, levels, axis, bool(given(keepdims, False)), interpolation=method)


@implements("quantile")
def _np_quantile(a: Any, q: Any, axis: Any = None, out: Any = None, keepdims: Any = False,
                 **rest: Any) -> Any:  # fmt: skip
    rest["out"] = out
    return _quantile("quantile", quantiles.quantile, a, q, axis, keepdims, rest)


@implements("nanquantile")
def _np_nanquantile(a: Any, q: Any, axis: Any = None, out: Any = None, keepdims: Any = False,
                    **rest: Any) -> Any:  # fmt: skip
    rest["out"] = out
    return _quantile("nanquantile", quantiles.nanquantile, a, q, axis, keepdims, rest)


def _hundredths(q: Any) -> Any:
    return np.asarray(getattr(q, "_array", q)) / 100


@implements("percentile")
def _percentile(a: Any, q: Any, *args: Any, **words: Any) -> Any:
    return _np_quantile(a, _hundredths(q), *args, **words)


@implements("nanpercentile")
def _nanpercentile(a: Any, q: Any, *args: Any, **words: Any) -> Any:
    return _np_nanquantile(a, _hundredths(q), *args, **words)


@implements("median")
def _median(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
            keepdims: Any = False) -> Any:  # fmt: skip
    return _np_quantile(a, 0.5, axis, out, keepdims)


@implements("nanmedian")
def _nanmedian(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
               keepdims: Any = False) -> Any:  # fmt: skip
    return _np_nanquantile(a, 0.5, axis, out, keepdims)


@implements("average")
def _average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *,
             keepdims: Any = False) -> Any:  # fmt: skip
    x = floats_of(a)
    words = _words(axis, keepdims)
    if weights is None:
        found = reduction.mean(x, **words)
        if not returned:
            return found
        return found, wrap(np.full(found.shape, x.numel() / max(found.numel(), 1), x._array.dtype))
    w: Any = tensor_of(weights)
    if w.shape != x.shape:
        if axis is None or isinstance(axis, tuple) or w.shape != (x.shape[axis],):
            raise TypeError(
                f"np.average: weights of shape {tuple(w.shape)} do not fit axis {axis} of shape "
                f"{tuple(x.shape)}"
            )
        place = axis % x.ndim
        w = w.reshape([-1 if i == place else 1 for i in range(x.ndim)]).expand(*x.shape)
    total = reduction.sum(w, **words)
    found = ops.div(reduction.sum(ops.mul(x, w), **words), total)
    return (found, total) if returned else found


# --- Running ----------------------------------------------------------------------------------


@implements("cumsum")
def _cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    no_others("cumsum", {"out": out})
    x, place = flat(cast(tensor_of(a), dtype), axis)
    return reduction.cumsum(x, axis=place)


@implements("cumprod")
def _cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    no_others("cumprod", {"out": out})
    x, place = flat(cast(tensor_of(a), dtype), axis)
    return statistics.cumprod(x, place)


@implements("diff")
def _diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    x: Any = tensor_of(a)
    ends: list[Any] = []
    for end in (given(prepend, None), given(append, None)):
        if end is None:
            ends.append(None)
            continue
        part: Any = tensor_of(end)
        if part.ndim == 0:
            shape = [1 if i == axis % x.ndim else m for i, m in enumerate(x.shape)]
            part = part.expand(*shape)
        ends.append(part)
    return statistics.diff(x, n, axis, *ends)


@implements("trapezoid")
def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    at = None if x is None else tensor_of(x)
    return calculus.trapezoid(floats_of(y), at, dx=dx, dim=axis)


@implements("cov")
def _cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None,
         fweights: Any = None, aweights: Any = None, *, dtype: Any = None) -> Any:  # fmt: skip
    def rows(value: Any) -> Any:
        x = cast(floats_of(value), dtype)
        if x.ndim > 2:
            raise ValueError("np.cov: a Tensor of variables has at most two dimensions")
        return x if x.ndim < 2 or rowvar else x.T

    x = rows(m)
    if y is not None:
        parts = (p.reshape(1, -1) if p.ndim < 2 else p for p in (x, rows(y)))
        from tensorgrad.functions.joining import cat

        x = cat(list(parts), 0)
    correction = (0 if bias else 1) if ddof is None else int(ddof)
    weights = (None if w is None else tensor_of(w) for w in (fweights, aweights))
    f, w = weights
    return statistics.cov(x, correction=correction, fweights=f, aweights=w)


@implements("corrcoef")
def _corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    found = _cov(x, y, rowvar, dtype=dtype)
    if found.ndim == 0:
        return ops.div(found, found)
    from tensorgrad.functions.diagonals import diagonal

    size = ops.sqrt(ops.real(diagonal(found)) if found.is_complex() else diagonal(found))
    return ops.div(ops.div(found, size[:, None]), size)
