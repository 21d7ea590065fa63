"""Types, copies and complex parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching import families
from tensorgrad.primitive import primitive


@primitive(lambda xp, g, y, x, *, dtype: g, formula="g", batch=families.elementwise)
def astype(x: Any, *, dtype: Any) -> Any:
    """x in another NumPy dtype; the gradient comes back in x's own."""
    return x.astype(dtype, copy=False) if x.dtype is not dtype else x.copy(order="K")


@primitive(lambda xp, g, y, x: g, formula="g", batch=families.elementwise)
def clone(x: Any) -> Any:
    """A copy of x, memory and all."""
    return x.copy(order="K")


@primitive(lambda xp, g, y, x: g, formula="g", view=True, batch=families.elementwise)
def alias(x: Any) -> Any:
    """x itself, as a view: a node of its own on the same memory."""
    return x.view()


@primitive(
    lambda xp, g, y, x: xp.conj(g), formula="conj(g)", holomorphic=False, batch=families.elementwise
)
def conj(x: Any) -> Any:
    """The complex conjugate."""
    return np.conjugate(x)


@primitive(lambda xp, g, y, x: g, formula="g", holomorphic=False, batch=families.elementwise)
def real(x: Any) -> Any:
    """The real part."""
    return np.real(x).copy()


@primitive(
    lambda xp, g, y, x: xp.mul(g, 1j),
    formula="1j * g",
    holomorphic=False,
    batch=families.elementwise,
)
def imag(x: Any) -> Any:
    """The imaginary part of a complex tensor."""
    if x.dtype.kind != "c":
        raise RuntimeError("imag is only implemented for tensors with complex dtypes")
    return np.imag(x).copy()
