"""Data that a program gives, numbers or nested lists or arrays of others, as NumPy's arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from tensorgrad.dtypes import as_dtype, default_float, number_dtype, numpy_dtype
from tensorgrad.graph.node import TensorBase
from tensorgrad.promotion import result_type
from tensorgrad.scalars import data as numbers
from tensorgrad.scalars import datum

__all__ = ["array_of", "canonical", "check_sequence"]


def check_sequence(name: str, data: Any) -> None:
    """TypeError of a number (or None) where the old constructors want data."""
    if data is None or isinstance(data, (bool, float, complex)):
        raise TypeError(f"{name}: data must be a sequence (got {type(data).__name__})")


def array_of(data: Any, dtype: Any = None) -> ndarray[Any, Any]:
    """Data as an array of its own: numbers, nested lists, ndarrays, Tensors, objects with
    ``__array__``.  Python floats become the default type; NumPy arrays keep theirs.
    """
    wanted = None if dtype is None else numpy_dtype(dtype)
    if isinstance(data, TensorBase):
        return np.array(data._array, dtype=wanted, order="C")
    if isinstance(data, (ndarray, np.generic)):
        array = np.array(data, dtype=wanted, order="C")
    elif isinstance(data, (bool, int, float, complex)):
        return datum("tensor", data, wanted or number_dtype(type(data)))
    elif isinstance(data, (list, tuple, range)):
        array = _nested(data, wanted)
    elif hasattr(data, "__array__"):
        array = np.array(data, dtype=wanted, order="C")
    elif _is_sequence(data):
        array = _nested(list(data), wanted)
    else:
        kind = TypeError if isinstance(data, (str, bytes)) else RuntimeError
        raise kind(
            f"tensor: could not infer dtype of {type(data).__name__}; pass numbers, nested lists, "
            "an ndarray or a Tensor"
        )
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return canonical(array)


def _is_sequence(data: Any) -> bool:
    """Whether it has a length and items by number: a deque, a UserList, a user's own class."""
    return (
        hasattr(data, "__len__")
        and hasattr(data, "__getitem__")
        and not isinstance(data, (str, bytes, bytearray, Mapping, type))
    )


def canonical(array: ndarray[Any, Any]) -> ndarray[Any, Any]:
    """The array, with the one dtype object of its kind; TypeError if tensors cannot hold it.

    Unpickled arrays have dtypes of their own, equal but not identical, and the engine compares by
    identity because that is what a recorded operation can afford.
    """
    kind = as_dtype(array.dtype).dtype
    return array if array.dtype is kind else array.view(kind)


def _nested(data: Any, wanted: Any) -> ndarray[Any, Any]:
    """Nested lists; a Tensor or ndarray among them brings its dtype with it."""
    leaves: list[Any] = []
    plain = _strip(data, leaves)
    if not leaves:
        array = np.array(plain, dtype=wanted or default_float())
    else:
        kinds = {type(leaf) for leaf in leaves if not isinstance(leaf, (ndarray, np.generic))}
        if unknown := [k.__name__ for k in kinds if not issubclass(k, (bool, int, float, complex))]:
            # PyTorch's types of errors: to it a list of words is one of lists.
            words = TypeError if {str, bytes} & kinds else RuntimeError
            raise (ValueError if kinds == {str} else words)(
                f"tensor: cannot make a tensor of a list that holds {', '.join(unknown)}"
            )
        arrays = [leaf for leaf in leaves if isinstance(leaf, (ndarray, np.generic))]
        samples = arrays + [kind() for kind in kinds]
        kind = wanted or result_type(*samples)
        try:
            # Among numbers that do not fit an unsigned type PyTorch wraps some, NumPy others.
            array = np.array(plain, dtype=None if kind.kind == "u" else kind)
            if array.dtype is not kind:
                fits = array.dtype.kind in "biu" and array.size and array.min() >= 0
                if not (fits and array.max() <= np.iinfo(kind).max):
                    return numbers("tensor", plain, kind)
                array = array.astype(kind)
        except (ValueError, OverflowError):  # which number it is, or that the lists are ragged
            return numbers("tensor", plain, kind)
    return array


def _strip(data: Any, leaves: list[Any]) -> Any:
    """The same nesting with Tensors as arrays; collects what is at the bottom."""
    if isinstance(data, TensorBase):
        leaves.append(data._array)
        return data._array
    if isinstance(data, (list, tuple, range)):
        return [_strip(item, leaves) for item in data]
    if _is_sequence(data) and not hasattr(data, "__array__"):
        return [_strip(item, leaves) for item in data]
    leaves.append(data)
    return data
