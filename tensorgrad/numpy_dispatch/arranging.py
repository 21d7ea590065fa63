"""Shape, joining, splitting, indexing, sorting, with NumPy's arguments."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tensorgrad.functions import diagonals, joining, rearranging
from tensorgrad.functions import shape as shapes
from tensorgrad.graph.node import wrap
from tensorgrad.numpy_dispatch.table import (
    cast,
    flat,
    implements,
    no_others,
    tensor_of,
    tensors_of,
    tuple_of,
)
from tensorgrad.ops import elementwise as ops
from tensorgrad.ops import shape as shape_ops

__all__: list[str] = []


@implements("reshape")
def _reshape(a: Any, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Any:
    if order != "C":
        raise TypeError(f"np.reshape: order={order!r} is not supported for a Tensor, only 'C'")
    x: Any = tensor_of(a)
    if copy is False:
        return x.view(*tuple_of(shape))
    found = shapes.reshape(x, tuple_of(shape))
    return ops.clone(found) if copy else found


@implements("ravel")
def _ravel(a: Any, order: str = "C") -> Any:
    return _reshape(a, (-1,), order)


@implements("transpose", "permute_dims")
def _transpose(a: Any, axes: Any = None) -> Any:
    x: Any = tensor_of(a)
    return shapes.permute(x, tuple(reversed(range(x.ndim))) if axes is None else tuple_of(axes))


@implements("matrix_transpose")
def _matrix_transpose(x: Any, /) -> Any:
    return shapes.transpose(tensor_of(x), -2, -1)


@implements("swapaxes")
def _swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    return shapes.transpose(tensor_of(a), axis1, axis2)


@implements("moveaxis")
def _moveaxis(a: Any, source: Any, destination: Any) -> Any:
    return shapes.movedim(tensor_of(a), source, destination)


@implements("rollaxis")
def _rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    x: Any = tensor_of(a)
    axis, start = axis % x.ndim, start + x.ndim if start < 0 else start
    return shapes.movedim(x, axis, start - 1 if axis < start else start)


@implements("squeeze")
def _squeeze(a: Any, axis: Any = None) -> Any:
    x: Any = tensor_of(a)
    if axis is not None and any(x.shape[i] != 1 for i in tuple_of(axis)):
        raise ValueError(
            f"np.squeeze: axis {axis} of shape {tuple(x.shape)} is not of length 1; leave it out"
        )
    return shapes.squeeze(x, None if axis is None else tuple_of(axis))


@implements("expand_dims")
def _expand_dims(a: Any, axis: Any) -> Any:
    x: Any = tensor_of(a)
    places = tuple_of(axis)
    whole = x.ndim + len(places)
    for place in sorted(p % whole if -whole <= p < whole else p for p in places):
        x = shapes.unsqueeze(x, place)
    return x


@implements("broadcast_to")
def _broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    return shapes.expand(tensor_of(array), *tuple_of(shape))


@implements("broadcast_arrays")
def _broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    return shapes.broadcast_tensors(*map(tensor_of, args))


def _typed(name: str, arrays: Any, words: dict[str, Any]) -> list[Any]:
    dtype = words.pop("dtype", None)
    if words.get("casting") == "same_kind":
        del words["casting"]
    no_others(name, words)
    return [cast(x, dtype) for x in tensors_of(arrays)]


@implements("concatenate")
def _concatenate(arrays: Any, /, axis: int | None = 0, out: Any = None, **words: Any) -> Any:
    parts = _typed("concatenate", arrays, {"out": out, **words})
    if axis is None:
        return joining.cat([x.reshape(-1) for x in parts], 0)
    return joining.cat(parts, axis)


@implements("stack")
def _stack(arrays: Any, axis: int = 0, out: Any = None, **words: Any) -> Any:
    return joining.stack(_typed("stack", arrays, {"out": out, **words}), axis)


@implements("vstack")
def _vstack(tup: Any, **words: Any) -> Any:
    return joining.vstack(_typed("vstack", tup, words))


@implements("hstack")
def _hstack(tup: Any, **words: Any) -> Any:
    return joining.hstack(_typed("hstack", tup, words))


@implements("dstack")
def _dstack(tup: Any) -> Any:
    return rearranging.dstack(tensors_of(tup))


@implements("column_stack")
def _column_stack(tup: Any) -> Any:
    return rearranging.column_stack(tensors_of(tup))


@implements("block")
def _block(arrays: Any) -> Any:
    def depth(value: Any) -> int:
        return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0

    def leaves(value: Any) -> list[Any]:
        return [x for v in value for x in leaves(v)] if isinstance(value, list) else [value]

    levels = depth(arrays)
    rank = max(levels, *(tensor_of(x).ndim for x in leaves(arrays)))

    def joined(value: Any, level: int) -> Any:
        if isinstance(value, list):
            return _concatenate([joined(v, level - 1) for v in value], axis=-level)
        x: Any = tensor_of(value)
        return x.reshape(*(1,) * (rank - x.ndim), *x.shape)

    return joined(arrays, levels)


@implements("append")
def _append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return _concatenate((arr, values), axis=axis)


@implements("unstack")
def _unstack(x: Any, /, *, axis: int = 0) -> Any:
    return joining.unbind(tensor_of(x), axis)


@implements("array_split")
def _array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    return list(rearranging.tensor_split(tensor_of(ary), indices_or_sections, axis))


@implements("split")
def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    x: Any = tensor_of(ary)
    if isinstance(indices_or_sections, int) and x.shape[axis] % indices_or_sections:
        raise ValueError(
            f"np.split: {x.shape[axis]} elements along axis {axis} do not split into "
            f"{indices_or_sections} equal parts; np.array_split makes unequal ones"
        )
    return _array_split(x, indices_or_sections, axis)


@implements("hsplit")
def _hsplit(ary: Any, indices_or_sections: Any) -> Any:
    x: Any = tensor_of(ary)
    return _split(x, indices_or_sections, 1 if x.ndim > 1 else 0)


@implements("vsplit")
def _vsplit(ary: Any, indices_or_sections: Any) -> Any:
    return _split(ary, indices_or_sections, 0)


@implements("dsplit")
def _dsplit(ary: Any, indices_or_sections: Any) -> Any:
    return _split(ary, indices_or_sections, 2)


@implements("tile")
def _tile(A: Any, reps: Any) -> Any:
    return joining.tile(tensor_of(A), tuple_of(reps))


@implements("repeat")
def _repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    counts = np.asarray(getattr(repeats, "_array", repeats), np.int64)
    return rearranging.repeat_interleave(
        tensor_of(a), wrap(counts.reshape(-1) if counts.ndim else counts), axis
    )


@implements("flip")
def _flip(m: Any, axis: Any = None) -> Any:
    x: Any = tensor_of(m)
    return shapes.flip(x, tuple(range(x.ndim)) if axis is None else tuple_of(axis))


@implements("fliplr")
def _fliplr(m: Any) -> Any:
    return rearranging.fliplr(tensor_of(m))


@implements("flipud")
def _flipud(m: Any) -> Any:
    return rearranging.flipud(tensor_of(m))


@implements("rot90")
def _rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    return rearranging.rot90(tensor_of(m), k, axes)


@implements("roll")
def _roll(a: Any, shift: Any, axis: Any = None) -> Any:
    x: Any = tensor_of(a)
    if axis is None:
        return rearranging.roll(x, operator.index(shift))
    places, steps = tuple_of(axis), tuple_of(shift)
    count = max(len(places), len(steps))
    if len(places) < count:
        places = places * count
    for step, place in zip(steps if len(steps) == count else steps * count, places, strict=True):
        x = rearranging.roll(x, step, place)
    return x


@implements("atleast_1d")
def _atleast_1d(*arys: Any) -> Any:
    return rearranging.atleast_1d(*map(tensor_of, arys))


@implements("atleast_2d")
def _atleast_2d(*arys: Any) -> Any:
    return rearranging.atleast_2d(*map(tensor_of, arys))


@implements("atleast_3d")
def _atleast_3d(*arys: Any) -> Any:
    return rearranging.atleast_3d(*map(tensor_of, arys))


@implements("tril")
def _tril(m: Any, k: int = 0) -> Any:
    return shapes.tril(tensor_of(m), k)


@implements("triu")
def _triu(m: Any, k: int = 0) -> Any:
    return shapes.triu(tensor_of(m), k)


@implements("diag")
def _diag(v: Any, k: int = 0) -> Any:
    return diagonals.diag(tensor_of(v), k)


@implements("diagflat")
def _diagflat(v: Any, k: int = 0) -> Any:
    return diagonals.diagflat(tensor_of(v), k)


@implements("diagonal")
def _diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return diagonals.diagonal(tensor_of(a), offset, axis1, axis2)


@implements("meshgrid")
def _meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    if sparse:
        raise TypeError("np.meshgrid: sparse=True is not supported for a Tensor; use reshape")
    grids = rearranging.meshgrid(*(tensor_of(x).reshape(-1) for x in xi), indexing=indexing)
    return tuple(ops.clone(g) for g in grids) if copy else grids


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    if isinstance(pad_width, dict):
        pairs = {k % ndim: (v, v) if isinstance(v, int) else tuple(v) for k, v in pad_width.items()}
        return [pairs.get(i, (0, 0)) for i in range(ndim)]
    return [(int(low), int(high)) for low, high in np.broadcast_to(pad_width, (ndim, 2))]


@implements("pad")
def _pad(array: Any, pad_width: Any, mode: Any = "constant", **words: Any) -> Any:
    x: Any = tensor_of(array)
    widths = _widths(pad_width, x.ndim)
    if mode == "constant":
        value = words.pop("constant_values", 0)
        no_others("pad", words)
        if not isinstance(value, (int, float, complex)):
            raise TypeError(f"np.pad: constant_values must be one number for a Tensor: {value!r}")
        return shape_ops.pad(x, widths=tuple(widths), value=value)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise TypeError(f"np.pad: mode={mode!r} is not supported for a Tensor; pad the array")
    no_others("pad", words)
    from tensorgrad.ops import indexing

    for axis, (low, high) in enumerate(widths):
        if low or high:  # which elements the border repeats is what NumPy does to their numbers
            places = np.pad(np.arange(x.shape[axis]), (low, high), mode)
            x = indexing.take_rows(x, index=places, axis=axis)
    return x


@implements("copy")
def _copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    return ops.clone(tensor_of(a))


@implements("astype")
def _astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    return tensor_of(x).to(dtype, copy=copy)


@implements("resize")
def _resize(a: Any, new_shape: Any) -> Any:
    x, _ = flat(tensor_of(a), None)
    size = int(np.prod(tuple_of(new_shape)))
    if not x.numel():
        return wrap(np.zeros(tuple_of(new_shape), x._array.dtype))
    return joining.tile(x, (-(-size // x.numel()),))[:size].reshape(*tuple_of(new_shape))
