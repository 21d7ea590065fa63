"""What a DataLoader refuses, and the words it finds for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

import tensorgrad as tg
from tensorgrad.data import DataLoader, Dataset, IterableDataset, TensorDataset


class Numbers(Dataset[int]):
    """0..9"""

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> int:
        return index


class Stream(IterableDataset[int]):
    """0..n-1"""

    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.n))


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"sampler": [1], "shuffle": True}, ValueError, "sampler option is mutually exclusive"),
    ({"batch_sampler": [[1]], "batch_size": 2}, ValueError, "batch_sampler option is mutually"),
    ({"batch_sampler": [[1]], "shuffle": True}, ValueError, "batch_sampler option is mutually"),
    ({"batch_sampler": [[1]], "sampler": [1]}, ValueError, "batch_sampler option is mutually"),
    ({"batch_sampler": [[1]], "drop_last": True}, ValueError, "batch_sampler option is mutually"),
    ({"batch_size": None, "drop_last": True}, ValueError, "batch_size=None option disables"),
    ({"batch_size": 0}, ValueError, "batch_size should be a positive integer"),
    ({"batch_size": 2.0}, ValueError, "batch_size should be a positive integer"),
    ({"num_workers": -1}, ValueError, "num_workers option should be non-negative"),
    ({"num_workers": 1, "prefetch_factor": 0}, ValueError, "prefetch_factor option should be pos"),
    ({"num_workers": 1, "multiprocessing_context": "x"}, ValueError, "valid start method in"),
    ({"num_workers": 1, "multiprocessing_context": 3}, TypeError, "valid context object"),
    ({"timeout": -1}, ValueError, "timeout option should be non-negative"),
    ({"timeout": 5}, ValueError, "timeout=5 is for worker processes"),
    ({"prefetch_factor": 2}, ValueError, "prefetch_factor=2 is for worker processes"),
    ({"persistent_workers": True}, ValueError, "persistent_workers=True is for worker"),
    ({"multiprocessing_context": "fork"}, ValueError, "multiprocessing_context='fork' is for"),
    ({"pin_memory_device": "cuda"}, ValueError, "no such device"),
    ({"collate_fn": 3}, TypeError, "collate_fn must be callable, got 3"),
    ({"worker_init_fn": 3}, TypeError, "worker_init_fn must be callable"),
    ({"generator": 3}, TypeError, "generator must be a tensorgrad.Generator, got 3"),
    ({"shuffle": "no"}, TypeError, "shuffle must be True or False, got 'no'"),
    ({"in_order": "x"}, TypeError, "in_order must be True or False"),
    ({"num_workers": 1.5}, TypeError, "num_workers must be a whole number, got 1.5"),
    ({"timeout": None}, TypeError, "timeout must be a number, got None"),
    ({"num_workers": 1, "prefetch_factor": 1.5}, TypeError, "prefetch_factor must be a whole"),
    ({"sampler": 5}, TypeError, "sampler must be an iterable of indices, got 5"),
    ({"batch_sampler": 5}, TypeError, "batch_sampler must be an iterable"),
]


@pytest.mark.parametrize(("options", "kind", "complaint"), WRONG)
def test_options_that_do_not_fit_are_refused(
    options: dict[str, Any], kind: type[Exception], complaint: str
) -> None:
    with pytest.raises(kind, match=complaint):
        DataLoader(Numbers(), **options)


@pytest.mark.parametrize("dataset", [None, 5, (n for n in range(3)), object()])
def test_what_has_no_length_is_no_dataset(dataset: Any) -> None:
    with pytest.raises(TypeError, match=r"has no len\(\): a dataset needs __len__ and __getitem__"):
        list(DataLoader(dataset))
    with pytest.raises(TypeError, match="has no len"):
        DataLoader(dataset, shuffle=True)


def test_a_batch_sampler_gives_lists() -> None:
    for dataset in (Numbers(), TensorDataset(tg.arange(3))):
        loader = DataLoader(dataset, batch_sampler=cast(Any, [0, 1]))
        with pytest.raises(TypeError, match="batch_sampler must give lists of indices, got 0"):
            list(loader)


@pytest.mark.parametrize("options", [{"shuffle": True}, {"sampler": [1]}, {"batch_sampler": [[1]]}])
def test_streams_take_no_indices(options: dict[str, Any]) -> None:
    name = next(iter(options))
    with pytest.raises(ValueError, match=f"IterableDataset: expected unspecified {name} option"):
        DataLoader(Stream(3), **options)
