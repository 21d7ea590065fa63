"""Complex tensors from their parts, and their parts again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorgrad.functions.joining import stack
from tensorgrad.functions.shape import broadcast_tensors
from tensorgrad.ops import complex_parts as ops
from tensorgrad.ops import elementwise

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["angle", "complex", "is_complex", "polar", "view_as_complex", "view_as_real"]


def angle(input: Tensor) -> Tensor:
    """The argument in radians; of a real tensor 0, or pi where it is negative."""
    return ops.angle(input)


def _one_kind(name: str, a: Tensor, b: Tensor) -> None:
    if a._array.dtype != b._array.dtype or a._array.dtype.char not in "fd":
        raise RuntimeError(
            f"{name}: expected both inputs to be float32 or both float64, got {a.dtype} and "
            f"{b.dtype}"
        )


def complex(real: Tensor, imag: Tensor) -> Tensor:
    """real + i imag."""
    _one_kind("complex", real, imag)
    # Through pairs: real + 1j * imag would make NaN of 0 times an infinite part.
    return ops.view_as_complex(stack(broadcast_tensors(real, imag), -1))


def polar(abs: Tensor, angle: Tensor) -> Tensor:
    """abs * (cos(angle) + i sin(angle))."""
    _one_kind("polar", abs, angle)
    return complex(
        elementwise.mul(abs, elementwise.cos(angle)), elementwise.mul(abs, elementwise.sin(angle))
    )


def is_complex(input: Tensor) -> bool:
    """Whether the dtype is complex."""
    return input.is_complex()


def view_as_real(input: Tensor) -> Tensor:
    """A complex tensor as pairs of real numbers, (...) to (..., 2); unlike PyTorch's, a copy."""
    return ops.view_as_real(input)


def view_as_complex(input: Tensor) -> Tensor:
    """Pairs of real numbers as complex ones, (..., 2) to (...); unlike PyTorch's, a copy."""
    return ops.view_as_complex(input)
