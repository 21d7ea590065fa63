"""``FloatTensor`` and its kin: PyTorch's first way to name a dtype, kept for old programs.

``FloatTensor(2, 3)`` is an unwritten tensor of that size, ``FloatTensor([2, 3])`` one of data;
``isinstance(x, FloatTensor)`` asks for the dtype.  They are not classes of tensors: all tensors are
of class `Tensor`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad import dtypes
from tensorgrad.creation import size_of
from tensorgrad.device import check_device
from tensorgrad.dtypes import as_dtype, dtype
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.reading import array_of, check_sequence
from tensorgrad.size import Size

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "BoolTensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "ShortTensor",
    "set_default_tensor_type",
]


class TensorType:
    """The constructor of tensors of one dtype."""

    is_cuda = is_sparse = False

    def __init__(self, name: str, kind: dtype) -> None:
        self.__name__ = self.__qualname__ = name
        self.__module__ = "tensorgrad"
        self.__doc__ = f"{name}(2, 3) or {name}([...]): a tensor of dtype {kind!r}."
        self.dtype = kind

    def __call__(self, *args: Any, device: Any = None) -> Tensor:
        check_device(device)
        kind = self.dtype.dtype
        if not args:
            return wrap(np.empty(0, kind))
        first = args[0]
        if len(args) == 1 and isinstance(first, TensorBase):
            if first._array.dtype != kind:
                raise TypeError(
                    f"{self.__name__}: expected a tensor of dtype {self.dtype!r}, got "
                    f"{as_dtype(first._array.dtype)!r}; convert it with .to()"
                )
            return first.detach()  # type: ignore[attr-defined,no-any-return]
        if len(args) == 1 and (type(first) is bool or not isinstance(first, (int, Size))):
            check_sequence(self.__name__, first)
            return wrap(array_of(first, kind))
        return wrap(np.empty(size_of(args), kind))

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, TensorBase) and instance._array.dtype == self.dtype.dtype

    def __repr__(self) -> str:
        return f"<class 'tensorgrad.{self.__name__}'>"

    def __reduce__(self) -> str:
        return self.__name__


HalfTensor = TensorType("HalfTensor", dtypes.float16)
FloatTensor = TensorType("FloatTensor", dtypes.float32)
DoubleTensor = TensorType("DoubleTensor", dtypes.float64)
ByteTensor = TensorType("ByteTensor", dtypes.uint8)
CharTensor = TensorType("CharTensor", dtypes.int8)
ShortTensor = TensorType("ShortTensor", dtypes.int16)
IntTensor = TensorType("IntTensor", dtypes.int32)
LongTensor = TensorType("LongTensor", dtypes.int64)
BoolTensor = TensorType("BoolTensor", dtypes.bool)

# Names that only `Tensor.type` gives and takes.
_OTHERS = (
    TensorType("UInt16Tensor", dtypes.uint16),
    TensorType("UInt32Tensor", dtypes.uint32),
    TensorType("UInt64Tensor", dtypes.uint64),
    TensorType("ComplexFloatTensor", dtypes.complex64),
    TensorType("ComplexDoubleTensor", dtypes.complex128),
)
_ALL = (
    HalfTensor, FloatTensor, DoubleTensor, ByteTensor, CharTensor, ShortTensor, IntTensor,
    LongTensor, BoolTensor, *_OTHERS,
)  # fmt: skip
_BY_DTYPE = {kind.dtype: kind for kind in _ALL}
_BY_NAME = {f"tensorgrad.{kind.__name__}": kind for kind in _ALL}


def of_dtype(kind: dtype) -> TensorType:
    """The constructor of tensors of a dtype."""
    return _BY_DTYPE[kind]


def type_of(name: Any) -> Any:
    """The dtype meant by a tensor type or its name; anything else as it is."""
    if isinstance(name, TensorType):
        return name.dtype
    if isinstance(name, str):
        found = _BY_NAME.get(name.replace("torch.", "tensorgrad.", 1))
        if found is not None:
            return found.dtype
        if "cuda" in name:
            raise RuntimeError(f"type {name!r}: tensorgrad computes on the CPU only")
        raise ValueError(
            f"invalid type: {name!r}; expected 'tensorgrad.FloatTensor', 'tensorgrad.LongTensor', "
            "..., or a dtype"
        )
    return name


def set_default_tensor_type(t: Any) -> None:
    """As set_default_dtype, of a tensor type or its name (``"tensorgrad.DoubleTensor"``)."""
    kind = type_of(t)
    if not (isinstance(t, (TensorType, str)) and kind.is_floating_point):
        raise TypeError(
            "set_default_tensor_type: only floating-point types are supported as the default type, "
            f"got {t!r}"
        )
    dtypes.set_default_dtype(kind)
