"""Padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad.errors import describe
from tensorgrad.nn.functional.checks import expect_tensor
from tensorgrad.ops import indexing
from tensorgrad.ops import shape as ops
from tensorgrad.scalars import element
from tensorgrad.tensor import Tensor

__all__ = ["pad"]

# PyTorch's names of the ways to continue a signal, and NumPy's.
_MODES: dict[str, Any] = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """Add a border: ``pad`` lists (low, high) widths from the last dimension backwards.

    mode: "constant" (``value``, 0 unless given; negative widths cut), "reflect" (mirrored without
    the edge), "replicate" (the edge repeated) or "circular" (continued from the other end); these
    three pad the last 1, 2 or 3 dimensions and leave the first one or two alone.
    """
    expect_tensor("pad", "input", input)
    widths = [int(w) for w in pad]
    if len(widths) % 2:
        raise RuntimeError(f"pad(): Padding length must be divisible by 2, got pad={list(pad)}")
    count = len(widths) // 2
    if count > input.ndim:
        raise RuntimeError(
            "pad(): Padding length should be less than or equal to two times the input dimension "
            f"but got padding length {len(widths)} and input of dimension {input.ndim}"
        )
    pairs = [(widths[2 * i], widths[2 * i + 1]) for i in range(count)]  # last dimension first
    if mode == "constant":
        full = ((0, 0),) * (input.ndim - count) + tuple(reversed(pairs))
        if value:
            value = element("pad", value, input._array.dtype)
        return ops.pad(input, widths=full, value=value or 0)
    if mode not in _MODES:
        raise NotImplementedError(
            f"pad(): Unrecognised padding mode {mode!r}; use 'constant', 'reflect', 'replicate' or "
            "'circular'"
        )
    if value is not None and value != 0:
        raise RuntimeError(
            f"pad(): padding mode {mode!r} doesn't take in value argument, got {value}"
        )
    if count not in (1, 2, 3) or input.ndim not in (count + 1, count + 2):
        raise NotImplementedError(
            f"pad(): mode {mode!r} pads the last 1, 2 or 3 dimensions of an input with one or two "
            f"more; got pad={widths} for {describe(input)}"
        )
    for back, (low, high) in enumerate(pairs):
        input = _continue(input, input.ndim - 1 - back, low, high, mode)
    return input


def _continue(input: Tensor, axis: int, low: int, high: int, mode: str) -> Tensor:
    """Pad one dimension with its own elements: a look-up, whose adjoint adds them back."""
    size = input._array.shape[axis]
    index = np.arange(size)
    if mode == "circular":  # what is cut away does not come back at the other end
        index = index[max(-low, 0) : max(size - max(-high, 0), 0)]
    most = {"reflect": size - 1, "circular": len(index)}.get(mode)
    if most is not None and max(low, high) > most:
        raise RuntimeError(
            f"pad(): Padding size should be {'less than' if mode == 'reflect' else 'at most'} the "
            f"corresponding input dimension for mode {mode!r}, but got padding ({low}, {high}) at "
            f"dimension {axis} of input {list(input.shape)}"
        )
    if size == 0 or size + low + high < 1:
        raise RuntimeError(
            f"pad(): padding ({low}, {high}) of dimension {axis} of input {list(input.shape)} "
            "leaves nothing"
        )
    index = np.pad(index, (max(low, 0), max(high, 0)), mode=_MODES[mode])
    if mode == "circular":
        return indexing.take_rows(input, index=index, axis=axis)
    index = index[max(-low, 0) : len(index) - max(-high, 0)]
    return indexing.continue_edges(input, index=index, axis=axis)
