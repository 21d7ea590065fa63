"""Random tensors of every dtype."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad.random import rng_of
from tensorgrad.tensor import Tensor

__all__ = ["make_tensor"]


def make_tensor(
    *shape: Any,
    dtype: Any,
    device: Any,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A tensor of numbers drawn uniformly from [low, high).

    Without bounds: bools, 0 to 9 for uint8, -9 to 9 for other whole numbers, [-9, 9) for floats
    and for both parts of complex numbers.  noncontiguous: every other element of a larger tensor.
    exclude_zero: zeros become 1, or the smallest normal float.
    """
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    kind = np.dtype(dtype)
    whole = kind.kind in "iub"
    if whole and requires_grad:
        raise ValueError(
            f"make_tensor: `requires_grad=True` is not supported for whole numbers, got {dtype!r}"
        )
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "make_tensor: noncontiguous and memory_format are mutually exclusive, got "
            f"{noncontiguous} and {memory_format}"
        )
    least, most = _bounds(kind, low, high)
    doubled = (*shape[:-1], shape[-1] * 2) if noncontiguous and shape else shape
    rng = rng_of(None)
    if whole:
        drawn = rng.integers(math.floor(least), math.ceil(most), doubled).astype(kind)
    else:
        drawn = rng.uniform(least, most, doubled)
        if kind.kind == "c":
            drawn = drawn + 1j * rng.uniform(least, most, doubled)
        drawn = np.asarray(drawn).astype(kind)
        if kind.kind == "f":  # rounding must not reach the bound that is left out
            drawn = np.minimum(drawn, np.nextafter(kind.type(most), kind.type(least)))
    drawn = np.asarray(drawn)
    if exclude_zero:
        drawn[drawn == 0] = 1 if whole else np.finfo(kind).tiny
    if noncontiguous and shape:
        drawn = drawn[..., ::2]
    made = tg.from_numpy(drawn).to(device)
    if memory_format is not None:
        made = made.contiguous(memory_format=memory_format)
    return made.requires_grad_(requires_grad)


def _bounds(kind: Any, low: float | None, high: float | None) -> tuple[float, float]:
    """The bounds that were given or the dtype's usual ones, within what it holds."""
    usual: tuple[float, float]
    held: tuple[float, float]
    if kind.kind == "b":
        usual, held = (0, 2), (0, 2)
    elif kind.kind in "iu":
        info = np.iinfo(kind)
        usual = (0 if kind.kind == "u" else -9, 10)
        held = (int(info.min), int(info.max))
    else:
        limits = np.finfo(kind)
        usual, held = (-9, 9), (float(limits.min), float(limits.max))
    least = usual[0] if low is None else low
    most = usual[1] if high is None else high
    if math.isnan(least) or math.isnan(most):
        raise ValueError(f"make_tensor: `low` and `high` cannot be NaN, but got {least} and {most}")
    if not least < most or least >= held[1] or most <= held[0]:
        raise ValueError(
            f"make_tensor: `low` must be less than `high`, and both within {held}, but got "
            f"{least} and {most}"
        )
    return max(least, held[0]), min(most, held[1])
