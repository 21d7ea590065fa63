"""What kind of numbers an argument holds, be it an array, a Tensor or a scalar."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from tensorgrad.graph.node import Node, wrap
from tensorgrad.machine.constants import FLOATS, constant
from tensorgrad.primitive import recorded


def is_complex(*values: Any) -> bool:
    """Whether any of the values is complex."""
    return any(
        getattr(getattr(v, "_array", v), "dtype", np.dtype(type(v))).kind == "c" for v in values
    )


def single(x: Any) -> Any:
    """float16 as float32, in which its sums of squares are taken: from 65504 on they overflow."""
    return x.astype(np.float32) if x is not None and x.dtype.char == "e" else x


def number(value: complex, like: Any) -> Any:
    """A number for a ufunc beside an array: a 0-d array, which it takes faster, where it may be.

    The sign of a zero is lost.
    """
    if type(like) is ndarray and isinstance(value, (int, float)):
        dtype = like.dtype
        if dtype in FLOATS:
            return constant(value, dtype) if value else _ZEROS[dtype]
    return value


_ZEROS = {dtype: np.zeros((), dtype) for dtype in FLOATS}  # -0.0 compares as 0.0 does


def some(mask: Any) -> bool:
    """Whether a mask holds anywhere: np.any, three times as fast on a small array."""
    return bool(np.count_nonzero(mask) if type(mask) is ndarray else np.any(mask))


def every(mask: Any) -> bool:
    """Whether a mask holds everywhere: np.all, three times as fast on a small array."""
    return bool(np.count_nonzero(mask) == mask.size if type(mask) is ndarray else np.all(mask))


def zeros(xp: Any, g: Any) -> Any:
    """The gradient of what does not depend on its argument: 0 even where g is infinite or NaN."""
    return xp.mask(g, mask=np.zeros(g.shape, bool))


def still(xp: Any, d: Any, x: Any) -> Any:
    """A gradient that does not change with x; recorded, as a function of x whose slope is 0.

    PyTorch's gradients of piecewise linear functions require grad: a program may ask for the
    gradient of such a gradient and expects zeros, not an error.  x: a Tensor, or its node where
    its values were not saved.
    """
    if xp is not recorded:
        return d
    if isinstance(x, Node):
        x = wrap(np.broadcast_to(np.zeros((), x.dtype), x.shape), x)
    return recorded.add(d, zeros(recorded, x))


def refuse_kinds(name: str, kinds: str, *tensors: Any) -> None:
    """Raise for tensors of dtypes that an operation is not meant for, by NumPy's letters."""
    for tensor in tensors:
        if tensor._array.dtype.kind in kinds:
            raise NotImplementedError(
                f"{name} is not implemented for {tensor.dtype}; convert it, with .float() or .int()"
            )


def one_dtype(name: str, first: Any, *others: Any) -> None:
    """Raise unless all tensors have the first one's dtype."""
    for other in others:
        if other._array.dtype != first._array.dtype:
            raise RuntimeError(
                f"{name}: expected tensors of one dtype, but got {first.dtype} and {other.dtype}; "
                "convert one of them with .to(dtype)"
            )


def refuse_complex(name: str, *values: Any) -> None:
    """Raise for complex numbers, which have no order; NumPy would compare their real parts."""
    for value in values:  # the forwards of relu and its kin come here: no generator
        if isinstance(value, np.ndarray):
            if value.dtype.kind != "c":
                continue
        elif not is_complex(value):
            continue
        raise NotImplementedError(
            f"{name} is not supported for complex tensors: they have no order"
        )
