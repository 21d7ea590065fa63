"""Bessel functions and Airy's, by the names of torch.special.

They are differentiable here at every order; in PyTorch those of this file are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorgrad.ops import bessel as ops

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "airy_ai",
    "bessel_j0",
    "bessel_j1",
    "bessel_y0",
    "bessel_y1",
    "modified_bessel_k0",
    "modified_bessel_k1",
    "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1",
    "spherical_bessel_j0",
]


def airy_ai(x: Tensor) -> Tensor:
    """Airy's function Ai, which solves y'' = x y and decays for large x."""
    return ops.airy_ai(x)


def bessel_j0(input: Tensor) -> Tensor:
    """The Bessel function of the first kind of order 0."""
    return ops.bessel_j0(input)


def bessel_j1(input: Tensor) -> Tensor:
    """The Bessel function of the first kind of order 1."""
    return ops.bessel_j1(input)


def bessel_y0(input: Tensor) -> Tensor:
    """The Bessel function of the second kind of order 0; -inf at 0, NaN below."""
    return ops.bessel_y0(input)


def bessel_y1(input: Tensor) -> Tensor:
    """The Bessel function of the second kind of order 1; -inf at 0, NaN below."""
    return ops.bessel_y1(input)


def modified_bessel_k0(input: Tensor) -> Tensor:
    """The modified Bessel function of the second kind of order 0; inf at 0, NaN below."""
    return ops.modified_bessel_k0(input)


def modified_bessel_k1(input: Tensor) -> Tensor:
    """The modified Bessel function of the second kind of order 1; inf at 0, NaN below."""
    return ops.modified_bessel_k1(input)


def scaled_modified_bessel_k0(x: Tensor) -> Tensor:
    """exp(x) `modified_bessel_k0`, which does not underflow."""
    return ops.scaled_modified_bessel_k0(x)


def scaled_modified_bessel_k1(x: Tensor) -> Tensor:
    """exp(x) `modified_bessel_k1`, which does not underflow."""
    return ops.scaled_modified_bessel_k1(x)


def spherical_bessel_j0(x: Tensor) -> Tensor:
    """sin(x) / x, 1 at 0."""
    return ops.spherical_bessel_j0(x)
