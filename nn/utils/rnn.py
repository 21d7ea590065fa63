"""Sequences of different lengths in one batch: padded to one length, or packed without padding.

A packed batch has the rows of step 0 of all sequences, longest first, then those of step 1 of all
that have one, and so on: every step is the front of the one before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tensorgrad import dtypes
from tensorgrad.errors import describe
from tensorgrad.functions.indexing import index_select
from tensorgrad.functions.joining import stack, unbind
from tensorgrad.graph.node import wrap
from tensorgrad.ops import elementwise, indexing, shape
from tensorgrad.tensor import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """What the functions below make and the recurrent layers take, beside padded tensors.

    data: (rows, ...), the steps after each other.  batch_sizes: how many sequences have each step.
    sorted_indices: which sequence of the user's stands at each place of the batch, None if they
    came sorted; unsorted_indices: the inverse.
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if batch_sizes is None:
            if not (isinstance(data, (list, tuple)) and len(data) == 2):
                raise AssertionError(
                    "PackedSequence: expected data and batch_sizes, or the two as a tuple of "
                    f"length 2, got {describe(data)}"
                )
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same with ``data`` in another dtype; itself if nothing changes."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else type(self)(data, *self[1:])

    def cpu(self) -> PackedSequence:
        """Itself: there is no other device."""
        return self.to("cpu")

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Raise the error of a device that is not there."""
        return self.to("cuda")

    def double(self) -> PackedSequence:
        return self.to(dtypes.float64)

    def float(self) -> PackedSequence:
        return self.to(dtypes.float32)

    def half(self) -> PackedSequence:
        return self.to(dtypes.float16)

    def long(self) -> PackedSequence:
        return self.to(dtypes.int64)

    def int(self) -> PackedSequence:
        return self.to(dtypes.int32)

    def short(self) -> PackedSequence:
        return self.to(dtypes.int16)

    def char(self) -> PackedSequence:
        return self.to(dtypes.int8)

    def byte(self) -> PackedSequence:
        return self.to(dtypes.uint8)

    @property
    def is_cuda(self) -> bool:
        return False

    def is_pinned(self) -> bool:
        return False


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes one; None for None."""
    if permutation is None:
        return None
    inverse = np.empty_like(permutation._array)
    inverse[permutation._array] = np.arange(len(inverse), dtype=inverse.dtype)
    return wrap(inverse)


def _present(lengths: Any, steps: int) -> Any:
    """(steps, batch) of bools: which sequence has which step."""
    return np.arange(steps)[:, None] < lengths


def _steps_first(x: Tensor, batch_first: bool) -> Tensor:
    return shape.permute(x, axes=(1, 0, *range(2, x.ndim))) if batch_first else x


def pack_padded_sequence(
    input: Tensor,
    lengths: Tensor | Sequence[int],
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Pack a padded batch (steps, batch, ...), or (batch, steps, ...), of sequences of lengths.

    The lengths must fall, unless ``enforce_sorted`` is False.
    """
    sizes = lengths._array if isinstance(lengths, Tensor) else np.asarray(lengths)
    sizes = sizes.astype(np.int64)
    if sizes.ndim != 1:
        raise RuntimeError(f"pack_padded_sequence: lengths must be 1-D, got {describe(sizes)}")
    if input.ndim < 2:
        raise IndexError(
            f"pack_padded_sequence: expected at least 2 dimensions, got {describe(input)}"
        )
    order = None
    if not enforce_sorted:
        order = wrap(np.argsort(-sizes, kind="stable"))
        sizes = sizes[order._array]
        input = index_select(input, 0 if batch_first else 1, order)
    whole = _steps_first(input, batch_first)
    steps, batch = whole.shape[:2]
    if not whole.numel():
        raise RuntimeError(f"Cannot pack empty tensors: got {describe(input)}")
    if len(sizes) != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(sizes)} "
            f"(batch_size={batch})"
        )
    if sizes.min() <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but lengths has "
            f"{sizes.min()}: {sizes.tolist()}"
        )
    if (np.diff(sizes) > 0).any():
        raise RuntimeError(
            "`lengths` must be sorted in decreasing order when `enforce_sorted` is True, got "
            f"{sizes.tolist()}; pass enforce_sorted=False"
        )
    if sizes[0] > steps:
        raise RuntimeError(
            f"pack_padded_sequence: a length of {sizes[0]} in an input of {steps} steps"
        )
    present = _present(sizes, steps)
    data = indexing.getitem(whole, index=(present,))
    counts = np.add.reduce(present[: sizes[0]], axis=1, dtype=np.int64)
    return PackedSequence(data, wrap(counts), order, None)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """A padded batch, in the user's order, and the lengths: the inverse of packing.

    total_length: pad to so many steps instead of to the longest sequence's.
    """
    counts = sequence.batch_sizes._array
    steps = len(counts)
    if total_length is not None:
        if total_length < steps:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in "
                f"input, but got total_length={total_length} and max sequence length being {steps}"
            )
        steps = total_length
    lengths = np.add.reduce(counts[:, None] > np.arange(counts[0]), axis=0, dtype=np.int64)
    present = _present(lengths, steps)
    rest = sequence.data._array.shape[1:]
    padded = indexing.put(sequence.data, index=(present,), shape=(*present.shape, *rest))
    if padding_value != 0:
        wide = present.reshape(*present.shape, *(1,) * len(rest))
        padded = elementwise.where(wide, padded, padding_value)
    padded = _steps_first(padded, batch_first)
    order = sequence.unsorted_indices
    if order is None:
        return padded, wrap(lengths)
    return index_select(padded, 0 if batch_first else 1, order), wrap(lengths[order._array])


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Stack sequences (length, ...) to (longest, batch, ...), or (batch, longest, ...), padded."""
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
    if padding_side not in ("left", "right"):
        raise RuntimeError(
            f"Expected padding_side to be one of left or right, but got {padding_side}."
        )
    given = list(unbind(sequences) if isinstance(sequences, Tensor) else sequences)
    if not given:
        raise RuntimeError("pad_sequence: received an empty list of sequences")
    for item in given:
        if not isinstance(item, Tensor):
            raise TypeError(f"pad_sequence: expected Tensors, got {type(item).__name__}")
    first = given[0]
    if any(not t.ndim or t.shape[1:] != first.shape[1:] for t in given):
        raise RuntimeError(
            "pad_sequence: sequences must have one dimension at least, and agree in all but the "
            f"first, got {describe(given)}"
        )
    longest = max(len(t) for t in given)
    kind = first._array.dtype
    value = kind.type(padding_value).item()
    padded = []
    for t in given:
        short = longest - len(t)
        ends = (short, 0) if padding_side == "left" else (0, short)
        same = t if t._array.dtype == kind else elementwise.astype(t, dtype=kind)
        widths = (ends, *((0, 0),) * (t.ndim - 1))
        padded.append(shape.pad(same, widths=widths, value=value) if short else same)
    return stack(padded, 0 if batch_first else 1)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """The sequences of a padded batch, each of its own length."""
    whole = padded_sequences if batch_first else _steps_first(padded_sequences, True)
    if len(whole) != len(lengths):
        raise ValueError(f"unpad_sequence: {len(lengths)} lengths for {len(whole)} sequences")
    sizes = [int(n) for n in lengths._array]
    return [indexing.getitem(whole, index=(i, slice(0, max(n, 0)))) for i, n in enumerate(sizes)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack a list of sequences (length, ...)."""
    padded = pad_sequence(sequences)
    lengths = [len(t) for t in sequences]
    return pack_padded_sequence(padded, lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences of a packed batch as a list, in the user's order."""
    return unpad_sequence(*pad_packed_sequence(packed_sequences, batch_first=True), True)
