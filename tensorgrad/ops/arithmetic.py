"""Arithmetic primitives: sums, products, quotients, powers.

Formulas write ``g`` for the gradient of the output ``y``; ``*`` is elementwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from tensorgrad.batching import families
from tensorgrad.machine.constants import FLOATS
from tensorgrad.ops.kinds import is_complex, number, zeros
from tensorgrad.primitive import primitive, recorded


@primitive(
    lambda xp, g, y, a, b: g,
    lambda xp, g, y, a, b: g,
    formula=("g", "g"),
    promote="common",
    batch=families.elementwise,
    ufunc=np.add,
)
def add(a: Any, b: Any) -> Any:
    """a + b."""
    return np.add(a, b)


@primitive(
    lambda xp, g, y, a, b: g,
    lambda xp, g, y, a, b: xp.neg(g),
    formula=("g", "-g"),
    promote="common",
    batch=families.elementwise,
    ufunc=np.subtract,
)
def sub(a: Any, b: Any) -> Any:
    """a - b."""
    if getattr(a, "dtype", None) == np.bool_ == getattr(b, "dtype", None):
        raise RuntimeError("subtraction of bool tensors is not supported; use ^ or logical_xor")
    return np.subtract(a, b)


@primitive(
    lambda xp, g, y, a, b: xp.mul(g, b),
    lambda xp, g, y, a, b: xp.mul(g, a),
    saves=("b", "a"),
    formula=("g * b", "g * a"),
    promote="common",
    batch=families.elementwise,
    ufunc=np.multiply,
)
def mul(a: Any, b: Any) -> Any:
    """a * b."""
    return np.multiply(a, b)


@primitive(
    lambda xp, g, y, a, b: xp.div(g, b),
    # From a, not from y, as in PyTorch: a quotient may be written in place afterwards.
    lambda xp, g, y, a, b: xp.neg(xp.div(xp.mul(g, xp.div(a, b)), b)),
    saves=("b", "a b"),
    formula=("g / b", "-g * a / b**2"),
    promote="float",
    batch=families.elementwise,
    ufunc=np.true_divide,
)
def div(a: Any, b: Any) -> Any:
    """a / b, always true division."""
    return np.true_divide(a, b)


@primitive(
    lambda xp, g, y, x: xp.neg(g), formula="-g", batch=families.elementwise, ufunc=np.negative
)
def neg(x: Any) -> Any:
    """-x."""
    if x.dtype.kind == "b":
        raise RuntimeError("negation of a bool tensor is not supported; use ~ or logical_not")
    return np.negative(x)


def _pow_base(xp: Any, g: Any, y: Any, x: Any, p: Any) -> Any:
    if isinstance(p, (bool, int, float, complex)):
        if p == 0:
            return zeros(xp, g)
        if p == 2:
            # Recorded as x**1, whose derivative x**0 requires grad: as in PyTorch, a program may
            # differentiate a power once more than its degree, and gets zeros.
            x = xp.pow(x, 1) if xp is recorded else x
            return xp.mul(g, xp.mul(x, number(2.0, x)))
        return xp.mul(g, xp.mul(xp.pow(x, p - 1), number(p, x)))
    # x**(p-1) is infinite at x = 0 where p = 0; the derivative there is 0, whatever g is.
    found = xp.mul(g, xp.mul(p, xp.pow(x, xp.sub(p, 1))))
    return xp.where(xp.eq(p, 0), 0, found)


def _pow_exponent(xp: Any, g: Any, y: Any, x: Any, p: Any) -> Any:
    # At x = 0 the logarithm is -inf; y log x tends to 0 there for every p >= 0.
    if isinstance(x, (int, float)):
        logarithm = xp.log(x) if x else xp.where(xp.ge(p, 0), 0, number(float("-inf"), y))
        return xp.mul(g, xp.mul(y, logarithm))
    zero = xp.logical_and(xp.eq(x, 0), xp.ge(p, 0)) if not is_complex(x, p) else xp.eq(x, 0)
    return xp.mul(g, xp.mul(y, xp.log(xp.where(zero, 1, x))))


@primitive(
    _pow_base,
    _pow_exponent,
    saves=("x p", "x p y"),
    formula=("g * p * x**(p - 1)", "g * y * log(x)"),
    promote="common",
    batch=families.elementwise,
)
def pow(x: Any, p: Any) -> Any:
    """x**p."""
    if isinstance(p, (int, float)) and not isinstance(p, bool):
        if p == 2:
            return np.multiply(x, x)
        if p == 1 and getattr(x, "dtype", None) in FLOATS:
            return np.positive(x)
        if p == 3 and getattr(x, "dtype", None) in FLOATS:  # as PyTorch, and in a fifth of the time
            with np.errstate(all="ignore"):
                return np.multiply(np.multiply(x, x), x)
        if p == 0.5 and getattr(x, "dtype", np.dtype(int)).kind == "f":
            return np.sqrt(x)
    kinds = {np.asarray(v).dtype.kind for v in (x, p)}
    if kinds <= set("biu"):
        if np.any(np.less(p, 0)):
            if not isinstance(p, ndarray):
                raise RuntimeError("Integers to negative integer powers are not allowed.")
            # PyTorch truncates 1 / x**|p| towards zero, also of 0: only 1 and -1 survive.
            below = np.where(np.equal(np.abs(x), 1), np.power(x, np.bitwise_and(p, 1)), 0)
            return np.where(np.less(p, 0), below, np.power(x, np.maximum(p, 0)))
        if kinds == {"b"}:
            return np.power(np.asarray(x, np.int8), p) != 0
    with np.errstate(all="ignore"):
        return np.power(x, p)
