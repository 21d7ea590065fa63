"""Pooling: maxima (with the linear pair that carries their gradients) and averages.

Windows are described by ``kernel``, ``stride``, ``padding`` ((low, high) pairs) and ``dilation``,
one entry per spatial axis; ``out`` is the number of windows per axis.
"""

from __future__ import annotations

from typing import Any

from numpy import ndarray

from tensorgrad.batching import indexing, on_arrays
from tensorgrad.batching import windows as batching
from tensorgrad.kernels import pooling as kernels
from tensorgrad.kernels import pooling_blocks  # noqa: F401 (registers its kernels)
from tensorgrad.kernels.pooling import Problem
from tensorgrad.kernels.registry import described
from tensorgrad.ops.kinds import still
from tensorgrad.primitive import primitive, raw


def _array(value: Any) -> Any:
    return getattr(value, "_array", value)


def window_winner(x: Any, y: Any, how: dict[str, Any]) -> Any:
    """Which place in each window won; needed by the gradient and by return_indices."""

    def won(x: Any, y: Any) -> Any:
        problem = _problem(x.shape, x.dtype, **how)
        return kernels.pool_winner.choose(problem)(problem, x, y)

    return on_arrays(won, x, y)


def _problem(
    shape: Any, dtype: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, out: Any
) -> Problem:
    parts = tuple(shape), kernel, stride, padding, dilation, out, dtype
    problem: Problem = described(Problem, parts)
    return problem


def _max_rule(xp: Any, g: Any, y: Any, x: Any, **how: Any) -> Any:
    if xp is raw and type(g) is ndarray:  # as below, in fewer steps
        problem = _problem(x.shape, x.dtype, **how)
        won = kernels.pool_winner.choose(problem)(problem, x, y)
        return kernels.pool_scatter.choose(problem)(problem, g, won)
    won = window_winner(_array(x), _array(y), how)
    how = {k: v for k, v in how.items() if k != "out"}
    d = xp.pool_scatter(g, won=won, shape=x.shape, **how)
    return still(xp, d, x)


@primitive(
    _max_rule,
    saves="x y",
    formula="to_winners(g, x)",
    batch=batching.pooled,
    selects=True,
    # A dilated window may hold nothing but padding: then its gradient is lost.
    conserves=lambda how: max(how["dilation"]) == 1,
    exact=True,
)
def max_pool(x: Any, *, kernel: Any, stride: Any, padding: Any, dilation: Any, out: Any) -> Any:
    """The maximum of every window; of equal elements the first has the gradient."""
    problem = _problem(x.shape, x.dtype, kernel, stride, padding, dilation, out)
    return kernels.max_pool.choose(problem)(problem, x)


@primitive(
    lambda xp, g, y, x, *, won, shape, **how: xp.pool_gather(g, won=won, shape=shape, **how),
    formula="take_won(g, won)",
    batch=batching.pooled,
)
def pool_scatter(
    x: Any, *, won: Any, shape: Any, kernel: Any, stride: Any, padding: Any, dilation: Any
) -> Any:
    """Each window's value at its winner, zeros elsewhere."""
    out = x.shape[x.ndim - len(kernel) :]
    problem = _problem(shape, x.dtype, kernel, stride, padding, dilation, out)
    return kernels.pool_scatter.choose(problem)(problem, x, won)


@primitive(
    lambda xp, g, y, x, *, won, shape, **how: xp.pool_scatter(g, won=won, shape=shape, **how),
    formula="put_won(g, x, won)",
    batch=batching.pooled,
)
def pool_gather(
    x: Any, *, won: Any, shape: Any, kernel: Any, stride: Any, padding: Any, dilation: Any
) -> Any:
    """The value at each window's winner."""
    out = won.shape[won.ndim - len(kernel) :]
    problem = _problem(shape, x.dtype, kernel, stride, padding, dilation, out)
    return kernels.pool_gather.choose(problem)(problem, x, won)


def _winners_rule(xp: Any, g: Any, y: Any, x: Any, *, index: Any, axis: int) -> Any:
    return still(xp, xp.scatter_add(g, index=index, axis=axis, shape=x.shape), x)


@primitive(_winners_rule, formula="scatter(g, x, index, axis)", batch=indexing.gather)
def gather_winners(x: Any, *, index: Any, axis: int) -> Any:
    """`gather` at places that were picked by the values of x: of windows of unequal sizes."""
    return raw.gather(x, index=index, axis=axis)


@primitive(
    lambda xp, g, y, x, **how: still(xp, xp.window_spread(g, shape=x.shape, **how), x),
    formula="window_spread(g, x)",
    batch=batching.pooled,
)
def window_sum(x: Any, *, kernel: Any, stride: Any, padding: Any, dilation: Any, out: Any) -> Any:
    """The sum of every window; padding counts as 0."""
    problem = _problem(x.shape, x.dtype, kernel, stride, padding, dilation, out)
    return kernels.window_sum.choose(problem)(problem, x)


@primitive(
    lambda xp, g, y, x, *, shape, **how: xp.window_sum(g, **how),
    formula="window_sum(g)",
    batch=batching.pooled,
)
def window_spread(
    x: Any, *, shape: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, out: Any
) -> Any:
    """Each window's value added to all of its places: the adjoint of window_sum."""
    problem = _problem(shape, x.dtype, kernel, stride, padding, dilation, out)
    return kernels.window_spread.choose(problem)(problem, x)
