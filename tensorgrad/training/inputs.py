"""What `summary` is given to call a model with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorgrad.creation import zeros
from tensorgrad.dtypes import dtype as DType
from tensorgrad.tensor import Tensor

__all__ = ["inputs_of", "recorded"]


def inputs_of(given: Any, dtype: DType | None) -> tuple[Any, ...]:
    """What a model is called with: tensors as they are, zeros of ``dtype`` for sizes.

    Raises TypeError for anything else, ValueError for a dtype beside tensors.
    """
    if isinstance(given, Tensor):
        if dtype is not None:
            raise ValueError("summary: dtype is for inputs given by their sizes; leave it out")
        return (given,)
    if _is_size(given):
        return (zeros(tuple(given), dtype=dtype),)
    if isinstance(given, (tuple, list)) and given:
        if all(_is_size(item) for item in given):
            return tuple(zeros(tuple(size), dtype=dtype) for size in given)
        if dtype is not None:
            raise ValueError("summary: dtype is for inputs given by their sizes; leave it out")
        return tuple(given)
    raise TypeError(
        "summary: input must be a tensor, a tuple of what forward takes, or sizes with the batch "
        f"such as (1, 3, 32, 32), got {given!r:.60}"
    )


def recorded(value: Any) -> Any:
    """A copy that is the result of an operation, so that what follows is recorded.

    A copy, and not a leaf, since a model may write into its input.
    """
    if isinstance(value, Tensor) and value.is_floating_point():
        return value.detach().requires_grad_(True).clone()
    return value


def _is_size(value: Any) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and bool(value)
        and all(isinstance(n, int) and not isinstance(n, bool) for n in value)
    )
