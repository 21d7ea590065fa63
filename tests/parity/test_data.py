"""Datasets, samplers, collating and loaders beside PyTorch's.

Two cases that PyTorch takes are refused here, and so have no row: a negative length in random_split
(it makes parts of other lengths than asked for), and more weighted draws without replacement than
there are weights above zero (it draws what has probability zero, against its own documentation).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
import torch.utils.data as theirs

import tensorgrad as tg
import tensorgrad.utils.data as ours


def plain(value: Any) -> Any:
    """A result in terms that both share: types of containers, names of dtypes, values."""
    if isinstance(value, (tg.Tensor, torch.Tensor)):
        return str(value.dtype).split(".")[-1], tuple(value.shape), value.tolist()
    if isinstance(value, dict):
        return type(value).__name__, {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(item) for item in value]
    return value


def outcome(function: Callable[[], Any]) -> Any:
    """What a call gives, or the type of its error."""
    try:
        return plain(function())
    except Exception as error:
        return type(error)


BATCHES: list[list[Any]] = [
    [1, 2],
    [True, False],
    [1.5, 2.5],
    [1.5, 2],
    [np.float32(1), np.float32(2)],
    [np.float64(1)],
    [np.int16(1), np.int16(2)],
    [np.bool_(True)],
    [np.zeros(2, np.float32), np.ones(2, np.float32)],
    [np.array(1), np.array(2)],
    ["a", "b"],
    [b"a"],
    [np.str_("a")],
    [(1, "x"), (2, "y")],
    [[1, 2.0], [3, 4.0]],
    [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
    [{"a": [np.ones(3)]}, {"a": [np.ones(3)]}],
    [{}],
    [range(2), range(2)],
    [],
    [None],
    [{1}],
    [[1], [1, 2]],
    [np.array(["a"])],
    [np.zeros(2), np.zeros(3)],
    [{"a": 1}, {"b": 1}],
]


@pytest.mark.parametrize("batch", BATCHES, ids=repr)
def test_default_collate(batch: list[Any]) -> None:
    assert outcome(lambda: ours.default_collate(batch)) == outcome(
        lambda: theirs.default_collate(batch)
    )


@pytest.mark.parametrize("batch", [batch for batch in BATCHES if batch], ids=repr)
def test_default_convert(batch: list[Any]) -> None:
    assert outcome(lambda: ours.default_convert(batch)) == outcome(
        lambda: theirs.default_convert(batch)
    )


OPTIONS: dict[str, list[Any]] = {
    "batch_size": [1, 3, None, 0],
    "shuffle": [None, False, True],
    "sampler": [None, [2, 0, 1]],
    "batch_sampler": [None, [[1, 2], [0]]],
    "drop_last": [False, True],
}
COMBINATIONS = list(product(*OPTIONS.values()))


def loaded(package: Any, dataset: Any, **options: Any) -> Any:
    loader = package.DataLoader(dataset, **options)
    batches = list(loader)
    if options["shuffle"]:  # the order is not PyTorch's; how many there are is
        batches = [len(batch) if isinstance(batch, list) else 1 for batch in batches]
    return [len(loader), loader.batch_size, loader.drop_last, batches]


@pytest.mark.parametrize("values", COMBINATIONS, ids=str)
def test_every_combination_of_options(values: tuple[Any, ...]) -> None:
    options = dict(zip(OPTIONS, values, strict=True))
    data = list(range(7))
    assert outcome(lambda: loaded(ours, data, **options)) == outcome(
        lambda: loaded(theirs, data, **options)
    )


@pytest.mark.parametrize("values", COMBINATIONS, ids=str)
def test_every_combination_of_options_for_streams(values: tuple[Any, ...]) -> None:
    options = dict(zip(OPTIONS, values, strict=True))

    def run(package: Any) -> Any:
        class Stream(package.IterableDataset):  # type: ignore[misc, name-defined]
            def __iter__(self) -> Any:
                return iter(range(7))

            def __len__(self) -> int:
                return 7

        return loaded(package, Stream(), **options)

    assert outcome(lambda: run(ours)) == outcome(lambda: run(theirs))


@pytest.mark.parametrize(
    "lengths",
    [[3, 4], [0.5, 0.5], [0.3, 0.3, 0.4], [1], [1.0], [3, 3], [0.5, 0.2], [1.5, -0.5]],
    ids=str,
)
def test_random_split(lengths: list[Any]) -> None:
    def sizes(package: Any) -> list[int]:
        return [len(part) for part in package.random_split(range(7), lengths)]

    assert outcome(lambda: sizes(ours)) == outcome(lambda: sizes(theirs))


@pytest.mark.parametrize(
    "call",
    [
        lambda p, t: p.TensorDataset(t.zeros(2), t.zeros(3)),
        lambda p, t: p.TensorDataset(t.tensor(1.0)),
        lambda p, t: p.TensorDataset(t.arange(4))[4],
        lambda p, t: p.TensorDataset(t.arange(4))[-1],
        lambda p, t: p.ConcatDataset([]),
        lambda p, t: p.ConcatDataset([[1], [2, 3]])[-4],
        lambda p, t: [p.ConcatDataset([[1], [2, 3]])[i] for i in (0, 1, 2, -1, -3)],
        lambda p, t: p.Subset([5, 6, 7], [2, 0])[3],
        lambda p, t: list(p.RandomSampler([])),
        lambda p, t: p.RandomSampler([1], num_samples=0),
        lambda p, t: p.RandomSampler([1], replacement=1),
        lambda p, t: len(p.RandomSampler([1, 2], num_samples=5)),
        lambda p, t: sorted(p.RandomSampler([1, 2], num_samples=4)),
        lambda p, t: p.WeightedRandomSampler([1.0], True),
        lambda p, t: p.WeightedRandomSampler([[1.0]], 1),
        lambda p, t: list(p.WeightedRandomSampler([0.0, 0.0], 1)),
        lambda p, t: list(p.WeightedRandomSampler([-1.0, 2.0], 1)),
        lambda p, t: list(p.WeightedRandomSampler([1.0, 2.0], 3, False)),
        lambda p, t: list(p.WeightedRandomSampler([0.0, 1.0], 3)),
        lambda p, t: p.BatchSampler([1], 0, False),
        lambda p, t: p.BatchSampler([1], True, False),
        lambda p, t: p.BatchSampler([1], 1, None),
        lambda p, t: p.DataLoader([1], prefetch_factor=2),
        lambda p, t: p.DataLoader([1], persistent_workers=True),
        lambda p, t: p.DataLoader([1], multiprocessing_context="fork"),
        lambda p, t: p.DataLoader([1], num_workers=-1),
        lambda p, t: p.DataLoader([1], timeout=-1),
        lambda p, t: setattr(p.DataLoader([1]), "batch_size", 2),
    ],
)
def test_results_and_types_of_errors(call: Callable[[Any, Any], Any]) -> None:
    def comparable(package: Any, framework: Any) -> Any:
        return outcome(lambda: call(package, framework))

    assert comparable(ours, tg) == comparable(theirs, torch)


@pytest.mark.parametrize("length", [0, 2, 10, 12])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_processes_share_one_order(length, drop_last, shuffle):
    words = {"num_replicas": 4, "drop_last": drop_last, "shuffle": shuffle, "seed": 3}
    ours, theirs = (
        [module.utils.data.DistributedSampler(range(length), rank=r, **words) for r in range(4)]
        for module in (tg, torch)
    )
    for mine, other in zip(ours, theirs, strict=True):
        assert (len(mine), mine.total_size) == (len(other), other.total_size)
        assert len(list(mine)) == len(mine)
        if not shuffle:
            assert list(mine) == list(other)
    orders = [[i for part in zip(*ours, strict=True) for i in part]]  # dealt out one by one
    for sampler in ours:
        sampler.set_epoch(1)
    orders.append([i for part in zip(*ours, strict=True) for i in part])
    for order in orders:
        whole = order[:length]
        assert len(set(whole)) == len(whole)  # nobody has another's, but for the end
        assert order[length:] == (order * 4)[: len(order) - len(whole)]
    assert (orders[0] != orders[1]) == (shuffle and length > 2)


def test_a_process_is_one_of_them():
    with pytest.raises(ValueError, match=r"Invalid rank 4, rank should be in .* \[0, 3\]"):
        tg.utils.data.distributed.DistributedSampler(range(9), num_replicas=4, rank=4)
    with pytest.raises(ValueError, match="give num_replicas= and rank="):
        tg.utils.data.DistributedSampler(range(9))
