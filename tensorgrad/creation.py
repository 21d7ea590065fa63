"""Making tensors: from data, filled, ranges, random."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from tensorgrad.batching import beside
from tensorgrad.device import check_device
from tensorgrad.dtypes import default_float, numpy_dtype
from tensorgrad.graph.node import TensorBase, strided, wrap
from tensorgrad.graph.provenance import warn
from tensorgrad.layouts import contiguous_format, preserve_format
from tensorgrad.layouts import strided as strided_layout
from tensorgrad.promotion import result_type
from tensorgrad.reading import array_of, canonical
from tensorgrad.scalars import element

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "as_tensor",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "ones",
    "ones_like",
    "tensor",
    "zeros",
    "zeros_like",
]


def finish(array: ndarray[Any, Any], requires_grad: bool, like: Any = None) -> Tensor:
    """A leaf on an array; under vmap a value of the mapped call that ``like`` belongs to."""
    out: Tensor = wrap(array) if like is None else beside(wrap(array), like)
    if requires_grad:
        out.requires_grad_()
    return out


def tensor(
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A new leaf with a copy of ``data``; Python floats become the default dtype."""
    check_device(device)
    _no_pin(pin_memory)
    if isinstance(data, TensorBase):
        warn_of_copy("tensorgrad.tensor(source)")
    return finish(array_of(data, dtype), requires_grad)


def warn_of_copy(call: str) -> None:
    """Of a tensor made of a tensor: it is detached, which such calls do not say."""
    warn(
        "To copy construct from a tensor, it is recommended to use source.detach().clone() or "
        f"source.detach().clone().requires_grad_(True), rather than {call}."
    )


def _no_pin(pin_memory: bool) -> None:
    if pin_memory:
        raise RuntimeError("pin_memory=True needs a GPU; leave it out")


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """``data`` as a tensor, sharing memory and graph where no conversion is needed."""
    check_device(device)
    if isinstance(data, TensorBase):
        same: Any = data
        return same if dtype is None else same.to(numpy_dtype(dtype))  # type: ignore[no-any-return]
    if isinstance(data, ndarray) and (dtype is None or data.dtype == numpy_dtype(dtype)):
        return from_numpy(data)
    return tensor(data, dtype=dtype)


def asarray(
    obj: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """As `as_tensor`; copy=True always copies, copy=False raises where a copy would be needed."""
    if copy:
        check_device(device)
        return finish(array_of(obj, dtype), requires_grad)
    made = as_tensor(obj, dtype, device)
    if copy is False and not np.shares_memory(made._array, getattr(obj, "_array", obj)):
        raise ValueError("asarray: can't alias the object without a copy, and copy=False was given")
    return made.requires_grad_() if requires_grad else made


def from_numpy(ndarray: Any) -> Tensor:
    """A tensor on the array's own memory: writes go both ways."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    if any(step < 0 for step in ndarray.strides):
        raise ValueError(
            f"from_numpy: an array of strides {ndarray.strides} runs backwards in memory, which no "
            "tensor does; give its copy()"
        )
    # A view: two tensors on one array share its memory, but not what is known of their writes.
    return strided(canonical(ndarray).view())


# --- Filled ---------------------------------------------------------------------------------------


def size_of(size: tuple[Any, ...], named: Any = None) -> tuple[int, ...]:
    """Sizes given as one sequence or as several ints, or as one sequence by name."""
    if named is not None:
        if size:
            raise TypeError(f"sizes given twice: {size} and size={named}")
        size = (named,)
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        size = tuple(size[0])
    sizes = tuple(int(n.item()) if isinstance(n, TensorBase) else _index(n) for n in size)  # type: ignore[attr-defined]
    if any(n < 0 for n in sizes):
        raise RuntimeError(f"Trying to create tensor with negative dimension: {sizes}")
    return sizes


def _index(n: Any) -> int:
    try:
        return int(n.__index__())
    except AttributeError:
        raise TypeError(f"a size must be an int, got {type(n).__name__} ({n!r:.40})") from None


def check_memory_format(memory_format: Any) -> None:
    """Refuse any but the usual memory format: the engine chooses the order itself, and hides it."""
    if memory_format not in (None, contiguous_format, preserve_format):
        raise RuntimeError(
            f"memory_format={memory_format!r} is not supported: the engine chooses the layout of "
            "memory itself, and every tensor behaves as if it were contiguous; leave it out"
        )


def check_options(device: Any, layout: Any, pin_memory: bool, memory_format: Any = None) -> None:
    """Refuse what creation functions cannot honour."""
    if device is layout is memory_format is None and not pin_memory:  # as nearly always
        return
    check_memory_format(memory_format)
    check_device(device)
    _no_pin(pin_memory)
    if layout is not None and layout is not strided_layout:
        raise RuntimeError(f"layout {layout!r} is not supported; tensors are strided")


def real_dtype(dtype: Any) -> np.dtype[Any]:
    return default_float() if dtype is None else numpy_dtype(dtype)


def zeros(
    *sizes: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Zeros."""
    check_options(device, layout, pin_memory)
    return finish(np.zeros(size_of(sizes, size), real_dtype(dtype)), requires_grad)


def ones(
    *sizes: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Ones."""
    check_options(device, layout, pin_memory)
    return finish(np.ones(size_of(sizes, size), real_dtype(dtype)), requires_grad)


def empty(
    *sizes: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Memory that nobody has written yet."""
    check_options(device, layout, pin_memory, memory_format)
    return finish(np.empty(size_of(sizes, size), real_dtype(dtype)), requires_grad)


def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """``fill_value`` everywhere; its type gives the dtype."""
    check_options(device, layout, pin_memory)
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"full(): argument 'size' must be tuple of ints, not {type(size).__name__}")
    value = _fill_value("full", fill_value)
    number = value.item() if isinstance(value, np.generic) else value  # as to PyTorch
    kind = numpy_dtype(dtype) if dtype is not None else result_type(number)
    return finish(np.full(size_of((size,)), element("full", value, kind), kind), requires_grad)


def _fill_value(name: str, value: Any) -> Any:
    """A number, or that of a 0-d tensor; TypeError for tensors with dimensions."""
    if not isinstance(value, TensorBase):
        return value
    if value._array.ndim:
        raise TypeError(f"{name}(): argument 'fill_value' must be Number, not Tensor")
    return value._array


def like(input: Any, dtype: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    return input._array.shape, input._array.dtype if dtype is None else numpy_dtype(dtype)


def zeros_like(
    input: Tensor,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Zeros of the input's shape and dtype."""
    check_options(device, layout, pin_memory, memory_format)
    return finish(np.zeros(*like(input, dtype)), requires_grad, input)


def ones_like(
    input: Tensor,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Ones of the input's shape and dtype."""
    check_options(device, layout, pin_memory, memory_format)
    return finish(np.ones(*like(input, dtype)), requires_grad, input)


def empty_like(
    input: Tensor,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Unwritten memory of the input's shape and dtype."""
    check_options(device, layout, pin_memory, memory_format)
    return finish(np.empty(*like(input, dtype)), requires_grad, input)


def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """``fill_value`` in the input's shape and dtype."""
    check_options(device, layout, pin_memory, memory_format)
    shape, kind = like(input, dtype)
    value = _fill_value("full_like", fill_value)
    filled = np.full(shape, element("full_like", value, kind), kind)
    return finish(filled, requires_grad, input)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Ones on the diagonal of an (n, m) matrix."""
    check_options(device, layout, pin_memory)
    for name, size in (("n", n), ("m", m)):
        if size is not None and size < 0:
            raise RuntimeError(f"eye: {name} must be greater or equal to 0, got {size}")
    return finish(np.eye(n, m, dtype=real_dtype(dtype)), requires_grad)


def number_of(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
