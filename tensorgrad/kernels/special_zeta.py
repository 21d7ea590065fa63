"""Hurwitz's zeta function and polygamma: NumPy alone, float64 to a few 1e-15."""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np

from tensorgrad.kernels.special_gamma import digamma, lgamma
from tensorgrad.kernels.special_pieces import pieces, polynomial, wide

__all__ = ["polygamma", "zeta"]

# B(2j) / (2j)! for j = 1, 2, ..., of the Euler-Maclaurin formula.
_BERNOULLI = (
    1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000,
    1 / 74724249600, -3617 / 10670622842880000, 43867 / 5109094217170944000,
    -174611 / 802857662698291200000, 77683 / 14101100039391805440000,
    -236364091 / 1693824136731743669452800000,
)  # fmt: skip
_TERMS = 12  # summed one by one before Euler-Maclaurin takes over


def _scaled(s: Any, q: Any) -> Any:
    """q**s zeta(s, q) for s > 1, q > 0: a number between 1 and 1 + q / (s - 1) + 1/2.

    The factor keeps powers from overflowing and underflowing.  After the terms that are summed, at
    a = q + 12, the remainder is an integral, half a term and derivatives; their ratio is about
    (s / 2 pi a)**2, and where s is so large that this does not fall, the factor (q / a)**s in
    front is below 1e-20.
    """
    total = np.ones_like(q)
    for k in range(1, _TERMS):
        total += (q / (q + k)) ** s
    a = q + _TERMS
    last = (q / a) ** s
    term, rest = s / a, 0.5 + a / (s - 1)
    for j, b in enumerate(_BERNOULLI, 1):
        rest = rest + b * term
        term = term * (s + (2 * j - 1)) / a * (s + 2 * j) / a
    return total + np.where(last == 0, 0, last * rest)


def _lattice(s: int, q: Any) -> Any:
    """The sum of (q + k)**-s over all whole k, for a whole s >= 2 and q not whole.

    For a small s a polynomial in the cotangent, by (s - 1) differentiations of pi cot(pi q); for a
    larger one the sum itself, whose terms beyond the ninth pair are below 1e-19 of what matters.
    Both are exactly 0 halfway between whole numbers for an odd s, where the sum is.
    """
    r = q - np.round(q)
    size = np.abs(r)
    sign = np.sign(r) ** s
    if s > 24:
        even = (-1.0) ** s
        pairs = ((size + k) ** float(-s) + even * (1 - size + k) ** float(-s) for k in range(9))
        return sign * sum(pairs)
    weights = np.array([1.0, 0.0])  # cot itself, from the highest power
    for n in range(1, s):  # c' = -pi (1 + c**2); with the factor (-1)**n / n! kept in
        weights = np.polymul([1.0, 0.0, 1.0], np.polyder(weights)) / n
    cotangent = np.tan(np.pi * (0.5 - size))
    return sign * np.pi**s * polynomial(cotangent, weights.tolist())


@wide
def zeta(s: Any, q: Any) -> Any:
    """The sum of (q + k)**-s over k = 0, 1, ...; NaN for s < 1, infinite at s = 1 and at whole
    q <= 0; between these only a whole s gives a real number."""
    s, q = np.broadcast_arrays(s, np.asarray(q, np.float64))
    out = np.full(s.shape, np.nan)
    out[s == 1] = np.inf
    right = (s > 1) & (q > 0)
    out[right] = _scaled(s[right], q[right]) * q[right] ** -s[right]
    out[(s > 1) & (q == np.inf)] = 0
    out[(s == np.inf) & (q > 0)] = np.where(q < 1, np.inf, q == 1)[(s == np.inf) & (q > 0)]
    left = (s > 1) & (q <= 0)
    out[left & (q == np.floor(q))] = np.inf
    left &= (q != np.floor(q)) & (s == np.floor(s)) & (s < np.inf)
    for whole in np.unique(s[left]):
        # What the lattice has and the series has not: the points below q, mirrored.
        here = left & (s == whole)
        p = 1 - q[here]
        mirrored = _scaled(whole, p) * p**-whole
        out[here] = _lattice(int(whole), q[here]) - (-1.0) ** whole * mirrored
    return out


@wide
def polygamma(x: Any, n: int) -> Any:
    """The derivative of order n of digamma: (-1)**(n+1) n! zeta(n + 1, x)."""
    if n == 0:
        return digamma(x)
    s = n + 1
    sign = -1.0 if n % 2 == 0 else 1.0

    def positive(x: Any) -> Any:
        value = _scaled(float(s), x)
        if n <= 170:
            power = x ** float(s)
            easy = float(factorial(n)) / power * value
            if np.all((power > 1e-290) & (power < 1e290)):
                return sign * easy
        else:
            power = easy = np.full_like(x, np.inf)
        log = float(lgamma(np.float64(s))) - s * np.log(x)
        return sign * np.where((power > 1e-290) & (power < 1e290), easy, np.exp(log) * value)

    def negative(x: Any) -> Any:
        return sign * float(factorial(n)) * zeta(np.full_like(x, s), x)

    return pieces(
        x,
        (x == np.inf, np.zeros_like),
        (x > 0, positive),
        (x == np.floor(x), lambda x: np.full_like(x, sign * np.inf)),
        (x < 0, negative),
    )
