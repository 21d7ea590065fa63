"""What views show, as copies (``view_copy``), and splits under PyTorch's other names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.functions import complex_parts, diagonals, joining, rearranging, shape
from tensorgrad.graph.node import TensorBase
from tensorgrad.ops import elementwise

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "alias_copy",
    "clone",
    "detach",
    "detach_copy",
    "diagonal_copy",
    "expand_copy",
    "fill",
    "narrow_copy",
    "permute_copy",
    "select_copy",
    "slice_copy",
    "split_copy",
    "split_with_sizes",
    "split_with_sizes_copy",
    "squeeze_copy",
    "t_copy",
    "transpose_copy",
    "unbind_copy",
    "unfold_copy",
    "unsafe_chunk",
    "unsafe_split",
    "unsafe_split_with_sizes",
    "unsqueeze_copy",
    "view_as_complex_copy",
    "view_as_real_copy",
    "view_copy",
]


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy, part of the graph."""
    return input.clone(memory_format=memory_format)


def detach(input: Tensor) -> Tensor:
    """The tensor cut off from the graph, sharing memory."""
    return input.detach()


def fill(input: Tensor, value: Any) -> Tensor:
    """``value``, a number or a 0-d tensor, everywhere in the input's shape and dtype."""
    if isinstance(value, TensorBase):
        if value._array.ndim:
            raise RuntimeError(
                "fill only supports 0-dimension value tensor but got tensor with "
                f"{value._array.ndim} dimensions."
            )
        number: Any = value
        if value._array.dtype != input._array.dtype:
            number = elementwise.astype(number, dtype=input._array.dtype)
    else:
        number = np.asarray(value).astype(input._array.dtype)
    everywhere = np.ones(input._array.shape, np.bool_)
    return elementwise.where(everywhere, number, input)


# --- Copies ---------------------------------------------------------------------------------------


def _all(pieces: Sequence[Tensor]) -> tuple[Tensor, ...]:
    return tuple(elementwise.clone(piece) for piece in pieces)


def alias_copy(input: Tensor) -> Tensor:
    """A copy."""
    return elementwise.clone(input)


def detach_copy(input: Tensor) -> Tensor:
    """A copy, cut off from the graph."""
    return elementwise.clone(input.detach())


def diagonal_copy(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """As `diagonal`, a copy."""
    return elementwise.clone(diagonals.diagonal(input, offset, dim1, dim2))


def expand_copy(input: Tensor, size: Sequence[int], *, implicit: bool = False) -> Tensor:
    """As `Tensor.expand`, a copy; ``implicit`` says who asked, and changes nothing."""
    return elementwise.clone(input.expand(*size))


def narrow_copy(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """As `narrow`, a copy."""
    return elementwise.clone(shape.narrow(input, dim, start, length))


def permute_copy(input: Tensor, dims: Sequence[int]) -> Tensor:
    """As `permute`, a copy."""
    return elementwise.clone(shape.permute(input, dims))


def select_copy(input: Tensor, dim: int, index: int) -> Tensor:
    """As `select`, a copy."""
    return elementwise.clone(shape.select(input, dim, index))


def slice_copy(
    input: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Tensor:
    """``input[start:end:step]`` along a dimension, a copy."""
    if step < 1:
        raise RuntimeError(f"slice_copy: slice step must be positive, got {step}")
    axis = shape.wrap_dim(dim, input.ndim)
    if not input.ndim:
        raise RuntimeError("slice_copy cannot be applied to a 0-dim tensor.")
    return elementwise.clone(input[(slice(None),) * axis + (slice(start, end, step),)])


def split_copy(input: Tensor, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """As `split`, copies."""
    return _all(joining.split(input, split_size, dim))


def split_with_sizes_copy(
    input: Tensor, split_sizes: Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """As `split_with_sizes`, copies."""
    return _all(split_with_sizes(input, split_sizes, dim))


def squeeze_copy(input: Tensor, dim: Any = None) -> Tensor:
    """As `squeeze`, a copy."""
    return elementwise.clone(shape.squeeze(input, dim))


def t_copy(input: Tensor) -> Tensor:
    """As `t`, a copy."""
    return elementwise.clone(shape.t(input))


def transpose_copy(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """As `transpose`, a copy."""
    return elementwise.clone(shape.transpose(input, dim0, dim1))


def unbind_copy(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """As `unbind`, copies."""
    return _all(joining.unbind(input, dim))


def unfold_copy(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """As `Tensor.unfold`, a copy."""
    return elementwise.clone(rearranging.unfold(input, dimension, size, step))


def unsqueeze_copy(input: Tensor, dim: int) -> Tensor:
    """As `unsqueeze`, a copy."""
    return elementwise.clone(shape.unsqueeze(input, dim))


def view_copy(input: Tensor, size: Any = None, *, dtype: Any = None) -> Tensor:
    """As `Tensor.view`, a copy: another shape, or the bytes as another dtype."""
    if (size is None) == (dtype is None):
        raise TypeError("view_copy: give either a size or a dtype")
    if dtype is not None:
        return elementwise.clone(input.view(dtype))
    return elementwise.clone(shape.reshape(input, size))  # which strides cannot forbid


def view_as_complex_copy(input: Tensor) -> Tensor:
    """As `view_as_complex`, a copy."""
    return elementwise.clone(complex_parts.view_as_complex(input))


def view_as_real_copy(input: Tensor) -> Tensor:
    """As `view_as_real`, a copy."""
    return elementwise.clone(complex_parts.view_as_real(input))


# --- Splits ---------------------------------------------------------------------------------------


def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces of the sizes listed along a dimension."""
    return joining.split(input, tuple(split_sizes), dim)


def unsafe_split(input: Tensor, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`split`, whose pieces nobody writes to: PyTorch's does not follow such writes."""
    return joining.split(input, split_size, dim)


def unsafe_split_with_sizes(
    input: Tensor, split_sizes: Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """`split_with_sizes`, whose pieces nobody writes to."""
    return split_with_sizes(input, split_sizes, dim)


def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`chunk`, whose pieces nobody writes to."""
    return joining.chunk(input, chunks, dim)
