"""The table by which NumPy's functions find tensorgrad's, and what its entries share.

An entry is an adapter with the NumPy function's own arguments, which keep NumPy's meanings (axis,
keepdims, ddof, a flattened array where axis is None); types of results are PyTorch's, because the
results are Tensors: float32 stays float32 beside a Python number, integers become the default
float.  An argument that an adapter does not know is refused by name, never ignored.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from tensorgrad.creation import tensor
from tensorgrad.dtypes import numpy_dtype
from tensorgrad.functions.shape import wrap_dim
from tensorgrad.graph.node import TensorBase, strided
from tensorgrad.ops import elementwise
from tensorgrad.promotion import result_type
from tensorgrad.reading import canonical

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["ABSENT", "FUNCTIONS", "implements", "no_others", "tensor_of"]

FUNCTIONS: dict[Any, Callable[..., Any]] = {}

# What NumPy's own signatures have where nothing was given.
ABSENT: Any = np._NoValue


def name_of(function: Any) -> str:
    """``np.linalg.norm`` for the function of that name."""
    module = (getattr(function, "__module__", None) or "numpy").replace("numpy", "np", 1)
    return f"{module}.{function.__name__}"


def implements(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter an adapter under NumPy's names: ``"sum"``, ``"linalg.norm"``.

    By name, because some came with NumPy 2.1 and later; what this NumPy lacks is left out.
    """

    def enter(adapter: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            try:
                function = operator.attrgetter(name)(np)
            except AttributeError:
                continue
            FUNCTIONS[function] = adapter
        return adapter

    return enter


def no_others(name: str, rest: dict[str, Any]) -> None:
    """Refuse arguments that are given and not NumPy's way of saying "not given"."""
    for key, value in rest.items():
        unset = value is None or value is ABSENT
        if not (unset or (key == "where" and value is True)):
            hint = "assign the result instead" if key == "out" else "use .detach().numpy()"
            raise TypeError(
                f"np.{name}: {key}={value!r:.40} is not supported for a tensorgrad Tensor; {hint}"
            )


def tensor_of(value: Any) -> Tensor:
    """A Tensor itself; an ndarray's memory as one; a number or a list as a new one."""
    if isinstance(value, TensorBase):
        return value  # type: ignore[return-value]
    if isinstance(value, (ndarray, np.generic)):
        if hasattr(value, "mask"):
            raise TypeError(
                "a masked array cannot be combined with a Tensor, which would lose the mask; use "
                ".filled(...) or .data"
            )
        return strided(canonical(np.asarray(value)))
    return tensor(value)


def tensors_of(values: Any) -> list[Any]:
    """The members of a sequence as Tensors of their common type."""
    parts: list[Any] = [tensor_of(v) for v in values]
    if not parts:
        raise ValueError("need at least one array")
    kind = result_type(*(p._array for p in parts))
    return [p if p._array.dtype == kind else elementwise.astype(p, dtype=kind) for p in parts]


def floats_of(value: Any) -> Any:
    """A Tensor with whole numbers as the default float: what means and LAPACK ask for."""
    x: Any = tensor_of(value)
    return elementwise.mul(x, 1.0) if x._array.dtype.kind in "biu" else x


def cast(x: Any, dtype: Any) -> Any:
    """x in the type that a ``dtype`` argument asks for, if it does."""
    if dtype is None or dtype is ABSENT:
        return x
    wanted = numpy_dtype(dtype)
    return x if x._array.dtype == wanted else x.to(wanted)


def given(value: Any, default: Any) -> Any:
    """A value, or the default where NumPy's "not given" stands."""
    return default if value is ABSENT else value


def axes_of(axis: Any) -> Any:
    """NumPy's axis as the core takes it: None, an int or a tuple."""
    if axis is None or isinstance(axis, tuple):
        return axis
    return operator.index(axis)


def flat(x: Any, axis: Any) -> tuple[Any, int]:
    """x and an axis counted from the front; all elements in one where axis is None."""
    if axis is None:
        return x.reshape(-1), 0
    return x, wrap_dim(operator.index(axis), x.ndim)


def tuple_of(value: Any) -> tuple[int, ...]:
    """An int or a sequence of ints as a tuple."""
    return tuple(map(operator.index, value)) if np.iterable(value) else (operator.index(value),)
