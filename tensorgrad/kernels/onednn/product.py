"""Products of matrices by oneDNN, with the bias added as they are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.kernels.onednn.health import library
from tensorgrad.kernels.onednn.primitive import FLOAT, Description, Layout, Prepared, per_thread
from tensorgrad.machine import arena
from tensorgrad.machine.address import address

__all__ = ["product"]

_STEP = (FLOAT.itemsize,)  # the strides of a vector without gaps


def _handed(x: Any) -> Any:
    """A matrix whose rows or columns are runs of memory, as oneDNN takes them; a copy of another.

    What is broadcast, or lies backwards, is copied too.
    """
    (rows, columns), (down, right) = x.shape, x.strides
    item = FLOAT.itemsize
    if right == item and down >= columns * item and not down % item:
        return x
    if down == item and right >= rows * item and not right % item:
        return x
    return np.ascontiguousarray(x)


def product(a: Any, b: Any, bias: Any) -> Any:
    """a @ b + bias, of matrices (m, k) and (k, n) in float32; bias (n,) or None."""
    given = (a, b) if bias is None else (a, b, bias)
    for array in given:  # shapes and strides are what the computation is found by
        if array.dtype is not FLOAT:
            raise ValueError(f"oneDNN product: prepared for float32, got {array.dtype}")
    a, b = _handed(a), _handed(b)
    (m, k), (inner, n) = a.shape, b.shape
    if inner != k or (bias is not None and bias.shape != (n,)):
        raise ValueError(
            f"oneDNN product: {a.shape} by {b.shape} and a bias "
            f"{None if bias is None else bias.shape} do not fit"
        )
    if bias is not None and bias.strides != _STEP:
        bias = np.ascontiguousarray(bias)
    key = ("product", a.shape, a.strides, b.shape, b.strides, bias is None)

    def make() -> Callable[..., None]:
        layouts = {
            "src": Layout.of(a.shape, a.strides),
            "weights": Layout.of(b.shape, b.strides),
            "dst": Layout.of((m, n)),
        }
        if bias is not None:
            layouts["bias"] = Layout.of((1, n))
        description = Description(
            "matmul", library().engine, layouts["src"], layouts["weights"], layouts.get("bias"),
            layouts["dst"], None,
        )  # fmt: skip
        return Prepared(description, **layouts).at

    y = arena.empty((m, n), FLOAT)
    compute = per_thread(key, make)
    if bias is None:
        compute(address(a), address(b), address(y))
    else:
        compute(address(a), address(b), address(y), address(bias))
    return y
