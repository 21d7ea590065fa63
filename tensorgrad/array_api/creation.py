"""Making arrays.  Floats default to tensorgrad's default dtype (float32 unless it was set)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad import creation, dlpack
from tensorgrad.array_api import dtypes
from tensorgrad.device import check_device
from tensorgrad.dtypes import default_float
from tensorgrad.functions import shape as shapes
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.ops import elementwise
from tensorgrad.promotion import result_type

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "arange", "asarray", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like",
    "linspace", "meshgrid", "ones", "ones_like", "tril", "triu", "zeros", "zeros_like",
]  # fmt: skip


def _size(shape: Any) -> tuple[int, ...]:
    return creation.size_of((shape,) if isinstance(shape, int) else tuple(shape))


def _float(dtype: Any, device: Any) -> np.dtype[Any]:
    check_device(device)
    return dtypes.asked(dtype) or default_float()


def _like(name: str, x: Any, dtype: Any, device: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    dtypes.array(name, x)
    check_device(device)
    return x._array.shape, dtypes.asked(dtype) or x._array.dtype


def asarray(
    obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None
) -> Tensor:
    """An array of a Tensor, number, nested sequence, ndarray or buffer.

    copy: True always copies (a Tensor's copy is recorded), None only where it must, False raises
    ValueError where it would have to.
    """
    check_device(device)
    kind = dtypes.asked(dtype)
    if isinstance(obj, TensorBase):
        if kind is None or kind == obj._array.dtype:
            return elementwise.clone(obj) if copy else obj  # type: ignore[return-value]
        if copy is False:
            raise ValueError(f"asarray: {obj._array.dtype} cannot become {kind} without a copy")
        return dtypes.astype(obj, kind)  # type: ignore[arg-type]
    if not isinstance(obj, (bool, int, float, complex, list, tuple, range, np.generic)):
        obj = np.asarray(obj)  # an ndarray, or anything with a buffer or __array__, shared
    elif copy is False:
        raise ValueError(f"asarray: a {type(obj).__name__} cannot become an array without a copy")
    return creation.asarray(obj, dtype=kind, copy=copy)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """An array on the memory of any object with ``__dlpack__``; a copy only if asked for."""
    return dlpack.from_dlpack(x, device=device, copy=copy)


def arange(
    start: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """start, start + step, ... below stop; nothing where stop lies the other way."""
    check_device(device)
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise ValueError("arange: step must not be 0")
    kind = dtypes.asked(dtype)
    if kind is None:
        whole = all(isinstance(v, int) for v in (start, stop, step))
        kind = np.dtype(np.int64) if whole else default_float()
    if all(isinstance(v, int) for v in (start, stop, step)):
        count = len(range(start, stop, step))
    else:
        count = max(math.ceil((stop - start) / step), 0)
    if kind.kind == "f":  # in float64, so that the steps' errors do not add up
        return wrap((start + step * np.arange(count)).astype(kind))
    return wrap(np.asarray([start + i * step for i in range(count)]).astype(kind))


def empty(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Memory that nobody has written yet."""
    return wrap(np.empty(_size(shape), _float(dtype, device)))


def empty_like(x: Tensor, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Unwritten memory in the shape and type of x."""
    return wrap(np.empty(*_like("empty_like", x, dtype, device)))


def zeros(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Zeros."""
    return wrap(np.zeros(_size(shape), _float(dtype, device)))


def zeros_like(x: Tensor, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Zeros in the shape and type of x."""
    return wrap(np.zeros(*_like("zeros_like", x, dtype, device)))


def ones(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Ones."""
    return wrap(np.ones(_size(shape), _float(dtype, device)))


def ones_like(x: Tensor, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Ones in the shape and type of x."""
    return wrap(np.ones(*_like("ones_like", x, dtype, device)))


def full(shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """``fill_value`` everywhere; its type gives the dtype."""
    check_device(device)
    return wrap(np.full(_size(shape), fill_value, dtypes.asked(dtype) or result_type(fill_value)))


def full_like(x: Tensor, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """``fill_value`` in the shape and type of x."""
    shape, kind = _like("full_like", x, dtype, device)
    return wrap(np.full(shape, fill_value, kind))


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: Any = None,
    device: Any = None,
) -> Tensor:
    """Ones on the k-th diagonal of an (n_rows, n_cols) matrix."""
    return wrap(np.eye(n_rows, n_cols, k, _float(dtype, device)))


def linspace(
    start: Any,
    stop: Any,
    /,
    num: int,
    *,
    dtype: Any = None,
    device: Any = None,
    endpoint: bool = True,
) -> Tensor:
    """``num`` evenly spaced numbers from start to stop, the latter only with ``endpoint``."""
    check_device(device)
    made = np.linspace(start, stop, num, endpoint=endpoint)
    kind = default_float() if made.dtype.kind == "f" else np.result_type(default_float(), 1j)
    return wrap(made.astype(dtypes.asked(dtype) or kind))


def meshgrid(*arrays: Tensor, indexing: str = "xy") -> list[Tensor]:
    """The coordinates of a grid from those along each axis; "xy" has the first along axis 1."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij', got {indexing!r}")
    for x in arrays:
        if dtypes.array("meshgrid", x)._array.ndim != 1:
            raise ValueError(f"meshgrid: expected vectors, got shape {tuple(x.shape)}")
    if len({x._array.dtype for x in arrays}) > 1:
        raise ValueError("meshgrid: the arrays must have the same data type")
    places = list(range(len(arrays)))
    if indexing == "xy" and len(arrays) > 1:
        places[0], places[1] = 1, 0
    size = [0] * len(arrays)
    for x, place in zip(arrays, places, strict=True):
        size[place] = x._array.shape[0]
    out = []
    for x, place in zip(arrays, places, strict=True):
        line = [-1 if i == place else 1 for i in range(len(arrays))]
        out.append(elementwise.clone(shapes.expand(shapes.reshape(x, line), *size)))
    return out


def _matrix(name: str, x: Any) -> None:
    if dtypes.array(name, x)._array.ndim < 2:
        raise ValueError(f"{name}: expected at least 2 dimensions, got shape {tuple(x.shape)}")


def tril(x: Tensor, /, *, k: int = 0) -> Tensor:
    """The lower triangle of matrices, up to the k-th diagonal; the rest is 0."""
    _matrix("tril", x)
    return shapes.tril(x, k)


def triu(x: Tensor, /, *, k: int = 0) -> Tensor:
    """The upper triangle of matrices, from the k-th diagonal on; the rest is 0."""
    _matrix("triu", x)
    return shapes.triu(x, k)


def sizes(value: int | Sequence[int]) -> tuple[int, ...]:
    """An axis argument, an int or several, as a tuple."""
    return (value,) if isinstance(value, int) else tuple(value)
