"""Reductions: sums, means, extremes, products, cumulative sums.

``axis`` is None (all), an int or a tuple; gradients are put back along the reduced axes.
"""

from __future__ import annotations

from math import prod as product
from typing import Any

import numpy as np
from numpy import ndarray

from tensorgrad.batching import families
from tensorgrad.kernels import channels
from tensorgrad.machine.constants import FLOATS
from tensorgrad.ops.kinds import number, refuse_complex, single, some, zeros
from tensorgrad.primitive import primitive, raw


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """The reduced axes, counted from the front; AxisError for one that is not there."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    normal = []
    for a in axes:
        if not -max(ndim, 1) <= a < max(ndim, 1):
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-max(ndim, 1)}, "
                f"{max(ndim, 1) - 1}], but got {a})"
            )
        normal.append(a % max(ndim, 1))
    if len(set(normal)) != len(normal):
        raise RuntimeError(f"dim {normal} appears multiple times in the list of dims")
    return () if ndim == 0 else tuple(normal)


def reduced(axis: Any, ndim: int) -> Any:
    """`axes_of` in a form that NumPy's reductions take sooner: None and an int stay as they are."""
    if axis is None or (type(axis) is int and -ndim <= axis < ndim):
        return axis
    return axes_of(axis, ndim)


def kept_shape(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """The shape with reduced axes of length 1."""
    ndim = len(shape)
    if type(axis) is int and -ndim <= axis < ndim:
        axis %= ndim
        return (*shape[:axis], 1, *shape[axis + 1 :])
    axes = axes_of(axis, len(shape))
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def count(shape: tuple[int, ...], axis: Any) -> int:
    """How many elements each result comes from."""
    if axis is None:
        return product(shape)
    if type(axis) is int and -len(shape) <= axis < len(shape):
        return shape[axis]
    return product(shape[i] for i in axes_of(axis, len(shape)))


def _back(xp: Any, g: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    """Give a reduced array its reduced axes back, with length 1; one number broadcasts as it is."""
    return g if keepdims or not g.shape else xp.reshape(g, shape=kept_shape(x.shape, axis))


def _spread(xp: Any, g: Any, y: Any, x: Any, *, axis: Any, keepdims: Any) -> Any:
    return xp.broadcast_to(_back(xp, g, x, axis, keepdims), shape=x.shape)


@primitive(_spread, formula="spread(g, x, axis)", batch=families.reduction)
def sum(x: Any, *, axis: Any, keepdims: Any) -> Any:
    """The sum over axes; integers and bools add up as int64."""
    if x.dtype.kind in "biu":
        x = x.astype(np.int64, copy=False)
    return total_of(x, axis, keepdims)


# A product with ones sums a small array, or a small matrix's rows or columns, in half the time.
_SMALL = 4096
_ones = {dtype: np.ones(_SMALL, dtype) for dtype in FLOATS}


# Up to here einsum, which keeps several sums for a row at once, is as exact as halving the row.
_SHORT = 1024


def along_rows(x: Any, axis: Any) -> bool:
    """Whether an axis is the last one of a real array in C order, and short: NumPy's reductions
    begin anew at each row, which takes two to four times as long as the row."""
    return (
        type(axis) is int
        and axis in (-1, x.ndim - 1)
        and x.ndim > 1
        and 0 < x.shape[-1] <= _SHORT
        and x.dtype in FLOATS
        and x.flags.c_contiguous
    )


def total_of(x: Any, axis: Any, keepdims: Any) -> Any:
    """The sum over axes, by the way that is fastest for the shape."""
    if 0 < x.size <= _SMALL and not keepdims and (ones := _ones.get(x.dtype)) is not None:
        if axis is None:
            if x.flags.c_contiguous:
                flat = x.reshape(-1)
                return ones[: flat.size].dot(flat)
        elif x.ndim == 2:
            if axis == 0:
                return ones[: x.shape[0]].dot(x)
            if axis == 1 and x.flags.c_contiguous:
                return x.dot(ones[: x.shape[1]])
    elif x.size > _SMALL and along_rows(x, axis):
        rows = np.einsum("ij->i", x.reshape(-1, x.shape[-1]))
        return rows.reshape(*x.shape[:-1], 1) if keepdims else rows.reshape(x.shape[:-1])
    axes = reduced(axis, x.ndim)
    if type(axes) is tuple and not keepdims and (sums := channels.total(x, axes)) is not None:
        return sums
    if x.dtype.char == "e":
        return np.add.reduce(x, axes, np.float32, keepdims=keepdims).astype(x.dtype)
    return np.add.reduce(x, axes, keepdims=keepdims)


def _over(total: Any, divisor: float) -> Any:
    """A real sum, which of everything is a NumPy scalar, divided by a number, in its dtype.

    A product with 1 / n would be quicker, and make the mean of 41 ones less than 1.
    """
    return total / (number(divisor, total) if total.shape else float(divisor))


def _spread_mean(xp: Any, g: Any, y: Any, x: Any, *, axis: Any, keepdims: Any) -> Any:
    n = count(x.shape, axis)
    scaled = xp.mul(g, number(1 / n if n else float("nan"), g))
    return _spread(xp, scaled, y, x, axis=axis, keepdims=keepdims)


@primitive(_spread_mean, formula="spread(g, x, axis) / count(x, axis)", batch=families.reduction)
def mean(x: Any, *, axis: Any, keepdims: Any) -> Any:
    """The mean over axes; NaN of nothing."""
    if x.dtype.kind not in "fc":
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or "
            f"complex dtype. Got: {x.dtype}; convert it with .float()"
        )
    n = count(x.shape, axis)
    if n == 0:
        shape = kept_shape(x.shape, axis)
        axes = axes_of(axis, x.ndim)
        shape = shape if keepdims else tuple(m for i, m in enumerate(x.shape) if i not in axes)
        return np.full(shape, np.nan if x.dtype.kind == "f" else complex(np.nan, np.nan), x.dtype)
    total = total_of(single(x), axis, keepdims)
    if x.dtype.kind != "f":
        return total / n
    found = _over(total, n)
    return found if found.dtype is x.dtype else found.astype(x.dtype, copy=False)


def mean_of_squares(x: Any) -> Any:
    """The mean of x**2 over all elements; the squares of a small array are not written down."""
    if 0 < x.size <= _SMALL and x.dtype in FLOATS and x.flags.c_contiguous:
        flat = x.reshape(-1)
        return _over(flat.dot(flat), x.size)
    return raw.mean(raw.mul(x, x), axis=None, keepdims=False)


def _centred(x: Any, axis: Any) -> Any:
    return np.subtract(x, raw.mean(x, axis=axis, keepdims=True))


def _var_rule(
    xp: Any, g: Any, y: Any, x: Any, *, axis: Any, correction: float, keepdims: Any
) -> Any:
    n = count(x.shape, axis)
    centred = xp.sub(x, xp.mean(x, axis=axis, keepdims=True))
    # 2 / 0 gives inf, and inf * 0 the NaN that PyTorch has for the variance of one element.
    freedom = max(n - correction, 0)
    scale = 2 / freedom if freedom else float("inf")
    return xp.mul(xp.mul(_back(xp, g, x, axis, keepdims), number(scale, g)), centred)


@primitive(
    _var_rule,
    saves="x",
    formula="2 * spread(g, x, axis) * (x - mean(x, axis)) / (count(x, axis) - correction)",
    batch=families.reduction,
)
def var(x: Any, *, axis: Any, correction: float, keepdims: Any) -> Any:
    """The variance over axes: squared deviations over (count - correction)."""
    if x.dtype.kind not in "f":
        raise RuntimeError(f"var only supports floating point dtypes here, got {x.dtype}")
    centred = _centred(single(x), axis) if x.size else single(x)
    squares = np.multiply(centred, centred)
    total = np.add.reduce(squares, reduced(axis, x.ndim), keepdims=keepdims)
    freedom = max(count(x.shape, axis) - correction, 0)
    return _over(total, freedom or float("nan")).astype(x.dtype, copy=False)


def _raw(value: Any) -> Any:
    return getattr(value, "_array", value)


def _share_extreme(xp: Any, g: Any, y: Any, x: Any, *, axis: Any, keepdims: Any) -> Any:
    """Where several elements are extreme, each gets an equal share."""
    values = _raw(x)
    best = _raw(y).reshape(kept_shape(x.shape, axis))
    won = np.equal(values, best)
    missing = np.isnan(best)  # the extreme of its group, and equal to nothing
    if some(missing):
        won |= np.isnan(values) & missing
    weight = won.astype(values.dtype)
    if type(won) is not ndarray or np.count_nonzero(won) > best.size:  # ties
        weight /= np.add.reduce(weight, reduced(axis, x.ndim), keepdims=True)
    return xp.mul(_back(xp, g, x, axis, keepdims), weight)


def _nonempty(x: Any, axis: Any, name: str) -> Any:
    refuse_complex(name, x)
    axes = reduced(axis, x.ndim)
    if x.size == 0 and count(x.shape, axis) == 0:
        raise IndexError(f"{name}: expected reduction dim to have a non-zero size, got {x.shape}")
    return axes


_EXTREME = "spread(g, x, axis) * [x == spread(y, x, axis)] / sum([x == spread(y, x, axis)], axis)"


@primitive(_share_extreme, saves="x y", formula=_EXTREME, batch=families.reduction)
def amax(x: Any, *, axis: Any, keepdims: Any) -> Any:
    """The maximum over axes; NaN wins; ties share the gradient evenly."""
    return np.maximum.reduce(x, _nonempty(x, axis, "amax"), keepdims=keepdims)


@primitive(_share_extreme, saves="x y", formula=_EXTREME, batch=families.reduction)
def amin(x: Any, *, axis: Any, keepdims: Any) -> Any:
    """The minimum over axes; NaN wins; ties share the gradient evenly."""
    return np.minimum.reduce(x, _nonempty(x, axis, "amin"), keepdims=keepdims)


def _no_bool(x: Any, name: str) -> None:
    if x.dtype.kind == "b":
        raise RuntimeError(f"{name}(): does not support bool input; convert it with .int()")


@primitive(batch=families.index_of_extreme)
def argmax(x: Any, *, axis: Any, keepdims: Any) -> Any:
    """The index of the first maximum along one axis, or in the flattened array."""
    _no_bool(x, "argmax")
    _nonempty(x, axis, "argmax")
    return np.argmax(x, axis=axis if x.ndim else None, keepdims=keepdims).astype(np.int64)


@primitive(batch=families.index_of_extreme)
def argmin(x: Any, *, axis: Any, keepdims: Any) -> Any:
    """The index of the first minimum along one axis, or in the flattened array."""
    _no_bool(x, "argmin")
    _nonempty(x, axis, "argmin")
    return np.argmin(x, axis=axis if x.ndim else None, keepdims=keepdims).astype(np.int64)


@primitive(batch=families.reduction)
def all(x: Any, *, axis: Any, keepdims: Any) -> Any:
    """Every element is nonzero."""
    return np.logical_and.reduce(x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


@primitive(batch=families.reduction)
def any(x: Any, *, axis: Any, keepdims: Any) -> Any:
    """Some element is nonzero."""
    return np.logical_or.reduce(x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


def _prod_rule(xp: Any, g: Any, y: Any, x: Any, *, axis: Any, keepdims: Any) -> Any:
    """The product of the others, by cumulative products from both ends: exact with zeros too."""
    axes = axes_of(axis, x.ndim)
    rest = tuple(i for i in range(x.ndim) if i not in axes)
    order = rest + axes
    moved = xp.permute(x, axes=order)
    flat = xp.reshape(moved, shape=(*(x.shape[i] for i in rest), count(x.shape, axis)))
    others = _others(xp, flat)
    back = xp.reshape(others, shape=tuple(x.shape[i] for i in order))
    inverse = tuple(int(i) for i in np.argsort(order))
    return xp.mul(_back(xp, g, x, axis, keepdims), xp.permute(back, axes=inverse))


def _others(xp: Any, x: Any) -> Any:
    """For each element along the last axis, the product of all the others."""
    n = x.shape[-1]
    # log2(n) products of neighbours instead of n divisions, which would fail at zeros.
    if n <= 1:
        return xp.add(zeros(xp, x), 1)
    half = n // 2
    left = xp.getitem(x, index=(Ellipsis, slice(0, half)))
    right = xp.getitem(x, index=(Ellipsis, slice(half, n)))
    whole_left = xp.prod(left, axis=-1, keepdims=True)
    whole_right = xp.prod(right, axis=-1, keepdims=True)
    return xp.cat(
        xp.mul(_others(xp, left), whole_right), xp.mul(_others(xp, right), whole_left), axis=-1
    )


@primitive(
    _prod_rule, saves="x", formula="spread(g, x, axis) * others(x, axis)", batch=families.reduction
)
def prod(x: Any, *, axis: Any, keepdims: Any) -> Any:
    """The product over axes; integers and bools multiply as int64."""
    if x.dtype.kind in "biu":
        x = x.astype(np.int64, copy=False)
    return np.multiply.reduce(x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


def _cumsum_rule(xp: Any, g: Any, y: Any, x: Any, *, axis: int) -> Any:
    if not x.shape:
        return g
    return xp.flip(xp.cumsum(xp.flip(g, axes=(axis,)), axis=axis), axes=(axis,))


@primitive(
    _cumsum_rule,
    formula="flip(cumsum(flip(g, axis), axis), axis)",
    batch=families.along("axis", scalar=True),
)
def cumsum(x: Any, *, axis: int) -> Any:
    """The running sum along an axis."""
    if x.dtype.kind in "biu":
        x = x.astype(np.int64, copy=False)
    if x.ndim == 0:
        return x.copy()
    return np.add.accumulate(x, axis=axes_of(axis, x.ndim)[0])


def _cumprod_rule(xp: Any, g: Any, y: Any, x: Any, *, axis: int) -> Any:
    total = xp.flip(xp.cumsum(xp.flip(xp.mul(g, y), axes=(axis,)), axis=axis), axes=(axis,))
    return xp.div(total, x)


@primitive(
    _cumprod_rule,
    saves="x y",
    formula="flip(cumsum(flip(g * y, axis), axis), axis) / x",
    batch=families.along("axis", scalar=True),
)
def cumprod(x: Any, *, axis: int) -> Any:
    """The running product along an axis; the rule divides by x, so x must have no zeros."""
    if x.dtype.kind in "biu":
        x = x.astype(np.int64, copy=False)
    return np.multiply.accumulate(x, axis=axes_of(axis, x.ndim)[0])
