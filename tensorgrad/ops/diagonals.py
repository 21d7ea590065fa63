"""Diagonals: reading one, and its adjoint, writing one into zeros."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching import families
from tensorgrad.primitive import primitive


@primitive(
    lambda xp, g, y, x, *, offset, axis1, axis2: xp.diag_embed(
        g, offset=offset, axis1=axis1, axis2=axis2, shape=x.shape
    ),
    formula="on_diagonal(g, x)",
    view=True,
    batch=families.along("axis1", "axis2"),
)
def diagonal(x: Any, *, offset: int, axis1: int, axis2: int) -> Any:
    """The elements where index 2 is index 1 plus the offset, along a new last axis; a view."""
    y = np.diagonal(x, offset, axis1, axis2)
    if x.flags.writeable:  # NumPy's caution; a view of ours may be written
        y.flags.writeable = True
    return y


@primitive(
    lambda xp, g, y, x, *, offset, axis1, axis2, shape: xp.diagonal(
        g, offset=offset, axis1=axis1, axis2=axis2
    ),
    formula="diagonal(g)",
    batch=families.embedded,
)
def diag_embed(x: Any, *, offset: int, axis1: int, axis2: int, shape: tuple[int, ...]) -> Any:
    """Zeros of a shape with x's last axis on a diagonal of two axes: diagonal's adjoint."""
    out = np.zeros(shape, x.dtype)
    view = np.diagonal(out, offset, axis1, axis2)
    view.flags.writeable = True
    view[...] = x
    return out
