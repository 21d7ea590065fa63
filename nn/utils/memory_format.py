"""The order in which the weights of convolutions lie in memory: the engine's own choice.

Kernels choose it, and every tensor behaves as if it were contiguous: what PyTorch programs ask
for here to be faster is refused, so that nobody thinks that it was done.
"""

from __future__ import annotations

from typing import Any, TypeVar

from tensorgrad.creation import check_memory_format
from tensorgrad.nn.module import Module

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]

M = TypeVar("M", bound=Module)


def convert_conv2d_weight_memory_format(module: M, memory_format: Any) -> M:
    """The module itself for the contiguous format; any other is a RuntimeError."""
    check_memory_format(memory_format)
    return module


def convert_conv3d_weight_memory_format(module: M, memory_format: Any) -> M:
    """The module itself for the contiguous format; any other is a RuntimeError."""
    check_memory_format(memory_format)
    return module
