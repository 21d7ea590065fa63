"""Arguments that several functions take, checked in one place."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.graph.provenance import warn
from tensorgrad.tensor import Tensor

__all__ = [
    "choice",
    "expect_number",
    "expect_tensor",
    "floating",
    "legacy_reduction",
    "meant_reduction",
    "numbers",
    "one_dtype",
    "optional_tensor",
    "reduced",
]


def expect_tensor(name: str, argument: str, value: Any) -> None:
    """Raise TypeError unless the argument is a Tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(
            f"{name}(): argument '{argument}' must be Tensor, not {type(value).__name__}; make one "
            "of it with tensorgrad.tensor(...) or tensorgrad.from_numpy(...)"
        )


def expect_number(name: str, argument: str, value: Any) -> None:
    """Raise TypeError unless the argument is a number."""
    if not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(
            f"{name}(): argument '{argument}' must be Number, not {type(value).__name__} "
            f"({value!r:.60})"
        )


def floating(name: str, input: Any) -> None:
    """Raise unless the input is a Tensor of floating-point numbers, as PyTorch's kernels do."""
    expect_tensor(name, "input", input)
    if input._array.dtype.kind != "f":
        raise NotImplementedError(
            f"{name}(): not implemented for {input.dtype}; convert the input with .float()"
        )


def optional_tensor(name: str, argument: str, value: Any) -> None:
    """Raise TypeError unless the argument is a Tensor or None."""
    if value is not None:
        expect_tensor(name, argument, value)


def numbers(name: str, argument: str, value: Any, n: int, least: int) -> tuple[int, ...]:
    """An int, or one per spatial dimension, as a tuple of ``n`` ints of at least ``least``."""
    if isinstance(value, (tuple, list)):
        if len(value) == 1:
            value = tuple(value) * n
        elif len(value) != n:
            raise RuntimeError(
                f"{name}(): expected {argument} to be a single integer value or a list of {n} "
                f"values to match the spatial dimensions, but got {argument}={list(value)}"
            )
        found = tuple(value)
    else:
        found = (value,) * n
    if any(isinstance(v, bool) or not hasattr(v, "__index__") for v in found):
        raise TypeError(
            f"{name}(): argument '{argument}' must be int or a tuple of ints, got {value!r}"
        )
    found = tuple(int(v) for v in found)
    if min(found, default=least) < least:
        raise RuntimeError(
            f"{name}(): {argument} must be at least {least} in every dimension, got {value!r}"
        )
    return found


def choice(name: str, argument: str, value: Any, allowed: tuple[Any, ...]) -> None:
    """Raise ValueError for a value that is not among those allowed."""
    if value not in allowed:
        listed = ", ".join(map(repr, allowed))
        raise ValueError(
            f"{name}(): {value!r} is not a valid value for {argument}; use one of {listed}"
        )


def legacy_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction meant by PyTorch's two old arguments, with its warning; else ``reduction``."""
    if size_average is None and reduce is None:
        return reduction
    if reduce is False:
        meant = "none"
    else:
        meant = "sum" if size_average is False else "mean"
    warn(
        f"size_average and reduce args will be deprecated, please use reduction={meant!r} instead."
    )
    return meant


def meant_reduction(
    name: str, size_average: bool | None, reduce: bool | None, reduction: str
) -> str:
    """The reduction that the three arguments mean, which must be one of PyTorch's."""
    if size_average is not None or reduce is not None:
        return legacy_reduction(size_average, reduce, reduction)
    choice(name, "reduction", reduction, ("none", "mean", "sum"))
    return reduction


def reduced(name: str, loss: Tensor, reduction: str) -> Tensor:
    """The mean or the sum of a loss per element, or the losses themselves."""
    choice(name, "reduction", reduction, ("none", "mean", "sum"))
    if reduction == "mean":
        return loss.mean()
    return loss.sum() if reduction == "sum" else loss


def one_dtype(name: str, input: Tensor, other: Tensor, what: str) -> None:
    """Raise RuntimeError unless two tensors have the same dtype."""
    if input._array.dtype != other._array.dtype:
        raise RuntimeError(
            f"{name}(): expected input and {what} to have the same dtype, but got input "
            f"{describe(input)} and {what} {describe(other)}; convert one with .to(...)"
        )
