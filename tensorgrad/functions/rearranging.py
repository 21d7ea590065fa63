"""Rolling, rotating, repeating, gridding and cutting: arrangements made of other functions."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.functions.joining import cat, split
from tensorgrad.functions.shape import flip, permute, reshape, unsqueeze, wrap_dim
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.ops import elementwise, indexing
from tensorgrad.ops import shape as ops
from tensorgrad.ops.kinds import one_dtype

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "column_stack",
    "dsplit",
    "dstack",
    "fliplr",
    "flipud",
    "hsplit",
    "meshgrid",
    "repeat_interleave",
    "roll",
    "rot90",
    "row_stack",
    "tensor_split",
    "unfold",
    "vsplit",
]


def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Elements moved along dimensions, those that fall off coming in at the other end."""
    shifts, dims = (  # NumPy's number, or a Tensor of one, is a number
        operator.index(given) if getattr(given, "ndim", None) == 0 else given
        for given in (shifts, dims)
    )
    if dims is None or (isinstance(dims, (tuple, list)) and not dims):
        if not isinstance(shifts, int) and not len(shifts):
            raise RuntimeError("roll: `shifts` required")
        shift = shifts if isinstance(shifts, int) else shifts[0]
        return reshape(roll(reshape(input, (-1,)), shift, 0), input.shape)
    moves = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    along = (dims,) if isinstance(dims, int) else tuple(dims)
    if len(moves) != len(along):
        raise RuntimeError(f"roll: got {len(moves)} shifts and {len(along)} dims")
    out = input
    for shift, dim in zip(moves, along, strict=True):
        axis = wrap_dim(dim, input.ndim)
        if not input.ndim:
            raise IndexError(f"roll: dimension {dim} of a tensor that has no dimensions")
        size = input._array.shape[axis]
        if size and shift % size:
            places = (np.arange(size) - shift) % size
            out = indexing.take_rows(out, index=places, axis=axis)
    return elementwise.clone(input) if out is input else out


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Rotated by k times 90 degrees, from the first of two dimensions towards the second."""
    if len(dims) != 2:
        raise RuntimeError(f"rot90: expected total rotation dims == 2, but got dims = {len(dims)}")
    if input.ndim < 2:
        raise RuntimeError(f"rot90: expected total dims >= 2, but got total dims = {input.ndim}")
    a, b = (wrap_dim(d, input.ndim) for d in dims)
    if a == b:
        raise RuntimeError(f"rot90: expected two different dims, got {tuple(dims)}")
    turns = k % 4
    if turns == 0:
        return ops.flip(input, axes=())
    if turns == 2:
        return flip(input, (a, b))
    order = list(range(input.ndim))
    order[a], order[b] = b, a
    turned = flip(input, b if turns == 1 else a)
    return permute(turned, order)


def fliplr(input: Tensor) -> Tensor:
    """Columns in reverse order."""
    if input.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """Rows in reverse order."""
    if input.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


def repeat_interleave(
    input: Any = None,
    repeats: Any = None,
    dim: int | None = None,
    *,
    output_size: int | None = None,
) -> Tensor:
    """Each slice along a dimension repeated, side by side; flattened when dim is None.

    With ``repeats`` alone, a vector: the numbers 0, 1, ..., each as often as it says.
    """
    if input is None or repeats is None:
        repeats = input if repeats is None else repeats
        if not isinstance(repeats, TensorBase) or repeats._array.ndim != 1:
            raise RuntimeError("repeat_interleave: repeats must be a vector if there is no input")
        input = wrap(np.arange(repeats._array.size))
    source = reshape(input, (-1,)) if dim is None else input
    axis = 0 if dim is None else wrap_dim(dim, input.ndim)
    size = source._array.shape[axis]
    counts = np.asarray(repeats._array if isinstance(repeats, TensorBase) else repeats)
    if counts.dtype.kind not in "iu":
        raise RuntimeError(f"repeat_interleave: repeats has to be Long or Int, got {counts.dtype}")
    if counts.size not in (1, size) or np.any(counts < 0):
        raise RuntimeError(
            f"repeat_interleave: repeats must be >= 0 and one number or one per slice ({size}), "
            "got "
            f"{counts.tolist()}"
        )
    places = np.repeat(np.arange(size), counts.reshape(-1) if counts.size != 1 else counts.item())
    if output_size is not None and output_size != len(places):
        raise RuntimeError(
            f"repeat_interleave: output_size is {output_size}, but the repeats add up to "
            f"{len(places)}"
        )
    return indexing.take_rows(source, index=places, axis=axis)


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Vectors spread over a common grid: "ij" (the default) or "xy" order of the first two."""
    parts = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    if not parts:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    one_dtype("meshgrid", *parts)
    order = "ij" if indexing is None else indexing
    if order not in ("ij", "xy"):
        raise RuntimeError(f'meshgrid: indexing must be one of "xy" or "ij", but received: {order}')
    for i, part in enumerate(parts):
        if part.ndim > 1:
            raise RuntimeError(
                "meshgrid: Expected 0D or 1D tensor in the tensor list but got: "
                f"{tuple(part.shape)} "
                f"(tensor {i})"
            )
    sizes = [part._array.size for part in parts]
    places = list(range(len(parts)))
    if order == "xy" and len(parts) > 1:
        places[:2] = [1, 0]
    shape = [0] * len(parts)
    for place, size in zip(places, sizes, strict=True):
        shape[place] = size
    return tuple(
        ops.broadcast_to(
            reshape(part, [size if i == place else 1 for i in range(len(parts))]),
            shape=tuple(shape),
        )
        for part, place, size in zip(parts, places, sizes, strict=True)
    )


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Windows of ``size`` every ``step`` along a dimension, as a last dimension."""
    axis = wrap_dim(dimension, input.ndim)
    length = input._array.shape[axis] if input.ndim else 1  # a 0-d input counts as one element
    if size > length or size < 0 or step <= 0:
        raise RuntimeError(
            f"unfold: size {size} with step {step} does not fit dimension {dimension} of size "
            f"{length}"
        )
    if not input.ndim:
        return reshape(input, (1,))[:size]
    count = (length - size) // step + 1
    if 0 < size <= step and count * step <= length:
        # Windows side by side are a view: cut, split the dimension, take the first of each part.
        whole = (slice(None),) * axis
        cut = indexing.getitem(input, index=(*whole, slice(0, count * step)))
        sizes = (*input.shape[:axis], count, step, *input.shape[axis + 1 :])
        parts = cut.view(*sizes)
        parts = indexing.getitem(parts, index=(*whole, slice(None), slice(0, size)))
        rest = [i for i in range(parts.ndim) if i != axis + 1]
        return permute(parts, (*rest, axis + 1))
    starts = np.arange(0, length - size + 1, step)
    places = starts[:, None] + np.arange(size)
    taken = indexing.take_rows(input, index=places, axis=axis)
    rest = [i for i in range(taken.ndim) if i != axis + 1]
    return permute(taken, (*rest, axis + 1))


# --- Cutting ---------------------------------------------------------------------------------


def _given(name: str, both: Any, indices: Any, sections: Any) -> Any:
    """Where to cut, or into how many pieces: by position, or by the name of either."""
    found = [value for value in (both, indices, sections) if value is not None]
    if len(found) != 1:
        raise TypeError(f"{name}() needs one of indices and sections, got {found}")
    if isinstance(found[0], str):
        raise TypeError(f"{name}(): indices or sections must be ints, not str")
    return found[0]


def tensor_split(
    input: Tensor,
    indices_or_sections: Any = None,
    dim: int = 0,
    *,
    indices: Any = None,
    sections: Any = None,
    tensor_indices_or_sections: Tensor | None = None,
) -> tuple[Tensor, ...]:
    """Pieces along a dimension: as equal as can be, or cut at the given places."""
    if tensor_indices_or_sections is not None:
        indices = tensor_indices_or_sections
    indices_or_sections = _given("tensor_split", indices_or_sections, indices, sections)
    axis = wrap_dim(dim, input.ndim)
    if not input.ndim:
        raise RuntimeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        )
    total = input._array.shape[axis]
    given = indices_or_sections
    given = given._array.tolist() if isinstance(given, TensorBase) else given
    if isinstance(given, int):
        if given <= 0:
            raise RuntimeError(
                f"tensor_split: number of sections must be larger than 0, got {given}"
            )
        base, more = divmod(total, given)
        return split(input, [base + (i < more) for i in range(given)], axis)
    cuts = [0, *(slice(None, int(i)).indices(total)[1] for i in given), total]
    index = (slice(None),) * axis
    return tuple(
        indexing.getitem(input, index=(*index, slice(a, max(a, b))))
        for a, b in itertools.pairwise(cuts)
    )


def _even(name: str, input: Tensor, given: Any, axis: int) -> tuple[Tensor, ...]:
    if isinstance(given, int) and (given <= 0 or input._array.shape[axis] % given):
        raise RuntimeError(
            f"torch.{name} attempted to split along dimension {axis}, but the size of the "
            "dimension "
            f"{input._array.shape[axis]} is not divisible by the split_size {given}!"
        )
    return tensor_split(input, given, axis)


def hsplit(
    input: Tensor, indices_or_sections: Any = None, *, indices: Any = None, sections: Any = None
) -> tuple[Tensor, ...]:
    """tensor_split along dimension 1, or 0 for vectors."""
    if input.ndim < 1:
        raise RuntimeError("torch.hsplit requires a tensor with at least 1 dimension, but got 0-D")
    given = _given("hsplit", indices_or_sections, indices, sections)
    return _even("hsplit", input, given, 0 if input.ndim == 1 else 1)


def vsplit(
    input: Tensor, indices_or_sections: Any = None, *, indices: Any = None, sections: Any = None
) -> tuple[Tensor, ...]:
    """tensor_split along dimension 0."""
    if input.ndim < 2:
        raise RuntimeError(
            f"torch.vsplit requires a tensor with at least 2 dimension, but got {input.ndim}"
        )
    given = _given("vsplit", indices_or_sections, indices, sections)
    return _even("vsplit", input, given, 0)


def dsplit(
    input: Tensor, indices_or_sections: Any = None, *, indices: Any = None, sections: Any = None
) -> tuple[Tensor, ...]:
    """tensor_split along dimension 2."""
    if input.ndim < 3:
        raise RuntimeError(
            f"torch.dsplit requires a tensor with at least 3 dimension, but got {input.ndim}"
        )
    given = _given("dsplit", indices_or_sections, indices, sections)
    return _even("dsplit", input, given, 2)


# --- At least so many dimensions ---------------------------------------------------------------


def _each(tensors: tuple[Any, ...], raise_one: Any) -> Any:
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        return tuple(raise_one(t) for t in tensors[0])
    if len(tensors) == 1:
        return raise_one(tensors[0])
    return tuple(raise_one(t) for t in tensors)


def atleast_1d(*tensors: Any) -> Any:
    """Scalars as vectors; one tensor, or a tuple for several."""
    return _each(tensors, lambda t: reshape(t, (1,)) if t.ndim == 0 else t)


def _two(t: Tensor) -> Tensor:
    return reshape(t, (1, -1)) if t.ndim < 2 else t


def atleast_2d(*tensors: Any) -> Any:
    """Scalars and vectors as matrices of one row."""
    return _each(tensors, _two)


def atleast_3d(*tensors: Any) -> Any:
    """At least three dimensions: (1, n, 1) for vectors, (n, m, 1) for matrices."""
    return _each(tensors, lambda t: unsqueeze(_two(t), -1) if t.ndim < 3 else t)


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join along dimension 2."""
    if not tensors:
        raise RuntimeError("dstack expects a non-empty TensorList")
    return cat([atleast_3d(t) for t in tensors], 2)


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Join along dimension 1, vectors as columns."""
    return cat([reshape(t, (-1, 1)) if t.ndim < 2 else t for t in tensors], 1)


def row_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Join along dimension 0, vectors as rows."""
    return cat([_two(t) for t in tensors], 0)
