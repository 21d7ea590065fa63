"""How each function of the formulas is written: as a sum, a fence, a hat, or by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.expression import Expr, Num, Symbol
from tensorgrad.viz.derivation.parts import Read, Shape, index_letters, index_of
from tensorgrad.viz.derivation.printing import Text

if TYPE_CHECKING:
    from tensorgrad.viz.derivation.reading import Reader

__all__ = ["call", "total_over"]

_SAME = {  # the result has the first argument's shape
    "exp", "log", "sin", "cos", "sign", "conj", "cumsum", "softmax", "tril", "triu", "flip", "tanh",
    "cosh", "sinh", "erf", "trunc", "isfinite", "real", "sigmoid", "log_softmax", "relu", "tan",
    "gelu", "asin", "acos", "atan", "asinh", "acosh", "atanh", "inv", "main",
}  # fmt: skip
_NAMED = {
    "others": "product of the others",
    "conv_input": "convᵀ",
    "to_winners": "to the winners",
    "polygamma": "ψ",
    "gamma": "Γ",
    "zeta": "ζ",
    "symmetric": "sym",
    "cofactors": "cof",
    "main": "diag",
    "window_spread": "spread over windows",
    "window_sum": "sum over windows",
}
_SILENT = {"column", "lift", "as_row", "as_column", "pairs_as_complex", "complex_as_pairs"}
# Arguments that say only which shape is wanted, or how: a reader has no use for them.
_SHOWN = {
    "softmax": 1, "log_softmax": 1, "cumsum": 1, "flip": 1, "others": 1, "onehot": 1, "unpad": 1,
    "conv_input": 2, "conv_weight": 2, "to_winners": 1, "window_spread": 1, "window_sum": 1,
    "to_taps": 1, "put_won": 1, "take_won": 1, "reshape_like": 1, "tril": 1, "triu": 1,
    "on_diagonal": 1, "diagonal": 1, "columns_to_windows": 1, "windows_to_columns": 1,
    "transform": 1, "transform_of_half": 1, "spectrum_doubled": 1, "passing": 2, "max_pool": 1,
    "permute": 1, "permute_back": 1, "reshape": 1, "split": 1,
}  # fmt: skip


# Of 0 they give 0: what an output gives of which no gradient comes is not written.
_LINEAR = {"skew", "sym", "symmetric", "off_diagonal", "main", "tril", "triu", "conj"}


def call(reader: Reader, name: str, arguments: list[Read]) -> Read:
    """A call of a formula's function as an expression."""
    if name in _LINEAR and ex.is_zero(arguments[0].expr):
        return arguments[0]
    special = _SPECIAL.get(name)
    if special is not None:
        found: Read | None = special(reader, *arguments)
        if found is not None:
            return found
    if name in _SILENT:
        first = _even(reader, arguments[0])
        column = name == "column" and first.shape != ()
        return Read(first.expr, _column(first.shape) if column else first.shape)
    shown = arguments[: _SHOWN.get(name, len(arguments))]
    made = ex.Call(_NAMED.get(name, name), tuple(a.expr for a in shown))
    return Read(made, arguments[0].shape if name in _SAME and arguments else None)


def _even(reader: Reader, x: Read) -> Read:
    """A vector of equal numbers as that number: the weights 1/N of a mean are 1/N."""
    array = x.value
    if not isinstance(array, np.ndarray) or array.ndim != 1 or not array.size:
        return x
    if not np.all(array == array[0]) or array.dtype.kind != "f":
        return x
    if array[0] == 1:
        return Read(ex.ONE, ())
    if np.isclose(array[0] * array.size, 1, rtol=1e-6, atol=0):
        return Read(ex.over(ex.ONE, reader.counts.symbol(array.size)), ())
    return Read(Num(float(array[0])), ())


def _column(shape: Shape) -> Shape:
    return None if shape is None else (int(np.prod(shape, dtype=np.int64)), 1)


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple(int(a) % ndim for a in axes) if ndim else ()


def total_over(body: Expr, shape: Shape, axes: tuple[int, ...], *, mean: bool = False) -> Expr:
    """The sum (or mean) of a body over some of its axes; those of length 1 need none."""
    if shape is None:
        return ex.Total((), body, mean)
    axes = tuple(a for a in axes if shape[a] != 1)
    if not axes:
        return body
    if len(axes) == len(shape) and len(shape) > 1:
        return ex.Total((), body, mean)
    letters = index_letters(len(shape))
    return ex.Total(tuple(letters[a] for a in axes), body, mean)


def _sum(reader: Reader, a: Read, axis: Read | None = None, *, mean: bool = False) -> Read:
    if a.shape is None:
        return Read(ex.Total((), a.expr, mean), None)
    axes = _axes(None if axis is None else _value(axis), len(a.shape))
    kept = tuple(1 if i in axes else n for i, n in enumerate(a.shape))
    return Read(total_over(a.expr, a.shape, axes, mean=mean), kept)


def _value(x: Read) -> Any:
    return int(x.expr.value.real) if isinstance(x.expr, Num) and x.value is None else x.value


def _mean(reader: Reader, a: Read, axis: Read) -> Read:
    return _sum(reader, a, axis, mean=True)


def _count(reader: Reader, x: Read, axis: Read) -> Read | None:
    if x.shape is None:
        return None
    n = int(np.prod([x.shape[i] for i in _axes(_value(axis), len(x.shape))], dtype=np.int64))
    return Read(reader.counts.symbol(n), ())


def _spread(reader: Reader, g: Read, x: Read, axis: Read) -> Read:
    if x.shape is None or g.scalar or isinstance(g.expr, Num):
        return Read(g.expr, () if g.scalar else x.shape)
    axes = _axes(_value(axis), len(x.shape))
    letters = index_letters(len(x.shape))
    kept = tuple(Symbol(letters[i]) for i in range(len(x.shape)) if i not in axes)
    return Read(ex.At(g.expr, kept) if kept else g.expr, x.shape)


def _reshape(reader: Reader, g: Read, x: Read) -> Read:
    if g.scalar or (g.shape is not None and g.shape == x.shape):
        return Read(g.expr, x.shape)
    return Read(ex.Call("reshape", (g.expr,)), x.shape)


def _permute_back(reader: Reader, g: Read, axes: Read) -> Read | None:
    order = axes.value
    n = len(order) if isinstance(order, tuple) else 0
    if n < 2 or order != (*range(n - 2), n - 1, n - 2) or g.shape is None:
        return None
    return Read(ex.transposed(g.expr), (*g.shape[:-2], g.shape[-1], g.shape[-2]))


def _outer(reader: Reader, a: Read, b: Read) -> Read:
    shape = None if a.shape is None or b.shape is None else (*a.shape, *b.shape[-1:])
    return Read(ex.times("mat", ex.transposed(a.expr), b.expr), shape)


def _matvec(reader: Reader, m: Read, v: Read) -> Read:
    shape = None if m.shape is None else m.shape[:-1]
    return Read(ex.times("mat", v.expr, ex.transposed(m.expr)), shape)


def _rows(reader: Reader, a: Read) -> Read:
    if a.shape is None:
        return a
    n = int(np.prod(a.shape[:-1], dtype=np.int64))
    return Read(a.expr, (n, a.shape[-1]))


def _put(reader: Reader, g: Read, x: Read, index: Read, *axis: Read) -> Read:
    place = ex.At(Symbol("0"), index_of(index), True)
    return Read(ex.Call("put", (g.expr, ex.Words(_text(place)))), x.shape)


def _text(x: Expr) -> str:
    return Text().show(x).removeprefix("0")


def _part(reader: Reader, g: Read, start: Read, stop: Read, axis: Read) -> Read:
    ends = f"{_text(start.expr)}:{_text(stop.expr)}"
    return Read(ex.At(g.expr, (ex.Words(ends),), True), None)


def _join(reader: Reader, *arguments: Read) -> Read:
    return Read(ex.Call("join", tuple(a.expr for a in arguments[:-1])), None)


def _channels(reader: Reader, v: Read, x: Read) -> Read:
    shape = None if x.shape is None else (1, x.shape[1], *(1,) * (len(x.shape) - 2))
    return Read(v.expr, shape)


def _over_batch(shape: Shape) -> tuple[int, ...]:
    return () if shape is None else (0, *range(2, len(shape)))


def _sum_channels(reader: Reader, a: Read) -> Read:
    shape = None if a.shape is None else (a.shape[1],)
    return Read(total_over(a.expr, a.shape, _over_batch(a.shape)), shape)


def _mean_channels(reader: Reader, a: Read) -> Read:
    kept = None if a.shape is None else (1, a.shape[1], *(1,) * (len(a.shape) - 2))
    return Read(total_over(a.expr, a.shape, _over_batch(a.shape), mean=True), kept)


def _mean_last(reader: Reader, a: Read, axes: Read) -> Read:
    if a.shape is None:
        return Read(ex.Total((), a.expr, True), None)
    few = int(_value(axes))
    last = tuple(range(len(a.shape) - few, len(a.shape)))
    kept = (*a.shape[: len(a.shape) - few], *(1,) * few)
    return Read(total_over(a.expr, a.shape, last, mean=True), kept)


def _normal(reader: Reader, x: Read, *rest: Read) -> Read:
    if isinstance(x.expr, Symbol):
        return Read(Symbol(x.expr.name, x.expr.ndim, "hat"), x.shape)
    return Read(ex.Call("normalized", (x.expr,)), x.shape)


def _deviation(reader: Reader, x: Read, *rest: Read) -> Read:
    if isinstance(x.expr, Symbol):
        return Read(ex.At(Symbol("σ"), (x.expr,)), None)
    return Read(Symbol("σ"), None)


def _root_mean(reader: Reader, x: Read, *rest: Read) -> Read:
    return Read(ex.Call("rms", (x.expr,)), None)


def _fence(left: str, right: str) -> Callable[..., Read]:
    return lambda reader, x: Read(ex.Fence(left, x.expr, right), x.shape)


def _pick(reader: Reader, a: Read, index: Read, *rest: Read) -> Read:
    return Read(ex.At(a.expr, (index.expr,), True), None)


def _onehot(reader: Reader, target: Read, x: Read) -> Read:
    return Read(ex.Call("onehot", (target.expr,)), x.shape)


def _conv(reader: Reader, x: Read, w: Read, *like: Read) -> Read:
    return Read(ex.Times((x.expr, w.expr), "conv"), None)


def _inverse(reader: Reader, a: Read) -> Read:
    return Read(ex.Power(a.expr, Num(-1)), a.shape)


def _attention_weights(reader: Reader, q: Read, k: Read, *bias: Read) -> Read:
    scores = ex.times("mat", q.expr, ex.transposed(k.expr))
    scale = reader.names.get("scale")
    if scale is not None:
        scores = ex.times("num", scale.expr, scores)
    for term in bias:
        scores = ex.plus(scores, term.expr)
    return Read(ex.Call("softmax", (scores,)), None)


def _same(reader: Reader, a: Read, *rest: Read) -> Read:
    return a


_SPECIAL: dict[str, Callable[..., Any]] = {
    "sum": _sum,
    "mean": _mean,
    "count": _count,
    "spread": _spread,
    "reshape_like": _reshape,
    "permute_back": _permute_back,
    "outer": _outer,
    "matvec": _matvec,
    "rows": _rows,
    "put": _put,
    "put_slices": _put,
    "part": _part,
    "join": _join,
    "channels": _channels,
    "sum_channels": _sum_channels,
    "mean_channels": _mean_channels,
    "mean_last": _mean_last,
    "normal": _normal,
    "standard": _normal,
    "deviation": _deviation,
    "spread_last": _deviation,
    "root_mean": _root_mean,
    "sqrt": _fence("√", ""),
    "abs": _fence("|", "|"),
    "floor": _fence("⌊", "⌋"),
    "gather": _pick,
    "take": _pick,
    "onehot": _onehot,
    "conv": _conv,
    "conv_weight": _conv,
    "inv": _inverse,
    "attention_weights": _attention_weights,
    "dropped": _same,
    "pi": lambda reader: Read(Symbol("π"), ()),
}
