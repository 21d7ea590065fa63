"""Samplers: the order in which indices, or batches of indices, are drawn."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar, cast

import numpy as np

from tensorgrad.creation import as_tensor
from tensorgrad.dtypes import float64
from tensorgrad.random import Generator, rng_of
from tensorgrad.tensor import Tensor

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """An iterable of indices or of batches of them; subclasses define ``__iter__``.

    ``__len__`` is optional, and not defined here on purpose: ``list(sampler)`` asks for it first
    and would take an error raised by it for a failure.
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__")


class SequentialSampler(Sampler[int]):
    """0, 1, ..., len(data_source) - 1."""

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(length_of(self.data_source)))

    def __len__(self) -> int:
        return length_of(self.data_source)


class RandomSampler(Sampler[int]):
    """Indices at random: a fresh permutation per pass, or independent draws with ``replacement``.

    ``num_samples`` beyond the length goes on with further permutations. Without a ``generator``
    each pass takes one seed from the global one, so ``manual_seed`` fixes the order of all
    passes, and drawing elsewhere during a pass does not disturb it.
    """

    data_source: Sized
    replacement: bool

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(replacement, bool):
            raise TypeError(f"RandomSampler: replacement must be a bool, got {replacement!r}")
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        rng_of(generator)  # raises where it is none
        if not _is_count(self.num_samples):
            raise ValueError(
                "RandomSampler: num_samples should be a positive integer value, but got "
                f"num_samples={self.num_samples}"
                + (" (the dataset is empty)" if num_samples is None else "")
            )

    @property
    def num_samples(self) -> int:
        """How many indices a pass draws; follows a dataset that grows, unless it was given."""
        return length_of(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        size, left = length_of(self.data_source), self.num_samples
        if size == 0:
            raise ValueError(f"RandomSampler: cannot draw {left} samples from an empty dataset")
        rng = rng_of(self.generator)
        if self.generator is None:
            rng = np.random.Generator(np.random.PCG64(int(rng.integers(1 << 63))))
        while left > 0:
            if self.replacement:
                # In pieces: a pass may be asked for more draws than one would hold in memory.
                drawn = rng.integers(size, size=min(left, 1 << 16))
            else:
                drawn = rng.permutation(size)[:left]
            yield from drawn.tolist()
            left -= len(drawn)

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices, in a fresh random order each pass."""

    indices: Sequence[int]

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator
        rng_of(generator)  # raises where it is none

    def __iter__(self) -> Iterator[int]:
        for position in rng_of(self.generator).permutation(len(self.indices)).tolist():
            yield self.indices[position]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with probabilities proportional to ``weights``, which need not sum to 1.

    Without ``replacement`` each draw is in proportion among the indices not drawn yet. Weights
    must be finite, not negative and not all zero (RuntimeError when drawing, PyTorch's type).
    """

    weights: Tensor
    num_samples: int
    replacement: bool

    def __init__(
        self,
        weights: Sequence[float] | Tensor,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        if not _is_count(num_samples):
            raise ValueError(
                "WeightedRandomSampler: num_samples should be a positive integer value, but got "
                f"num_samples={num_samples}"
            )
        if not isinstance(replacement, bool):
            raise ValueError(
                f"WeightedRandomSampler: replacement must be a bool, got {replacement!r}"
            )
        self.weights = as_tensor(weights, dtype=float64)
        if self.weights.ndim != 1:
            raise ValueError(
                "WeightedRandomSampler: weights should be a 1-d sequence, but have shape "
                f"{tuple(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator
        rng_of(generator)  # raises where it is none

    def __iter__(self) -> Iterator[int]:
        weights = self.weights._array
        if not np.all(np.isfinite(weights) & (weights >= 0)) or not weights.sum() > 0:
            raise RuntimeError(
                "WeightedRandomSampler: weights must be finite, not negative and not all zero"
            )
        rng = rng_of(self.generator)
        if self.replacement:
            cumulative = np.cumsum(weights)
            # Divided after the sum, so that the last is 1 exactly; "right" skips weights of 0.
            drawn = np.searchsorted(
                cumulative / cumulative[-1], rng.random(self.num_samples), side="right"
            )
        else:
            possible = np.flatnonzero(weights)
            if self.num_samples > len(possible):
                raise RuntimeError(
                    f"WeightedRandomSampler: {self.num_samples} samples without replacement, but "
                    f"only {len(possible)} weights are not zero"
                )
            # Exponential clocks: the first to ring is i with probability w_i / sum(w), and the
            # order of the others is that of further draws (Efraimidis and Spirakis 2006).
            clocks = rng.standard_exponential(len(possible)) / weights[possible]
            drawn = possible[np.argsort(clocks)[: self.num_samples]]
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of ``batch_size`` indices of another sampler; the last may be shorter or dropped."""

    def __init__(
        self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool
    ) -> None:
        if not _is_count(batch_size):
            raise ValueError(
                "BatchSampler: batch_size should be a positive integer value, but got "
                f"batch_size={batch_size}"
            )
        if not isinstance(drop_last, bool):
            raise ValueError(f"BatchSampler: drop_last must be a bool, got {drop_last!r}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def __len__(self) -> int:
        total = len(cast(Sized, self.sampler))
        return total // self.batch_size if self.drop_last else -(-total // self.batch_size)


def length_of(dataset: Any) -> int:
    """``len(dataset)``, or a TypeError that says what has none."""
    try:
        return len(dataset)
    except TypeError:
        if hasattr(type(dataset), "__len__"):
            raise  # its own
        raise TypeError(
            f"object of type {type(dataset).__name__!r} has no len(): a dataset needs __len__ and "
            "__getitem__; give the order by sampler=, or read a stream as an IterableDataset"
        ) from None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
