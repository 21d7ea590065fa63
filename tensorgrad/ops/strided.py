"""Windows with steps of their own over the elements of a tensor, and their adjoint."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tensorgrad.batching.dispatch import Call
from tensorgrad.primitive import primitive


def _gathering(call: Call) -> Any:
    """Every example's elements are one step of the whole further."""
    x = call.args[0]
    size, stride = call.params["size"], call.params["stride"]
    return call.run(
        x,
        size=(call.size, *size),
        stride=(prod(call.shape(0)), *stride),
        offset=call.params["offset"],
    )


def _adding(call: Call) -> Any:
    shape, stride = call.params["shape"], call.params["stride"]
    return call.run(
        call.args[0],
        shape=(call.size, *shape),
        stride=(prod(shape), *stride),
        offset=call.params["offset"],
    )


def places(size: tuple[int, ...], stride: tuple[int, ...], offset: int) -> Any:
    """The position in memory of each element of a window."""
    found = np.full(size, offset, np.int64)
    for axis, (n, step) in enumerate(zip(size, stride, strict=True)):
        found += (np.arange(n) * step).reshape(n, *(1,) * (len(size) - axis - 1))
    return found


def overlaps(size: tuple[int, ...], stride: tuple[int, ...]) -> bool:
    """Whether two elements of a window are one place in memory."""
    if 0 in size:
        return False
    reach = 0
    for step, n in sorted(zip(stride, size, strict=True)):
        if n > 1:
            if step <= reach:
                break
            reach += (n - 1) * step
    else:
        return False
    found = places(size, stride, 0).reshape(-1)
    return len(np.unique(found)) < len(found)


@primitive(
    lambda xp, g, y, x, *, size, stride, offset: xp.as_strided_add(
        g, shape=x.shape, stride=stride, offset=offset
    ),
    formula="window_back(g, x, stride, offset)",
    view=True,
    batch=_gathering,
)
def as_strided(x: Any, *, size: tuple[int, ...], stride: tuple[int, ...], offset: int) -> Any:
    """Element i of the window is element offset + i . stride of x, in row-major order.

    A view of a contiguous x; one that overlaps itself cannot be written.
    """
    buffer = x if x.flags.c_contiguous else np.ascontiguousarray(x)
    if 0 in size or not x.size:
        return np.empty(size, x.dtype)
    step = x.itemsize
    # NumPy itself refuses what reaches outside the buffer.
    window = np.ndarray(size, x.dtype, buffer, offset * step, tuple(s * step for s in stride))
    if overlaps(size, stride):
        window.flags.writeable = False
    return window


@primitive(
    lambda xp, g, y, x, *, shape, stride, offset: xp.as_strided(
        g, size=x.shape, stride=stride, offset=offset
    ),
    formula="window(g, x, stride, offset)",
    batch=_adding,
)
def as_strided_add(x: Any, *, shape: tuple[int, ...], stride: tuple[int, ...], offset: int) -> Any:
    """Zeros of a shape to which each element of a window is added at its place: the adjoint."""
    out = np.zeros(prod(shape), x.dtype)
    np.add.at(out, places(x.shape, stride, offset).reshape(-1), x.reshape(-1))
    return out.reshape(shape)
