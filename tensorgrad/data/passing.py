"""One pass of a DataLoader: in this process, or by workers."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn, cast

from tensorgrad.data.handing import discard, unpack
from tensorgrad.data.record import Record
from tensorgrad.data.worker import Begin, Reply, Task
from tensorgrad.graph.node import local
from tensorgrad.graph.provenance import warn
from tensorgrad.random import default_generator

if TYPE_CHECKING:
    from collections.abc import Sized

    from tensorgrad.data.dataloader import DataLoader

__all__ = ["InProcess", "WithWorkers"]


class _Pass(Iterator[Any]):
    _loader: DataLoader[Any]
    _record: Record
    _yielded = 0

    def __next__(self) -> Any:
        profiler = local.context.profiler
        began = profiler and profiler.begin(f"enumerate(DataLoader)#{type(self).__name__}.__next__")
        try:
            batch = self._next_batch()
        except StopIteration:
            self._record.finished = True
            raise
        finally:
            if began is not None:
                profiler.end(began)
        self._yielded += 1
        promised = self._loader._promised
        if promised is not None and self._yielded > promised:
            warn(
                f"DataLoader: by the length that {type(self._loader.dataset).__name__} reports, "
                f"there are {promised} batches, but this is number {self._yielded}"
            )
        return batch

    def _next_batch(self) -> Any:
        raise NotImplementedError

    def __len__(self) -> int:
        return len(cast("Sized", self._loader._index_sampler))

    def __getstate__(self) -> NoReturn:
        raise NotImplementedError("a DataLoader's iterator cannot be pickled; pickle the loader")


class InProcess(_Pass):
    """Each batch is made when it is asked for."""

    def __init__(self, loader: DataLoader[Any], record: Record) -> None:
        self._loader, self._record = loader, record
        self._yielded = record.first
        recipe = loader._recipe
        self._fetch = recipe.fetcher()
        if recipe.is_stream and record.first:
            self._read_again(record.first)

    def _read_again(self, count: int) -> None:
        """Skip what a stream that is taken up again has given, drawing what it then drew."""
        before = default_generator.get_state()
        default_generator.set_state(self._record.global_start)
        try:
            for _ in range(count):
                self._fetch(next(self._record)[1])
        finally:
            default_generator.set_state(before)

    def _next_batch(self) -> Any:
        number, entry = next(self._record)
        try:
            batch = self._fetch(entry)
        except Exception:
            self._record.deliver(number)  # it is behind us too: the next one follows
            raise
        self._record.deliver(number)
        return batch


class WithWorkers(_Pass):
    """Batches are made ahead by worker processes, and handed out in their order."""

    def __init__(self, loader: DataLoader[Any], record: Record) -> None:
        from tensorgrad.data.pool import Pool  # which imports multiprocessing

        self._loader = loader
        self._prefetch = 2 if loader.prefetch_factor is None else loader.prefetch_factor
        self._count = loader.num_workers
        self._pool = Pool(
            loader._recipe,
            loader.num_workers,
            record.base_seed,
            loader.worker_init_fn,
            loader.multiprocessing_context,
            self._prefetch,
        )
        self._close = weakref.finalize(self, Pool.stop, self._pool)
        self._number = -1
        self._failure: RuntimeError | None = None
        self.begin(record)

    def begin(self, record: Record) -> None:
        """Start a pass; what is left of an earlier one is thrown away as it arrives."""
        self._record = record
        self._number += 1
        self._yielded = record.first
        self._active = [worker not in record.ended for worker in range(self._count)]
        self._turn = record.turn
        self._load = [0] * self._count
        # The tasks under way in the order of the batches: the worker, and the sampler's number.
        self._under_way: dict[int, tuple[int, int]] = {}
        self._sent = 0
        stream = self._loader._recipe.is_stream
        for worker in range(self._count):
            # A stream is read again from its start, so its generators start there too.
            states = None if stream else record.states[worker]
            skip = record.counts[worker] if stream else 0
            self._pool.send(worker, Begin(self._number, states, skip))
        for _ in range(self._prefetch * self._count):
            self._send_next()

    @property
    def open(self) -> bool:
        return self._close.alive

    def close(self) -> None:
        """End the workers now; nothing follows."""
        self._close()

    def _send_next(self) -> None:
        candidates = [
            worker
            for worker in ((self._turn + i) % self._count for i in range(self._count))
            if self._active[worker]
        ]
        if not candidates:
            return
        worker = candidates[0]
        if not self._loader.in_order:
            worker = min(candidates, key=self._load.__getitem__)
            if self._load[worker] >= self._prefetch:
                return
        try:
            number, entry = next(self._record)
        except StopIteration:
            return
        self._turn = (worker + 1) % self._count
        self._pool.send(worker, Task(self._number, self._sent, entry))
        self._under_way[self._sent] = worker, number
        self._load[worker] += 1
        self._sent += 1

    def _next_batch(self) -> Any:
        if self._failure is not None:
            raise RuntimeError(f"{self._failure}; the pass cannot go on") from self._failure
        while self._under_way and self.open:
            workers = [next(iter(self._under_way.values()))[0]]
            if not self._loader.in_order:
                workers = sorted({worker for worker, _ in self._under_way.values()})
            worker, reply = self._receive(workers)
            _, number = self._under_way.pop(reply.task)
            self._load[worker] -= 1
            if reply.kind == "end":
                self._drop(worker)
                self._send_next()
                continue
            self._send_next()
            self._record.deliver(number, worker, reply.states)
            if reply.kind == "error":
                raise _as_raised(*reply.content)
            return unpack(reply.content)
        if not self._loader.persistent_workers:
            self.close()
        raise StopIteration

    def _receive(self, workers: list[int]) -> tuple[int, Reply]:
        while True:
            try:
                worker, reply = self._pool.receive(workers, self._loader.timeout)
            except RuntimeError as error:
                self._failure = error
                self.close()
                raise
            if reply.number == self._number and reply.task in self._under_way:
                return worker, reply
            if reply.kind == "batch":
                discard(reply.content.name)

    def _drop(self, worker: int) -> None:
        """Its stream has ended: nothing comes of what else it was asked for."""
        self._active[worker] = False
        self._record.ended.add(worker)
        self._under_way = {
            task: (asked, number)
            for task, (asked, number) in self._under_way.items()
            if asked != worker
        }


class _Text(str):
    """Prints as it is in a KeyError, which shows the repr of its argument."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _as_raised(kind: type[Exception] | None, text: str) -> Exception:
    """The worker's error again, of its own type where that takes a text."""
    if kind is not None:
        try:
            return kind(_Text(text) if issubclass(kind, KeyError) else text)
        except Exception:
            pass  # a type that wants other arguments
    return RuntimeError(text)
