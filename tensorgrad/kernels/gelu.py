"""GELU, x P(Z <= x) for a standard normal Z, and its approximation by a hyperbolic tangent.

===============  ==============================  ==========================
operation        called as                       returns
===============  ==============================  ==========================
`gelu`           run(problem, x, keep)           (y, kept or None)
`gelu_gradient`  run(problem, g, x, kept)        dx
===============  ==============================  ==========================

``keep`` says that a gradient will follow; what the forward then keeps for it is a pair (name of the
kernel, arrays), which other kernels do not read.

In float32 P(Z <= x) is 1 / (1 + exp(x r(x**2))) with a quotient r of a cubic and a quadratic
polynomial, fitted for this package to log(1 / P(Z <= x) - 1) / x so that the largest error of
P(Z <= x) is least: 5.4e-8, less than the rounding of float32.  An exponential, because the result
is 0 and x where it should be for every x; NumPy computes it in half of the time that (1 + tanh) / 2
takes, and in a tenth of the error function's.  The whole is done block by block in a core's cache,
the derivative with it.

r is computed as a continued fraction.  What counts is how often NumPy goes through the numbers,
and here a division takes as long as a product: 8 times instead of 12 for a polynomial of degree 6,
which is as exact; without its last term it is off by 2e-7.  Of 32 Ki numbers 83 us instead of 90,
45 of them the exponential.
"""

from __future__ import annotations

from functools import lru_cache
from math import pi, sqrt
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.kernels import special_erf
from tensorgrad.kernels.dense import dense, flat
from tensorgrad.kernels.registry import Operation
from tensorgrad.machine import arena
from tensorgrad.machine.constants import constant
from tensorgrad.machine.threads import split

__all__ = ["Problem", "gelu", "gelu_gradient"]

# b, a, g, d, k, z of r(s) = b s + a + g / (s + d + k / (s + z)).
_NORMAL = (
    -0.03627598833979, -2.36663132937351, 5.33383156826448, -23.5918862177090, 1382.47057923728,
    45.3102592514270,
)  # fmt: skip
_TANH = (0.044715 * sqrt(2 / pi), sqrt(2 / pi))
_CUBIC = (-2 * _TANH[0], -2 * _TANH[1])
# 64 Ki numbers a time: half a million took 1.5 ms so, 1.7 in blocks of 16 Ki.
_BLOCK = 1 << 16
# Two threads gain from pieces of this size on.
_SPLIT_FROM = 1 << 17


class Problem(NamedTuple):
    """A GELU as its kernels see it; hashable, so that choices are kept for it."""

    input: tuple[int, ...]
    dtype: np.dtype[Any]
    tanh: bool


def _bell(x: Any) -> Any:
    """The normal density, times x."""
    y = np.exp(x * x * x.dtype.type(-0.5))
    y *= x
    y *= x.dtype.type(1 / sqrt(2 * pi))
    return y


def _curve(x: Any) -> tuple[Any, Any]:
    """tanh(sqrt(2 / pi) (x + 0.044715 x**3)), and the derivative of what is inside."""
    cubic, linear = (x.dtype.type(c) for c in _TANH)
    square = x * x
    inside = x * (square * cubic + linear)
    return np.tanh(inside), square * (3 * cubic) + linear


def _reference(problem: Problem, x: Any, keep: bool) -> tuple[Any, Any]:
    if not problem.tanh:
        return x * special_erf.ndtr(x), None
    half = x.dtype.type(0.5)
    return x * half * (_curve(x)[0] + 1), None


def _reference_gradient(problem: Problem, g: Any, x: Any, kept: Any) -> Any:
    if not problem.tanh:
        return g * (special_erf.ndtr(x) + _bell(x))
    curve, slope = _curve(x)
    half = x.dtype.type(0.5)
    return g * half * ((curve + 1) + slope * (1 - curve * curve) * x)


def _blocked(problem: Problem, x: Any, keep: bool) -> tuple[Any, Any]:
    """The value, and where it will be needed the derivative, block by block."""
    x = dense(x)
    y = arena.empty_like(x)
    slope = arena.empty_like(x) if keep else None
    block = _cubic if problem.tanh else _normal
    if x.size <= _BLOCK:  # nothing to cut and to split: a tenth sooner for 32 Ki numbers
        block(x, y, slope, arena.empty_like(x))
        return y, None if slope is None else ("blocked", slope)
    source, values, slopes = flat(x), flat(y), None if slope is None else flat(slope)
    length = _BLOCK

    # Results are scratch memory too: what is read at once should stay in the cache.
    def work(first: int, last: int) -> None:
        scratch = arena.empty((length,), x.dtype)
        for start in range(first, last, length):
            part = slice(start, min(start + length, last))
            size = part.stop - start
            steep = None if slopes is None else slopes[part]
            block(source[part], values[part], steep, scratch[:size])

    split(work, len(source), len(source) >= 2 * _SPLIT_FROM)
    return y, None if slope is None else ("blocked", slope)


@lru_cache(maxsize=16)
def _constants(dtype: Any, values: tuple[float, ...]) -> tuple[Any, ...]:
    """As ufuncs take them fastest: 0-d arrays."""
    return tuple([np.array(value, dtype) for value in values])


def _denominator(x: Any, e: Any) -> None:
    """e becomes 1 + exp(x e)."""
    np.multiply(e, x, e)
    np.exp(e, e)
    np.add(e, constant(1.0, x.dtype), e)


def _normal(x: Any, y: Any, slope: Any, s: Any) -> None:
    e, spare = (y, s) if slope is None else (slope, y)
    b, a, g, d, k, z = _constants(x.dtype, _NORMAL)
    np.multiply(x, x, s)
    np.add(s, z, e)
    np.divide(k, e, e)
    np.add(e, s, e)
    np.add(e, d, e)
    np.divide(g, e, e)
    np.add(e, np.multiply(s, b, spare), e)
    np.add(e, a, e)
    _denominator(x, e)
    if slope is None:
        np.divide(x, e, y)
        return
    rate, share = _constants(x.dtype, (-0.5, 1 / sqrt(2 * pi)))
    np.reciprocal(e, out=e)
    np.multiply(x, e, out=y)
    s *= rate
    np.exp(s, out=s)
    s *= x
    s *= share
    np.add(s, e, out=slope)


def _cubic(x: Any, y: Any, slope: Any, s: Any) -> None:
    """With p = 1 / e: p + p (1 - p) times the derivative inside, times x."""
    e = y if slope is None else slope
    cubic, linear = _constants(x.dtype, _CUBIC)
    np.multiply(x, x, s)
    np.add(np.multiply(s, cubic, e), linear, e)
    _denominator(x, e)
    if slope is None:
        np.divide(x, e, out=y)
        return
    steeper, level = _constants(x.dtype, (-3 * _CUBIC[0], -_CUBIC[1]))
    np.reciprocal(e, out=e)
    s *= steeper
    s += level
    # p (1 - p) is 0 for large x, and must be so before x, else it would meet an infinity.
    np.subtract(1, e, out=y)
    y *= e
    s *= y
    s *= x
    np.multiply(x, e, out=y)
    np.add(s, e, out=slope)


def _blocked_gradient(problem: Problem, g: Any, x: Any, kept: Any) -> Any:
    if kept is None or kept[0] != "blocked":
        kept = _blocked(problem, x, keep=True)[1]
    slope, dx = kept[1], arena.empty_like(kept[1])
    if g.strides != slope.strides:
        return np.multiply(g, slope, out=dx)
    one, other, out = flat(g), flat(slope), flat(dx)

    def work(start: int, stop: int) -> None:
        np.multiply(one[start:stop], other[start:stop], out=out[start:stop])

    split(work, dx.size, dx.size >= 4 * _SPLIT_FROM)
    return dx


def _serves(problem: Problem) -> str:
    if problem.dtype == np.float32 or (problem.tanh and problem.dtype == np.float64):
        return ""
    return "float64 has its full precision from the error function, float16 is computed in float64"


gelu = Operation("gelu", _reference)
gelu_gradient = Operation("gelu_gradient", _reference_gradient)
gelu.kernel("blocked", _serves)(_blocked)
gelu_gradient.kernel("blocked", _serves)(_blocked_gradient)
