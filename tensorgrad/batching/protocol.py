"""NumPy's functions on the values of batched tensors, outside the graph.

Library code computes masks, orders and indices from the arrays of its arguments.  These functions
do the same for all examples; what is not listed, and every function whose result's shape depends on
the numbers, is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.batching.value import Batch, each_example, made, on_arrays, raw_physical
from tensorgrad.graph.node import hook

__all__ = ["apply"]


def apply(function: Callable[..., Any], inputs: Any) -> Any:
    """An elementwise function of arrays, of which some are Batches."""
    frame = max((b.frame for b in inputs if isinstance(b, Batch)), key=lambda f: f.level)
    next(b for b in inputs if isinstance(b, Batch)).check_alive()
    rank = max((x.ndim if isinstance(x, Batch) else np.ndim(x) for x in inputs), default=0)
    arrays, batched = [], False
    for x in inputs:
        value = x
        if isinstance(x, Batch) and x.frame is frame:
            value = raw_physical(x)
            if x.batched:
                batched = True
                value = value.reshape((value.shape[0], *(1,) * (rank - x.ndim), *x.shape))
        arrays.append(value)
    return made(frame, function(*arrays), batched)


def _ufunc(batch: Batch, ufunc: Any, method: str, inputs: Any, words: dict[str, Any]) -> Any:
    (out,) = words.pop("out", (None,))
    if method == "__call__" and not words:
        result = apply(ufunc, inputs)
        return result if out is None else _written(out, result)
    if method in ("reduce", "accumulate") and words.keys() <= {"axis", "keepdims", "initial"}:
        axis = words.pop("axis", 0)
        return _along(getattr(ufunc, method), inputs[0], axis, (), words)
    return batch.refuse(f"{ufunc.__name__}.{method}")


def _written(out: Any, result: Batch) -> Any:
    """A result asked for in ``out``: in place in an intermediate result, else a name bound anew."""
    if isinstance(out, Batch) and out.scratch:
        out.physical, out.batched, out.shape = result.physical, result.batched, result.shape
        out.dtype = result.dtype
        return out
    if isinstance(out, np.ndarray) and out.dtype == np.bool_:
        return result  # ``kept &= x >= low``
    return result.refuse("writing into an array of one example")


def _along(
    function: Callable[..., Any], x: Batch, axis: Any, rest: tuple[Any, ...], words: Any
) -> Any:
    """A function along axes of one example; None stands for all of them."""
    shift = int(x.batched)
    if axis is None:
        axes: Any = tuple(range(shift, x.ndim + shift))
    elif isinstance(axis, tuple):
        axes = tuple(a % max(x.ndim, 1) + shift for a in axis)
    else:
        axes = axis % max(x.ndim, 1) + shift
    return made(x.frame, function(raw_physical(x), *rest, axis=axes, **words), x.batched)


_REDUCTIONS = (
    np.sum,
    np.mean,
    np.amax,
    np.amin,
    np.max,
    np.min,
    np.argmax,
    np.argmin,
    np.prod,
    np.var,
)
_ORDERS = (np.argsort, np.sort)
_MATRICES = (
    np.linalg.svd,
    np.linalg.qr,
    np.linalg.eigvalsh,
    np.linalg.eigh,
    np.linalg.eigvals,
    np.linalg.det,
    np.linalg.inv,
    np.linalg.matrix_rank,
    np.linalg.matrix_norm,
)
_ELEMENTWISE = (np.where, np.isclose, np.clip, np.real, np.imag, np.iscomplex, np.nan_to_num)


def _function(batch: Batch, function: Any, args: Any, words: dict[str, Any]) -> Any:
    if function in _ELEMENTWISE and (function is not np.where or len(args) == 3):
        return apply(lambda *arrays: function(*arrays, **words), args)
    if function in (np.any, np.all):
        axis = words.pop("axis", args[1] if len(args) > 1 else None)
        if axis is None:
            return args[0].any() if function is np.any else args[0].all()
        return _along(function, args[0], axis, (), words)
    if function in _REDUCTIONS and isinstance(args[0], Batch):
        axis = words.pop("axis", args[1] if len(args) > 1 else None)
        if axis is None and function in (np.argmax, np.argmin):
            return _along(function, args[0].reshape((-1,)), 0, (), words)
        return _along(function, args[0], axis, (), words)
    if function in _ORDERS:
        axis = words.pop("axis", args[1] if len(args) > 1 else -1)
        return _along(function, args[0], axis, (), words)
    if function in (np.flip, np.moveaxis, np.swapaxes, np.expand_dims, np.take_along_axis, np.take):
        return _rearranged(function, args, words)
    if function in _MATRICES:
        return on_arrays(lambda *arrays: function(*arrays, **words), *args)
    if function is np.diagonal:
        axes = {
            name: words.get(name, k) % batch.ndim + 1 for k, name in enumerate(("axis1", "axis2"))
        }
        return on_arrays(lambda x: np.diagonal(x, words.get("offset", 0), **axes), batch)
    if function is np.searchsorted:
        return each_example(lambda *arrays: np.searchsorted(*arrays, **words), *args)
    if function is np.concatenate:
        return _joined(args[0], words.pop("axis", args[1] if len(args) > 1 else 0))
    if function is np.broadcast_to:
        shape = tuple(args[1])
        return on_arrays(
            lambda x: np.broadcast_to(
                x.reshape(len(x), *(1,) * (len(shape) - batch.ndim), *x.shape[1:]),
                (len(x), *shape),
            ),
            args[0],
        )
    if function in (np.zeros_like, np.ones_like, np.empty_like, np.full_like):
        dtype = words.pop("dtype", None) or batch.dtype
        if function is np.full_like:
            return np.full(batch.shape, args[1], dtype)
        return (np.ones if function is np.ones_like else np.zeros)(batch.shape, dtype)
    if function is np.shape:
        return batch.shape
    if function is np.ndim:
        return batch.ndim
    if function is np.size:
        return batch.size
    if function is np.iscomplexobj:
        return batch.dtype.kind == "c"
    if function is np.array_equal:
        return batch.refuse("numpy.array_equal")
    return batch.refuse(f"numpy.{function.__name__}")


def _rearranged(function: Any, args: Any, words: dict[str, Any]) -> Any:
    x = args[0]
    if function is np.take_along_axis:
        axis = words.get("axis", args[2] if len(args) > 2 else -1)
        axis = axis % x.ndim + 1
        return on_arrays(lambda a, i: np.take_along_axis(a, i, axis), x, args[1])
    if function is np.take and not isinstance(x, Batch):
        axis = words.get("axis", args[2] if len(args) > 2 else None)
        return each_example(lambda a, i: np.take(a, i, axis), x, args[1])
    if not isinstance(x, Batch):
        return next(a for a in args if isinstance(a, Batch)).refuse(f"numpy.{function.__name__}")
    shift = int(x.batched)

    def moved(axis: Any, ndim: int = 0) -> Any:
        if isinstance(axis, (tuple, list)):
            return tuple(moved(a, ndim) for a in axis)
        return axis % max(ndim or x.ndim, 1) + shift

    raw = raw_physical(x)
    if function is np.flip:
        axis = words.get("axis", args[1] if len(args) > 1 else None)
        result = np.flip(raw, tuple(range(shift, raw.ndim)) if axis is None else moved(axis))
    elif function is np.take:
        axis = words.get("axis", args[2] if len(args) > 2 else None)
        if axis is None or isinstance(args[1], Batch):
            return each_example(lambda a, i: np.take(a, i, axis), x, args[1])
        result = np.take(raw, args[1], axis=moved(axis))
    elif function is np.expand_dims:
        axis = words.get("axis", args[1] if len(args) > 1 else 0)
        result = np.expand_dims(raw, moved(axis, x.ndim + 1))
    else:
        result = function(raw, *(moved(a) for a in (*args[1:], *words.values())))
    return made(x.frame, result, x.batched)


def _joined(parts: Any, axis: int) -> Any:
    ndim = next(p.ndim for p in parts)
    return on_arrays(lambda *arrays: np.concatenate(arrays, axis=axis % ndim + 1), *parts)


hook.batch_ufunc = _ufunc
hook.batch_function = _function
