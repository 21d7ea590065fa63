"""How errors are worded: what failed, with which shapes, where, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["GradientShapeError", "LinAlgError", "describe", "does_not_broadcast", "explain"]


class LinAlgError(RuntimeError):
    """A matrix that an operation of linear algebra cannot take: singular, not positive-definite."""


class GradientShapeError(RuntimeError):
    """A Function's backward returned a gradient whose shape its argument cannot have."""

    def __init__(
        self, message: str, argument: int, got: tuple[int, ...], expected: tuple[int, ...]
    ) -> None:
        super().__init__(message)
        self.argument, self.got, self.expected = argument, got, expected


def describe(value: Any) -> str:
    """A short name for an argument in a message: ``float32(2, 3)`` or the value itself."""
    array = getattr(value, "_array", value)
    if isinstance(array, np.ndarray):
        return f"{array.dtype}{_shape(array.shape)}"
    if isinstance(array, (list, tuple)) and any(hasattr(item, "_array") for item in array):
        return "[" + ", ".join(describe(item) for item in array) + "]"
    text = repr(array)
    return text if len(text) <= 60 else text[:57] + "..."


def _shape(shape: Sequence[int]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"


def does_not_broadcast(shapes: Sequence[tuple[int, ...]]) -> str | None:
    """Name the first dimension, from the right, at which shapes disagree; None if they fit."""
    rank = max((len(shape) for shape in shapes), default=0)
    for back in range(1, rank + 1):
        sizes = {shape[-back] for shape in shapes if len(shape) >= back} - {1}
        if len(sizes) > 1:
            listed = " and ".join(_shape(shape) for shape in shapes)
            wanted = " and ".join(str(n) for n in sorted(sizes))
            return (
                f"shapes {listed} do not broadcast: dimension -{back} has sizes {wanted}, which "
                "must be equal or 1; use reshape, unsqueeze or expand on one of them"
            )
    return None


def explain(
    name: str, arguments: Sequence[Any], params: dict[str, Any] | None, error: Exception
) -> Exception:
    """The error to raise for an operation whose forward raised ``error``.

    NumPy's ValueErrors become RuntimeError, PyTorch's type for a shape that does
    not fit; TypeError, IndexError and the rest keep their types.
    """
    listed = ", ".join(describe(argument) for argument in arguments)
    if params:
        listed += "".join(f", {key}={describe(value)}" for key, value in params.items())
    reason = str(error)
    if isinstance(error, (np.exceptions.AxisError, IndexError)):
        kind: type[Exception] = IndexError
    elif isinstance(
        error, (LinAlgError, np.linalg.LinAlgError)
    ):  # before ValueError: NumPy's is one
        kind = LinAlgError
    elif isinstance(error, ValueError):
        shapes = [
            np.shape(getattr(a, "_array", a)) for a in arguments if not isinstance(a, (list, tuple))
        ]
        if "broadcast" in reason and (better := does_not_broadcast(shapes)):
            reason = better
        kind = RuntimeError
    elif type(error) in (TypeError, RuntimeError, OverflowError, MemoryError, NotImplementedError):
        kind = type(error)
    elif isinstance(error, TypeError):  # NumPy's _UFuncNoLoopError and kin
        kind = TypeError
    else:
        return error
    return kind(f"{name}({listed}): {reason}")
