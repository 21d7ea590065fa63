"""What a tensor is: questions about dtypes, sizes and flags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad import promotion
from tensorgrad.dtypes import Lacking, as_dtype, dtype, numpy_dtype
from tensorgrad.graph.node import TensorBase
from tensorgrad.ops import elementwise

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "can_cast",
    "conj_physical",
    "get_device",
    "is_conj",
    "is_floating_point",
    "is_neg",
    "is_nonzero",
    "is_same_size",
    "is_signed",
    "promote_types",
    "resolve_conj",
    "resolve_neg",
    "result_type",
    "typename",
]


def promote_types(type1: Any, type2: Any) -> dtype:
    """The dtype of an operation on tensors of two dtypes."""
    return as_dtype(promotion.promote_types(numpy_dtype(type1), numpy_dtype(type2)))


def result_type(tensor1: Any, tensor2: Any) -> dtype:
    """The dtype of an operation on two tensors, or on tensors and numbers.

    Tensors with dimensions outrank those without, which outrank Python's numbers.
    """
    operands = [t._array if isinstance(t, TensorBase) else t for t in (tensor1, tensor2)]
    return as_dtype(promotion.result_type(*operands))


_CATEGORIES = "biufc"  # u beside i: PyTorch lets whole numbers become whole numbers of any sign


def can_cast(from_: Any, to: Any) -> bool:
    """Whether a conversion stays in its category or goes to a higher one: bool, whole, real,
    complex.
    """
    low, high = (
        "f" if isinstance(d, Lacking) else numpy_dtype(d).kind.replace("u", "i")
        for d in (from_, to)
    )
    return _CATEGORIES.index(low) <= _CATEGORIES.index(high)


def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is a real floating-point type."""
    return bool(input._array.dtype.kind == "f")


def is_signed(input: Tensor) -> bool:
    """Whether the dtype has negative numbers."""
    return bool(input._array.dtype.kind in "ifc")


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element is not 0."""
    if input._array.size != 1:
        what = "more than one value" if input._array.size else "no values"
        raise RuntimeError(f"Boolean value of Tensor with {what} is ambiguous (is_nonzero)")
    return bool(input._array.reshape(()))


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape."""
    return bool(input._array.shape == other._array.shape)


def is_conj(input: Tensor) -> bool:
    """Always False: conjugates are computed at once."""
    return input.is_conj()


def is_neg(input: Tensor) -> bool:
    """Always False: negatives are computed at once."""
    return input.is_neg()


def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: conjugates are computed at once."""
    return input.resolve_conj()


def resolve_neg(input: Tensor) -> Tensor:
    """The tensor itself: negatives are computed at once."""
    return input.resolve_neg()


def conj_physical(input: Tensor) -> Tensor:
    """The complex conjugate, elementwise; of real numbers a copy."""
    return elementwise.conj(input) if input.is_complex() else elementwise.clone(input)


def get_device(input: Tensor) -> int:
    """-1: the tensor is on the CPU."""
    return input.get_device()


_NAMES = {"bool": "Bool", "uint8": "Byte", "int8": "Char", "int16": "Short", "int32": "Int"}
_NAMES |= {"int64": "Long", "float16": "Half", "float32": "Float", "float64": "Double"}
_NAMES |= {"complex64": "ComplexFloat", "complex128": "ComplexDouble"}


def typename(obj: Any) -> str:
    """The name of a tensor's type, ``tensorgrad.FloatTensor``, or of any object's class."""
    if isinstance(obj, TensorBase):
        kind = as_dtype(obj._array.dtype).name
        return f"tensorgrad.{_NAMES.get(kind, kind.capitalize().replace('Ui', 'UI'))}Tensor"
    module = getattr(obj, "__module__", "") or ""
    if hasattr(obj, "__qualname__"):
        name = obj.__qualname__
    elif hasattr(obj, "__name__"):
        name = obj.__name__
    else:
        module, name = type(obj).__module__ or "", type(obj).__qualname__
    return name if module in ("", "builtins") else f"{module}.{name}"
