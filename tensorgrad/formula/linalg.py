"""Functions of formulas for linear algebra and transforms, from the mathematics.

As in `tensorgrad.formula.functions`, nothing here is shared with `tensorgrad.ops`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.formula.functions import word

__all__: list[str] = []

Array = Any


# --- Diagonals ------------------------------------------------------------------------------------


@word("diagonal({0})")
def diagonal(a: Array, *, offset: int, axis1: int, axis2: int) -> Array:
    return np.diagonal(a, offset, axis1, axis2)


@word("on_diagonal({0})")
def on_diagonal(g: Array, x: Array, *, offset: int, axis1: int, axis2: int) -> Array:
    """Zeros like x, with g on a diagonal."""
    out = np.zeros(x.shape, g.dtype)
    moved = np.moveaxis(out, (axis1, axis2), (-2, -1))
    for i in range(g.shape[-1]):
        moved[..., i + max(-offset, 0), i + max(offset, 0)] = g[..., i]
    return out


@word("i {0:a} / |{0}|²")
def turning(x: Array) -> Array:
    """By how much the argument of x grows per step: across the direction of x, 1/|x|."""
    return 1j * x / np.abs(x) ** 2 if np.iscomplexobj(x) else 0 * x


@word("{0}")
def pairs_as_complex(g: Array) -> Array:
    return g[..., 0] + 1j * g[..., 1]


@word("{0}")
def complex_as_pairs(g: Array) -> Array:
    return np.stack([np.real(g), np.imag(g)], -1)


# --- Matrices -------------------------------------------------------------------------------------

_EYE = np.eye


@word("{0:a}⁻¹")
def inv(a: Array) -> Array:
    return np.linalg.inv(a)


@word("det {0:a}")
def det(a: Array) -> Array:
    return np.asarray(np.linalg.det(a))


@word("cof {0:a}")
def cofactors(a: Array) -> Array:
    """Each element's signed minor."""
    out = np.zeros_like(a)
    n = a.shape[-1]
    for i in range(n):
        for j in range(n):
            minor = np.delete(np.delete(a, i, -2), j, -1)
            out[..., i, j] = (-1) ** (i + j) * np.linalg.det(minor)
    return out


@word("{0}")
def lift(v: Array) -> Array:
    """One number a matrix."""
    return np.asarray(v)[..., None, None]


@word("⟨{0}, {1}⟩")
def dot(a: Array, b: Array) -> Array:
    """The sum of the products of two matrices' elements."""
    return np.asarray((a * b).sum((-2, -1)))


@word("{0}")
def as_row(v: Array) -> Array:
    return v[..., None, :]


@word("{0}")
def as_column(v: Array) -> Array:
    return v[..., :, None]


@word("diag({0})")
def main(v: Array) -> Array:
    return v[..., None] * _EYE(v.shape[-1])


@word("off_diagonal({0})")
def off_diagonal(m: Array) -> Array:
    return m * (1 - _EYE(m.shape[-1]))


@word("({0}ⱼ − {0}ᵢ)")
def gaps(v: Array) -> Array:
    """Differences of all pairs, and 1 on the diagonal."""
    return v[..., None, :] - v[..., :, None] + _EYE(v.shape[-1])


@word("skew({0})")
def skew(m: Array) -> Array:
    return m - np.swapaxes(m, -1, -2)


@word("sym({0})")
def symmetric(m: Array) -> Array:
    return (m + np.swapaxes(m, -1, -2)) / 2


@word("Φ({0})")
def half_tril(m: Array) -> Array:
    """The lower triangle with half the diagonal."""
    return np.tril(m) - m * _EYE(m.shape[-1]) / 2


@word("mirror({0})")
def mirrored(m: Array) -> Array:
    """The symmetric matrix with this one's upper triangle."""
    return np.triu(m) + np.swapaxes(np.triu(m, 1), -1, -2)


@word("triangle({0})")
def triangle(m: Array, upper: bool, strict: bool, ones: bool) -> Array:
    """One triangle, without the diagonal if ``strict``, with ones on it if ``ones``."""
    part = np.triu(m, int(strict)) if upper else np.tril(m, -int(strict))
    return part + _EYE(m.shape[-1]) if ones else part


@word("d exp({0})[{1}]")
def expm_along(a: Array, direction: Array) -> Array:
    """The derivative of the exponential's power series at a along a direction."""
    total = term = np.zeros_like(a)
    power = np.broadcast_to(_EYE(a.shape[-1]), a.shape)
    for k in range(1, 40):
        term = (term @ a + power @ direction) / k
        power = power @ a / k
        total = total + term
    return total


# --- Transforms: by the matrix of the definition --------------------------------------------------


def _fourier(n: int, inverse: bool, norm: str) -> Array:
    k = np.arange(n)
    scale = {
        "ortho": n**-0.5,
        "forward": 1 if inverse else 1 / n,
        "backward": 1 / n if inverse else 1,
    }
    return np.exp((2j if inverse else -2j) * np.pi * np.outer(k, k) / n) * scale[norm]


def _along(matrix: Array, x: Array, axis: int) -> Array:
    return np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)


@word("F {0:a}")
def transform(g: Array, *, axes: Any, inverse: bool, norm: str) -> Array:
    for axis in axes:
        g = _along(_fourier(g.shape[axis], inverse, norm), g, axis)
    return g


@word("real({0})")
def real(a: Array) -> Array:
    return np.real(a)


@word("F* {0:a}")
def transform_of_half(g: Array, x: Array, *, axis: int, norm: str) -> Array:
    matrix = _fourier(x.shape[axis], False, norm)[: g.shape[axis]]
    return _along(np.conj(matrix.T), g, axis)


@word("2 F {0:a}")
def spectrum_doubled(g: Array, *, n: int, axis: int, norm: str) -> Array:
    """The transform's half, doubled where a frequency stands for its mirror image too."""
    half = n // 2 + 1
    weight = np.array([1 if 2 * k % n == 0 else 2 for k in range(half)])
    matrix = np.conj(_fourier(n, True, norm))[:half] * weight[:, None]
    return _along(matrix, g, axis)
