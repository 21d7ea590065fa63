"""Bessel functions of both kinds, and Airy's: PyTorch has their values, here gradients too."""

from __future__ import annotations

from math import pi
from typing import Any

from tensorgrad.batching import families
from tensorgrad.kernels import special_airy, special_bessel_j, special_bessel_k, special_sinc
from tensorgrad.ops.special import _over
from tensorgrad.primitive import primitive


@primitive(
    lambda xp, g, y, x: xp.neg(xp.mul(g, xp.bessel_j1(x))),
    saves="x",
    formula="-g * bessel_j(1, x)",
    promote="float",
    batch=families.elementwise,
)
def bessel_j0(x: Any) -> Any:
    """The Bessel function of the first kind of order 0."""
    return special_bessel_j.j0(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.sub(xp.bessel_j0(x), _over(xp, y, x))),
    saves="x y",
    formula="g * (bessel_j(0, x) - bessel_j(2, x)) / 2",
    promote="float",
    batch=families.elementwise,
)
def bessel_j1(x: Any) -> Any:
    """The Bessel function of the first kind of order 1."""
    return special_bessel_j.j1(x)


@primitive(
    lambda xp, g, y, x: xp.neg(xp.mul(g, xp.bessel_y1(x))),
    saves="x",
    formula="-g * bessel_y(1, x)",
    promote="float",
    batch=families.elementwise,
)
def bessel_y0(x: Any) -> Any:
    """The Bessel function of the second kind of order 0."""
    return special_bessel_j.y0(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.sub(xp.bessel_y0(x), xp.div(y, x))),
    saves="x y",
    formula="g * (bessel_y(0, x) - bessel_y(2, x)) / 2",
    promote="float",
    batch=families.elementwise,
)
def bessel_y1(x: Any) -> Any:
    """The Bessel function of the second kind of order 1."""
    return special_bessel_j.y1(x)


@primitive(
    lambda xp, g, y, x: xp.neg(xp.mul(g, xp.modified_bessel_k1(x))),
    saves="x",
    formula="-g * bessel_k(1, x)",
    promote="float",
    batch=families.elementwise,
)
def modified_bessel_k0(x: Any) -> Any:
    """The modified Bessel function of the second kind of order 0."""
    return special_bessel_k.k0(x)


@primitive(
    lambda xp, g, y, x: xp.neg(xp.mul(g, xp.add(xp.modified_bessel_k0(x), xp.div(y, x)))),
    saves="x y",
    formula="-g * (bessel_k(0, x) + bessel_k(2, x)) / 2",
    promote="float",
    batch=families.elementwise,
)
def modified_bessel_k1(x: Any) -> Any:
    """The modified Bessel function of the second kind of order 1."""
    return special_bessel_k.k1(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.sub(y, xp.scaled_modified_bessel_k1(x))),
    saves="x y",
    formula="g * (y - exp(x) * bessel_k(1, x))",
    promote="float",
    batch=families.elementwise,
)
def scaled_modified_bessel_k0(x: Any) -> Any:
    """exp(x) times the modified Bessel function of the second kind of order 0."""
    return special_bessel_k.k0e(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.sub(xp.sub(y, xp.div(y, x)), xp.scaled_modified_bessel_k0(x))),
    saves="x y",
    formula="g * (y - exp(x) * (bessel_k(0, x) + bessel_k(2, x)) / 2)",
    promote="float",
    batch=families.elementwise,
)
def scaled_modified_bessel_k1(x: Any) -> Any:
    """exp(x) times the modified Bessel function of the second kind of order 1."""
    return special_bessel_k.k1e(x)


@primitive(
    # The derivative of sinc has no cancellation at 0, (cos x - sin(x) / x) / x has.
    lambda xp, g, y, x: xp.mul(g, xp.mul(xp.sinc(xp.mul(x, 1 / pi), order=1), 1 / pi)),
    saves="x",
    formula="g * sinc(x / pi(), 1) / pi()",
    promote="float",
    batch=families.elementwise,
)
def spherical_bessel_j0(x: Any) -> Any:
    """sin(x) / x, 1 at 0."""
    return special_sinc.spherical_j0(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.airy_ai_slope(x)),
    saves="x",
    formula="g * airy(1, x)",
    promote="float",
    batch=families.elementwise,
)
def airy_ai(x: Any) -> Any:
    """Airy's function Ai, which solves y'' = x y and decays for large x."""
    return special_airy.airy_ai(x)


@primitive(
    lambda xp, g, y, x: xp.mul(g, xp.mul(x, xp.airy_ai(x))),
    saves="x",
    formula="g * x * airy(0, x)",
    promote="float",
    batch=families.elementwise,
)
def airy_ai_slope(x: Any) -> Any:
    """The derivative of Ai."""
    return special_airy.airy_ai_slope(x)
