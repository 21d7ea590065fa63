"""Large elementwise operations, forward and backward, in blocks of rows and on several threads.

What treats every element alike may be computed on a part of the rows at a time: one ufunc on each
thread's part; a rule that is several operations in blocks, so that each finds the results of the
one before in the core's cache; and a gradient that is summed over the rows, because its argument
was broadcast along them, is summed block by block, without the whole product in memory.  The blocks
do not depend on the number of threads, so neither do the sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from tensorgrad.machine import arena
from tensorgrad.machine.threads import split

if TYPE_CHECKING:
    from tensorgrad.primitive import Primitive

__all__ = ["LARGE", "ROOMY", "by_rows", "gradients", "leaves_rows", "spread"]

# From this many elements on.  mean(tanh(x * w + b)**2) and its gradients, of four million numbers,
# took 17.8 ms in whole arrays, 14.3 so on two threads, on a machine that was busy otherwise; on one
# thread 18.8 and 19.8.
LARGE = 1 << 19
# From this many elements on an array may need memory from the operating system: see `arena`.
ROOMY = arena.LEAST // 8
# Elements in a block; with a quarter of it the same took 15.8 ms.
_BLOCK = 1 << 17

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


# What has kernels of its own for large arrays, which split them.
_BY_KERNELS = frozenset({"relu"})
# What treats the rows alike if it goes along another axis than the first.
_ALONG_AN_AXIS = frozenset({"softmax", "log_softmax"})


def leaves_rows(x: Any, axis: Any) -> bool:
    """Whether what is done along an axis is done in each row of the first axis by itself."""
    return x.ndim > 1 and isinstance(axis, int) and axis % x.ndim != 0


def by_rows(function: Callable[[Any, Any], None], x: Any) -> Any:
    """The array that ``function(x, out)`` writes, in blocks of rows if x is large."""
    y = np.empty_like(x)
    rows = _rows(x, ())
    if rows is None:
        function(x, y)
        return y

    def work(start: int, stop: int) -> None:
        for block in rows[start:stop]:
            function(x[block], y[block])

    split(work, len(rows))
    return y


def spread(ufunc: Callable[..., Any], *arrays: Any) -> Any:
    """A ufunc on large arrays of one dtype, on memory that waits for its like, and, where that can
    be, each thread on a part of the rows.
    """
    whole = max(arrays, key=lambda a: a.size)
    shape = whole.shape
    if not all(a.shape == shape or not a.shape for a in arrays) and (
        np.broadcast_shapes(*(a.shape for a in arrays)) != shape
    ):
        return ufunc(*arrays)
    y = arena.empty_like(whole, _kind(ufunc, *(a.dtype for a in arrays)))
    rows = _rows(whole, arrays)
    if rows is None:
        return ufunc(*arrays, out=y)

    def work(start: int, stop: int) -> None:
        part = slice(rows[start].start, rows[stop - 1].stop)
        ufunc(*_cut(arrays, part, whole), out=y[part])

    split(work, len(rows))
    return y


@lru_cache(maxsize=256)
def _kind(ufunc: Callable[..., Any], *dtypes: Any) -> Any:
    """The dtype of the result: bool, of a comparison."""
    return ufunc(*(np.empty(0, dtype) for dtype in dtypes)).dtype


def gradients(
    op: Primitive,
    xp: Any,
    g: Any,
    saved: Sequence[Any],
    wanted: Sequence[Any],
    params: dict[str, Any],
) -> list[Any] | None:
    """What the rules give, in blocks; None where they must be called on whole arrays."""
    if op.name in _BY_KERNELS:
        return None
    apart = op.elementwise or (op.name in _ALONG_AN_AXIS and leaves_rows(g, params["axis"]))
    rows = _rows(g, [*saved, *params.values()]) if apart else None
    if rows is None:
        return None
    return [
        None if edge is None or rule is None else _gradient(rule, xp, g, saved, edge, params, rows)
        for rule, edge in zip(op.rules, wanted, strict=False)
    ]


def _gradient(
    rule: Any, xp: Any, g: Any, saved: Sequence[Any], edge: Any, params: Any, rows: list[slice]
) -> Any:
    """One argument's gradient, summed over the rows if the argument has none of its own."""

    def part(block: slice) -> Any:
        words = dict(zip(params, _cut(params.values(), block, g), strict=True))
        return rule(xp, g[block], *_cut(saved, block, g), **words)

    first = part(rows[0])
    if type(first) is not ndarray or first.shape != (rows[0].stop, *g.shape[1:]):
        return rule(xp, g, *saved, **params)
    lead = g.ndim - len(edge.shape)
    summed = lead > 0 or edge.shape[0] == 1
    if not summed:
        if first.base is g:
            return g  # the rule passes it on
        d = np.empty_like(g, dtype=first.dtype)
        d[rows[0]] = first
    else:
        d = np.empty((len(rows), *g.shape[1:]), first.dtype)
        np.add.reduce(first, axis=0, out=d[0])

    def work(start: int, stop: int) -> None:
        for number in range(start + 1, stop + 1):
            found = part(rows[number])
            if summed:
                np.add.reduce(found, axis=0, out=d[number])
            else:
                d[rows[number]] = found

    split(work, len(rows) - 1)
    if not summed:
        return d
    total = np.add.reduce(d, axis=0)
    return total if lead else total[None]


def _rows(whole: Any, values: Sequence[Any]) -> list[slice] | None:
    """The blocks of the first axis; None if the arrays cannot be cut there alike."""
    if type(whole) is not ndarray or whole.dtype not in _FLOATS or whole.ndim == 0:
        return None
    count = whole.shape[0]
    # The first axis must be the outermost in memory, and the array dense.
    if whole.size < LARGE or count < 2 or whole.strides[0] * count != whole.nbytes:
        return None
    for value in values:
        if isinstance(value, ndarray) and value.ndim:
            own = value.ndim == whole.ndim and value.shape[0] != 1
            if value.ndim > whole.ndim or (own and value.shape[0] != count):
                return None
    step = max(_BLOCK * count // whole.size, 1)
    return [slice(i, min(i + step, count)) for i in range(0, count, step)]


def _cut(values: Iterable[Any], block: slice, whole: Any) -> list[Any]:
    """The block's part of arrays that have the rows; everything else as it is."""
    return [
        v[block] if type(v) is ndarray and v.ndim == whole.ndim and v.shape[0] != 1 else v
        for v in values
    ]
