"""Datasets made of tensors and of other datasets, and splitting them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    random_split,
)


class Count(IterableDataset[int]):
    def __init__(self, start: int, stop: int) -> None:
        self.start, self.stop = start, stop

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start, self.stop))

    def __len__(self) -> int:
        return self.stop - self.start


class Squares(Dataset[int]):
    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> int:
        if not 0 <= index < 5:
            raise IndexError(index)
        return index**2


def test_tensor_dataset_gives_tuples_of_rows() -> None:
    x, y = tg.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), tg.tensor([7, 8, 9])
    dataset = TensorDataset(x, y)
    assert len(dataset) == 3
    row, label = dataset[-1]
    assert row.tolist() == [5.0, 6.0]
    assert label.tolist() == 9
    rows, labels = dataset[1:]
    assert rows.tolist() == [[3.0, 4.0], [5.0, 6.0]]
    assert labels.tolist() == [8, 9]
    with pytest.raises(IndexError):
        dataset[3]


def test_tensor_dataset_refuses_what_does_not_fit() -> None:
    with pytest.raises(AssertionError, match=r"size mismatch .*\(3, 2\), \(4,\)"):
        TensorDataset(tg.zeros(3, 2), tg.zeros(4))
    with pytest.raises(TypeError, match="argument 1 is a ndarray"):
        TensorDataset(tg.zeros(3), np.zeros(3))  # type: ignore[arg-type]
    with pytest.raises(IndexError, match="no dimensions"):
        TensorDataset(tg.tensor(1.0))
    with pytest.raises(ValueError, match="at least one"):
        TensorDataset()


def test_concat_and_plus() -> None:
    both = Squares() + Squares()
    assert isinstance(both, ConcatDataset)
    assert len(both) == 10
    assert [both[i] for i in (0, 4, 5, 9, -1, -10)] == [0, 16, 0, 16, 16, 0]
    assert list(both) == [0, 1, 4, 9, 16] * 2  # ends, by IndexError
    assert (both + Squares()).cumulative_sizes == [10, 15]
    with pytest.raises(IndexError, match="10 is out of range for 10"):
        both[10]
    with pytest.raises(ValueError, match="-11 is out of range"):
        both[-11]
    with pytest.raises(AssertionError, match="empty"):
        ConcatDataset([])
    with pytest.raises(AssertionError, match="ChainDataset"):
        ConcatDataset([Squares(), Count(0, 2)])


def test_streams_chain() -> None:
    chain = Count(0, 2) + Count(5, 8)
    assert isinstance(chain, ChainDataset)
    assert list(chain) == list(chain) == [0, 1, 5, 6, 7]
    assert len(chain) == 5
    with pytest.raises(AssertionError, match="Squares"):
        list(ChainDataset([Count(0, 1), Squares()]))


def test_subset_of_a_subset() -> None:
    subset = Subset(Subset(Squares(), [4, 2, 0]), [1, 0])
    assert len(subset) == 2
    assert list(subset) == [4, 16]
    assert subset.__getitems__([1, 1]) == [16, 16]
    pairs = Subset(TensorDataset(tg.arange(5)), [3, 1, 0])
    assert pairs[[0, 2]][0].tolist() == [3, 0]


def test_a_subset_that_overrides_only_getitem_is_refused() -> None:
    class Halves(Subset[Any]):
        def __getitem__(self, index: Any) -> Any:
            return super().__getitem__(index) / 2

    with pytest.raises(NotImplementedError, match="Halves overrides __getitem__ but not"):
        Halves(Squares(), [1])


def test_base_classes_say_what_is_missing() -> None:
    with pytest.raises(NotImplementedError, match="__getitem__"):
        Dataset[int]()[0]


def test_random_split_by_counts_is_a_partition_fixed_by_its_generator() -> None:
    parts = random_split(Squares(), [3, 2], generator=tg.Generator().manual_seed(1))
    again = random_split(Squares(), [3, 2], generator=tg.Generator().manual_seed(1))
    assert [len(part) for part in parts] == [3, 2]
    assert sorted(parts[0].indices + parts[1].indices) == [0, 1, 2, 3, 4]
    assert [part.indices for part in parts] == [part.indices for part in again]
    tg.manual_seed(3)
    first = random_split(range(50), [50])[0].indices  # type: ignore[arg-type]
    tg.manual_seed(3)
    assert random_split(range(50), [50], None)[0].indices == first  # type: ignore[arg-type]
    assert first != list(range(50))


@pytest.mark.parametrize(
    ("fractions", "sizes"),
    [([0.3, 0.3, 0.4], [4, 3, 4]), ([1 / 3] * 3, [4, 4, 3]), ([0.5, 0.5], [6, 5]), ([1.0], [11])],
)
def test_random_split_by_fractions(fractions: list[float], sizes: list[int]) -> None:
    parts = random_split(range(11), fractions)  # type: ignore[arg-type]
    assert [len(part) for part in parts] == sizes


def test_random_split_warns_of_a_part_without_samples() -> None:
    with pytest.warns(UserWarning, match="index 1 has no samples") as caught:
        random_split(range(3), [1.0, 0.0])  # type: ignore[arg-type]
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("lengths", "complaint"),
    [
        ([3, 3], "sum to 6, but the dataset has 5"),
        ([0.5, 0.2], "neither counts that sum to 5"),
        ([6, -1], "neither counts"),
        ([2.5, 2.5], "neither counts"),
        ([1.5, -0.5], "not between 0 and 1"),
    ],
)
def test_random_split_refuses_what_does_not_add_up(lengths: list[float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        random_split(Squares(), lengths)


def test_pytorchs_paths_lead_to_the_same_objects() -> None:
    import tensorgrad.data as ours

    ends = ("", ".dataloader", ".dataset", ".distributed", ".sampler")
    paths = [import_module("tensorgrad.utils.data" + end) for end in ends]
    assert tg.utils.data is paths[0]
    for module in paths:
        for name in module.__all__:
            assert getattr(module, name) is getattr(ours, name)
    assert set(paths[0].__all__) == {name for module in paths[1:] for name in module.__all__}
