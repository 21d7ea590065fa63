"""Complex numbers and pairs of real ones: the argument of a number, and the two views of pairs."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching import families
from tensorgrad.ops.kinds import is_complex
from tensorgrad.primitive import primitive


def _angle_rule(xp: Any, g: Any, y: Any, x: Any) -> Any:
    if not is_complex(x):
        return xp.mul(g, 0)
    # The argument turns by 1/|x| per unit step across the direction of x, i x / |x|.
    squared = xp.add(xp.mul(xp.real(x), xp.real(x)), xp.mul(xp.imag(x), xp.imag(x)))
    origin = xp.eq(squared, 0)
    return xp.where(origin, 0, xp.mul(g, xp.div(xp.mul(x, 1j), xp.where(origin, 1, squared))))


@primitive(
    _angle_rule,
    saves="x",
    formula="g * turning(x)",
    promote="float",
    holomorphic=False,
    batch=families.elementwise,
)
def angle(x: Any) -> Any:
    """The argument of a complex number, in (-pi, pi]; 0 or pi for a real one, NaN for NaN."""
    if x.dtype.kind == "c":
        return np.angle(x)
    y = np.where(x < 0, x.dtype.type(np.pi), x.dtype.type(0))
    return np.where(np.isnan(x), x, y)


@primitive(
    lambda xp, g, y, x: xp.view_as_complex(g),
    formula="pairs_as_complex(g)",
    holomorphic=False,
    batch=families.leading,
)
def view_as_real(x: Any) -> Any:
    """A complex array as pairs: (...) to (..., 2), real and imaginary part.

    A copy, not a view: writes are followed through views by a mask of the elements that were
    written, and half a complex number has no place in one.
    """
    if x.dtype.kind != "c":
        raise RuntimeError("view_as_real is only supported for complex tensors")
    return np.stack([x.real, x.imag], axis=-1)


@primitive(
    lambda xp, g, y, x: xp.view_as_real(g),
    formula="complex_as_pairs(g)",
    holomorphic=False,
    batch=families.leading,
)
def view_as_complex(x: Any) -> Any:
    """Pairs of real numbers as complex ones: (..., 2) to (...); a copy, see `view_as_real`."""
    if x.dtype.kind != "f" or x.dtype.itemsize < 4:
        raise RuntimeError(
            "view_as_complex is only supported for float32 and float64 tensors; convert with "
            ".float()"
        )
    if x.ndim == 0 or x.shape[-1] != 2:
        raise RuntimeError("the tensor must have a last dimension of size 2; stack the two parts")
    out = np.empty(x.shape[:-1], np.complex64 if x.dtype.itemsize == 4 else np.complex128)
    out.real, out.imag = x[..., 0], x[..., 1]
    return out
