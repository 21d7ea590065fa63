"""What is remembered of a pass, so that it can be taken up again where it stood."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tensorgrad.data.dataset import IterableDataset
from tensorgrad.data.worker import plain_states
from tensorgrad.random import Generator, default_generator, rng_of

if TYPE_CHECKING:
    from tensorgrad.data.dataloader import DataLoader

__all__ = ["Record", "generators_of", "set_generators"]


class Record(Iterator[tuple[int, Any]]):
    """One pass: gives the sampler's entries with their numbers, and knows which were delivered.

    Taken up again from a state, the sampler is run anew from where its generators stood at the
    pass's beginning, up to where it was; entries that were drawn but not delivered come first.
    """

    def __init__(self, loader: DataLoader[Any], state: Mapping[str, Any] | None = None) -> None:
        self._generators = generators_of(loader)
        self._stream = isinstance(loader.dataset, IterableDataset)
        self._workers = loader.num_workers
        self.finished = False
        self.taken = 0
        self.delivered: set[int] = set()  # beyond `first`
        self.first = 0  # all entries before it were delivered
        self.checksum = 0
        self.states: list[Any] = [None] * loader.num_workers  # bytes, or plain
        self.counts = [0] * loader.num_workers  # batches of each worker
        self.ended: set[int] = set()
        self.turn = 0
        self._waiting: deque[tuple[int, Any]] = deque()
        source: Iterable[Any] = loader._index_sampler
        if state is None:
            self.base_seed = int(rng_of(loader.generator).integers(1 << 63))
            self.start = [generator.get_state() for generator in self._generators]
            self.global_start = default_generator.get_state()
            self._entries = iter(source)
        else:
            self._take_up(source, state)

    def _take_up(self, source: Iterable[Any], state: Mapping[str, Any]) -> None:
        if self._stream and state["num_workers"] != self._workers:
            raise ValueError(
                f"DataLoader.load_state_dict: the state of a stream half read by "
                f"{state['num_workers']} workers cannot be taken up by {self._workers}"
            )
        self.base_seed, self.start = state["base_seed"], state["generators"]
        self.global_start = state["global"]
        self.first, waiting = state["delivered"], set(state["waiting"])
        before = default_generator.get_state()
        try:
            default_generator.set_state(self.global_start)
            set_generators(self._generators, self.start)
            self._entries = iter(source)
            if self._stream:
                self.taken = self.first
            for _ in range(state["taken"] - self.taken):
                try:
                    number, entry = self._draw()
                except StopIteration:
                    break
                if number in waiting:
                    self._waiting.append((number, entry))
        finally:
            if not any(generator is default_generator for generator in self._generators):
                default_generator.set_state(before)
        if not self._stream and (self.taken, self.checksum) != (state["taken"], state["checksum"]):
            raise RuntimeError(
                "DataLoader.load_state_dict: the sampler does not draw again what it drew before: "
                "it is another one, or the dataset is, or it is random without a generator that "
                "the loader knows (its `generator`, or the global one)"
            )
        self.delivered = set(range(self.first, self.taken)) - waiting
        if state["num_workers"] == self._workers:
            self.states, self.counts = list(state["workers"]), list(state["counts"])
            self.ended, self.turn = set(state["ended"]), state["turn"]

    def __next__(self) -> tuple[int, Any]:
        return self._waiting.popleft() if self._waiting else self._draw()

    def _draw(self) -> tuple[int, Any]:
        entry = next(self._entries)
        if not self._stream:
            self.checksum = zlib.crc32(repr(entry).encode("utf-8", "replace"), self.checksum)
        self.taken += 1
        return self.taken - 1, entry

    def deliver(self, number: int, worker: int | None = None, states: bytes | None = None) -> None:
        """The batch of this entry goes to the user."""
        if self._stream:  # no numbers to keep in order, and some asked for never come
            self.first += 1
        else:
            self.delivered.add(number)
        while self.first in self.delivered:
            self.delivered.remove(self.first)
            self.first += 1
        if worker is not None:
            self.states[worker] = states
            self.counts[worker] += 1
            self.turn = (worker + 1) % self._workers

    def state(self) -> dict[str, Any]:
        """Plain values and tensors from which the pass can be taken up."""
        waiting = (
            [] if self._stream else sorted(set(range(self.first, self.taken)) - self.delivered)
        )
        return {
            "base_seed": self.base_seed,
            "generators": self.start,
            "global": self.global_start,
            "delivered": self.first,
            "taken": self.first if self._stream else self.taken,
            "waiting": [] if self._stream else waiting,
            "checksum": self.checksum,
            "num_workers": self._workers,
            "workers": [
                plain_states(states) if isinstance(states, bytes) else states
                for states in self.states
            ],
            "counts": list(self.counts),
            "ended": sorted(self.ended),
            "turn": self.turn,
        }


def generators_of(loader: Any) -> list[Generator]:
    """The generators that the loader's order comes from, those of its samplers included."""
    found: list[Generator] = []
    holders = [loader, loader.batch_sampler, loader.sampler]
    holders += [getattr(loader.batch_sampler, "sampler", None)]
    for holder in holders:
        generator = getattr(holder, "generator", None)
        if isinstance(generator, Generator) and not any(generator is other for other in found):
            found.append(generator)
    return found


def set_generators(generators: list[Generator], states: list[Any]) -> None:
    if len(generators) != len(states):
        raise ValueError(
            f"DataLoader.load_state_dict: the state is of a loader with {len(states)} generators, "
            f"but this one has {len(generators)}"
        )
    for generator, state in zip(generators, states):
        generator.set_state(state)
