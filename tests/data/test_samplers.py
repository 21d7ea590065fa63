"""Samplers: lengths, seeds, distributions and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
    random_split,
)

TEN = range(10)


def seeded(seed: int) -> tg.Generator:
    return tg.Generator().manual_seed(seed)


def test_sequential() -> None:
    sampler = SequentialSampler("abc")
    assert list(sampler) == list(sampler) == [0, 1, 2]
    assert len(sampler) == 3


def test_random_is_a_new_permutation_each_pass_and_fixed_by_manual_seed() -> None:
    def two_passes() -> list[list[int]]:
        tg.manual_seed(0)
        sampler = RandomSampler(TEN)
        return [list(sampler), list(sampler)]

    first, second = two_passes()
    assert sorted(first) == sorted(second) == list(TEN)
    assert first != second
    assert two_passes() == [first, second]
    assert all(type(index) is int for index in first)


def test_drawing_elsewhere_during_a_pass_does_not_change_its_order() -> None:
    tg.manual_seed(5)
    quiet = list(RandomSampler(TEN, num_samples=30))
    tg.manual_seed(5)
    noisy = []
    for index in RandomSampler(TEN, num_samples=30):
        noisy.append(index)
        tg.rand(3)
    assert noisy == quiet


def test_a_generator_of_its_own() -> None:
    assert list(RandomSampler(TEN, generator=seeded(1))) == list(
        RandomSampler(TEN, generator=seeded(1))
    )
    sampler = RandomSampler(TEN, generator=seeded(1))
    assert list(sampler) != list(sampler)  # it goes on drawing


@pytest.mark.parametrize(("number", "whole"), [(3, 0), (10, 1), (25, 2)])
def test_num_samples_without_replacement_goes_through_all_first(number: int, whole: int) -> None:
    drawn = list(RandomSampler(TEN, num_samples=number))
    assert len(drawn) == len(RandomSampler(TEN, num_samples=number)) == number
    for turn in range(whole):
        assert sorted(drawn[10 * turn : 10 * turn + 10]) == list(TEN)
    assert len(set(drawn[10 * whole :])) == number - 10 * whole


def test_replacement_draws_independently() -> None:
    drawn = list(RandomSampler(TEN, True, 100_000, seeded(0)))
    assert len(drawn) == 100_000
    # 10,000 each; one standard deviation is 95.
    assert np.abs(np.bincount(drawn, minlength=10) - 10_000).max() < 400
    # Independent of one another: the next is the same in one case of ten.
    assert abs(np.mean(np.diff(drawn) == 0) - 0.1) < 0.005


def test_a_growing_dataset_is_followed() -> None:
    data = [1, 2]
    sampler = RandomSampler(data)
    data.append(3)
    assert len(sampler) == sampler.num_samples == 3
    assert sorted(sampler) == [0, 1, 2]
    data.clear()
    with pytest.raises(ValueError, match="empty"):
        list(RandomSampler(data, num_samples=4))


@pytest.mark.parametrize("number", [0, -1, 2.5, True, "3"])
def test_num_samples_must_be_a_positive_integer(number: Any) -> None:
    with pytest.raises(ValueError, match="num_samples should be a positive integer"):
        RandomSampler(TEN, num_samples=number)
    with pytest.raises(ValueError, match="num_samples should be a positive integer"):
        WeightedRandomSampler([1.0], number)


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ValueError, match="the dataset is empty"):
        RandomSampler([])
    with pytest.raises(TypeError, match="replacement must be a bool, got 1"):
        RandomSampler(TEN, replacement=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="replacement must be a bool"):
        WeightedRandomSampler([1.0], 1, replacement=None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"shape \(1, 2\)"):
        WeightedRandomSampler([[1.0, 2.0]], 1)  # type: ignore[list-item]
    with pytest.raises(NotImplementedError, match="__iter__"):
        iter(Sampler[int]())


def test_subset_random() -> None:
    sampler = SubsetRandomSampler([7, 3, 5], seeded(0))
    assert sorted(sampler) == [3, 5, 7]
    assert len(sampler) == 3
    orders = {tuple(sampler) for _ in range(100)}
    assert len(orders) == 6
    tg.manual_seed(0)
    first = list(SubsetRandomSampler(TEN))
    tg.manual_seed(0)
    assert list(SubsetRandomSampler(TEN)) == first


WEIGHTS = np.array([0.5, 0.0, 3.0, 1.0, 0.0])


@pytest.mark.parametrize("weights", [WEIGHTS, WEIGHTS.tolist(), "tensor"])
def test_weighted_draws_are_in_proportion(weights: Any) -> None:
    if isinstance(weights, str):
        weights = tg.tensor(WEIGHTS)
    sampler = WeightedRandomSampler(weights, 90_000, generator=seeded(0))
    assert len(sampler) == 90_000
    counts = np.bincount(list(sampler), minlength=5)
    assert counts[1] == counts[4] == 0
    assert np.abs(counts - 20_000 * WEIGHTS).max() < 600


def test_weighted_draws_without_replacement() -> None:
    sampler = WeightedRandomSampler(WEIGHTS, 2, replacement=False, generator=seeded(0))
    pairs = [tuple(sampler) for _ in range(20_000)]
    total = WEIGHTS.sum()
    for first in (0, 2, 3):
        for second in {0, 2, 3} - {first}:
            exact = WEIGHTS[first] / total * WEIGHTS[second] / (total - WEIGHTS[first])
            assert abs(pairs.count((first, second)) / 20_000 - exact) < 0.012
    everything = WeightedRandomSampler(WEIGHTS, 3, replacement=False)
    assert sorted(everything) == [0, 2, 3]


@pytest.mark.parametrize(
    ("weights", "replacement", "complaint"),
    [
        ([1.0, -1.0], True, "not negative"),
        ([1.0, float("nan")], True, "finite"),
        ([1.0, float("inf")], False, "finite"),
        ([0.0, 0.0], True, "not all zero"),
        ([1.0, 0.0], False, "only 1 weights are not zero"),
    ],
)
def test_impossible_weights_are_refused(
    weights: list[float], replacement: bool, complaint: str
) -> None:
    sampler = WeightedRandomSampler(weights, 2, replacement)
    with pytest.raises(RuntimeError, match=complaint):
        list(sampler)


@pytest.mark.parametrize(
    "make",
    [
        lambda g: RandomSampler(TEN, generator=g),
        lambda g: SubsetRandomSampler([1], generator=g),
        lambda g: WeightedRandomSampler([1.0], 1, generator=g),
        lambda g: random_split(TEN, [4, 6], generator=g),
        lambda g: tg.rand(2, generator=g),
    ],
)
def test_a_generator_is_one_of_ours(make: Callable[[Any], Any]) -> None:
    for generator in (5, np.random.default_rng(0)):
        with pytest.raises(TypeError, match=r"must be a tensorgrad\.Generator"):
            make(generator)


def test_batches() -> None:
    assert list(BatchSampler(SequentialSampler(TEN), 4, False)) == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
    ]
    assert list(BatchSampler(TEN, 4, True)) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert list(BatchSampler(TEN, 5, True)) == list(BatchSampler(TEN, 5, False))
    for size in range(1, 12):
        for drop in (False, True):
            sampler = BatchSampler(TEN, size, drop)
            assert len(sampler) == len(list(sampler))


@pytest.mark.parametrize("size", [0, -1, 2.0, None, True])
def test_batch_size_must_be_a_positive_integer(size: Any) -> None:
    with pytest.raises(ValueError, match="batch_size should be a positive integer"):
        BatchSampler(TEN, size, False)
    with pytest.raises(ValueError, match="drop_last must be a bool"):
        BatchSampler(TEN, 2, size if size is not True else 1)
