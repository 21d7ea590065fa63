"""`DistributedSampler`: one process' share of a data set."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from math import ceil
from typing import Any

from tensorgrad.data.sampler import Sampler, length_of
from tensorgrad.random import Generator
from tensorgrad.sampling import randperm

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """Every ``num_replicas``-th index from ``rank`` on, of an order that all processes share.

    Processes are not started here: programs that are (by a job scheduler, `multiprocessing`) say
    how many there are, and which this one is.  Each has as many indices as the others: the first
    ones are given again at the end, or with ``drop_last`` the last ones left out.

    shuffle: the order is at random, the same for one ``seed`` and one epoch; call
        ``set_epoch(epoch)`` before each pass.
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise ValueError(
                "DistributedSampler: there is no process group to ask here; give num_replicas= "
                "and rank="
            )
        if not 0 <= rank < num_replicas:
            raise ValueError(
                f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]"
            )
        self.dataset: Sized = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.shuffle = shuffle
        self.seed = seed
        self.drop_last = drop_last
        self.epoch = 0
        length = length_of(dataset)
        if drop_last and length % num_replicas:
            self.num_samples = length // num_replicas
        else:
            self.num_samples = ceil(length / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        length = length_of(self.dataset)
        order = list(range(length))
        if self.shuffle:
            generator = Generator().manual_seed(self.seed + self.epoch)
            order = randperm(length, generator=generator).tolist()
        if length:
            order = (order * ceil(self.total_size / length))[: self.total_size]
        return iter(order[self.rank :: self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """The number of the pass, for another order in each."""
        self.epoch = epoch
