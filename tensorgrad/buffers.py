"""Tensors on memory of a given order, and on memory that somebody else holds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.creation import check_options, real_dtype, size_of
from tensorgrad.dtypes import numpy_dtype
from tensorgrad.graph.node import strided
from tensorgrad.ops.strided import overlaps

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["empty_permuted", "empty_strided", "from_file", "frombuffer"]


def empty_strided(
    size: Sequence[int],
    stride: Sequence[int],
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Unwritten memory, whose neighbours along each dimension are ``stride`` elements apart."""
    check_options(device, layout, pin_memory)
    sizes, steps = size_of((tuple(size),)), tuple(int(n) for n in stride)
    if len(sizes) != len(steps):
        raise RuntimeError(
            "empty_strided: mismatch in length of strides and shape, got "
            f"{len(steps)} and {len(sizes)}"
        )
    if any(n < 0 for n in steps):
        raise RuntimeError(f"empty_strided: negative strides are not allowed, got {steps}")
    kind = real_dtype(dtype)
    reach = sum((n - 1) * s for n, s in zip(sizes, steps, strict=True)) + 1 if prod(sizes) else 0
    memory = np.empty(reach, kind)
    bytes_ = [n * kind.itemsize for n in steps]
    array = np.lib.stride_tricks.as_strided(memory, sizes, bytes_)
    if overlaps(sizes, steps):  # a write would change several elements
        array.flags.writeable = False
    return _leaf(array, requires_grad)


def _leaf(array: Any, requires_grad: bool) -> Tensor:
    out = strided(array)
    return out.requires_grad_() if requires_grad else out


def empty_permuted(
    size: Sequence[int],
    physical_layout: Sequence[int],
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Unwritten memory in which the dimensions lie in the order of ``physical_layout``."""
    check_options(device, layout, pin_memory)
    sizes, order = size_of((tuple(size),)), [int(d) for d in physical_layout]
    if sorted(order) != list(np.arange(len(sizes))):
        raise RuntimeError(
            f"empty_permuted: Number of dimensions in size {sizes} and in physical_layout {order} "
            "must be the same, each dimension once"
        )
    memory = np.empty([sizes[d] for d in order], real_dtype(dtype))
    return _leaf(memory.transpose(np.argsort(order)), requires_grad)


def frombuffer(
    buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """A vector on the memory of an object with Python's buffer protocol, which it shares.

    count: how many elements, all that fit if negative.  offset: in bytes.
    Writing to memory that is read-only, as that of bytes is, raises.
    """
    kind = numpy_dtype(dtype)
    size = memoryview(buffer).nbytes
    if size <= 0 or count == 0:
        raise ValueError(f"both buffer length ({size}) and count ({count}) must not be 0")
    if not 0 <= offset < size:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length "
            f"({size} bytes) minus 1"
        )
    rest = size - offset
    if count < 0 and rest % kind.itemsize:
        raise ValueError(
            f"buffer length ({rest} bytes) after offset ({offset} bytes) must be a multiple of "
            f"element size ({kind.itemsize})"
        )
    if count > 0 and count * kind.itemsize > rest:
        raise ValueError(
            f"requested buffer length ({count} * {kind.itemsize} bytes) after offset ({offset} "
            f"bytes) must not be greater than actual buffer length ({size} bytes)"
        )
    return _leaf(np.frombuffer(buffer, kind, count if count > 0 else -1, offset), requires_grad)


def from_file(
    filename: str | os.PathLike[str],
    shared: bool | None = None,
    size: int | None = 0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """A vector of ``size`` elements on a file, mapped to memory.

    shared: writes go to the file, which is made or made longer where that is needed; else they
        stay in memory, and the file must be long enough.
    """
    check_options(device, layout, pin_memory)
    kind, count = real_dtype(dtype), size or 0
    needed = count * kind.itemsize
    if shared and (not os.path.exists(filename) or os.path.getsize(filename) < needed):
        with open(filename, "ab") as file:
            file.truncate(needed)
    have = os.path.getsize(filename)
    if have < needed:
        raise RuntimeError(
            f"from_file: file {os.fspath(filename)!r} is too small: {have} bytes, needed {needed}"
        )
    if not count:
        return _leaf(np.empty(0, kind), requires_grad)
    mapped = np.memmap(filename, kind, "r+" if shared else "c", shape=(count,))
    return _leaf(mapped, requires_grad)
