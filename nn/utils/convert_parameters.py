"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tensorgrad.functions.joining import cat
from tensorgrad.tensor import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters, one after the other, as one (recorded) vector."""
    return cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Copy consecutive pieces of a vector into parameters; unrecorded.

    Nothing is changed when the vector has fewer elements than the parameters.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters: expected a Tensor, got {type(vec).__name__}")
    given = list(parameters)
    wanted = sum(parameter.numel() for parameter in given)
    if vec.ndim != 1 or vec.numel() < wanted:
        raise RuntimeError(
            f"vector_to_parameters: the parameters have {wanted} elements, the vector has shape "
            f"{tuple(vec.shape)}"
        )
    start = 0
    for parameter in given:
        stop = start + parameter.numel()
        piece = vec._array[start:stop].reshape(parameter.shape)
        np.copyto(parameter._array, piece, casting="same_kind")
        parameter._bump()
        start = stop
