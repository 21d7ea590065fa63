"""Batching rules by family: most primitives only need their axes counted one further.

Each is a function of a `Call` (see `tensorgrad.batching.dispatch`) and returns the primitive's
output for all examples, with the examples along the first axis.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching.dispatch import Call, Rule
from tensorgrad.batching.value import Batch

__all__ = [
    "along",
    "cat",
    "einsum",
    "elementwise",
    "embedded",
    "index_of_extreme",
    "leading",
    "matrices",
    "pad",
    "permute",
    "reduction",
    "shaped",
    "stack",
]


def further(axis: Any, ndim: int) -> Any:
    """An axis (or several) of one example, counted in the array of all of them."""
    if isinstance(axis, tuple):
        return tuple(further(a, ndim) for a in axis)
    if not -max(ndim, 1) <= axis < max(ndim, 1):
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-max(ndim, 1)}, "
            f"{max(ndim, 1) - 1}], but got {axis})"
        )
    return axis % max(ndim, 1) + 1


def elementwise(call: Call) -> Any:
    """Every element by itself: arguments and array parameters (masks) are aligned from the right,
    after the axis of the examples.
    """
    ranks = [call.ndim(i) for i in range(len(call.args))]
    ranks += [v.ndim for v in call.params.values() if isinstance(v, (np.ndarray, Batch))]
    rank = max(ranks)
    args = [call.padded(i, rank) for i in range(len(call.args))]
    params = {}
    for name, value in call.params.items():
        array, flag = call.param(name)
        if flag:
            array = array.reshape((call.size, *(1,) * (rank - value.ndim), *value.shape))
        params[name] = array
    return call.run(*args, **params)


def reduction(call: Call) -> Any:
    """``axis`` None, an int or a tuple: all of an example's axes, or those counted further."""
    axis, ndim = call.params["axis"], call.ndim(0)
    axes = tuple(range(1, ndim + 1)) if axis is None else further(axis, ndim)
    if ndim == 0:
        if axis not in (None, (), 0, -1, (0,), (-1,)):
            further(axis, 0)
        axes = ()
    return call.run(call.args[0], **{**call.params, "axis": axes})


def index_of_extreme(call: Call) -> Any:
    """argmax and argmin: an index along one axis, or into the flattened example."""
    axis, ndim, x = call.params["axis"], call.ndim(0), call.args[0]
    shape = call.shape(0)
    if axis is None or ndim == 0:
        flat = call.xp.reshape(x, shape=(call.size, int(np.prod(shape, dtype=np.int64))))
        out = call.run(flat, axis=1, keepdims=False)
        kept = (1,) * ndim if call.params["keepdims"] else ()
        return call.xp.reshape(out, shape=(call.size, *kept))
    return call.run(x, **{**call.params, "axis": further(axis, ndim)})


def along(*names: str, scalar: bool = False) -> Rule:
    """Parameters that count axes (an int or a tuple) are counted further.

    scalar: the primitive takes 0-d arrays; then an axis of length 1 is put in and taken out.
    """

    def rule(call: Call) -> Any:
        x, ndim = call.args[0], call.ndim(0)
        if ndim == 0 and scalar:
            column = call.xp.reshape(x, shape=(call.size, 1))
            words = dict.fromkeys(names, 1)
            out = call.run(column, **{**call.params, **words})
            return call.xp.reshape(out, shape=(call.size,))
        words = {n: further(call.params[n], ndim) for n in names}
        return call.run(x, **{**call.params, **words})

    return rule


def leading(call: Call) -> Any:
    """The primitive does not mind one more axis in front."""
    params = {name: call.param(name)[0] for name in call.params}
    return call.run(*(call.lead(i) for i in range(len(call.args))), **params)


def matrices(call: Call) -> Any:
    """The last two axes are matrices; what is before them is a batch, which now is one longer."""
    ranks = [call.ndim(i) for i in range(len(call.args)) if call.args[i] is not None]
    if min(ranks) < 2:
        raise RuntimeError(
            f"{call.op.name}: the input tensor must have at least 2 dimensions, got {min(ranks)}"
        )
    rank = max(ranks)
    if len(set(ranks)) == 1 and all(call.flags):
        return call.run(*call.args, **call.params)
    return call.run(*(call.padded(i, rank) for i in range(len(call.args))), **call.params)


# --- Shape ----------------------------------------------------------------------------------------


def shaped(call: Call) -> Any:
    """``shape`` is of one example: reshape, broadcast_to."""
    shape = tuple(call.params["shape"])
    x = call.args[0]
    if call.op.name == "broadcast_to":
        x = call.padded(0, len(shape))
    return call.run(x, **{**call.params, "shape": (call.size, *shape)})


def embedded(call: Call) -> Any:
    """A diagonal written into zeros of one example's ``shape``."""
    shape = tuple(call.params["shape"])
    axes = {name: further(call.params[name], len(shape)) for name in ("axis1", "axis2")}
    return call.run(call.args[0], **{**call.params, **axes, "shape": (call.size, *shape)})


def permute(call: Call) -> Any:
    """The axis of the examples stays in front."""
    return call.run(call.args[0], axes=(0, *further(tuple(call.params["axes"]), call.ndim(0))))


def pad(call: Call) -> Any:
    """The axis of the examples is not padded."""
    return call.run(call.args[0], **{**call.params, "widths": ((0, 0), *call.params["widths"])})


def cat(call: Call) -> Any:
    """What all examples share is repeated."""
    parts = [call.lead(i) for i in range(len(call.args))]
    ndim = max(call.ndim(i) for i in range(len(call.args)))
    return call.run(*parts, axis=further(call.params["axis"], ndim))


def stack(call: Call) -> Any:
    """As `cat`, along an axis that the examples have not."""
    parts = [call.lead(i) for i in range(len(call.args))]
    return call.run(*parts, axis=further(call.params["axis"], call.ndim(0) + 1))


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def einsum(call: Call) -> Any:
    """One more label, in the operands that have examples and in the output."""
    equation = call.params["equation"]
    inputs, output = equation.split("->")
    label = next(
        (c for c in _LETTERS if c not in equation), chr(max(map(ord, equation), default=0xC0) + 1)
    )
    terms = [
        label + term if flag else term
        for term, flag in zip(inputs.split(","), call.flags, strict=True)
    ]
    return call.run(*call.args, equation=f"{','.join(terms)}->{label}{output}")
