"""Floating-point operations of the products, and of sums and products number by number.

A multiplication and an addition count as two.  Others count as none, as in PyTorch's profiler.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

__all__ = ["flops"]

Shape = tuple[int, ...]


def _matmul(shapes: Sequence[Shape], out: Shape, params: Any) -> int:
    return 2 * prod(out) * (shapes[0][-1] if shapes[0] else 1)


def _linear(shapes: Sequence[Shape], out: Shape, params: Any) -> int:
    return 2 * prod(out) * shapes[1][-1]


def _conv(shapes: Sequence[Shape], out: Shape, params: Any) -> int:
    return 2 * prod(out) * prod(shapes[1][1:])  # weights are (out, in / groups, *kernel)


def _each(shapes: Sequence[Shape], out: Shape, params: Any) -> int:
    return prod(out)


_COUNTS: dict[str, Callable[[Sequence[Shape], Shape, Any], int]] = {
    "matmul": _matmul, "linear": _linear, "conv": _conv, "add": _each, "sub": _each, "mul": _each,
    "div": _each,
}  # fmt: skip


def flops(name: str, shapes: Sequence[Shape], out: Shape, params: Any) -> int:
    """Of an operation of this name; 0 where it is not counted."""
    count = _COUNTS.get(name)
    return 0 if count is None else count(shapes, out, params)
