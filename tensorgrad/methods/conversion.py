"""Conversion methods: to numbers, lists, arrays, other dtypes, text."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from tensorgrad.creation import check_memory_format
from tensorgrad.device import check_device
from tensorgrad.device import device as Device
from tensorgrad.dtypes import numpy_dtype
from tensorgrad.graph.node import TensorBase, local
from tensorgrad.graph.provenance import warn
from tensorgrad.layouts import preserve_format
from tensorgrad.legacy import of_dtype, type_of
from tensorgrad.ops import comparison, elementwise
from tensorgrad.printing import format_tensor
from tensorgrad.views import strides

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["ConversionMethods"]


def _target(args: tuple[Any, ...], dtype: Any, device: Any, copy: bool) -> tuple[Any, Any, bool]:
    """dtype, device and copy of ``to``'s arguments by position, in one of PyTorch's three orders:
    (device, dtype, non_blocking, copy), (dtype, non_blocking, copy), (other, non_blocking, copy).
    """
    first, rest, given = args[0], args[1:], dtype
    if first is None or isinstance(first, (str, Device)):
        device = first
        if rest and not isinstance(rest[0], bool):
            dtype, rest = rest[0], rest[1:]
    else:
        dtype = first._array.dtype if isinstance(first, TensorBase) else first
    if given is not None and dtype is not given:
        raise TypeError(f"to(): the dtype is given twice, by position and as dtype={given}")
    if len(rest) > 2 or not all(isinstance(flag, bool) for flag in rest):
        raise TypeError(
            "to(): takes a device and a dtype, a dtype, or a tensor, and then the flags "
            f"non_blocking and copy; got ({', '.join(type(arg).__name__ for arg in args)})"
        )
    return dtype, device, copy or (len(rest) == 2 and rest[1])


def _as(tensor: Any, dtype: Any, memory_format: Any) -> Tensor:
    out: Tensor = tensor.to(dtype, memory_format=memory_format)
    return out


class ConversionMethods:
    """Out of tensorgrad, and from one dtype to another."""

    __slots__ = ()

    def item(self: Any) -> Any:
        """The one element as a Python number."""
        if self._array.size != 1:
            raise RuntimeError(
                f"a Tensor with {self._array.size} elements cannot be converted to Scalar (shape "
                f"{tuple(self._array.shape)})"
            )
        return self._array.item()

    def tolist(self: Any) -> Any:
        """Nested lists of Python numbers; a number for a 0-d tensor."""
        return self._array.tolist()

    def numpy(self: Any, *, force: bool = False) -> ndarray[Any, Any]:
        """The array itself, sharing memory; refused for a tensor that requires grad, unless forced
        or under `no_grad`, where nothing that is done with it could have had a gradient.
        """
        if not force and local.context.grad_enabled and self.requires_grad:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() "
                "instead."
            )
        if not self._array.flags.c_contiguous and self.is_contiguous():
            strides.make_contiguous(self)  # nobody should see the layout a kernel chose
        return self._array  # type: ignore[no-any-return]

    def __array__(self: Any, dtype: Any = None, copy: bool | None = None) -> ndarray[Any, Any]:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError("unable to avoid copy while changing the dtype")
            return array.astype(dtype)  # type: ignore[no-any-return]
        return array.copy() if copy else array  # type: ignore[no-any-return]

    def to(
        self: Any,
        *args: Any,
        dtype: Any = None,
        device: Any = None,
        non_blocking: bool = False,
        copy: bool = False,
        memory_format: Any = None,
    ) -> Tensor:
        """Converted to a dtype (also written first, or that of another tensor), on the CPU."""
        check_memory_format(memory_format)
        if args:
            dtype, device, copy = _target(args, dtype, device, copy)
        check_device(device)
        wanted = self._array.dtype if dtype is None else numpy_dtype(dtype)
        if wanted is self._array.dtype or wanted == self._array.dtype:
            return elementwise.clone(self) if copy else self
        if self._array.dtype.kind == "c" and wanted.kind == "b":
            return comparison.ne(self, 0)  # also where the real part is 0
        if self._array.dtype.kind == "c" and wanted.kind != "c":
            warn("Casting complex values to real discards the imaginary part")
            return elementwise.astype(elementwise.real(self), dtype=wanted)
        return elementwise.astype(self, dtype=wanted)

    def type(self: Any, dtype: Any = None, non_blocking: bool = False) -> Any:
        """Without an argument the name of the type, ``tensorgrad.FloatTensor``; with one (a dtype,
        a tensor type or its name), converted to it.
        """
        if dtype is None:
            return f"tensorgrad.{of_dtype(self.dtype).__name__}"
        return self.to(type_of(dtype))

    def type_as(self: Any, other: Tensor) -> Tensor:
        """Converted to the other tensor's dtype."""
        return self.to(other._array.dtype)  # type: ignore[no-any-return]

    def cpu(self: Any, memory_format: Any = preserve_format) -> Tensor:
        """The tensor itself: it is on the CPU."""
        check_memory_format(memory_format)
        return self  # type: ignore[no-any-return]

    def cuda(
        self: Any,
        device: Any = None,
        non_blocking: bool = False,
        memory_format: Any = preserve_format,
    ) -> Tensor:
        """Refused: there is no GPU here."""
        check_device("cuda" if device is None else device)
        return self  # type: ignore[no-any-return]

    def float(self: Any, *, memory_format: Any = preserve_format) -> Tensor:
        """As float32."""
        return _as(self, np.float32, memory_format)

    def double(self: Any, *, memory_format: Any = preserve_format) -> Tensor:
        """As float64."""
        return _as(self, np.float64, memory_format)

    def half(self: Any, *, memory_format: Any = preserve_format) -> Tensor:
        """As float16."""
        return _as(self, np.float16, memory_format)

    def bfloat16(self: Any, memory_format: Any = preserve_format) -> Tensor:
        """Refused: NumPy has no bfloat16."""
        raise NotImplementedError(
            "bfloat16(): NumPy has no such dtype, and neither has tensorgrad; take .half() "
            "(float16), or stay in float32, which holds every bfloat16 number"
        )

    def chalf(self: Any, *, memory_format: Any = None) -> Tensor:
        """Refused: NumPy has no complex32."""
        raise NotImplementedError(
            "chalf(): NumPy has no complex numbers of two float16, and neither has tensorgrad; "
            "take .to(complex64)"
        )

    def long(self: Any, *, memory_format: Any = preserve_format) -> Tensor:
        """As int64."""
        return _as(self, np.int64, memory_format)

    def int(self: Any, *, memory_format: Any = preserve_format) -> Tensor:
        """As int32."""
        return _as(self, np.int32, memory_format)

    def bool(self: Any, *, memory_format: Any = preserve_format) -> Tensor:
        """As bool."""
        return _as(self, np.bool_, memory_format)

    def short(self: Any, *, memory_format: Any = preserve_format) -> Tensor:
        """As int16."""
        return _as(self, np.int16, memory_format)

    def char(self: Any, *, memory_format: Any = preserve_format) -> Tensor:
        """As int8."""
        return _as(self, np.int8, memory_format)

    def byte(self: Any, *, memory_format: Any = preserve_format) -> Tensor:
        """As uint8."""
        return _as(self, np.uint8, memory_format)

    def cfloat(self: Any, *, memory_format: Any = preserve_format) -> Tensor:
        """As complex64."""
        return _as(self, np.complex64, memory_format)

    def cdouble(self: Any, *, memory_format: Any = preserve_format) -> Tensor:
        """As complex128."""
        return _as(self, np.complex128, memory_format)

    def __int__(self: Any) -> Any:
        return self._scalar(int)

    def __float__(self: Any) -> Any:
        return self._scalar(float)

    def __complex__(self: Any) -> Any:
        return self._scalar(complex)

    def __index__(self: Any) -> Any:
        if self._array.dtype.kind not in "iub" or self._array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self._array.item())

    def __bool__(self: Any) -> Any:
        if self._array.size != 1:
            if not self._array.size:
                raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
        return bool(self._array)  # an array of mapped examples has its own refusal

    def _scalar(self: Any, kind: Any) -> Any:
        if self._array.size != 1:
            raise ValueError(
                f"only one element tensors can be converted to Python scalars, got shape "
                f"{tuple(self._array.shape)}"
            )
        value = self._array.item()
        if isinstance(value, complex) and kind is not complex:
            if value.imag:
                raise RuntimeError(
                    f"value {value} cannot be converted to {kind.__name__}: it is not real"
                )
            value = value.real
        return kind(value)

    def __len__(self: Any) -> Any:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self._array.shape[0]

    def __iter__(self: Any) -> Iterator[Tensor]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter([self[i] for i in range(self._array.shape[0])])

    def __reversed__(self: Any) -> Tensor:
        return self.flip(0) if self._array.ndim else self  # type: ignore[no-any-return]

    def __contains__(self: Any, element: object) -> Any:
        if not isinstance(element, (TensorBase, Number)):
            raise RuntimeError(
                "Tensor.__contains__ only supports Tensor or scalar, but you passed in a "
                f"{type(element)}."
            )
        value = element._array if isinstance(element, TensorBase) else element
        return np.any(self._array == value).item()

    def __repr__(self: Any) -> str:
        return format_tensor(self)

    def __format__(self: Any, spec: str) -> str:
        if self._array.ndim == 0:
            return format(self._array.item(), spec)
        return object.__format__(self, spec)
