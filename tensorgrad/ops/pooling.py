"""Pooling: maxima (with the linear pair that carries their gradients) and averages.

Windows are described by ``kernel``, ``stride``, ``padding`` ((low, high) pairs) and ``dilation``,
one entry per spatial axis; ``out`` is the number of windows per axis.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching import on_arrays
from tensorgrad.batching import windows as batching
from tensorgrad.kernels import pooling as kernel_pooling
from tensorgrad.primitive import primitive


def _array(value: Any) -> Any:
    return getattr(value, "_array", value)


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def window_winner(x: Any, y: Any, how: dict[str, Any]) -> Any:
    """Which place in each window won; needed by the gradient and by return_indices."""

    def won(x: Any, y: Any) -> Any:
        full = kernel_pooling.padded(x, how["padding"], _lowest(x.dtype))
        return kernel_pooling.winner(
            full, y, how["kernel"], how["stride"], how["dilation"], how["out"]
        )

    return on_arrays(won, x, y)


def _max_rule(xp: Any, g: Any, y: Any, x: Any, **how: Any) -> Any:
    won = window_winner(_array(x), _array(y), how)
    how = {k: v for k, v in how.items() if k != "out"}
    return xp.pool_scatter(g, won=won, shape=x.shape, **how)


@primitive(_max_rule, saves="x y", formula="to_winners(g, x)", batch=batching.pooled)
def max_pool(x: Any, *, kernel: Any, stride: Any, padding: Any, dilation: Any, out: Any) -> Any:
    """The maximum of every window; of equal elements the first has the gradient."""
    full = kernel_pooling.padded(x, padding, _lowest(x.dtype))
    return kernel_pooling.maximum(full, kernel, stride, dilation, out)


def _padded_shape(shape: Any, padding: Any) -> tuple[int, ...]:
    lead = len(shape) - len(padding)
    return (*shape[:lead], *(n + a + b for n, (a, b) in zip(shape[lead:], padding, strict=True)))


def _inner(shape: Any, padding: Any) -> tuple[Any, ...]:
    lead = len(shape) - len(padding)
    return (..., *(slice(a, a + n) for n, (a, _) in zip(shape[lead:], padding, strict=True)))


@primitive(
    lambda xp, g, y, x, *, won, shape, **how: xp.pool_gather(g, won=won, shape=shape, **how),
    formula="take_won(g, won)",
    batch=batching.pooled,
)
def pool_scatter(
    x: Any, *, won: Any, shape: Any, kernel: Any, stride: Any, padding: Any, dilation: Any
) -> Any:
    """Each window's value at its winner, zeros elsewhere."""
    full = kernel_pooling.scatter(x, won, _padded_shape(shape, padding), kernel, stride, dilation)
    return full[_inner(shape, padding)]


@primitive(
    lambda xp, g, y, x, *, won, shape, **how: xp.pool_scatter(g, won=won, shape=shape, **how),
    formula="put_won(g, x, won)",
    batch=batching.pooled,
)
def pool_gather(
    x: Any, *, won: Any, shape: Any, kernel: Any, stride: Any, padding: Any, dilation: Any
) -> Any:
    """The value at each window's winner."""
    full = kernel_pooling.padded(x, padding, 0)
    return kernel_pooling.gather(full, won, kernel, stride, dilation)


@primitive(
    lambda xp, g, y, x, **how: xp.window_spread(g, shape=x.shape, **how),
    formula="window_spread(g, x)",
    batch=batching.pooled,
)
def window_sum(x: Any, *, kernel: Any, stride: Any, padding: Any, dilation: Any, out: Any) -> Any:
    """The sum of every window; padding counts as 0."""
    full = kernel_pooling.padded(x, padding, 0)
    total: Any = None
    for index in kernel_pooling.slices(kernel, stride, dilation, out):
        part = full[index]
        total = part.copy(order="K") if total is None else np.add(total, part, out=total)
    return total


@primitive(
    lambda xp, g, y, x, *, shape, **how: xp.window_sum(g, **how),
    formula="window_sum(g)",
    batch=batching.pooled,
)
def window_spread(
    x: Any, *, shape: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, out: Any
) -> Any:
    """Each window's value added to all of its places: the adjoint of window_sum."""
    full = np.zeros(_padded_shape(shape, padding), x.dtype)
    for index in kernel_pooling.slices(kernel, stride, dilation, out):
        full[index] += x
    return full[_inner(shape, padding)]
