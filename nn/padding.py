"""Padding layers: a constant, the edge, the mirror image, or the other end as a border."""

from __future__ import annotations

from typing import Any

from tensorgrad.nn import functional as F
from tensorgrad.nn.functional.checks import numbers
from tensorgrad.nn.module import Module
from tensorgrad.tensor import Tensor

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]

# Negative widths cut; nothing bounds them but the input.
_LEAST = -(2**63)


class _PadNd(Module):
    """padding: one width for all sides, or (low, high) pairs from the last dimension backwards."""

    _rank: int

    def __init__(self, padding: Any) -> None:
        super().__init__()
        sides = 2 * self._rank
        self.padding = numbers(type(self).__name__, "padding", padding, sides, _LEAST)


class _ConstantPadNd(_PadNd):
    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """The input with its border."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """A border of ``value`` around the last dimension; padding (left, right) or an int."""

    _rank = 1


class ConstantPad2d(_ConstantPadNd):
    """A border of ``value``; padding (left, right, top, bottom) or an int."""

    _rank = 2


class ConstantPad3d(_ConstantPadNd):
    """A border of ``value``; padding (left, right, top, bottom, front, back) or an int."""

    _rank = 3


class _ZeroPad(_ConstantPadNd):
    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad, ConstantPad1d):
    """A border of zeros around the last dimension; padding (left, right) or an int."""


class ZeroPad2d(_ZeroPad, ConstantPad2d):
    """A border of zeros; padding (left, right, top, bottom) or an int."""


class ZeroPad3d(_ZeroPad, ConstantPad3d):
    """A border of zeros; padding (left, right, top, bottom, front, back) or an int."""


class _OwnPad(_PadNd):
    """A border made of the input's own elements."""

    _mode: str

    def forward(self, input: Tensor) -> Tensor:
        """The input with its border."""
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ReflectionPadNd(_OwnPad):
    _mode = "reflect"


class ReflectionPad1d(_ReflectionPadNd):
    """(N, C, L) or (C, L) continued by its mirror image, without the edge."""

    _rank = 1


class ReflectionPad2d(_ReflectionPadNd):
    """(N, C, H, W) or (C, H, W) continued by its mirror image, without the edge."""

    _rank = 2


class ReflectionPad3d(_ReflectionPadNd):
    """(N, C, D, H, W) or (C, D, H, W) continued by its mirror image, without the edge."""

    _rank = 3


class _ReplicationPadNd(_OwnPad):
    _mode = "replicate"


class ReplicationPad1d(_ReplicationPadNd):
    """(N, C, L) or (C, L) continued by its edge."""

    _rank = 1


class ReplicationPad2d(_ReplicationPadNd):
    """(N, C, H, W) or (C, H, W) continued by its edge."""

    _rank = 2


class ReplicationPad3d(_ReplicationPadNd):
    """(N, C, D, H, W) or (C, D, H, W) continued by its edge."""

    _rank = 3


class _CircularPadNd(_OwnPad):
    _mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        """The input with its border."""
        least = self._rank + 1
        if input.ndim not in (least, least + 1):
            raise ValueError(
                f"{type(self).__name__}: expected {least}D or {least + 1}D input (got "
                f"{input.ndim}D input)"
            )
        return super().forward(input)


class CircularPad1d(_CircularPadNd):
    """(N, C, L) or (C, L) continued from the other end."""

    _rank = 1


class CircularPad2d(_CircularPadNd):
    """(N, C, H, W) or (C, H, W) continued from the other end."""

    _rank = 2


class CircularPad3d(_CircularPadNd):
    """(N, C, D, H, W) or (C, D, H, W) continued from the other end."""

    _rank = 3
