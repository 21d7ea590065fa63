"""Shape: the same elements in another arrangement.  All are linear; most give views."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from tensorgrad.batching import families
from tensorgrad.machine import arena
from tensorgrad.primitive import primitive


@primitive(
    lambda xp, g, y, x, *, shape: xp.reshape(g, shape=x.shape),
    formula="reshape_like(g, x)",
    view=True,
    batch=families.shaped,
    exact=True,
)
def reshape(x: Any, *, shape: tuple[int, ...]) -> Any:
    """The elements in row-major order under another shape; a view where strides allow."""
    return x.reshape(shape)


def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that puts the axes back."""
    places = [0] * len(axes)
    for place, axis in enumerate(axes):
        places[axis] = place
    return tuple(places)


@primitive(
    lambda xp, g, y, x, *, axes: xp.permute(g, axes=_inverse(axes)),
    formula="permute_back(g, axes)",
    view=True,
    batch=families.permute,
)
def permute(x: Any, *, axes: tuple[int, ...]) -> Any:
    """Axes in another order; the gradient's axes go back."""
    return x.transpose(axes)


def _sum_to(xp: Any, g: Any, y: Any, x: Any, *, shape: Any) -> Any:
    return g  # the engine sums over the broadcast axes


def _repeated(x: Any, *, shape: tuple[int, ...]) -> Any:
    """The forward where memory need not be shared: small arrays are copied, five times sooner."""
    if prod(shape) > 4096:
        return np.broadcast_to(x, shape)
    out = np.empty(shape, x.dtype)
    out[...] = x
    return out


@primitive(_sum_to, formula="g", view=True, batch=families.shaped, raw=_repeated)
def broadcast_to(x: Any, *, shape: tuple[int, ...]) -> Any:
    """Repeat along axes of length 1 without copying; the gradient is summed over the repeats."""
    return np.broadcast_to(x, shape)


@primitive(
    lambda xp, g, y, x, *, axes: xp.flip(g, axes=axes),
    formula="flip(g, axes)",
    batch=families.along("axes"),
)
def flip(x: Any, *, axes: tuple[int, ...]) -> Any:
    """Reverse along axes."""
    return np.flip(x, axes).copy()


def _cat_rule(xp: Any, g: Any, y: Any, *xs: Any, axis: int, needs: tuple[bool, ...]) -> list[Any]:
    parts: list[Any] = []
    start = 0
    axis = axis % g.ndim
    for x, need in zip(xs, needs, strict=True):
        stop = start + x.shape[axis]
        index = (slice(None),) * axis + (slice(start, stop),)
        # NumPy's own indexing, where it is one: a fifth of the time of a call of getitem.
        found = None if not need else g[index] if type(g) is ndarray else xp.getitem(g, index=index)
        parts.append(found)
        start = stop
    return parts


def _cat_formula(shapes: Any, params: Any) -> tuple[str, ...]:
    stops = np.cumsum([shape[params["axis"]] for shape in shapes])
    return tuple(
        f"part(g, {stop - shape[params['axis']]}, {stop}, axis)"
        for shape, stop in zip(shapes, stops, strict=True)
    )


@primitive(
    joint=_cat_rule, formula=_cat_formula, promote="common", variadic=True, batch=families.cat
)
def cat(*xs: Any, axis: int) -> Any:
    """Join arrays along an axis that they have."""
    first = xs[0]
    if first.nbytes * len(xs) < arena.LEAST or not all(
        x.flags.c_contiguous and x.dtype is first.dtype and x.ndim == first.ndim for x in xs
    ):
        return np.concatenate(xs, axis=axis)
    # Onto memory that waits: the gradient of `chunk` in a GPT, three times half a megabyte, took
    # 490 us in its step with new pages each time, 290 without.
    shape = [*first.shape]
    shape[axis] = sum([x.shape[axis] for x in xs])
    return np.concatenate(xs, axis=axis, out=arena.empty(tuple(shape), first.dtype))


def _stack_rule(xp: Any, g: Any, y: Any, *xs: Any, axis: int, needs: tuple[bool, ...]) -> list[Any]:
    before = (slice(None),) * (axis % g.ndim)
    parts: list[Any] = []
    for k, need in enumerate(needs):
        index: Any = (*before, k, Ellipsis)  # which makes even a single element a view
        found = None if not need else g[index] if type(g) is ndarray else xp.getitem(g, index=index)
        parts.append(found)
    return parts


@primitive(
    joint=_stack_rule,
    formula=lambda shapes, params: tuple(
        f"slice_of(g, {k}, {params['axis']})" for k in range(len(shapes))
    ),
    promote="common",
    variadic=True,
    batch=families.stack,
)
def stack(*xs: Any, axis: int) -> Any:
    """Join arrays of one shape along a new axis."""
    shape = xs[0].shape
    axis %= len(shape) + 1
    out = np.empty((*shape[:axis], len(xs), *shape[axis:]), xs[0].dtype)
    before: tuple[Any, ...] = (slice(None),) * axis
    for k, x in enumerate(xs):
        out[*before, k] = x
    return out


def _pad_rule(xp: Any, g: Any, y: Any, x: Any, *, widths: Any, value: Any) -> Any:
    index = tuple(
        slice(max(low, 0), g.shape[i] - max(high, 0)) for i, (low, high) in enumerate(widths)
    )
    inner = xp.getitem(g, index=index)
    cropped = tuple((max(-low, 0), max(-high, 0)) for low, high in widths)
    return xp.pad(inner, widths=cropped, value=0) if any(map(any, cropped)) else inner


@primitive(_pad_rule, formula="unpad(g, x, widths)", batch=families.pad)
def pad(x: Any, *, widths: tuple[tuple[int, int], ...], value: Any) -> Any:
    """Add a border of a constant; negative widths cut instead."""
    cut = tuple(
        slice(max(-low, 0), n - max(-high, 0))
        for n, (low, high) in zip(x.shape, widths, strict=True)
    )
    for n, (low, high) in zip(x.shape, widths, strict=True):
        if n + low + high < 0:
            raise RuntimeError(
                f"padding {(low, high)} of a dimension of size {n} leaves {n + low + high}"
            )
    grown = tuple((max(low, 0), max(high, 0)) for low, high in widths)
    return np.pad(x[cut], grown, constant_values=value)


def _split_rule(
    xp: Any, g: Any, y: Any, x: Any, *, sections: tuple[int, ...], axis: int, needs: Any
) -> list[Any]:
    shapes = []
    for size in sections:
        shape = list(x.shape)
        shape[axis] = size
        shapes.append(tuple(shape))
    zeros = [
        np.zeros(shape, x.dtype) if part is None else part
        for part, shape in zip(g, shapes, strict=True)
    ]
    return [xp.cat(*zeros, axis=axis)]


def _split_formula(shapes: Any, params: Any) -> str:
    parts = ", ".join(f"g{i}" for i in range(len(params["sections"])))
    return f"join({parts}, axis)"


@primitive(joint=_split_rule, formula=_split_formula, outputs=True, batch=families.along("axis"))
def split(x: Any, *, sections: tuple[int, ...], axis: int) -> Any:
    """Consecutive pieces of the given sizes along an axis, as views."""
    before, pieces, start = (slice(None),) * (axis % x.ndim), [], 0
    for size in sections:  # `numpy.split` takes five times as long
        pieces.append(x[*before, start : start + size])
        start += size
    return tuple(pieces)


@primitive(
    lambda xp, g, y, x, *, diagonal: xp.tril(g, diagonal=diagonal),
    formula="tril(g, diagonal)",
    batch=families.matrices,
)
def tril(x: Any, *, diagonal: int) -> Any:
    """The lower triangle; the rest is 0."""
    if x.ndim < 2:
        raise RuntimeError(f"tril: input tensor must have at least 2 dimensions, got {x.ndim}")
    return np.tril(x, diagonal)


@primitive(
    lambda xp, g, y, x, *, diagonal: xp.triu(g, diagonal=diagonal),
    formula="triu(g, diagonal)",
    batch=families.matrices,
)
def triu(x: Any, *, diagonal: int) -> Any:
    """The upper triangle; the rest is 0."""
    if x.ndim < 2:
        raise RuntimeError(f"triu: input tensor must have at least 2 dimensions, got {x.ndim}")
    return np.triu(x, diagonal)
