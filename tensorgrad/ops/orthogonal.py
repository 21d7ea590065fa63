"""Orthogonal polynomials of a degree that may differ by element; differentiable in x."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching import families
from tensorgrad.kernels import special_orthogonal
from tensorgrad.primitive import primitive


def _degree(n: Any, less: int = 0) -> Any:
    """The whole number that n is cut to, less some; an array without a gradient, or a number."""
    values = getattr(n, "_array", n)
    if hasattr(values, "ndim"):
        return (np.trunc(values) - less).astype(values.dtype)
    return float(np.trunc(values) - less)


def _first(x: Any, n: Any) -> Any:
    """x with the type of the result: a Python number may stand beside a tensor."""
    return np.asarray(x, np.result_type(x, n))


def _chebyshev_rule(xp: Any, g: Any, y: Any, x: Any, n: Any, *, kind: str) -> Any:
    if kind == "t":
        return xp.mul(g, xp.mul(xp.chebyshev(x, _degree(n, 1), kind="u"), _degree(n)))
    slope = xp.gegenbauer(x, _degree(n, 1), order=2.0)
    if kind != "u":  # V(n) = U(n) - U(n-1), W(n) = U(n) + U(n-1)
        before = xp.gegenbauer(x, _degree(n, 2), order=2.0)
        slope = xp.sub(slope, before) if kind == "v" else xp.add(slope, before)
    return xp.mul(g, xp.mul(slope, 2))


_CHEBYSHEV = {
    "t": "g * trunc(n) * gegenbauer(1, n - 1, x)",
    "u": "g * 2 * gegenbauer(2, n - 1, x)",
    "v": "g * 2 * (gegenbauer(2, n - 1, x) - gegenbauer(2, n - 2, x))",
    "w": "g * 2 * (gegenbauer(2, n - 1, x) + gegenbauer(2, n - 2, x))",
}


@primitive(
    _chebyshev_rule,
    None,
    saves=("x n", ""),
    formula=lambda shapes, params: (_CHEBYSHEV[params["kind"]], None),
    promote="float",
    batch=families.elementwise,
)
def chebyshev(x: Any, n: Any, *, kind: str) -> Any:
    """Chebyshev's polynomial T, U, V or W of degree n; 0 for n < 0."""
    return special_orthogonal.chebyshev(_first(x, n), n, kind)


@primitive(
    lambda xp, g, y, x, n, *, order: xp.mul(
        g, xp.mul(xp.gegenbauer(x, _degree(n, 1), order=order + 1), 2 * order)
    ),
    None,
    saves=("x n", ""),
    formula=("g * 2 * order * gegenbauer(order + 1, n - 1, x)", None),
    promote="float",
    batch=families.elementwise,
)
def gegenbauer(x: Any, n: Any, *, order: float) -> Any:
    """Gegenbauer's polynomial C of degree n: Legendre's for order 1/2; 0 for n < 0."""
    return special_orthogonal.gegenbauer(_first(x, n), n, order)


@primitive(
    lambda xp, g, y, x, n, *, scale: xp.mul(
        g, xp.mul(xp.hermite(x, _degree(n, 1), scale=scale), _degree(n) * scale)
    ),
    None,
    saves=("x n", ""),
    formula=("g * scale * trunc(n) * hermite(scale, n - 1, x)", None),
    promote="float",
    batch=families.elementwise,
)
def hermite(x: Any, n: Any, *, scale: int) -> Any:
    """Hermite's polynomial H (scale 2) or He (scale 1) of degree n; 0 for n < 0."""
    return special_orthogonal.hermite(_first(x, n), n, scale)


@primitive(
    lambda xp, g, y, x, n, *, order: xp.neg(
        xp.mul(g, xp.laguerre(x, _degree(n, 1), order=order + 1))
    ),
    None,
    saves=("x n", ""),
    formula=("-g * laguerre(order + 1, n - 1, x)", None),
    promote="float",
    batch=families.elementwise,
)
def laguerre(x: Any, n: Any, *, order: int) -> Any:
    """Laguerre's generalised polynomial L of degree n; 0 for n < 0."""
    return special_orthogonal.laguerre(_first(x, n), n, order)
