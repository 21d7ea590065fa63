"""The functions that formulas of gradients may call: definitions in plain NumPy, and notations.

They are written from the mathematics, with loops where those are clearest, and share nothing with
`tensorgrad.ops`: a formula that agrees with a rule says something only if the two were written
apart.  They are part of the package, not of the tests, because a formula must also be read where
it is used: the parser refuses names that are not here, the renderers take their notation from
here, and whoever explains a wrong gradient evaluates the right one with a term left out.

Arguments by position are what a reader should see; what a definition takes by keyword alone
(strides, paddings) comes from the primitive's parameters by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["FUNCTIONS", "Word", "word"]

Array = Any
FUNCTIONS: dict[str, Word] = {}


class Word(NamedTuple):
    """A function of formulas.

    ``parameters``: the keyword-only arguments, filled from the primitive's parameters.
    ``text``: how a call looks as plain text, with {0}, {1}, ... for the arguments ({0:a}: in
    parentheses unless it is a single symbol); None for ``name(arguments)``.
    """

    define: Callable[..., Array]
    parameters: tuple[str, ...]
    text: str | None


def word(text: str | None = None) -> Callable[[Callable[..., Array]], Callable[..., Array]]:
    def declare(define: Callable[..., Array]) -> Callable[..., Array]:
        kinds = inspect.signature(define).parameters.values()
        extra = tuple(p.name for p in kinds if p.kind == p.KEYWORD_ONLY)
        FUNCTIONS[define.__name__.rstrip("_")] = Word(define, extra, text)
        return define

    return declare


for _name, _define, _text in (
    ("exp", np.exp, None),
    ("log", np.log, "log {0:a}"),
    ("sqrt", np.sqrt, "√{0:a}"),
    ("sin", np.sin, "sin {0:a}"),
    ("cos", np.cos, "cos {0:a}"),
    ("sign", np.sign, None),
    ("floor", np.floor, "⌊{0}⌋"),
    ("abs", np.abs, "|{0}|"),
    ("conj", np.conjugate, "{0:a}*"),
):
    FUNCTIONS[_name] = Word(_define, (), _text)


# --- Reductions: the reduced axes are kept with length 1, so that results broadcast back ----------


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple(a % ndim for a in axes) if ndim else ()


@word("Σ {0:a}")
def sum_(a: Array, axis: Any) -> Array:
    return np.sum(a, axis=_axes(axis, a.ndim), keepdims=True)


@word("mean({0})")
def mean(a: Array, axis: Any) -> Array:
    return np.mean(a, axis=_axes(axis, a.ndim), keepdims=True)


@word("n")
def count(x: Array, axis: Any) -> float:
    """How many elements go into each result."""
    return float(np.prod([x.shape[i] for i in _axes(axis, x.ndim)]))


@word("spread({0})")
def spread(g: Array, x: Array, axis: Any) -> Array:
    """A reduced array repeated along the axes over which x was reduced."""
    axes = _axes(axis, x.ndim)
    kept = [1 if i in axes else n for i, n in enumerate(x.shape)]
    return np.broadcast_to(np.reshape(g, kept), x.shape)


@word("Π_others {0:a}")
def others(x: Array, axis: Any) -> Array:
    """For each element the product of the others along the reduced axes."""
    axes = _axes(axis, x.ndim)
    out = np.ones_like(x)
    for place in np.ndindex(x.shape):
        line = tuple(slice(None) if i in axes else place[i] for i in range(x.ndim))
        rest = x.copy()
        rest[place] = 1
        out[place] = np.prod(rest[line])
    return out


@word("cumsum({0})")
def cumsum(a: Array, axis: int) -> Array:
    return np.cumsum(a, axis=axis) if a.ndim else a


@word("softmax({0})")
def softmax(x: Array, axis: int) -> Array:
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


# --- Shape ----------------------------------------------------------------------------------------


@word("reshape({0})")
def reshape_like(g: Array, x: Array) -> Array:
    return np.reshape(g, x.shape)


@word("permute⁻¹({0})")
def permute_back(g: Array, axes: tuple[int, ...]) -> Array:
    """Axis i of the result is the axis of g that came from axis i."""
    return np.transpose(g, [axes.index(i) for i in range(len(axes))])


@word("flip({0})")
def flip(g: Array, axes: Any) -> Array:
    return np.flip(g, axes) if g.ndim else g


@word("{0:a}[{1}:{2}]")
def part(g: Array, start: int, stop: int, axis: int) -> Array:
    """The slices from start to before stop along an axis."""
    return np.take(g, range(start, stop), axis=axis)


@word("{0:a}[{1}]")
def slice_of(g: Array, k: int, axis: int) -> Array:
    """The slice at k along an axis, without that axis."""
    return np.take(g, k, axis=axis)


def _join(*arguments: Any) -> Array:
    *parts, axis = arguments
    return np.concatenate(parts, axis=axis)


FUNCTIONS["join"] = Word(_join, (), None)


@word("unpad({0})")
def unpad(g: Array, x: Array, widths: tuple[tuple[int, int], ...]) -> Array:
    """What each element of x contributed to: zero for those that negative widths cut off."""
    out = np.zeros(x.shape, g.dtype)
    for place in np.ndindex(x.shape):
        target = tuple(p + low for p, (low, _) in zip(place, widths, strict=True))
        if all(0 <= t < n for t, n in zip(target, g.shape, strict=True)):
            out[place] = g[target]
    return out


@word()
def tril(a: Array, diagonal: int) -> Array:
    rows, columns = np.indices(a.shape[-2:])
    return a * (columns - rows <= diagonal)


@word()
def triu(a: Array, diagonal: int) -> Array:
    rows, columns = np.indices(a.shape[-2:])
    return a * (columns - rows >= diagonal)


# --- Matrix products ------------------------------------------------------------------------------


@word("{0:a} ⊗ {1:a}")
def outer(a: Array, b: Array) -> Array:
    """Every product of an element of a's and one of b's last axis."""
    return np.einsum("...i,...j->...ij", a, b)


@word("{0:a} {1:a}")
def matvec(m: Array, v: Array) -> Array:
    """Matrices times vectors, one of each per place of the batch."""
    return np.einsum("...ij,...j->...i", m, v)


@word("{0:a}")
def rows(a: Array) -> Array:
    """All leading axes as one."""
    return np.reshape(a, (-1, a.shape[-1]))


# --- Indexing -------------------------------------------------------------------------------------


def _places(shape: tuple[int, ...], index: Any) -> Array:
    """The flat position of every element that an index picks."""
    return np.arange(int(np.prod(shape))).reshape(shape)[index]


@word("put({0}, {2})")
def put(g: Array, x: Array, index: Any) -> Array:
    """Zeros like x, with g added at an index: twice where the index names a place twice."""
    out = np.zeros(int(np.prod(x.shape)), g.dtype)
    for place, value in zip(_places(x.shape, index).ravel(), np.ravel(g), strict=True):
        out[place] += value
    return out.reshape(x.shape)


@word("{0:a} outside [{1}]")
def blank(g: Array, index: Any) -> Array:
    """g with zeros at an index."""
    out = g.copy()
    out[index] = 0
    return out


@word("last write of [{0}]")
def last(index: Any, x: Array) -> Array:
    """1 for each element that an index picks, unless a later one is written to the same place."""
    places = _places(x.shape, index)
    flat = places.ravel().tolist()
    kept = [place not in flat[i + 1 :] for i, place in enumerate(flat)]
    return np.reshape(kept, places.shape)


@word("gather({0}, {1})")
def gather(a: Array, index: Array, axis: int) -> Array:
    out = np.zeros(index.shape, a.dtype)
    for place in np.ndindex(index.shape):
        source = list(place)
        if place:
            source[axis] = int(index[place])
        out[place] = a[tuple(source)]
    return out


@word("scatter({0}, {2})")
def scatter(g: Array, x: Array, index: Array, axis: int) -> Array:
    """Zeros like x, with g added at the places that gather reads."""
    out = np.zeros(x.shape, g.dtype)
    for place in np.ndindex(index.shape):
        target = list(place)
        if place:
            target[axis] = int(index[place])
        out[tuple(target)] += g[place]
    return out


@word("{0:a}[{1}]")
def take(a: Array, index: Array, axis: int) -> Array:
    return np.take(a, index, axis=axis)


@word("put({0}, {2})")
def put_slices(g: Array, x: Array, index: Array, axis: int) -> Array:
    """Zeros like x, with g's slices added at positions along an axis."""
    out = np.zeros(x.shape, g.dtype)
    for place in np.ndindex(index.shape):
        lead = (slice(None),) * (axis % x.ndim)
        out[(*lead, int(index[place]))] += g[(*lead, *place)]
    return out


# --- Losses and normalisation ---------------------------------------------------------------------


@word("onehot({0})")
def onehot(target: Array, x: Array) -> Array:
    return (np.arange(x.shape[1]) == np.asarray(target)[:, None]).astype(x.dtype)


@word("{0}")
def column(v: Array) -> Array:
    return np.reshape(v, (-1, 1))


@word("{0}")
def channels(v: Array, x: Array) -> Array:
    """A vector over channels, to be multiplied with x (N, C, ...)."""
    return np.reshape(v, (1, -1) + (1,) * (x.ndim - 2))


@word("Σ {0:a}")
def sum_channels(a: Array) -> Array:
    """The sum of each channel, (C,)."""
    return np.array([a[:, c].sum() for c in range(a.shape[1])])


@word("mean({0})")
def mean_channels(a: Array) -> Array:
    """The mean of each channel, shaped to broadcast over (N, C, ...)."""
    return channels(np.array([a[:, c].mean() for c in range(a.shape[1])]), a)


@word("σ")
def deviation(x: Array, eps: float) -> Array:
    """sqrt(variance + eps) of each channel."""
    return np.sqrt(mean_channels((x - mean_channels(x)) ** 2) + eps)


@word("{0:a}̂")
def normal(x: Array, eps: float) -> Array:
    """x with mean 0 and (but for eps) variance 1 in each channel."""
    return (x - mean_channels(x)) / deviation(x, eps)
