"""A gradient in the shape and the dtype of what it is the gradient of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import asarray, ndarray

from tensorgrad.primitive import raw

__all__ = ["cast", "fitted", "unbroadcast"]


def unbroadcast(xp: Any, g: Any, shape: tuple[int, ...]) -> Any:
    """Sum a gradient over the axes along which its argument was broadcast."""
    lead = g.ndim - len(shape)
    if lead > 0 and g.shape[lead:] == shape:  # a row, added to each row
        return xp.sum(g, axis=0 if lead == 1 else tuple(range(lead)), keepdims=False)
    if lead < 0 or any(n != 1 and n != m for n, m in zip(shape, g.shape[lead:], strict=True)):
        return xp.broadcast_to(g, shape=shape)  # a rule may answer with a scalar
    axes = tuple(range(lead)) + tuple(
        i + lead for i, n in enumerate(shape) if n == 1 and g.shape[i + lead] != 1
    )
    if axes:
        g = xp.sum(g, axis=axes, keepdims=False)
    return xp.reshape(g, shape=shape)


def cast(xp: Any, g: Any, dtype: np.dtype[Any]) -> Any:
    """Give a gradient the dtype of what it is a gradient of; the real part for a real one."""
    if _kind(g) == "c" and dtype.kind != "c":
        g = xp.real(g)
    return xp.astype(g, dtype=dtype)


def fitted(d: Any, edge: Any) -> Any:
    """What a rule gave, as an array of the node's shape and dtype."""
    if type(d) is not ndarray:
        d = asarray(d)
    if d.shape != edge.shape:
        d = asarray(unbroadcast(raw, d, edge.shape))  # a sum of all is a scalar
    if d.dtype is not edge.dtype:
        d = cast(raw, d, edge.dtype)
    return d


def _kind(g: Any) -> str:
    kind: str = (g if isinstance(g, ndarray) else g._array).dtype.kind
    return kind
