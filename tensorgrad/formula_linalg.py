"""Functions of formulas for linear algebra and transforms, from the mathematics.

As in `tensorgrad.formula_functions`, nothing here is shared with `tensorgrad.ops`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.formula_functions import word

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
