"""DataLoader: a dataset, an order and a way of collating, iterated batch by batch."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any, Generic, NoReturn, TypeVar, cast

from tensorgrad.data.collate import default_collate, default_convert
from tensorgrad.data.dataset import Dataset, IterableDataset, fetch_items, gathers
from tensorgrad.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
)
from tensorgrad.random import Generator

__all__ = ["DataLoader", "get_worker_info"]

T_co = TypeVar("T_co", covariant=True)

_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class DataLoader(Generic[T_co]):
    """Iterates over a dataset in batches; each ``iter()`` is one pass.

    ``shuffle=True`` draws a new order for each pass, from ``generator`` or from the global one
    (so ``manual_seed`` fixes it). ``batch_size=None`` gives single samples, converted by
    ``default_convert``. For datasets that can gather a whole batch at once (TensorDataset, the
    image data sets without a transform, subsets of these) and the default collate, that is done
    instead of collating samples one by one, with the same result.

    Samples are loaded in this process: ``num_workers`` must be 0, and what only concerns workers
    (``timeout``, ``prefetch_factor``, ``persistent_workers``, ``multiprocessing_context``) is
    refused; ``worker_init_fn`` and ``in_order`` concern workers too, of which there are none.
    ``pin_memory`` warns, as PyTorch does where there is no accelerator.
    """

    dataset: Dataset[T_co]
    batch_size: int | None
    sampler: Sampler[Any] | Iterable[Any]
    batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None
    _ready = False

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(
            num_workers, timeout, prefetch_factor, persistent_workers, multiprocessing_context
        )
        for name, function in (("collate_fn", collate_fn), ("worker_init_fn", worker_init_fn)):
            if function is not None and not callable(function):
                raise TypeError(f"DataLoader: {name} must be callable, got {function!r}")
        if generator is not None and not isinstance(generator, Generator):
            raise TypeError(
                f"DataLoader: generator must be a tensorgrad.Generator, got {generator!r}"
            )
        if pin_memory_device:
            raise ValueError(
                f"DataLoader: pin_memory_device={pin_memory_device!r}: tensors live in ordinary "
                "memory, there is no such device; leave it out"
            )
        if isinstance(dataset, IterableDataset):
            _check_stream(shuffle, sampler, batch_sampler)
        elif sampler is not None and shuffle:
            raise ValueError("DataLoader: sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "DataLoader: batch_sampler option is mutually exclusive with batch_size, "
                    "shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError(
                "DataLoader: batch_size=None option disables auto-batching and is mutually "
                "exclusive with drop_last"
            )

        if sampler is None:
            if isinstance(dataset, IterableDataset):
                sampler = _Forever()
            elif shuffle:
                sampler = RandomSampler(cast(Sized, dataset), generator=generator)
            else:
                sampler = SequentialSampler(cast(Sized, dataset))
        if batch_size is not None:
            batch_sampler = BatchSampler(cast(Iterable[int], sampler), batch_size, drop_last)
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate

        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.num_workers = num_workers
        self.collate_fn = collate_fn
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.drop_last = drop_last
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.generator = generator
        self.prefetch_factor = prefetch_factor
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self._promised: int | None = None  # what len() said of a stream
        self._ready = True

    def __setattr__(self, name: str, value: Any) -> None:
        # They were used to build one another: changing one alone would be ignored in part.
        if self._ready and name in _FIXED:
            raise ValueError(
                f"{name} attribute should not be set after {type(self).__name__} is initialized; "
                "make a new one"
            )
        super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        if self.pin_memory:
            warnings.warn(
                "DataLoader: pin_memory is true, but there is no accelerator to pin memory for; "
                "it is not used",
                stacklevel=2,
            )
        return self._get_iterator()

    def __len__(self) -> int:
        """Batches in a pass; for a stream with a length, an estimate from that length."""
        if not isinstance(self.dataset, IterableDataset):
            return len(cast(Sized, self._index_sampler))
        size = self.batch_size or 1
        length = len(cast(Sized, self.dataset))
        self._promised = length // size if self.drop_last else -(-length // size)
        return self._promised

    @property
    def _index_sampler(self) -> Iterable[Any]:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def _get_iterator(self) -> Iterator[Any]:
        """The one place that knows how a pass is run: worker processes would be chosen here."""
        return _InProcessIterator(self)


class _InProcessIterator(Iterator[Any]):
    """One pass of a loader, in this process."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._loader = loader
        self._indices = iter(loader._index_sampler)
        self._yielded = 0
        if isinstance(loader.dataset, IterableDataset):
            self._fetch = _stream_fetcher(loader)
        else:
            self._fetch = _indexed_fetcher(loader)

    def __next__(self) -> Any:
        batch = self._fetch(next(self._indices))
        self._yielded += 1
        promised = self._loader._promised
        if promised is not None and self._yielded > promised:
            warnings.warn(
                f"DataLoader: by the length that {type(self._loader.dataset).__name__} reports, "
                f"there are {promised} batches, but this is number {self._yielded}",
                stacklevel=2,
            )
        return batch

    def __len__(self) -> int:
        return len(cast(Sized, self._loader._index_sampler))

    def __getstate__(self) -> NoReturn:
        raise NotImplementedError("a DataLoader's iterator cannot be pickled; pickle the loader")


def _indexed_fetcher(loader: DataLoader[Any]) -> Callable[[Any], Any]:
    dataset, collate = loader.dataset, loader.collate_fn
    if loader.batch_sampler is None:
        return lambda index: collate(dataset[index])
    if collate is not default_collate or not gathers(dataset):
        return lambda indices: collate(fetch_items(dataset, indices))

    def fetch(indices: Any) -> Any:
        batch = cast(Any, dataset).collated_items(indices)
        return collate(fetch_items(dataset, indices)) if batch is None else batch

    return fetch


def _stream_fetcher(loader: DataLoader[Any]) -> Callable[[Any], Any]:
    stream, collate = iter(cast(Iterable[Any], loader.dataset)), loader.collate_fn
    if loader.batch_sampler is None:
        return lambda _: collate(next(stream))
    ended = False

    def fetch(indices: Any) -> Any:
        # Once it has ended the stream is not asked again: not every iterator takes that well.
        nonlocal ended
        samples = [] if ended else list(itertools.islice(stream, len(indices)))
        ended = ended or len(samples) < len(indices)
        if not samples or (ended and loader.drop_last):
            raise StopIteration
        return collate(samples)

    return fetch


class _Forever(Sampler[None]):
    """Indices for a stream, which has none and ends by itself."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


def get_worker_info() -> Any:
    """None: the caller is not in a worker process. Streams ask it to share out their samples."""
    return None


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent: bool, context: Any
) -> None:
    if num_workers < 0:
        raise ValueError(
            f"DataLoader: num_workers option should be non-negative, got {num_workers}; use "
            "num_workers=0 to load in this process"
        )
    if num_workers > 0:
        raise ValueError(
            f"DataLoader: num_workers={num_workers}, but worker processes are not available in "
            "this version; use num_workers=0, which loads in this process"
        )
    if timeout < 0:
        raise ValueError(f"DataLoader: timeout option should be non-negative, got {timeout}")
    given = {
        f"timeout={timeout}": timeout != 0,
        f"prefetch_factor={prefetch_factor}": prefetch_factor is not None,
        f"persistent_workers={persistent}": persistent,
        f"multiprocessing_context={context!r}": context is not None,
    }
    for option, wanted in given.items():
        if wanted:
            raise ValueError(
                f"DataLoader: {option} is for worker processes (num_workers > 0), but "
                "num_workers=0; leave it out"
            )


def _check_stream(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    options = {
        "shuffle": shuffle or None,
        "sampler": sampler,
        "batch_sampler": batch_sampler,
    }
    for name, value in options.items():
        if value is not None:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {name} option, but got "
                f"{name}={value}: a stream has no indices; shuffle or batch inside its __iter__"
            )
