"""A DataLoader's state_dict: the rest of a pass, and the next ones, as if nothing had happened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loading_tools import Drawn, Numbers, Shared

import tensorgrad as tg
from tensorgrad.data import DataLoader, Dataset, RandomSampler


def plain(batch: Any) -> Any:
    if isinstance(batch, tg.Tensor):
        return str(batch.dtype), tuple(batch.shape), batch.tolist()
    if isinstance(batch, dict):
        return {key: plain(value) for key, value in batch.items()}
    return [plain(item) for item in batch] if isinstance(batch, list) else batch


def lists(loader: Any) -> list[Any]:
    return [plain(batch) for batch in loader]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("seeded", [False, True], ids=["global", "generator"])
@pytest.mark.parametrize("stop", [0, 1, 3, 6])
def test_the_rest_of_a_pass_and_the_next_are_the_same(
    stop: int, seeded: bool, workers: int, tmp_path: Path
) -> None:
    def make(seed: int) -> Any:
        tg.manual_seed(seed)
        generator = tg.Generator().manual_seed(seed) if seeded else None
        dataset = Drawn(12) if workers else Numbers(12)
        return DataLoader(dataset, 2, shuffle=True, num_workers=workers, generator=generator)

    loader = make(0)
    lists(loader)
    passing = iter(loader)
    for _ in range(stop):
        next(passing)
    # Through a file, with the program's own generator beside it.
    tg.save({"loader": loader.state_dict(), "rng": tg.get_rng_state()}, tmp_path / "s")
    expected = lists(passing) + lists(loader)

    other = make(99)
    saved = tg.load(tmp_path / "s")
    other.load_state_dict(saved["loader"])
    tg.set_rng_state(saved["rng"])
    assert other.state_dict()["pass"]["delivered"] == stop
    assert lists(other) + lists(other) == expected


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_streams_are_taken_up_with_their_draws(workers: int) -> None:
    def make() -> Any:
        return DataLoader(Shared(11), 2, num_workers=workers)

    tg.manual_seed(4)
    whole = lists(make())
    for stop in range(len(whole) + 1):
        tg.manual_seed(4)
        loader = make()
        passing = iter(loader)
        head = [plain(next(passing)) for _ in range(stop)]
        state, rng = loader.state_dict(), tg.get_rng_state()
        other = make()
        other.load_state_dict(state)
        tg.manual_seed(77)
        tg.set_rng_state(rng)
        assert head + lists(other) == whole


def test_other_samplers_are_taken_up_and_other_numbers_of_workers_keep_the_order() -> None:
    def make(workers: int) -> Any:
        sampler = RandomSampler(Numbers(), True, 17, generator=tg.Generator().manual_seed(2))
        return DataLoader(Numbers(), 3, sampler=sampler, num_workers=workers)

    whole = lists(make(0))
    for before, after in ((0, 2), (2, 0), (2, 3)):
        loader = make(before)
        passing = iter(loader)
        head = [plain(next(passing)) for _ in range(2)]
        other = make(after)
        other.sampler.generator.manual_seed(9)
        other.load_state_dict(loader.state_dict())
        assert head + lists(other) == whole


def test_a_broken_off_loop_is_taken_up_and_a_finished_one_is_not() -> None:
    loader = DataLoader(Numbers(6), 2)
    assert loader.state_dict()["pass"] is None
    for _ in loader:
        break
    state = loader.state_dict()
    lists(loader)
    assert loader.state_dict()["pass"] is None
    loader.load_state_dict(state)
    assert loader.state_dict()["pass"] == state["pass"]
    assert len(lists(loader)) == 2
    assert len(lists(loader)) == 3


def test_out_of_order_delivery_is_taken_up_without_loss() -> None:
    loader = DataLoader(Numbers(30), 2, num_workers=3, in_order=False)
    passing = iter(loader)
    head = [plain(next(passing))[2] for _ in range(4)]
    other = DataLoader(Numbers(30), 2, num_workers=3, in_order=False)
    other.load_state_dict(loader.state_dict())
    numbers = [x for batch in head + [b[2] for b in lists(other)] for x in batch]
    assert sorted(numbers) == list(range(30))


def test_states_that_do_not_fit_are_refused() -> None:
    class Random(Dataset[int]):
        """Its sampler is random by means that the loader does not know."""

        def __iter__(self) -> Any:
            return iter(np.random.permutation(50).tolist())

    loader = DataLoader(Numbers(50), 5, sampler=Random())
    next(iter(loader)), next(iter(loader))
    other = DataLoader(Numbers(50), 5, sampler=Random())
    other.load_state_dict(loader.state_dict())
    with pytest.raises(RuntimeError, match="does not draw again what it drew before"):
        iter(other)
    with pytest.raises(ValueError, match=r"not what DataLoader\.state_dict gave"):
        loader.load_state_dict({})
    stream = DataLoader(Shared(5), 2)
    next(iter(stream))
    other = DataLoader(Shared(5), 2, num_workers=2)
    other.load_state_dict(stream.state_dict())
    with pytest.raises(ValueError, match="half read by 0 workers cannot be taken up by 2"):
        iter(other)
    shuffled = DataLoader(Numbers(), 2, shuffle=True, generator=tg.Generator())
    with pytest.raises(ValueError, match="loader with 1 generators, but this one has 0"):
        DataLoader(Numbers(), 2).load_state_dict(shuffled.state_dict())
