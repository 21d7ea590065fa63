"""The standard's data types: promotion, casting, what kind a type is, its limits.

Promotion is the standard's table, not PyTorch's: types of different kinds do not mix (an integer
array and a float array are an error), and an array without dimensions counts as any other.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tensorgrad import dtypes as all_dtypes
from tensorgrad.device import check_device
from tensorgrad.dtypes import as_dtype, dtype, numpy_dtype
from tensorgrad.graph.node import TensorBase
from tensorgrad.ops import elementwise

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["astype", "can_cast", "finfo", "iinfo", "isdtype", "result_type"]

NUMERIC, REAL, FLOATING, REAL_FLOATING = "iufc", "iuf", "fc", "f"
INTEGER, INTEGER_OR_BOOL, BOOL, COMPLEX, ANY = "iu", "iub", "b", "c", "biufc"

_WORDS = {
    NUMERIC: "numeric",
    REAL: "real numeric",
    FLOATING: "floating-point",
    REAL_FLOATING: "real floating-point",
    INTEGER: "integer",
    INTEGER_OR_BOOL: "integer or boolean",
    BOOL: "boolean",
    COMPLEX: "complex floating-point",
}
_KINDS = {
    "bool": "b",
    "signed integer": "i",
    "unsigned integer": "u",
    "integral": "iu",
    "real floating": "f",
    "complex floating": "c",
    "numeric": "iufc",
}
# What a Python scalar may stand beside: a type of its own kind or a richer one.
_SCALARS: dict[builtins.type, str] = {bool: "b", int: "iufc", float: "fc", complex: "fc"}


def array(name: str, x: Any, kinds: str = ANY) -> Any:
    """x, if it is a Tensor with a dtype of these kinds; TypeError otherwise."""
    if not isinstance(x, TensorBase):
        raise TypeError(
            f"{name}: expected a Tensor, got {type(x).__name__} ({x!r:.60}); make one with asarray"
        )
    if x._array.dtype.kind not in kinds:
        raise TypeError(
            f"{name}: expected an array of a {_WORDS[kinds]} data type, got "
            f"{as_dtype(x._array.dtype)}; convert it with astype"
        )
    return x


def _promoted(name: str, a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    if a == b:
        return a
    groups = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 2}
    both = np.promote_types(a, b)
    if groups[a.kind] != groups[b.kind] or (groups[a.kind] == 1 and both.kind == "f"):
        raise TypeError(
            f"{name}: {as_dtype(a)} and {as_dtype(b)} cannot be combined: the standard has no "
            "promotion between them; convert one with astype"
        )
    return both


def _with_scalar(name: str, kind: np.dtype[Any], value: Any) -> np.dtype[Any]:
    """The type of an array of type ``kind`` with a Python scalar."""
    if kind.kind not in _SCALARS.get(type(value), ""):
        raise TypeError(
            f"{name}: a Python {type(value).__name__} cannot be combined with an array of "
            f"{as_dtype(kind)}"
        )
    if type(value) is complex and kind.kind == "f":
        return np.promote_types(kind, np.complex64)
    return kind


def _numpy_type(name: str, value: Any) -> np.dtype[Any]:
    if isinstance(value, TensorBase):
        have: np.dtype[Any] = value._array.dtype
        return have
    if isinstance(value, (dtype, np.dtype)) or (
        isinstance(value, type) and issubclass(value, np.generic)
    ):
        return numpy_dtype(value)
    raise TypeError(f"{name}: expected an array or a dtype, got {type(value).__name__}")


def _common(name: str, values: tuple[Any, ...]) -> np.dtype[Any]:
    found: np.dtype[Any] | None = None
    scalars = []
    for value in values:
        if type(value) in _SCALARS:
            scalars.append(value)
            continue
        kind = _numpy_type(name, value)
        found = kind if found is None else _promoted(name, found, kind)
    if found is None:
        raise TypeError(f"{name}: at least one argument must be an array")
    for scalar in scalars:
        found = _with_scalar(name, found, scalar)
    return found


def result_type(*arrays_and_dtypes: Any) -> dtype:
    """The type in which arrays, dtypes and Python scalars are combined; TypeError if in none."""
    return as_dtype(_common("result_type", arrays_and_dtypes))


def together(name: str, *values: Any, kinds: str = ANY) -> tuple[Any, ...]:
    """Arrays of their common type; Python scalars stay what they are."""
    for value in values:
        if type(value) not in _SCALARS:
            array(name, value, kinds)
    kind = _common(name, values)
    if kind.kind not in kinds:
        raise TypeError(f"{name}: the common type {as_dtype(kind)} is not {_WORDS[kinds]}")
    return tuple(cast(value, kind) if isinstance(value, TensorBase) else value for value in values)


def cast(x: Any, kind: Any) -> Any:
    """x in another type, recorded; x itself if it has that type."""
    return x if x._array.dtype == kind else elementwise.astype(x, dtype=kind)


def asked(dtype: Any) -> np.dtype[Any] | None:
    """A ``dtype`` argument as NumPy's type."""
    return None if dtype is None else numpy_dtype(dtype)


def astype(x: Tensor, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Tensor:
    """x in another data type, recorded; x itself if ``copy`` is False and it has that type."""
    array("astype", x)
    check_device(device)
    kind = numpy_dtype(dtype)
    if x._array.dtype.kind == "c" and kind.kind != "c":
        raise TypeError(
            f"astype: {as_dtype(x._array.dtype)} does not become {as_dtype(kind)}: take real(x), "
            "imag(x) or abs(x) first"
        )
    if kind == x._array.dtype:
        return elementwise.clone(x) if copy else x
    return elementwise.astype(x, dtype=kind)


def can_cast(from_: Any, to: Any, /) -> bool:
    """Whether promotion leads from one type (or an array's) to another."""
    source, target = _numpy_type("can_cast", from_), _numpy_type("can_cast", to)
    try:
        return _promoted("can_cast", source, target) == target
    except TypeError:
        return False


class finfo_(NamedTuple):
    """Limits of a floating-point type."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: dtype


class iinfo_(NamedTuple):
    """Limits of an integer type."""

    bits: int
    max: int
    min: int
    dtype: dtype


def finfo(type: Any, /) -> finfo_:
    """Limits of a floating-point type; of a complex type, those of its parts."""
    kind = _numpy_type("finfo", type)
    if kind.kind not in "fc":
        raise TypeError(f"finfo: {as_dtype(kind)} is not a floating-point type; use iinfo")
    found = np.finfo(kind)
    return finfo_(
        int(found.bits),
        float(found.eps),
        float(found.max),
        float(found.min),
        float(found.smallest_normal),
        as_dtype(found.dtype),
    )


def iinfo(type: Any, /) -> iinfo_:
    """Limits of an integer type."""
    kind = _numpy_type("iinfo", type)
    if kind.kind not in "iu":
        raise TypeError(f"iinfo: {as_dtype(kind)} is not an integer type; use finfo")
    found = np.iinfo(kind)
    return iinfo_(int(found.bits), int(found.max), int(found.min), as_dtype(kind))


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a type is another, or of a kind ("integral", "real floating", ...), or of several."""
    if isinstance(kind, tuple):
        return any(isdtype(dtype, one) for one in kind)
    have = _numpy_type("isdtype", dtype)
    if isinstance(kind, str):
        if kind not in _KINDS:
            raise ValueError(f"isdtype: unknown kind {kind!r}; one of {', '.join(_KINDS)}")
        return have.kind in _KINDS[kind]
    return have == _numpy_type("isdtype", kind)


# The types that the standard names; float16, which tensors also have, is not among them.
STANDARD: dict[str, dtype] = {d.name: d for d in all_dtypes.ALL if d is not all_dtypes.float16}
