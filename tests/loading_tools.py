"""Datasets for the tests of worker processes, where those started anew can import them."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad.data import DataLoader, Dataset, IterableDataset, get_worker_info


class Numbers(Dataset[int]):
    def __init__(self, count: int = 20) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> int:
        return index


class Samples(Numbers):
    """Of every kind: large and small tensors, arrays, numbers, texts, nothing contiguous."""

    def __getitem__(self, index: int) -> Any:
        image = tg.full((3, 64, 65), float(index), dtype=tg.float64).permute(1, 2, 0)
        return {
            "image": image,
            "array": np.arange(index, index + 3),
            "pair": (index, str(index)),
            "flag": index % 2 == 0,
            "empty": tg.zeros(0, 2),
        }


class Drawn(Numbers):
    """Draws with every generator that is seeded."""

    def __getitem__(self, index: int) -> Any:
        return index, float(tg.rand(1)), np.random.rand(), random.random()


class Shared(IterableDataset[int]):
    """A stream that the workers share out, with a draw for every number."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __iter__(self) -> Iterator[Any]:
        info = get_worker_info()
        start, step = (0, 1) if info is None else (info.id, info.num_workers)
        for number in range(start, self.count, step):
            yield number, float(tg.rand(1))


class Info(Numbers):
    def __getitem__(self, index: int) -> Any:
        info = get_worker_info()
        assert info is not None
        return info.id, info.num_workers, info.seed, info.dataset is self, tg.get_num_threads()


class Odd(ValueError):
    """An error that cannot be made of one text."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(first, second)


class Failing(Numbers):
    """At 5 does what it is told."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what

    def __getitem__(self, index: int) -> int:
        if index != 5:
            return index
        if self.what == "raise":
            raise ValueError("five is wrong")
        if self.what == "key":
            raise KeyError("five\nis missing")
        if self.what == "odd":
            raise Odd(1, 2)
        if self.what == "local":

            class Local(ValueError):
                pass

            raise Local("five")
        if self.what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.what == "exit":
            os._exit(3)
        if self.what == "hang":
            time.sleep(60)
        return index


class Nested(Numbers):
    """Wants workers of its own."""

    def __getitem__(self, index: int) -> Any:
        return list(DataLoader(Numbers(4), 2, num_workers=1))


def unpicklable(samples: Any) -> Any:
    return lambda: samples


def note_seed(worker: int) -> None:
    tg.manual_seed(worker)
    np.random.seed(worker)
    random.seed(worker)


def fail(worker: int) -> None:
    raise OSError(f"no file for {worker}")
