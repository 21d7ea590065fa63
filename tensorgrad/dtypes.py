"""Data types: PyTorch's names over NumPy's types.

A ``tg.dtype`` is one immutable object per NumPy type.  NumPy takes it wherever it takes a type
(``np.zeros(3, dtype=tg.float32)``), and it equals the NumPy type it stands for.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

__all__ = [
    "as_dtype",
    "bfloat16",
    "bool",
    "complex64",
    "complex128",
    "default_float",
    "dtype",
    "finfo",
    "float16",
    "float32",
    "float64",
    "get_default_dtype",
    "iinfo",
    "int8",
    "int16",
    "int32",
    "int64",
    "numpy_dtype",
    "set_default_dtype",
    "uint8",
]


class dtype:
    """A tensor's element type: ``itemsize``, ``is_floating_point``, ``is_complex``,
    ``is_signed``.
    """

    __slots__ = ("dtype", "is_complex", "is_floating_point", "is_signed", "itemsize", "name")

    dtype: np.dtype[Any]  # NumPy's
    name: str
    itemsize: builtins.int
    is_floating_point: Any
    is_complex: Any
    is_signed: Any

    def __init__(self, name: str, numpy_type: Any) -> None:
        native = np.dtype(numpy_type)
        object.__setattr__(self, "dtype", native)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "itemsize", native.itemsize)
        object.__setattr__(self, "is_floating_point", native.kind == "f")
        object.__setattr__(self, "is_complex", native.kind == "c")
        object.__setattr__(self, "is_signed", native.kind in "ifc")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"tensorgrad.{self.name} is immutable: cannot set {name!r}")

    @property
    def __numpy_dtype__(self) -> np.dtype[Any]:
        return self.dtype

    @property
    def abbr(self) -> str:
        """The kind's letter and the number of bits, as in "f32", "i64", "b8"."""
        return f"{self.dtype.kind}{8 * self.itemsize}"

    def to_complex(self) -> Any:
        """The complex type whose parts have this type's precision."""
        return complex128 if self.dtype.char in "dlqDLQ" else complex64

    def to_real(self) -> Any:
        """The real type of a complex type's parts; itself for a real type."""
        return {"F": float32, "D": float64}.get(self.dtype.char, self)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, dtype):
            return self is other
        if isinstance(other, (np.dtype, type)):
            try:
                return self.dtype == other
            except TypeError:
                return False
        return NotImplemented

    def __hash__(self) -> builtins.int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"tensorgrad.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class Lacking(dtype):
    """A type that PyTorch has and NumPy has not: programs may name it, no tensor is of it.

    Tables of types and questions such as ``x.dtype in (float16, bfloat16)`` have it in them; what
    asks for its NumPy type, as everything does that makes a tensor, is refused.
    """

    __slots__ = ()

    def __init__(self, name: str, itemsize: builtins.int) -> None:
        for key, value in (("name", name), ("itemsize", itemsize), ("is_floating_point", True)):
            object.__setattr__(self, key, value)
        object.__setattr__(self, "is_complex", False)
        object.__setattr__(self, "is_signed", True)

    def __getattr__(self, name: str) -> Any:
        if name == "dtype":  # the slot is empty
            raise NotImplementedError(
                f"{self.name}: NumPy has no such dtype, and neither has tensorgrad; take float32, "
                "which holds each of its numbers, or float16"
            )
        raise AttributeError(f"tensorgrad.{self.name} has no attribute {name!r}")

    def __eq__(self, other: object) -> Any:
        return self is other if isinstance(other, (dtype, np.dtype, type)) else NotImplemented

    def __hash__(self) -> builtins.int:
        return hash(self.name)


bool = dtype("bool", np.bool_)
uint8 = dtype("uint8", np.uint8)
int8 = dtype("int8", np.int8)
int16 = dtype("int16", np.int16)
int32 = dtype("int32", np.int32)
int64 = dtype("int64", np.int64)
uint16 = dtype("uint16", np.uint16)
uint32 = dtype("uint32", np.uint32)
uint64 = dtype("uint64", np.uint64)
float16 = dtype("float16", np.float16)
float32 = dtype("float32", np.float32)
float64 = dtype("float64", np.float64)
complex64 = dtype("complex64", np.complex64)
complex128 = dtype("complex128", np.complex128)
bfloat16 = Lacking("bfloat16", 2)

ALL = (
    bool,
    uint8,
    int8,
    int16,
    int32,
    int64,
    uint16,
    uint32,
    uint64,
    float16,
    float32,
    float64,
    complex64,
    complex128,
)
_OF_NUMPY: dict[np.dtype[Any], dtype] = {t.dtype: t for t in ALL}
_default = float32


def get_default_dtype() -> dtype:
    """The type that Python floats become; ``tensorgrad.float32`` unless it was set."""
    return _default


def set_default_dtype(d: dtype) -> None:
    """Set the type that Python floats become; a real floating-point type."""
    global _default
    if not getattr(d, "is_floating_point", False):
        raise TypeError(f"set_default_dtype: only floating-point types are supported, got {d!r}")
    numpy_dtype(d)  # refuses what NumPy lacks
    _default = d


def default_float() -> np.dtype[Any]:
    """The default floating-point type, as NumPy's."""
    return _default.dtype


def as_dtype(numpy_type: np.dtype[Any]) -> dtype:
    """The ``tg.dtype`` of a NumPy type; TypeError for those that tensors cannot have."""
    found = _OF_NUMPY.get(numpy_type)
    if found is None:
        raise TypeError(
            f"tensors cannot hold NumPy's {numpy_type!s}; supported are "
            + ", ".join(t.name for t in ALL)
        )
    return found


def numpy_dtype(d: Any) -> np.dtype[Any]:
    """The NumPy type meant by a ``tg.dtype``, a NumPy type or Python's bool, int, float,
    complex.
    """
    if isinstance(d, dtype):
        return d.dtype
    if d is builtins.float:
        return np.dtype(np.float64)
    if d is builtins.complex:
        return np.dtype(np.complex128)
    if d is builtins.bool:  # not `d in (bool, int)`: np.dtype(bool) equals bool, and is not it
        return np.dtype(np.bool_)
    if d is builtins.int:
        return np.dtype(np.int64)
    try:
        return as_dtype(np.dtype(d).newbyteorder("=")).dtype
    except TypeError as error:
        raise TypeError(f"{d!r} is not a tensor dtype ({error})") from None


def number_dtype(kind: type) -> np.dtype[Any]:
    """The NumPy type that a Python number of a type becomes: the default one for float, complex."""
    if issubclass(kind, builtins.float):
        return _default.dtype
    if issubclass(kind, builtins.complex):
        return _default.to_complex().dtype  # type: ignore[no-any-return]
    return numpy_dtype(kind)


class finfo:
    """The limits of a floating-point type; of a complex type, those of its parts.

    bits, eps (the step after 1), max, min, tiny = smallest_normal, resolution.
    """

    __slots__ = ("_of", "bits", "eps", "max", "min", "resolution", "smallest_normal", "tiny")

    def __init__(self, type: Any = None) -> None:
        if type is None:
            type = _default
        if not isinstance(type, (dtype, np.dtype)):
            raise TypeError(f"finfo(): argument 'type' must be a dtype, not {type!r}")
        kind = as_dtype(numpy_dtype(type)).to_real()
        if not kind.is_floating_point:
            raise TypeError(
                f"finfo() requires a floating point input type, got {type!r}. "
                "Use iinfo for integers"
            )
        found = np.finfo(kind.dtype)
        self._of = kind
        self.bits = builtins.int(found.bits)
        self.eps, self.max, self.min = (
            builtins.float(x) for x in (found.eps, found.max, found.min)
        )
        self.tiny = self.smallest_normal = builtins.float(found.tiny)
        self.resolution = builtins.float(f"1e-{found.precision}")

    @property
    def dtype(self) -> str:
        """The name of the type."""
        return str(self._of.name)

    def __eq__(self, other: object) -> Any:
        return isinstance(other, finfo) and self._of is other._of

    def __hash__(self) -> builtins.int:
        return hash((finfo, self._of))

    def __repr__(self) -> str:
        fields = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        limits = ", ".join(f"{name}={getattr(self, name):.6g}" for name in fields)
        return f"finfo({limits}, dtype={self.dtype})"


class iinfo:
    """The limits of an integer type: bits, max, min."""

    __slots__ = ("_of", "bits", "max", "min")

    def __init__(self, type: Any) -> None:
        if not isinstance(type, (dtype, np.dtype)):
            raise TypeError(f"iinfo(): argument 'type' must be a dtype, not {type!r}")
        kind = as_dtype(numpy_dtype(type))
        if kind.dtype.kind not in "iu":
            raise TypeError(f"iinfo() requires an integer input type, got {type!r}. Use finfo")
        found = np.iinfo(kind.dtype)
        self._of = kind
        self.bits, self.max, self.min = (
            builtins.int(found.bits),
            builtins.int(found.max),
            builtins.int(found.min),
        )

    @property
    def dtype(self) -> str:
        """The name of the type."""
        return self._of.name

    def __eq__(self, other: object) -> Any:
        return isinstance(other, iinfo) and self._of is other._of

    def __hash__(self) -> builtins.int:
        return hash((iinfo, self._of))

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:.6g}, max={self.max:.6g}, dtype={self.dtype})"


# PyTorch's second names.
half, float, double = float16, float32, float64
short, int, long = int16, int32, int64
cfloat, cdouble = complex64, complex128
