"""Changing the element type of a whole module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from tensorgrad.compiler import compile
from tensorgrad.creation import check_memory_format
from tensorgrad.device import check_device, device
from tensorgrad.dtypes import dtype, numpy_dtype
from tensorgrad.graph.node import wrap
from tensorgrad.nn.parameter import is_lazy
from tensorgrad.nn.tree import Tree
from tensorgrad.tensor import Tensor

__all__ = ["Conversion"]

C = TypeVar("C", bound="Conversion")

Array = np.ndarray[Any, Any]


class Conversion(Tree):
    """``to``, ``float``, ``double``, ``half``, ``type``: parameters and buffers change in place.

    The Parameters stay the same objects, so that optimizers that were given them go on working.
    """

    def _apply(self: C, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> C:
        """Put ``fn(tensor)`` in place of the memory of parameters, gradients and buffers.

        A subclass with tensors that are neither overrides it, and calls this one too.
        """
        if recurse:
            for child in self.children():
                child._apply(fn)
        for tensor in (*self._parameters.values(), *self._buffers.values()):
            if tensor is not None:
                _exchange(tensor, fn)
                if tensor.grad is not None:
                    _exchange(tensor.grad, fn)
        return self

    def _convert(self: C, change: Callable[[Array], Array]) -> C:
        def changed(tensor: Tensor) -> Tensor:
            before = tensor._array
            after = change(before)
            return tensor if after is before else wrap(after)

        return self._apply(changed)

    def to(self: C, *args: Any, **kwargs: Any) -> C:
        """``to(dtype)``, ``to(device)``, ``to(device, dtype)`` or ``to(tensor)``.

        Only floating-point and complex tensors change their type.  The one device is the CPU.
        """
        target = _parse(args, kwargs)
        return self if target is None else self._cast(target)

    def _cast(self: C, target: np.dtype[Any]) -> C:
        def change(array: Array) -> Array:
            if array.dtype.kind not in "fc" or (array.dtype.kind == "c" and target.kind != "c"):
                return array
            return array.astype(target, copy=False)

        return self._convert(change)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Check the arguments of `tensorgrad.compile`; there is no compiler to give them to."""
        compile(self, *args, **kwargs)

    def float(self: C) -> C:
        """Floating-point parameters and buffers as float32."""
        return self._cast_real(np.dtype(np.float32))

    def double(self: C) -> C:
        """Floating-point parameters and buffers as float64."""
        return self._cast_real(np.dtype(np.float64))

    def half(self: C) -> C:
        """Floating-point parameters and buffers as float16."""
        return self._cast_real(np.dtype(np.float16))

    def _cast_real(self: C, target: np.dtype[Any]) -> C:
        return self._convert(lambda a: a.astype(target, copy=False) if a.dtype.kind == "f" else a)

    def type(self: C, dst_type: Any) -> C:
        """All parameters and buffers, integers too, as ``dst_type``."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def to_empty(self: C, *, device: Any, recurse: bool = True) -> C:
        """New memory for all parameters and buffers, with whatever it held as values."""
        check_device(device)
        return self._apply(lambda tensor: wrap(np.empty_like(tensor._array)), recurse)

    def share_memory(self: C) -> C:
        """Refused, as `Tensor.share_memory_` is."""
        return self._apply(lambda tensor: tensor.share_memory_())

    def cpu(self: C) -> C:
        """The module itself: it is on the CPU."""
        return self

    def bfloat16(self: C) -> C:
        """Refused: NumPy has no bfloat16."""
        raise NotImplementedError(
            f"{type(self).__name__}.bfloat16: NumPy has no bfloat16; use .float() or .half()"
        )

    def xpu(self: C, device: Any = None) -> C:
        """Refused: there is no GPU here."""
        return self.cuda()

    def cuda(self: C, device: Any = None) -> C:
        """Refused: there is no GPU here."""
        raise RuntimeError(
            f"{type(self).__name__}: tensorgrad is for the CPU only; leave out .cuda() or .xpu()"
        )


def _exchange(tensor: Tensor, fn: Callable[[Tensor], Tensor]) -> None:
    before = tensor.data if is_lazy(tensor) else wrap(tensor._array)
    after = fn(before)
    if after is not before:
        tensor.data = after
        tensor._accumulator = None  # it remembers the old dtype


def _parse(args: tuple[Any, ...], kwargs: dict[str, Any]) -> np.dtype[Any] | None:
    """The dtype that ``Module.to`` was asked for; None if only the (one) device was named."""
    wanted: Any = None
    place: Any = None
    words = dict(kwargs)
    for value in args:
        if isinstance(value, Tensor):
            wanted = value.dtype
        elif value is None or isinstance(value, (str, device)):
            place = value
        elif isinstance(value, bool):
            pass  # non_blocking: nothing is ever copied between devices
        else:
            wanted = value
    wanted = words.pop("dtype", wanted)
    place = words.pop("device", place)
    words.pop("non_blocking", None)
    check_memory_format(words.pop("memory_format", None))
    if "tensor" in words:
        wanted = words.pop("tensor").dtype
    if words:
        raise TypeError(f"Module.to got unexpected arguments: {', '.join(words)}")
    check_device(place)
    if wanted is None:
        return None
    if not isinstance(wanted, (dtype, np.dtype, type)):
        raise TypeError(f"Module.to expects a dtype, a device or a tensor, got {wanted!r}")
    target = numpy_dtype(wanted)
    if target.kind not in "fc":
        raise TypeError(
            f"nn.Module.to only accepts floating point or complex dtypes, but got {wanted!r}"
        )
    return target
