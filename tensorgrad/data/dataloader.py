"""DataLoader: a dataset, an order and a way of collating, iterated batch by batch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from numbers import Integral, Real
from types import NoneType
from typing import Any, Generic, TypeVar, cast

import numpy as np

from tensorgrad.data.collate import default_collate, default_convert
from tensorgrad.data.dataset import Dataset, IterableDataset
from tensorgrad.data.fetching import Recipe
from tensorgrad.data.passing import InProcess, WithWorkers
from tensorgrad.data.record import Record, generators_of, set_generators
from tensorgrad.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
)
from tensorgrad.data.worker import get_worker_info
from tensorgrad.graph.provenance import warn
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

    num_workers: processes that make batches ahead, ``prefetch_factor`` (2) each; 0 makes them in
    this process when they are asked for. Batches and their order are the same. Arrays come through
    shared memory; BLAS has one thread in a worker. Each pass draws a base seed from ``generator``
    or from the global one; worker ``i`` seeds tensorgrad's, Python's and NumPy's generators with
    that plus ``i`` when it starts and then calls ``worker_init_fn(i)``.
    persistent_workers: keep the processes for the next pass. multiprocessing_context: how they are
    started, ``"fork"``, ``"spawn"``, ``"forkserver"`` or a context. timeout: seconds to wait for a
    batch (RuntimeError then; 0 waits forever). in_order=False: batches as they come.
    ``pin_memory`` warns, as PyTorch does where there is no accelerator.

    An error in a worker is raised here, with its traceback; a worker that dies is RuntimeError.
    `state_dict` in the middle of a pass lets another loader of the same kind go on from there.
    """

    dataset: Dataset[T_co]
    batch_size: int | None
    sampler: Sampler[Any] | Iterable[Any]
    batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None
    multiprocessing_context: Any = None
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
        flags = {
            "shuffle": shuffle,
            "pin_memory": pin_memory,
            "persistent_workers": persistent_workers,
            "in_order": in_order,
        }
        for name, flag in flags.items():
            if not isinstance(flag, (bool, np.bool_, int, NoneType)):
                raise TypeError(f"DataLoader: {name} must be True or False, got {flag!r}")
        multiprocessing_context = _context(multiprocessing_context, num_workers)
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        if num_workers > 0 and prefetch_factor is None:
            prefetch_factor = 2
        for name, order in (("sampler", sampler), ("batch_sampler", batch_sampler)):
            if order is not None and not {"__iter__", "__getitem__"} & {*dir(order)}:
                raise TypeError(f"DataLoader: {name} must be an iterable of indices, got {order!r}")
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
        self._record: Record | None = None  # of the pass under way, or of the last one
        self._state: Mapping[str, Any] | None = None  # of a pass to be taken up
        self._iterator: WithWorkers | None = None  # whose workers stay
        self._ready = True

    def __setattr__(self, name: str, value: Any) -> None:
        # They were used to build one another: changing one alone would be ignored in part.
        if self._ready and name in _FIXED:
            raise ValueError(
                f"{name} attribute should not be set after {type(self).__name__} is initialized; "
                "make a new one"
            )
        if self._ready and name == "multiprocessing_context":
            value = _context(value, self.num_workers)
        super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        if self.pin_memory:
            warn(
                "DataLoader: pin_memory is true, but there is no accelerator to pin memory for; "
                "it is not used"
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

    @property
    def _recipe(self) -> Recipe:
        batched = self.batch_sampler is not None
        return Recipe(self.dataset, self.collate_fn, batched, self.drop_last)

    def _get_iterator(self) -> Iterator[Any]:
        """The one place that knows how a pass is run."""
        state, self._state = self._state, None
        self._record = record = Record(self, state)
        if self.num_workers == 0:
            return InProcess(self, record)
        if not self.persistent_workers:
            return WithWorkers(self, record)
        if self._iterator is None or not self._iterator.open:
            self._iterator = WithWorkers(self, record)
        else:
            self._iterator.begin(record)
        return self._iterator

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands, as plain values and tensors (`tensorgrad.save` takes them).

        In the middle of a pass (of the one begun last): which batches were handed out, the states
        of the generators of the loader and its samplers, and those of the workers' generators.
        Between passes: the generators' states, from which the order of the next pass follows. The
        global generator belongs to the program: keep its state by `get_rng_state`.
        """
        record = self._record
        under_way: Any = self._state
        if record is not None and under_way is None and not record.finished:
            under_way = record.state()
        return {
            "version": 1,
            "generators": [generator.get_state() for generator in generators_of(self)],
            "pass": under_way,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Let the next ``iter()`` go on where the loader stood that gave this `state_dict`.

        The dataset, samplers and batch size must be the same. The rest of a pass is the same batch
        for batch, random transforms in as many workers included; with another number of workers,
        or of samples drawn by other means, the order still is (a stream needs the same number).
        A stream is read again from its start and what was handed out is skipped. ValueError or
        RuntimeError, here or at the next ``iter()``, if the state does not fit.
        """
        if not isinstance(state_dict, Mapping) or state_dict.get("version") != 1:
            raise ValueError(
                "DataLoader.load_state_dict: not what DataLoader.state_dict gave in this version"
            )
        under_way = state_dict["pass"]
        if under_way is None:
            set_generators(generators_of(self), state_dict["generators"])
        elif len(under_way["generators"]) != len(generators_of(self)):
            set_generators(generators_of(self), under_way["generators"])  # raises
        self._record, self._state = None, under_way

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_iterator": None, "_record": None}


class _Forever(Sampler[None]):
    """Indices for a stream, which has none and ends by itself."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


def _context(context: Any, num_workers: int) -> Any:
    """The multiprocessing context meant by a name or a context; None for the platform's own."""
    if context is None:
        return None
    if num_workers == 0:
        raise ValueError(
            f"DataLoader: multiprocessing_context={context!r} is for worker processes "
            "(num_workers > 0), but num_workers=0; leave it out"
        )
    import multiprocessing  # which most programs do without
    from multiprocessing.context import BaseContext

    if isinstance(context, str):
        methods = multiprocessing.get_all_start_methods()
        if context not in methods:
            raise ValueError(
                "DataLoader: multiprocessing_context option should specify a valid start method "
                f"in {methods}, but got {context!r}"
            )
        return multiprocessing.get_context(context)
    if not isinstance(context, BaseContext):
        raise TypeError(
            "DataLoader: multiprocessing_context option should be a valid context object or a "
            f"string specifying the start method, but got {context!r}"
        )
    return context


def _cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent: bool
) -> None:
    for name, value, kind in (
        ("num_workers", num_workers, Integral),
        ("prefetch_factor", 1 if prefetch_factor is None else prefetch_factor, Integral),
        ("timeout", timeout, Real),
    ):
        if not isinstance(value, kind):
            what = "a whole number" if kind is Integral else "a number"
            raise TypeError(f"DataLoader: {name} must be {what}, got {value!r}")
    if num_workers < 0:
        raise ValueError(
            f"DataLoader: num_workers option should be non-negative, got {num_workers}; use "
            "num_workers=0 to load in this process"
        )
    if timeout < 0:
        raise ValueError(f"DataLoader: timeout option should be non-negative, got {timeout}")
    if num_workers > 0:
        if prefetch_factor is not None and prefetch_factor < 1:
            raise ValueError(
                f"DataLoader: prefetch_factor option should be positive, got {prefetch_factor}"
            )
        available = _cores()
        if num_workers > available:
            warn(
                f"This DataLoader will create {num_workers} worker processes in total, but this "
                f"process may use {available} CPU cores: more workers than that make loading "
                "slower, not faster. Lower num_workers"
            )
        return
    given = {
        f"timeout={timeout}": timeout != 0,
        f"prefetch_factor={prefetch_factor}": prefetch_factor is not None,
        f"persistent_workers={persistent}": persistent,
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
