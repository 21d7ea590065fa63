"""Worker processes beside PyTorch's: what each batch holds, in which order, and the errors."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch.utils.data as theirs

import tensorgrad.utils.data as ours

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="local datasets need fork")


def lists(loader: Any) -> list[Any]:
    return [batch.tolist() if hasattr(batch, "tolist") else batch for batch in loader]


def streams(p: Any, count: int) -> Any:
    class Stream(p.IterableDataset):  # type: ignore[misc,name-defined]
        """Shared out unevenly, so that the workers end at different times."""

        def __iter__(self) -> Any:
            info = p.get_worker_info()
            if info is None:
                return iter(range(count))
            return iter(range(info.id * 3, count, info.num_workers))

    return Stream()


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("count", [0, 1, 5, 12])
@pytest.mark.parametrize(
    "options", [{"batch_size": None}, {"batch_size": 2}, {"batch_size": 4, "drop_last": True}]
)
def test_streams_come_in_the_same_order(options: Any, count: int, workers: int) -> None:
    found = [
        lists(p.DataLoader(streams(p, count), num_workers=workers, **options))
        for p in (ours, theirs)
    ]
    assert found[0] == found[1]


def failing(p: Any, error: Callable[[], Exception]) -> Any:
    class Failing(p.Dataset):  # type: ignore[misc,name-defined]
        def __len__(self) -> int:
            return 8

        def __getitem__(self, index: int) -> int:
            if index == 3:
                raise error()
            return index

    return p.DataLoader(Failing(), 2, num_workers=2)


class TwoWords(Exception):
    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


@pytest.mark.parametrize(
    "error",
    [
        lambda: ValueError("wrong"),
        lambda: KeyError("a\nb"),
        lambda: OSError(2, "none"),
        lambda: UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"),
        lambda: TwoWords("a", "b"),
    ],
)
def test_errors_have_their_types_and_the_pass_goes_on(error: Any) -> None:
    found = []
    for p in (ours, theirs):
        passing = iter(failing(p, error))
        seen: list[Any] = [next(passing).tolist()]
        with pytest.raises(Exception) as caught:
            next(passing)
        kind = type(caught.value).__name__
        line = str(caught.value).splitlines()[0]
        seen += [kind, line, next(passing).tolist(), next(passing).tolist()]
        found.append(seen)
    assert found[0] == found[1]


WRONG: list[dict[str, Any]] = [
    {"num_workers": -1},
    {"num_workers": 0, "prefetch_factor": 2},
    {"num_workers": 1, "prefetch_factor": -1},
    {"num_workers": 0, "persistent_workers": True},
    {"num_workers": 0, "multiprocessing_context": "fork"},
    {"num_workers": 1, "multiprocessing_context": "no such"},
    {"num_workers": 1, "multiprocessing_context": 3},
    {"num_workers": 1, "timeout": -1},
]


@pytest.mark.parametrize("options", WRONG, ids=str)
def test_options_are_refused_alike(options: dict[str, Any]) -> None:
    kinds = []
    for p in (ours, theirs):
        with pytest.raises(Exception) as caught:
            p.DataLoader([1, 2], **options)
        kinds.append(caught.type)
    assert kinds[0] is kinds[1]
