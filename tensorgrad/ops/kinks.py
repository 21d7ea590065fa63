"""Primitives with kinks: maxima, absolute value, clamping, selection.

In formulas ``[...]`` is 1 where its condition holds, else 0.  Conventions at kinks are PyTorch's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching import families
from tensorgrad.kernels import rectify
from tensorgrad.kernels.registry import described
from tensorgrad.machine.blocks import ROOMY, spread
from tensorgrad.machine.constants import FLOATS
from tensorgrad.ops.kinds import is_complex, number, refuse_complex, some, still, zeros
from tensorgrad.primitive import primitive, raw
from tensorgrad.promotion import promote


@primitive(
    lambda xp, g, y, x, *, mask: xp.mask(g, mask=mask),
    formula="g * [mask]",
    batch=families.elementwise,
)
def mask(x: Any, *, mask: Any) -> Any:
    """x where the bool array ``mask`` holds, else 0, even where x is infinite or NaN.

    Multiplying the bits as integers is exact where x * mask gives NaN, and ten times as fast as
    np.where; putmask is faster still as long as the call takes longer than the copying.
    """
    if x.size <= 256 and mask.shape == x.shape:
        out = np.zeros(x.shape, x.dtype)
        np.putmask(out, mask, x)
        return out
    bits = rectify.BITS.get(x.dtype.char)
    if bits is None:
        return np.where(mask, x, np.zeros((), x.dtype))
    return rectify.multiply_by_mask(x.view(bits), mask).view(x.dtype)


@primitive(
    lambda xp, g, y, x, *, slope: still(xp, xp.mul(g, slope), x),
    formula="g * slope",
    batch=families.elementwise,
)
def leaky_relu(x: Any, *, slope: Any) -> Any:
    """x * slope, an array picked by the signs of x: straight lines that meet in 0.

    Not `mul`, whose gradient is known not to depend on x: a program may ask for its gradient.
    """
    return np.multiply(x, slope) if x.size < ROOMY else spread(np.multiply, x, slope)


@primitive(
    lambda xp, g, y, x, *, kept, other: still(xp, xp.mask(g, mask=kept), x),
    formula="g * [kept]",
    batch=families.elementwise,
)
def keep(x: Any, *, kept: Any, other: Any) -> Any:
    """x where the bool array ``kept``, picked by the values of x, holds; else ``other``."""
    if type(other) is int and other == 0:
        return raw.mask(x, mask=kept)  # without np.where, which is slow
    return np.where(kept, x, other)


def _passes(y: Any) -> Any:
    """Where relu's output is not 0: NaN passes its gradient on, as in PyTorch."""
    y = getattr(y, "_array", y)
    return y != number(0.0, y)


# From this many elements on a kernel is chosen.
_LARGE = 1 << 13


def _relu_rule(xp: Any, g: Any, y: Any, x: Any) -> Any:
    if xp is raw and y.size >= _LARGE:
        problem = described(rectify.Problem, (y.shape, y.dtype))
        return rectify.relu_gradient.choose(problem)(problem, g, y)
    d = xp.mask(g, mask=_passes(y))
    return still(xp, d, y)


@primitive(
    _relu_rule,
    saves="y",
    formula="g * [x > 0]",
    batch=families.elementwise,
    exact=True,
)
def relu(x: Any) -> Any:
    """max(x, 0); the derivative at 0 is 0."""
    if x.dtype in FLOATS and x.size < 2048:
        return np.maximum(x, number(0.0, x))
    if x.dtype.kind == "b":
        raise RuntimeError("relu(): Boolean inputs not supported; convert the input with .float()")
    refuse_complex("relu", x)
    problem = rectify.Problem(x.shape, x.dtype)
    return rectify.relu.choose(problem)(problem, x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.sgn(x) if is_complex(x) else xp.sign(x)),
    saves="x",
    formula="g * sign(x)",
    holomorphic=False,
    batch=families.elementwise,
    ufunc=np.abs,
)
def abs(x: Any) -> Any:
    """|x|; the derivative at 0 is 0, and x / |x| for a complex x."""
    return np.abs(x)


def _unit(x: Any) -> Any:
    if x.dtype.kind == "b":
        return x.copy()
    if x.dtype.kind != "c":
        return np.sign(x)
    size = np.abs(x)
    return np.where(size == 0, 0, x / np.where(size == 0, 1, size)).astype(x.dtype)


def _sgn_rule(xp: Any, g: Any, y: Any, x: Any) -> Any:
    if not is_complex(x):
        return zeros(xp, g)
    # d(x/|x|): the part of g across the direction of x, over |x|.
    size = xp.abs(x)
    across = xp.sub(g, xp.mul(y, xp.real(xp.mul(xp.conj(y), g))))
    inside = xp.eq(size, 0)
    return xp.where(inside, 0, xp.div(across, xp.where(inside, 1, size)))


@primitive(_sgn_rule, saves="x y", formula="0 * g", holomorphic=False, batch=families.elementwise)
def sgn(x: Any) -> Any:
    """sign(x); for complex x the unit number x / |x|, and 0 at 0."""
    return _unit(x)


def _inside(x: Any, low: Any, high: Any) -> Any:
    x = getattr(x, "_array", x)
    if low is None:
        return np.less_equal(x, number(high, x))
    kept = np.greater_equal(x, number(low, x))
    return kept if high is None else np.logical_and(kept, np.less_equal(x, number(high, x)))


def _clamp_formula(shapes: Any, params: Any) -> str:
    low = "" if params["min"] is None else "min <= "
    high = "" if params["max"] is None else " <= max"
    return f"g * [{low}x{high}]"


@primitive(
    lambda xp, g, y, x, *, min, max: xp.mask(g, mask=_inside(x, min, max)),
    saves="x",
    formula=_clamp_formula,
    batch=families.elementwise,
)
def clamp(x: Any, *, min: Any, max: Any) -> Any:
    """min(max(x, min), max) for numbers or None; the derivative at a bound is 1."""
    refuse_complex("clamp", x)
    if x.dtype in FLOATS:  # np.clip is twice as slow as the two that it stands for
        if min is not None:
            x = np.maximum(x, number(min, x))
        return x if max is None else np.minimum(x, number(max, x))
    return np.clip(x, min, max)


def _share(xp: Any, g: Any, mine: Any, other: Any, lose: Any) -> Any:
    """All of g where mine wins, half where they tie, nothing where other wins.

    Where either is NaN nobody loses, and both have all of it, as in PyTorch.
    """
    mine, other = (getattr(v, "_array", v) for v in (mine, other))
    lost, ties = lose(mine, other), np.equal(mine, other)
    share = xp.mask(g, mask=np.logical_not(lost))
    if some(ties):
        share = xp.mul(share, np.where(ties, 0.5, 1).astype(_dtype(g)))
    return share


def _dtype(g: Any) -> Any:
    return getattr(g, "_array", g).dtype


@primitive(
    lambda xp, g, y, a, b: _share(xp, g, a, b, np.less),
    lambda xp, g, y, a, b: _share(xp, g, b, a, np.less),
    saves="a b",
    formula=("g * ([a > b] + [a == b] / 2)", "g * ([b > a] + [a == b] / 2)"),
    promote="common",
    batch=families.elementwise,
    ufunc=np.maximum,
)
def maximum(a: Any, b: Any) -> Any:
    """The larger of a and b, NaN if either is; ties share the gradient evenly."""
    refuse_complex("maximum", a, b)
    return np.maximum(a, b)


@primitive(
    lambda xp, g, y, a, b: _share(xp, g, a, b, np.greater),
    lambda xp, g, y, a, b: _share(xp, g, b, a, np.greater),
    saves="a b",
    formula=("g * ([a < b] + [a == b] / 2)", "g * ([b < a] + [a == b] / 2)"),
    promote="common",
    batch=families.elementwise,
    ufunc=np.minimum,
)
def minimum(a: Any, b: Any) -> Any:
    """The smaller of a and b, NaN if either is; ties share the gradient evenly."""
    refuse_complex("minimum", a, b)
    return np.minimum(a, b)


def _condition(c: Any) -> Any:
    return getattr(c, "_array", c)


@primitive(
    None,
    lambda xp, g, y, c, a, b: xp.mask(g, mask=_condition(c)),
    lambda xp, g, y, c, a, b: xp.mask(g, mask=np.logical_not(_condition(c))),
    saves="c",
    formula=(None, "g * [c]", "g * [~c]"),
    batch=families.elementwise,
)
def where(c: Any, a: Any, b: Any) -> Any:
    """a where the bool array c holds, else b; a and b come to their common type."""
    if getattr(c, "dtype", None) != np.bool_ and not isinstance(c, bool):
        raise RuntimeError(f"where: expected condition to be a boolean tensor, got {c.dtype}")
    if not (type(a) is type(b) is np.ndarray and a.dtype is b.dtype):
        a, b = promote([a, b])
    return np.where(c, a, b)
