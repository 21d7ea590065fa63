"""The regularised incomplete Gamma functions P and Q: NumPy alone, float64 to 1e-13.

The smaller of the two is computed, by the power series of P (x < a), the continued fraction of Q
or, where a is large and x near it, Temme's uniform expansion; the other is 1 less it. For a < 1
and x <= 1 both are computed. Errors grow to 3e-13 in tails below 1e-200, where the exponent is
large.

Sources: NIST Digital Library of Mathematical Functions, 8.7.1, 8.9.2 and 8.12; the coefficients of
Temme's expansion in powers of eta (8.12.10 and 8.12.11) were computed as fractions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.kernels.special_erf import erfcx
from tensorgrad.kernels.special_gamma import lgamma_of_next
from tensorgrad.kernels.special_pieces import polynomial

__all__ = ["igamma", "igammac"]

# fmt: off
# Of a**0, a**-1, ..., each from the highest power of eta.
_TEMME = (
    (
        2.4361948020667415e-11, -5.830772132550426e-11, -2.5514193994946248e-11,
        9.14769958223679e-10, -4.382036018453353e-09, 1.0261809784240309e-08,
        6.707853543401498e-09, -1.7665952736826078e-07, 8.296711340953087e-07,
        -1.85406221071516e-06, -2.185448510679992e-06, 3.919263178522438e-05,
        -0.0001787551440329218, 0.0003527336860670194, 0.0011574074074074073,
        -0.014814814814814815, 0.08333333333333333, -0.3333333333333333,
    ),
    (
        4.162792991842583e-10, -1.0091543710600413e-09, -1.7543241719747647e-11,
        1.1951628599778148e-08, -5.752545603517705e-08, 1.378633446915721e-07,
        4.647127802807434e-09, -1.6120900894563446e-06, 7.64916091608111e-06,
        -1.8098550334489977e-05, -4.018775720164609e-07, 0.00020576131687242798,
        -0.0009902263374485596, 0.0026455026455026454, -0.003472222222222222,
        -0.001851851851851852,
    ),
    (
        -1.409252991086752e-08, -2.0477098421990866e-10, 1.4280614206064242e-07,
        -6.298992138380055e-07, 1.3721957309062934e-06, 3.423578734096138e-08,
        -1.2760635188618728e-05, 5.2923448829120125e-05, -0.0001073665322636516,
        2.0093878600823047e-06, 0.0007716049382716049, -0.0026813271604938273,
        0.004133597883597883,
    ),
    (
        -1.6958404091930278e-07, -2.7861080291528143e-11, 1.4230900732435883e-06,
        -5.6749528269915965e-06, 1.1082654115347302e-05, -2.396505113867297e-07,
        -7.561801671883977e-05, 0.00026772063206283885, -0.0004691894943952557,
        0.00022947209362139917, 0.0006494341563786008,
    ),
    (
        1.1375726970678419e-05, -3.968365047179435e-05, 6.641498215465122e-05,
        -1.4638452578843418e-06, -0.0002990724803031902, 0.0007840392217200666,
        -0.0008618882909167117,
    ),
    (
        6.797780477937208e-05, -0.00019932570516188847, 0.0002772753244959392,
        -6.972813758365857e-05, -0.00033679855336635813,
    ),
    (
        0.0002708782096718045, -0.0005921664373536939, 0.0005313079364639922,
    ),
)
# fmt: on

# Temme's expansion serves from this a on, for x / a - 1 in this interval.
_TEMME_FROM, _TEMME_LOW, _TEMME_HIGH = 200, -0.3, 0.4

_STIRLING = (
    0.0008417508417508417, -0.0005952380952380953, 0.0007936507936507937, -0.002777777777777778,
    0.08333333333333333,
)  # fmt: skip
_EPSILON = 2.0**-53


def _excess(mu: Any) -> Any:
    """mu - log(1 + mu), without cancellation."""
    r = mu / (2 + mu)
    square = r * r
    series = polynomial(square, [1 / k for k in range(41, 1, -2)])
    near = r * (mu - 2 * square * series)
    return np.where(np.abs(mu) < 0.5, near, mu - np.log1p(mu))


def _density(a: Any, x: Any) -> Any:
    """x**a exp(-x) / Gamma(a + 1)."""
    half = np.exp(-x / 2)
    small = half * (np.power(x, a) / np.exp(lgamma_of_next(a))) * half
    b = np.maximum(a, 1)
    half = np.exp(-b * _excess((x - b) / b) / 2)
    scaled = polynomial(1 / (b * b), _STIRLING) / b  # log of Gamma(a) over Stirling's formula
    large = half * (np.exp(-scaled) / np.sqrt(2 * np.pi * b)) * half
    return np.where(a < 20, small, large)


def _converged(step: Callable[..., tuple[Any, ...]], *start: Any) -> Any:
    """The first of the arrays that ``step(n, *arrays)`` returns, repeated until its last is true.

    Elements leave as they converge: the slowest may take fifty times as long as the others.
    """
    arrays = list(start)
    out = np.empty_like(arrays[0])
    where = np.arange(out.size)
    for n in range(1, 10_000):
        *arrays, done = step(n, *arrays)
        if n % 8:
            continue
        out[where[done]] = arrays[0][done]
        left = ~done
        where = where[left]
        arrays = [a[left] for a in arrays]
        if not where.size:
            break
    out[where] = arrays[0]
    return out


def _series(a: Any, x: Any) -> Any:
    """P for x < a, or for small x: the density times 1 + x / (a+1) + x² / ((a+1) (a+2)) + ..."""

    def step(n: int, total: Any, term: Any, a: Any, x: Any) -> tuple[Any, ...]:
        term = term * (x / (a + n))
        total = total + term
        return total, term, a, x, term <= _EPSILON * total

    return _density(a, x) * _converged(step, np.ones_like(x), np.ones_like(x), a, x)


def _fraction(a: Any, x: Any) -> Any:
    """Q for x >= a and x > 1: the density times a / (x+1-a - 1 (1-a) / (x+3-a - ...))."""

    # Lentz's method: value is the product of the ratios of successive approximations.
    def step(n: int, value: Any, b: Any, c: Any, d: Any, a: Any) -> tuple[Any, ...]:
        numerator = -n * (n - a)
        b = b + 2
        d = 1 / (numerator * d + b)
        c = b + numerator / c
        ratio = c * d
        return value * ratio, b, c, d, a, np.abs(ratio - 1) <= 4 * _EPSILON

    b = x + 1 - a
    return _density(a, x) * a * _converged(step, 1 / b, b, np.full_like(x, np.inf), 1 / b, a)


def _small_q(a: Any, x: Any) -> Any:
    """Q for a < 1, x <= 1: 1 - x**a / Gamma(a+1) (1 + a times the sum of (-x)^k / (a+k) / k!)."""
    log = a * np.log(x) - lgamma_of_next(a)
    term = np.ones_like(x)
    total = np.zeros_like(x)
    for k in range(1, 20):
        term = term * (-x / k)
        total += term / (a + k)
    return -np.expm1(log) - np.exp(log) * a * total


def _temme(a: Any, x: Any) -> Any:
    """The smaller of P and Q for large a and x near it: P below a, Q from a on."""
    mu = (x - a) / a
    excess = _excess(mu)
    eta = np.copysign(np.sqrt(2 * excess), mu)
    rest = np.zeros_like(a)
    for coefficients in reversed(_TEMME):
        rest = rest / a + polynomial(eta, coefficients)
    rest = rest / np.sqrt(2 * np.pi * a)
    half = np.exp(-a * excess / 2)
    tail = erfcx(np.sqrt(a * excess)) / 2
    return half * (tail + np.where(mu < 0, -rest, rest)) * half


def _both(a: Any, x: Any) -> tuple[Any, Any]:
    """P and Q."""
    p, q = np.full(a.shape, np.nan), np.full(a.shape, np.nan)

    def give(here: Any, function: Callable[[Any, Any], Any], target: Any, other: Any) -> None:
        if here.any():
            target[here] = function(a[here], x[here])
            if other is not None:
                other[here] = 1 - target[here]

    valid = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
    mu = (x - a) / np.where(valid, a, 1)
    near = valid & (a >= _TEMME_FROM) & (mu > _TEMME_LOW) & (mu < _TEMME_HIGH)
    give(near & (mu < 0), _temme, p, q)
    give(near & (mu >= 0), _temme, q, p)
    left = valid & ~near
    corner = left & (a < 1) & (x <= 1)
    give(corner, _series, p, None)
    give(corner, _small_q, q, None)
    left &= ~corner
    give(left & (x < a), _series, p, q)
    give(left & (x >= a), _fraction, q, p)

    # PyTorch's ends.
    positive = (a > 0) & (x >= 0)
    nothing = positive & ((x == 0) | np.isinf(a)) & ~(np.isinf(a) & np.isinf(x))
    everything = ((a == 0) & (x > 0)) | (positive & np.isinf(x) & ~np.isinf(a))
    p[nothing], q[nothing] = 0, 1
    p[everything], q[everything] = 1, 0
    return p, q


def _one(a: Any, x: Any, which: int) -> Any:
    kind = np.result_type(a, x)
    a, x = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(x, np.float64))
    with np.errstate(all="ignore"):
        return _both(a, x)[which].astype(kind, copy=False)


def igamma(a: Any, x: Any) -> Any:
    """P(a, x); NaN for a or x below 0."""
    return _one(a, x, 0)


def igammac(a: Any, x: Any) -> Any:
    """Q(a, x) = 1 - P(a, x), without cancellation."""
    return _one(a, x, 1)
