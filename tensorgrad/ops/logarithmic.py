"""Logarithms with care: of odds, of sums, and multiplied by what may be 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching import families
from tensorgrad.kernels.special_pieces import pieces, wide
from tensorgrad.primitive import primitive


def _values(x: Any) -> Any:
    return getattr(x, "_array", x)


def _logit_rule(xp: Any, g: Any, y: Any, x: Any, *, eps: float | None) -> Any:
    found = xp.div(g, xp.mul(x, xp.sub(1, x)))
    values = _values(x)
    if eps is None:
        return xp.where(np.logical_and(values >= 0, values <= 1), found, float("nan"))
    outside = np.logical_or(values < eps, values > 1 - eps)
    return xp.mask(found, mask=np.logical_not(outside))


def _logit_formula(shapes: Any, params: Any) -> str:
    inside = "" if params["eps"] is None else "[eps <= x <= 1 - eps] * "
    return f"{inside}g / (x * (1 - x))"


@primitive(
    _logit_rule, saves="x", formula=_logit_formula, promote="float", batch=families.elementwise
)
def logit(x: Any, *, eps: float | None) -> Any:
    """log(x / (1 - x)); x is first brought into [eps, 1 - eps], if eps is given."""
    return _logit(x, eps)


@wide
def _logit(x: Any, eps: float | None) -> Any:
    if eps is not None:
        x = np.where(x < eps, eps, np.where(x > 1 - eps, 1 - eps, x))
    return pieces(
        x,
        # 2x - 1 is exact here, and log((1 + t) / (1 - t)) keeps its precision around t = 0.
        (np.abs(x - 0.5) <= 0.25, lambda x: 2 * np.arctanh(2 * x - 1)),
        ((x >= 0) & (x <= 1), lambda x: np.log(x) - np.log1p(-x)),
    )


@primitive(
    lambda xp, g, y, x: xp.neg(xp.mul(g, xp.add(xp.log(x), 1))),
    saves="x",
    formula="-g * (1 + log(x))",
    promote="float",
    batch=families.elementwise,
)
def entr(x: Any) -> Any:
    """-x log(x): 0 at 0, -inf below."""
    return _entr(x)


@wide
def _entr(x: Any) -> Any:
    found = np.where(x == 0, 0, -x * np.log(x))
    return np.where(x < 0, -np.inf, found)


def _times(log: Any, x: Any, z: Any) -> Any:
    """x * log(z), 0 where x is 0 unless z is NaN; where the logarithm is infinite or NaN, too."""
    if any(np.asarray(v).dtype.kind == "c" for v in (x, z)):
        raise NotImplementedError("not defined for complex tensors")
    z = np.asarray(z, np.result_type(x, z))  # it may be a Python number
    with np.errstate(all="ignore"):
        return np.where(np.equal(x, 0) & ~np.isnan(z), 0, x * log(z)).astype(z.dtype)


def _defined(x: Any, z: Any, pole: float) -> Any:
    """Where the derivative in x is the logarithm; for x = 0 left of its pole it is 0."""
    return ~(np.equal(_values(x), 0) & np.less_equal(_values(z), pole))


@primitive(
    lambda xp, g, y, x, z: xp.mask(xp.xlogy(g, z), mask=_defined(x, z, 0)),
    lambda xp, g, y, x, z: xp.mul(g, xp.div(x, z)),
    saves="x z",
    formula=("g * log(z)", "g * x / z"),
    promote="float",
    batch=families.elementwise,
)
def xlogy(x: Any, z: Any) -> Any:
    """x log(z), 0 where x is 0 (unless z is NaN)."""
    return _times(np.log, x, z)


@primitive(
    lambda xp, g, y, x, z: xp.mask(xp.xlog1py(g, z), mask=_defined(x, z, -1)),
    lambda xp, g, y, x, z: xp.mul(g, xp.div(x, xp.add(z, 1))),
    saves="x z",
    formula=("g * log(1 + z)", "g * x / (1 + z)"),
    promote="float",
    batch=families.elementwise,
)
def xlog1py(x: Any, z: Any) -> Any:
    """x log(1 + z), 0 where x is 0 (unless z is NaN)."""
    return _times(np.log1p, x, z)


def _floating(a: Any, b: Any) -> None:
    if np.result_type(a, b).kind != "f":
        raise NotImplementedError("defined for real floating-point tensors only")


@primitive(
    lambda xp, g, y, a, b: xp.mul(g, xp.sigmoid(xp.sub(a, b))),
    lambda xp, g, y, a, b: xp.mul(g, xp.sigmoid(xp.sub(b, a))),
    saves="a b",
    formula=("g / (1 + exp(b - a))", "g / (1 + exp(a - b))"),
    promote="common",
    batch=families.elementwise,
)
def logaddexp(a: Any, b: Any) -> Any:
    """log(e**a + e**b), which overflows nowhere; the principal value of complex numbers."""
    if np.result_type(a, b).kind == "c":
        return _complex_logaddexp(a, b)
    _floating(a, b)
    return np.logaddexp(a, b)


def _complex_logaddexp(a: Any, b: Any) -> Any:
    """The part of larger real part is taken out: the exponential of the rest is at most 1."""
    first = a.real >= b.real
    high, low = np.where(first, a, b), np.where(first, b, a)
    out = high + np.log1p(np.exp(low - high))
    return np.where(high.real == -np.inf, high, out)  # of two zeros; the difference was NaN


_LOG2 = float(np.log(2))


@primitive(
    lambda xp, g, y, a, b: xp.mul(g, xp.sigmoid(xp.mul(xp.sub(a, b), _LOG2))),
    lambda xp, g, y, a, b: xp.mul(g, xp.sigmoid(xp.mul(xp.sub(b, a), _LOG2))),
    saves="a b",
    formula=("g / (1 + 2**(b - a))", "g / (1 + 2**(a - b))"),
    promote="common",
    batch=families.elementwise,
)
def logaddexp2(a: Any, b: Any) -> Any:
    """log2(2**a + 2**b), which overflows nowhere."""
    _floating(a, b)
    return np.logaddexp2(a, b)
