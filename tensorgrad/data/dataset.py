"""Datasets: what a loader draws samples from, and datasets made of other datasets."""

from __future__ import annotations

import bisect
import itertools
import math
import operator
from collections.abc import Iterable, Iterator, Sequence, Sized
from numbers import Real
from typing import Any, Generic, TypeVar, cast

import numpy as np

from tensorgrad.graph.provenance import warn
from tensorgrad.random import Generator, default_generator, rng_of
from tensorgrad.tensor import Tensor

__all__ = [
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Samples by index: subclasses define ``__getitem__`` and, nearly always, ``__len__``.

    Two optional methods fetch a whole batch. ``__getitems__(indices)`` returns the list of
    samples, as in PyTorch. ``collated_items(indices)`` returns what ``default_collate`` would make
    of them, or None if it cannot this time; loaders that collate by default prefer it. A subclass
    that overrides ``__getitem__`` alone is never bypassed.
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__")

    def __add__(self, other: Dataset[Any]) -> ConcatDataset[Any]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """Samples as a stream: subclasses define ``__iter__``, and ``__len__`` if it is known."""

    def __add__(self, other: Dataset[Any]) -> ChainDataset[Any]:  # type: ignore[override] # as PyTorch
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors of equal first dimension; sample i is the tuple of their i-th elements.

    AssertionError, PyTorch's type, when the first dimensions differ.
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        if not tensors:
            raise ValueError("TensorDataset needs at least one tensor")
        for position, tensor in enumerate(tensors):
            if not isinstance(tensor, Tensor):
                raise TypeError(
                    f"TensorDataset: argument {position} is a {type(tensor).__name__}, not a "
                    "Tensor; convert it with tensorgrad.as_tensor"
                )
            if tensor.ndim == 0:
                raise IndexError(
                    f"TensorDataset: argument {position} has no dimensions, so no samples; "
                    "the first dimension counts them"
                )
        if len({tensor.shape[0] for tensor in tensors}) > 1:
            shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
            raise AssertionError(
                f"TensorDataset: size mismatch between tensors of shapes {shapes}: "
                "the first dimensions must be equal"
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def collated_items(self, indices: Sequence[int]) -> list[Tensor] | None:
        """One gather per tensor: what collating the samples one by one would give."""
        positions = np.asarray(indices)
        # Other types keep the slow way, for its meaning and its errors.
        if positions.dtype.kind not in "iu" or any(type(t) is not Tensor for t in self.tensors):
            return None
        return [tensor[positions] for tensor in self.tensors]

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])


class ConcatDataset(Dataset[T_co]):
    """Datasets one after another; negative indices count from the end."""

    datasets: list[Dataset[T_co]]
    cumulative_sizes: list[int]

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("ConcatDataset: datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError(
                "ConcatDataset does not support IterableDataset, which has no indices; "
                "use ChainDataset"
            )
        self.cumulative_sizes = list(itertools.accumulate(map(_length, self.datasets)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: Any) -> T_co:
        total, index = len(self), operator.index(index)
        if index < 0:
            # ValueError below, IndexError above: PyTorch's types.
            if -index > total:
                raise ValueError(
                    f"ConcatDataset: index {index} is out of range for {total} samples"
                )
            index += total
        elif index >= total:
            raise IndexError(f"ConcatDataset: index {index} is out of range for {total} samples")
        which = bisect.bisect_right(self.cumulative_sizes, index)
        start = self.cumulative_sizes[which - 1] if which else 0
        return self.datasets[which][index - start]


class ChainDataset(IterableDataset[T_co]):
    """Streams one after another, each read only when its turn comes."""

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[T_co]:
        for dataset in self._checked():
            yield from dataset

    def __len__(self) -> int:
        return sum(_length(dataset) for dataset in self._checked())

    def _checked(self) -> Iterator[IterableDataset[T_co]]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError(
                    f"ChainDataset only supports IterableDataset, got {type(dataset).__name__}"
                )
            yield dataset


class Subset(Dataset[T_co]):
    """The samples of ``dataset`` at ``indices``, in that order.

    A subclass that overrides ``__getitem__`` must override ``__getitems__`` as well: loaders ask
    for whole batches (NotImplementedError otherwise, PyTorch's rule).
    """

    dataset: Dataset[T_co]
    indices: Sequence[int]

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        cls = type(self)
        if cls.__getitem__ is not Subset.__getitem__ and cls.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{cls.__name__} overrides __getitem__ but not __getitems__, which loaders call: "
                "define __getitems__(self, indices) as [self[i] for i in indices]"
            )
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> T_co:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: Sequence[int]) -> list[T_co]:
        return fetch_items(self.dataset, [self.indices[i] for i in indices])

    def collated_items(self, indices: Sequence[int]) -> Any:
        """The dataset's own gather at the subset's indices, where it has one."""
        if not gathers(self.dataset):
            return None
        return cast(Any, self.dataset).collated_items([self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


def fetch_items(dataset: Any, indices: Sequence[int]) -> list[Any]:
    """The samples at ``indices``: by the dataset's ``__getitems__`` if it has one, else singly."""
    if callable(together := getattr(dataset, "__getitems__", None)):
        return cast(list[Any], together(indices))
    return [dataset[index] for index in indices]


def gathers(dataset: Any) -> bool:
    """Whether ``collated_items`` may stand for fetching samples and collating them.

    It may where the class that last had a say on samples also defines it; a subclass that
    overrides ``__getitem__`` (or ``__getitems__``) alone means its own samples to be used.
    """
    for cls in type(dataset).__mro__:
        if "collated_items" in vars(cls):
            return True
        if "__getitem__" in vars(cls) or "__getitems__" in vars(cls):
            return False
    return False


def random_split(
    dataset: Dataset[T],
    lengths: Sequence[int | float],
    generator: Generator | None = default_generator,
) -> list[Subset[T]]:
    """Split a dataset at random into disjoint subsets of the given lengths or fractions.

    Numbers that sum to 1 are fractions: each part gets floor(fraction * n) samples, and what
    is left goes one by one to the first parts. ValueError when lengths do not sum to n.
    """
    total = _length(dataset)
    if not isinstance(lengths, Iterable) or not all(isinstance(n, Real) for n in lengths):
        raise TypeError(f"random_split: lengths must be a sequence of numbers, got {lengths!r:.60}")
    counts = _split_counts(total, lengths)
    order = rng_of(generator).permutation(total).tolist()
    ends = itertools.accumulate(counts)
    return [Subset(dataset, order[end - count : end]) for end, count in zip(ends, counts)]


def _split_counts(total: int, lengths: Sequence[int | float]) -> list[int]:
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        for position, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(
                    f"random_split: fraction {fraction} at index {position} is not between 0 and 1"
                )
        counts = [math.floor(total * fraction) for fraction in lengths]
        for position in range(total - sum(counts)):
            counts[position % len(counts)] += 1
        for position, count in enumerate(counts):
            if count == 0:
                warn(f"random_split: the part at index {position} has no samples")
        return counts
    if not all(isinstance(length, (int, np.integer)) and length >= 0 for length in lengths):
        raise ValueError(
            f"random_split: lengths {list(lengths)} are neither counts that sum to {total}, the "
            "dataset's length, nor fractions that sum to 1"
        )
    if sum(lengths) != total:
        raise ValueError(
            f"random_split: lengths {list(lengths)} sum to {sum(lengths)}, but the dataset has "
            f"{total} samples"
        )
    return [int(length) for length in lengths]


def _length(dataset: Any) -> int:
    return len(cast(Sized, dataset))
