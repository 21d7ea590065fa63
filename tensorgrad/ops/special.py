"""Special functions of one argument: error functions, Gamma and kin, Bessel functions."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any, NoReturn

import numpy as np

from tensorgrad.batching import families
from tensorgrad.kernels import (
    special_bessel,
    special_erf,
    special_gamma,
    special_igamma,
    special_zeta,
)
from tensorgrad.primitive import primitive


def _values(x: Any) -> Any:
    return getattr(x, "_array", x)


def _bell(xp: Any, x: Any, scale: float, rate: float) -> Any:
    """scale * exp(rate * x**2)."""
    return xp.mul(xp.exp(xp.mul(xp.mul(x, x), rate)), scale)


# --- Error functions and the normal distribution --------------------------------------------------


@primitive(
    lambda xp, g, y, x: xp.mul(g, _bell(xp, x, 2 / sqrt(pi), -1.0)),
    saves="x",
    formula="g * 2 * exp(-x**2) / sqrt(pi())",
    promote="float",
    batch=families.elementwise,
)
def erf(x: Any) -> Any:
    """2/sqrt(pi) times the integral of exp(-t**2) from 0 to x."""
    return special_erf.erf(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, _bell(xp, x, -2 / sqrt(pi), -1.0)),
    saves="x",
    formula="-g * 2 * exp(-x**2) / sqrt(pi())",
    promote="float",
    batch=families.elementwise,
)
def erfc(x: Any) -> Any:
    """1 - erf(x), without cancellation."""
    return special_erf.erfc(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.sub(xp.mul(xp.mul(x, y), 2), 2 / sqrt(pi))),
    saves="x y",
    formula="g * (2 * x * y - 2 / sqrt(pi()))",
    promote="float",
    batch=families.elementwise,
)
def erfcx(x: Any) -> Any:
    """exp(x**2) erfc(x)."""
    return special_erf.erfcx(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, _bell(xp, y, sqrt(pi) / 2, 1.0)),
    saves="y",
    formula="g * sqrt(pi()) * exp(y**2) / 2",
    promote="float",
    batch=families.elementwise,
)
def erfinv(x: Any) -> Any:
    """The number with erf x; infinite at -1 and 1, NaN beyond."""
    return special_erf.erfinv(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, _bell(xp, x, 1 / sqrt(2 * pi), -0.5)),
    saves="x",
    formula="g * exp(-x**2 / 2) / sqrt(2 * pi())",
    promote="float",
    batch=families.elementwise,
)
def ndtr(x: Any) -> Any:
    """The normal distribution's probability below x."""
    return special_erf.ndtr(x)


@primitive(
    lambda xp, g, y, x: xp.div(xp.mul(g, sqrt(2 / pi)), xp.erfcx(xp.mul(x, -sqrt(0.5)))),
    saves="x",
    formula="g * exp(-x**2 / 2 - y) / sqrt(2 * pi())",
    promote="float",
    batch=families.elementwise,
)
def log_ndtr(x: Any) -> Any:
    """log(ndtr(x)), which underflows nowhere."""
    return special_erf.log_ndtr(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, _bell(xp, y, sqrt(2 * pi), 0.5)),
    saves="y",
    formula="g * sqrt(2 * pi()) * exp(y**2 / 2)",
    promote="float",
    batch=families.elementwise,
)
def ndtri(x: Any) -> Any:
    """The number below which the normal distribution has probability x."""
    return special_erf.ndtri(x)


# --- Gamma and kin --------------------------------------------------------------------------------


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.digamma(x)),
    saves="x",
    formula="g * polygamma(0, x)",
    promote="float",
    batch=families.elementwise,
)
def lgamma(x: Any) -> Any:
    """log |Gamma(x)|."""
    return special_gamma.lgamma(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.polygamma(x, n=1)),
    saves="x",
    formula="g * polygamma(1, x)",
    promote="float",
    batch=families.elementwise,
)
def digamma(x: Any) -> Any:
    """The derivative of log Gamma."""
    return special_gamma.digamma(x)


@primitive(
    lambda xp, g, y, x, *, n: xp.mul(g, xp.polygamma(x, n=n + 1)),
    saves="x",
    formula="g * polygamma(n + 1, x)",
    promote="float",
    batch=families.elementwise,
)
def polygamma(x: Any, *, n: int) -> Any:
    """The derivative of order n of digamma."""
    return special_zeta.polygamma(x, n)


def _no_derivative(name: str) -> Any:
    """The rule of an argument whose derivative no closed form gives: refused where it is asked for,
    so that values, and gradients of the other argument, can be had."""

    def rule(*args: Any) -> NoReturn:
        raise NotImplementedError(
            f"the derivative for '{name}' is not implemented (in PyTorch neither); use "
            "input.detach()"
        )

    rule.refuses = name  # type: ignore[attr-defined]  # no formula is asked of it
    return rule


@primitive(
    _no_derivative("zeta"),
    lambda xp, g, y, s, q: xp.neg(xp.mul(g, xp.mul(s, xp.zeta(xp.add(s, 1), q)))),
    saves=("", "s q"),
    formula=(None, "-g * s * zeta(s + 1, q)"),
    promote="float",
    batch=families.elementwise,
)
def zeta(s: Any, q: Any) -> Any:
    """Hurwitz's zeta function: the sum of (q + k)**-s over k = 0, 1, ...; no gradient for s."""
    # Python numbers stand beside a tensor; the kernel gives its first argument's type.
    return special_zeta.zeta(np.asarray(s, np.result_type(s, q)), q)


def _gamma_density(xp: Any, g: Any, a: Any, x: Any) -> Any:
    """g x**(a - 1) exp(-x) / Gamma(a)."""
    log = xp.sub(xp.sub(xp.xlogy(xp.sub(a, 1), x), x), xp.lgamma(a))
    return xp.mul(g, xp.exp(log))


@primitive(
    _no_derivative("igamma: input"),
    lambda xp, g, y, a, x: _gamma_density(xp, g, a, x),
    saves=("", "a x"),
    formula=(None, "g * x**(a - 1) * exp(-x) / gamma(a)"),
    promote="float",
    batch=families.elementwise,
)
def igamma(a: Any, x: Any) -> Any:
    """The regularised lower incomplete Gamma function P(a, x); no gradient for a."""
    return special_igamma.igamma(a, x)


@primitive(
    _no_derivative("igammac: input"),
    lambda xp, g, y, a, x: xp.neg(_gamma_density(xp, g, a, x)),
    saves=("", "a x"),
    formula=(None, "-g * x**(a - 1) * exp(-x) / gamma(a)"),
    promote="float",
    batch=families.elementwise,
)
def igammac(a: Any, x: Any) -> Any:
    """The regularised upper incomplete Gamma function Q(a, x) = 1 - P(a, x)."""
    return special_igamma.igammac(a, x)


# --- Modified Bessel functions --------------------------------------------------------------------


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.i1(x)),
    saves="x",
    formula="g * bessel_i(1, x)",
    promote="float",
    batch=families.elementwise,
)
def i0(x: Any) -> Any:
    """The modified Bessel function of order 0."""
    return special_bessel.i0(x)


def _over(xp: Any, y: Any, x: Any) -> Any:
    """y / x, which tends to 1/2 at 0; and where x is, so that the gradient passes it by."""
    zero = np.equal(_values(x), 0)
    return xp.where(zero, 0.5, xp.div(y, xp.where(zero, 1, x)))


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.sub(xp.i0(x), _over(xp, y, x))),
    saves="x y",
    formula="g * (bessel_i(0, x) + bessel_i(2, x)) / 2",
    promote="float",
    batch=families.elementwise,
)
def i1(x: Any) -> Any:
    """The modified Bessel function of order 1."""
    return special_bessel.i1(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.sub(xp.i1e(x), xp.mul(xp.sgn(x), y))),
    saves="x y",
    formula="g * (exp(-abs(x)) * bessel_i(1, x) - sign(x) * y)",
    promote="float",
    batch=families.elementwise,
)
def i0e(x: Any) -> Any:
    """exp(-|x|) i0(x)."""
    return special_bessel.i0e(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.sub(xp.sub(xp.i0e(x), _over(xp, y, x)), xp.mul(xp.sgn(x), y))),
    saves="x y",
    formula="g * (exp(-abs(x)) * (bessel_i(0, x) + bessel_i(2, x)) / 2 - sign(x) * y)",
    promote="float",
    batch=families.elementwise,
)
def i1e(x: Any) -> Any:
    """exp(-|x|) i1(x)."""
    return special_bessel.i1e(x)
