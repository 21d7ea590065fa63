"""DataLoader: batches, orders, streams, its argument rules, and the gather of whole batches."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import (
    MNIST,
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    Digits,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    TensorDataset,
    default_collate,
    get_worker_info,
)


class Numbers(Dataset[int]):
    """0..9, counting how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> int:
        self.asked += 1
        return range(10)[index]


class Stream(IterableDataset[int]):
    def __init__(self, stop: int, said: int | None = None) -> None:
        self.stop, self.said = stop, said

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.stop))

    def __len__(self) -> int:
        if self.said is None:
            raise TypeError("a stream without a length")
        return self.said


def lists(loader: DataLoader[Any]) -> list[Any]:
    return [batch.tolist() for batch in loader]


def test_batches_in_order() -> None:
    loader = DataLoader(Numbers(), batch_size=4)
    assert lists(loader) == lists(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert len(loader) == 3
    assert len(iter(loader)) == 3  # type: ignore[arg-type]
    assert lists(DataLoader(Numbers())) == [[i] for i in range(10)]
    dropped = DataLoader(Numbers(), 4, drop_last=True)
    assert lists(dropped) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert len(dropped) == 2


def test_nothing_is_read_ahead() -> None:
    dataset = Numbers()
    passing = iter(DataLoader(dataset, 4))
    assert dataset.asked == 0
    next(passing)
    assert dataset.asked == 4


def test_two_passes_at_once_do_not_disturb_each_other() -> None:
    loader = DataLoader(Numbers(), 5)
    assert [(a.tolist()[0], b.tolist()[0]) for a in loader for b in loader] == [
        (0, 0),
        (0, 5),
        (5, 0),
        (5, 5),
    ]


def test_manual_seed_reproduces_every_pass_of_a_shuffled_loader() -> None:
    def two_passes() -> list[Any]:
        tg.manual_seed(0)
        loader = DataLoader(Numbers(), 4, shuffle=True)
        return [lists(loader), lists(loader)]

    first, second = two_passes()
    assert sorted(chain(*first)) == sorted(chain(*second)) == list(range(10))
    assert first != second
    assert two_passes() == [first, second]
    tg.manual_seed(1)
    assert lists(DataLoader(Numbers(), 4, shuffle=True)) != first


def test_a_generator_fixes_the_order_and_leaves_the_global_one_alone() -> None:
    tg.manual_seed(0)
    expected = tg.rand(1).tolist()
    tg.manual_seed(0)
    orders = [
        lists(DataLoader(Numbers(), 3, True, generator=tg.Generator().manual_seed(4)))
        for _ in range(2)
    ]
    assert orders[0] == orders[1]
    assert tg.rand(1).tolist() == expected


def test_samplers_and_batch_samplers() -> None:
    assert lists(DataLoader(Numbers(), 2, sampler=[5, 1, 3])) == [[5, 1], [3]]
    loader = DataLoader(Numbers(), batch_sampler=BatchSampler([9, 8, 7], 2, True))
    assert lists(loader) == [[9, 8]]
    assert len(loader) == 1
    assert loader.batch_size is None
    assert loader.drop_last is False
    assert lists(DataLoader(Numbers(), batch_sampler=[[1], [2, 3]])) == [[1], [2, 3]]
    assert isinstance(DataLoader(Numbers()).sampler, SequentialSampler)
    assert isinstance(DataLoader(Numbers(), shuffle=True).sampler, RandomSampler)


def test_without_batching_samples_come_converted() -> None:
    loader = DataLoader(Numbers(), batch_size=None)
    assert list(loader) == list(range(10))
    assert len(loader) == 10
    rows = [np.zeros(2), np.ones(2)]
    second = list(DataLoader(rows, batch_size=None))[1]  # type: ignore[arg-type]
    assert isinstance(second, tg.Tensor)
    assert second.tolist() == [1.0, 1.0]
    whole = DataLoader(TensorDataset(tg.arange(4)), batch_size=None, sampler=[[0, 2], [1]])
    assert [x.tolist() for (x,) in whole] == [[0, 2], [1]]


def test_collate_fn_gets_the_list_of_samples() -> None:
    assert list(DataLoader(Numbers(), 4, collate_fn=sum)) == [6, 22, 17]
    assert list(DataLoader(Numbers(), None, collate_fn=str))[3] == "3"


def test_getitems_fetches_a_batch() -> None:
    class Together(Numbers):
        def __getitems__(self, indices: list[int]) -> list[int]:
            return [-index for index in indices]

    assert lists(DataLoader(Together(), 5))[1] == [-5, -6, -7, -8, -9]
    assert lists(DataLoader(Subset(Together(), [3, 1]), 5)) == [[-3, -1]]


def test_streams() -> None:
    loader = DataLoader(Stream(5), 2)
    assert lists(loader) == lists(loader) == [[0, 1], [2, 3], [4]]
    assert lists(DataLoader(Stream(4), 2)) == [[0, 1], [2, 3]]
    assert lists(DataLoader(Stream(5), 2, drop_last=True)) == [[0, 1], [2, 3]]
    assert list(DataLoader(Stream(3), None)) == [0, 1, 2]
    assert list(DataLoader(Stream(0), 2)) == []
    with pytest.raises(TypeError, match="without a length"):
        len(loader)
    assert len(DataLoader(Stream(5, 5), 2)) == 3
    assert len(DataLoader(Stream(5, 5), 2, drop_last=True)) == 2
    assert len(DataLoader(Stream(5, 5), None)) == 5


def test_a_stream_that_has_ended_is_not_asked_again() -> None:
    class Once(IterableDataset[int]):
        def __iter__(self) -> Iterator[int]:
            left = [1, 2, 3]

            class Strict(Iterator[int]):
                def __next__(self) -> int:
                    if not left:
                        left.append(0)  # a second question would find this
                        raise StopIteration
                    return left.pop(0)

            return Strict()

    assert lists(DataLoader(Once(), 2)) == [[1, 2], [3]]


def test_a_stream_longer_than_it_said_is_warned_of_once_its_length_was_used() -> None:
    loader = DataLoader(Stream(6, said=4), 2)
    assert len(lists(loader)) == 3  # nobody asked for the length
    assert len(loader) == 2
    with pytest.warns(UserWarning, match="there are 2 batches, but this is number 3"):
        assert len(lists(loader)) == 3


def test_an_empty_dataset() -> None:
    empty: Any = []
    assert list(DataLoader(empty)) == []
    with pytest.raises(ValueError, match="empty"):
        DataLoader(empty, shuffle=True)


def test_what_made_the_samplers_cannot_be_changed_afterwards() -> None:
    loader = DataLoader(Numbers(), 2)
    for name in ("batch_size", "sampler", "batch_sampler", "drop_last", "dataset"):
        with pytest.raises(ValueError, match=f"{name} attribute should not be set"):
            setattr(loader, name, None)
    loader.collate_fn = sum
    assert next(iter(loader)) == 1


def test_pin_memory_warns_as_pytorch_does() -> None:
    loader = DataLoader(Numbers(), 5, pin_memory=True)
    with pytest.warns(UserWarning, match="no accelerator"):
        assert len(lists(loader)) == 2


def test_options_for_workers_that_ask_nothing_are_taken() -> None:
    loader = DataLoader(Numbers(), worker_init_fn=print, in_order=False, timeout=0)
    assert len(lists(loader)) == 10
    assert get_worker_info() is None


def test_loaders_copy_and_pickle_and_passes_do_not() -> None:
    loader = DataLoader([1, 2, 3], 2)  # type: ignore[arg-type]
    for twin in (copy.deepcopy(loader), pickle.loads(pickle.dumps(loader))):
        assert lists(twin) == [[1, 2], [3]]
        with pytest.raises(ValueError, match="should not be set"):
            twin.batch_size = 5
    with pytest.raises(NotImplementedError, match="pickle the loader"):
        pickle.dumps(iter(loader))


def one_by_one(loader: DataLoader[Any]) -> DataLoader[Any]:
    """The same loader without the gather: another function that does what the default does."""
    loader.collate_fn = lambda samples: default_collate(samples)
    return loader


def equal(left: list[Any], right: list[Any]) -> bool:
    assert len(left) == len(right)
    for ours, theirs in zip(left, right):
        assert type(ours) is type(theirs) is list
        for a, b in zip(ours, theirs, strict=True):
            assert type(a) is type(b) is tg.Tensor
            assert a.dtype == b.dtype
            assert a.shape == b.shape
            assert a.is_contiguous()
            assert np.array_equal(a.numpy(), b.numpy())
    return True


def gathered_sets(tmp_path: Path, write_mnist: Any) -> dict[str, Dataset[Any]]:
    write_mnist(tmp_path)
    rng = np.random.default_rng(0)
    x = tg.from_numpy(rng.random((11, 3, 2)))
    tensors = TensorDataset(x, tg.arange(11), x.transpose(1, 2))
    colour = Digits(train=False)
    colour.data = rng.integers(0, 17, (11, 5, 4, 3), dtype=np.uint8)  # shaped (N, H, W, C)
    colour.targets = colour.targets[:11]
    return {
        "tensors": tensors,
        "subset": Subset(Subset(tensors, range(1, 11)), [0, 9, -1, 4, 4]),
        "digits": Digits(train=False),
        "mnist": MNIST(tmp_path),
        "colour": colour,
        "subset of images": Subset(MNIST(tmp_path), [3, 1]),
    }


@pytest.mark.parametrize(
    "which", ["tensors", "subset", "digits", "mnist", "colour", "subset of images"]
)
def test_the_gather_gives_what_collating_gives(
    tmp_path: Path, write_mnist: Any, which: str
) -> None:
    dataset = gathered_sets(tmp_path, write_mnist)[which]
    for sampler in (range(len(dataset)), [1, 0, 1, -1]):  # type: ignore[arg-type]
        quick, slow = (DataLoader(dataset, 3, sampler=sampler) for _ in range(2))
        assert equal(list(quick), list(one_by_one(slow)))


def test_the_gather_is_used_where_it_may_be_and_only_there() -> None:
    asked: list[Any] = []

    class Asked(TensorDataset):
        def collated_items(self, indices: Any) -> Any:
            asked.append(list(indices))
            return super().collated_items(indices)

    class Doubled(Asked):
        def __getitem__(self, index: Any) -> Any:
            return (super().__getitem__(index)[0] * 2,)

    x = tg.arange(6)
    assert [batch[0].tolist() for batch in DataLoader(Asked(x), 4)] == [[0, 1, 2, 3], [4, 5]]
    assert asked == [[0, 1, 2, 3], [4, 5]]
    list(DataLoader(Subset(Asked(x), [5, 2]), 2))
    assert asked.pop() == [5, 2]
    asked.clear()
    doubled = [batch[0].tolist() for batch in DataLoader(Doubled(x), 4)]
    assert doubled == [[0, 2, 4, 6], [8, 10]]
    list(DataLoader(Subset(Doubled(x), [5, 2]), 2))
    list(DataLoader(Asked(x), 4, collate_fn=list))
    list(DataLoader(ConcatDataset([Asked(x), Asked(x)]), 4))
    assert asked == []


def test_transforms_are_never_passed_over() -> None:
    dataset = Digits(target_transform=lambda label: label + 100)
    assert min(next(iter(DataLoader(dataset, 20)))[1].tolist()) >= 100
    dataset = Digits(transform=lambda image: image[0])
    assert tuple(next(iter(DataLoader(dataset, 20)))[0].shape) == (20, 8)


def test_a_gathered_batch_is_a_copy() -> None:
    x = tg.zeros(4)
    for (batch,) in DataLoader(TensorDataset(x), 2):
        batch += 1
    assert x.tolist() == [0.0] * 4
    digits = Digits()
    before = digits.targets.copy()
    for images, labels in DataLoader(digits, 500):
        images.zero_()
        labels.zero_()
    assert np.array_equal(digits.targets, before)
    assert digits.data.any()


def test_gradients_flow_through_a_gathered_batch() -> None:
    x = tg.arange(4.0).requires_grad_()
    for (batch,) in DataLoader(TensorDataset(x), 3, sampler=[1, 1, 3]):
        batch.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 2.0, 0.0, 1.0]


@pytest.mark.parametrize("index", [10, -11, 1.0, "0", None])
def test_wrong_indices_give_the_same_kind_of_error_either_way(index: Any) -> None:
    dataset = TensorDataset(tg.arange(10))
    kinds = []
    for collate_fn in (None, lambda samples: default_collate(samples)):
        loader = DataLoader(dataset, 2, sampler=[0, index], collate_fn=collate_fn)
        try:
            kinds.append(next(iter(loader))[0].shape)
        except Exception as error:
            kinds.append(type(error))
    assert kinds[0] == kinds[1]
