"""Special functions of formulas: slow series from the definitions, nothing shared with the kernels.

Good to about 1e-12 for the moderate arguments at which formulas are evaluated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from math import comb, factorial, prod
from typing import Any

import numpy as np

from tensorgrad.formula.functions import FUNCTIONS, Word, word

__all__ = [
    "airy",
    "bessel_i",
    "bessel_j",
    "bessel_k",
    "bessel_y",
    "gamma",
    "gegenbauer",
    "hermite",
    "laguerre",
    "normal_cdf",
    "pi",
    "polygamma",
    "sinc",
    "zeta",
]

Array = Any

for _name, _define in (
    ("sinh", np.sinh),
    ("cosh", np.cosh),
    ("tanh", np.tanh),
    ("trunc", np.trunc),
    ("isfinite", np.isfinite),
    ("real", np.real),
    ("imag", np.imag),
):
    FUNCTIONS[_name] = Word(_define, (), None)


@word("Γ({0})")
def gamma(x: Array) -> Array:
    return np.vectorize(math.gamma, otypes=[float])(x)


@word("Φ({0})")
def normal_cdf(x: Array) -> Array:
    return np.vectorize(lambda z: math.erfc(-z / math.sqrt(2)) / 2, otypes=[float])(x)


@word("π")
def pi() -> float:
    return np.pi


@word("ζ({0}, {1})")
def zeta(s: Array, q: Array) -> Array:
    """Hurwitz's: a hundred terms, and of the rest the integral, half a term and a derivative."""
    s, q = np.asarray(s, float), np.asarray(q, float)
    a = q + 100
    rest = a ** (1 - s) / (s - 1) + a**-s / 2 + s * a ** (-s - 1) / 12
    rest = rest - s * (s + 1) * (s + 2) * a ** (-s - 3) / 720
    return sum((q + k) ** -s for k in range(100)) + rest


@word("ψ_{0:a}({1})")
def polygamma(n: int, x: Array) -> Array:
    """The derivative of order n of the logarithmic derivative of Gamma."""
    if n:
        return (-1) ** (n + 1) * factorial(n) * zeta(n + 1, x)
    a = np.asarray(x, float) + 100
    large = np.log(a) - 1 / (2 * a) - 1 / (12 * a**2) + 1 / (120 * a**4)
    return large - sum(1 / (np.asarray(x) + k) for k in range(100))


@word("I_{0}({1})")
def bessel_i(n: int, x: Array) -> Array:
    """The modified Bessel function of the first kind, by its power series."""
    half = np.asarray(x, float) / 2
    return sum(half ** (2 * k + n) / (factorial(k) * factorial(k + n)) for k in range(60))


def _integral(f: Callable[[Array], Array], end: float, x: Array, panels: int = 8) -> Array:
    """Of f(t), where x has one more axis than t, from 0 to end."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    width = end / panels
    t = np.concatenate([(nodes + 1 + 2 * k) * width / 2 for k in range(panels)])
    return f(t) @ np.tile(weights * width / 2, panels)


@word("J_{0}({1})")
def bessel_j(n: int, x: Array) -> Array:
    """The Bessel function of the first kind, by Bessel's integral."""
    x = np.asarray(x, float)[..., None]
    return _integral(lambda t: np.cos(n * t - x * np.sin(t)), np.pi, x) / np.pi


@word("Y_{0}({1})")
def bessel_y(n: int, x: Array) -> Array:
    """The Bessel function of the second kind, by Schläfli's integral."""
    x = np.asarray(x, float)[..., None]

    def decaying(t: Array) -> Array:
        return (np.exp(n * t) + (-1) ** n * np.exp(-n * t)) * np.exp(-x * np.sinh(t))

    wave = _integral(lambda t: np.sin(x * np.sin(t) - n * t), np.pi, x)
    return (wave - _integral(decaying, 8, x)) / np.pi


@word("K_{0}({1})")
def bessel_k(n: int, x: Array) -> Array:
    """The modified Bessel function of the second kind, by its integral."""
    x = np.asarray(x, float)[..., None]
    return _integral(lambda t: np.exp(-x * np.cosh(t)) * np.cosh(n * t), 8, x)


@word("Ai^({0})({1})")
def airy(order: int, x: Array) -> Array:
    """Airy's function or its derivative, by the power series at 0."""
    x = np.asarray(x, float)
    even = x**0 if order == 0 else x**2 / 2
    odd = x**1 if order == 0 else x**0
    total = 0.355028053887817239 * even - 0.258819403792806798 * odd
    for k in range(1, 40):
        # Of Ai the terms x^(3k) and x^(3k+1); of the slope x^(3k+2) and x^(3k).
        m = 3 * k + (2 if order else 0)
        even = even * x**3 / (m * (m - 1) if order == 0 else m * (m - 2))
        odd = odd * x**3 / ((3 * k + 1) * 3 * k if order == 0 else 3 * k * (3 * k - 2))
        total = total + 0.355028053887817239 * even - 0.258819403792806798 * odd
    return total


@word("sinc^({1})({0})")
def sinc(x: Array, order: int) -> Array:
    """The derivative of sinc, as an integral: pi**n ∫ t**n cos(pi x t + n pi / 2) dt, 0 to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    t = (nodes + 1) / 2
    waves = np.cos(np.pi * np.asarray(x)[..., None] * t + order * np.pi / 2)
    return np.pi**order * (waves * t**order) @ (weights / 2)


# Polynomials from their explicit sums; the degree n may differ by element.


def _by_degree(term: Callable[[int], Array], n: Array, x: Array) -> Array:
    n, x = np.broadcast_arrays(np.trunc(n), x)
    out = np.zeros(x.shape)
    for k in np.unique(n):
        if k >= 0:
            out = np.where(n == k, term(int(k)), out)
    return out


@word("C_{1}^({0})({2})")
def gegenbauer(order: float, n: Array, x: Array) -> Array:
    """Gegenbauer's polynomial, the coefficient of t^n in (1 - 2 x t + t²)^-order."""

    def of(n: int) -> Array:
        return sum(
            (-1) ** k
            * prod(order + i for i in range(n - k))
            / (factorial(k) * factorial(n - 2 * k))
            * (2 * np.asarray(x)) ** (n - 2 * k)
            for k in range(n // 2 + 1)
        )

    return _by_degree(of, n, x)


@word("H_{1}^({0})({2})")
def hermite(scale: int, n: Array, x: Array) -> Array:
    """Hermite's polynomial: H for scale 2, He for scale 1."""

    def of(n: int) -> Array:
        return sum(
            factorial(n)
            * (-scale / 2) ** k
            / (factorial(k) * factorial(n - 2 * k))
            * (scale * np.asarray(x)) ** (n - 2 * k)
            for k in range(n // 2 + 1)
        )

    return _by_degree(of, n, x)


@word("L_{1}^({0})({2})")
def laguerre(order: int, n: Array, x: Array) -> Array:
    """Laguerre's generalised polynomial."""

    def of(n: int) -> Array:
        return sum(
            comb(n + order, n - k) * (-np.asarray(x)) ** k / factorial(k) for k in range(n + 1)
        )

    return _by_degree(of, n, x)
