"""Orthogonal polynomials, by the names of torch.special.

x: of it the gradient is taken; PyTorch has none. n: the degree, a number or a tensor,
cut to a whole number; the polynomial of a negative degree is 0. One of the two must be a tensor.
"""

from __future__ import annotations

from typing import Any

from tensorgrad.ops import elementwise as basic
from tensorgrad.ops import orthogonal as ops

__all__ = [
    "chebyshev_polynomial_t",
    "chebyshev_polynomial_u",
    "chebyshev_polynomial_v",
    "chebyshev_polynomial_w",
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
    "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
]


def _degree(name: str, x: Any, n: Any) -> Any:
    """n without a gradient, which a whole number cannot have."""
    if not hasattr(x, "detach") and not hasattr(n, "detach"):
        raise TypeError(
            f"{name}: x or n must be a Tensor, but got {type(x).__name__} and {type(n).__name__}"
        )
    return n.detach() if hasattr(n, "detach") else n


def _shifted(x: Any) -> Any:
    return basic.sub(basic.mul(x, 2), 1) if hasattr(x, "detach") else 2 * x - 1


def chebyshev_polynomial_t(x: Any, n: Any) -> Any:
    """Chebyshev's T: cos(n θ) for x = cos θ."""
    return ops.chebyshev(x, _degree("chebyshev_polynomial_t", x, n), kind="t")


def chebyshev_polynomial_u(x: Any, n: Any) -> Any:
    """Chebyshev's U: sin((n + 1) θ) / sin θ for x = cos θ."""
    return ops.chebyshev(x, _degree("chebyshev_polynomial_u", x, n), kind="u")


def chebyshev_polynomial_v(x: Any, n: Any) -> Any:
    """Chebyshev's V: cos((n + 1/2) θ) / cos(θ/2) for x = cos θ."""
    return ops.chebyshev(x, _degree("chebyshev_polynomial_v", x, n), kind="v")


def chebyshev_polynomial_w(x: Any, n: Any) -> Any:
    """Chebyshev's W: sin((n + 1/2) θ) / sin(θ/2) for x = cos θ."""
    return ops.chebyshev(x, _degree("chebyshev_polynomial_w", x, n), kind="w")


def shifted_chebyshev_polynomial_t(x: Any, n: Any) -> Any:
    """Chebyshev's T of 2 x - 1, which takes x from 0 to 1."""
    n = _degree("shifted_chebyshev_polynomial_t", x, n)
    return ops.chebyshev(_shifted(x), n, kind="t")


def shifted_chebyshev_polynomial_u(x: Any, n: Any) -> Any:
    """Chebyshev's U of 2 x - 1, which takes x from 0 to 1."""
    n = _degree("shifted_chebyshev_polynomial_u", x, n)
    return ops.chebyshev(_shifted(x), n, kind="u")


def shifted_chebyshev_polynomial_v(x: Any, n: Any) -> Any:
    """Chebyshev's V of 2 x - 1, which takes x from 0 to 1."""
    n = _degree("shifted_chebyshev_polynomial_v", x, n)
    return ops.chebyshev(_shifted(x), n, kind="v")


def shifted_chebyshev_polynomial_w(x: Any, n: Any) -> Any:
    """Chebyshev's W of 2 x - 1, which takes x from 0 to 1."""
    n = _degree("shifted_chebyshev_polynomial_w", x, n)
    return ops.chebyshev(_shifted(x), n, kind="w")


def hermite_polynomial_h(x: Any, n: Any) -> Any:
    """Hermite's polynomial in the physicists' form: 1, 2x, 4x² - 2, ..."""
    return ops.hermite(x, _degree("hermite_polynomial_h", x, n), scale=2)


def hermite_polynomial_he(x: Any, n: Any) -> Any:
    """Hermite's polynomial in the probabilists' form: 1, x, x² - 1, ..."""
    return ops.hermite(x, _degree("hermite_polynomial_he", x, n), scale=1)


def laguerre_polynomial_l(x: Any, n: Any) -> Any:
    """Laguerre's polynomial: 1, 1 - x, (x² - 4x + 2) / 2, ..."""
    return ops.laguerre(x, _degree("laguerre_polynomial_l", x, n), order=0)


def legendre_polynomial_p(x: Any, n: Any) -> Any:
    """Legendre's polynomial: 1, x, (3x² - 1) / 2, ..."""
    return ops.gegenbauer(x, _degree("legendre_polynomial_p", x, n), order=0.5)
