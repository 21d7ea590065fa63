"""Worker processes: the same batches as without, errors, deaths, seeds, and nothing left behind."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from loading_tools import (
    Drawn,
    Failing,
    Info,
    Nested,
    Numbers,
    Samples,
    Shared,
    fail,
    note_seed,
    unpicklable,
)

import tensorgrad as tg
import tensorgrad.data.pool as pool
from tensorgrad.data import DataLoader, TensorDataset, get_worker_info

METHODS = ["fork", "spawn"] if sys.platform == "linux" else ["spawn"]


def plain(batch: Any) -> Any:
    if isinstance(batch, tg.Tensor):
        return str(batch.dtype), tuple(batch.shape), batch.tolist()
    if isinstance(batch, dict):
        return {key: plain(value) for key, value in batch.items()}
    return [plain(item) for item in batch] if isinstance(batch, list) else batch


def lists(loader: Any) -> list[Any]:
    return [plain(batch) for batch in loader]


def blocks() -> set[str]:
    folder = Path("/dev/shm")
    return {path.name for path in folder.glob("tg-*")} if folder.is_dir() else set()


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Any:
    made: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        token = pool.secrets.token_hex
        patch.setattr(pool.secrets, "token_hex", lambda n: (made.append(token(n)), made[-1])[1])
        yield
    gc.collect()
    assert not [name for name in blocks() if name.split("-")[1] in made]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dataset", [Samples(11), Numbers(7)], ids=lambda d: type(d).__name__)
def test_batches_are_those_made_in_this_process(dataset: Any, method: str) -> None:
    def loaded(**options: Any) -> list[Any]:
        tg.manual_seed(3)
        return lists(DataLoader(dataset, 3, shuffle=True, **options))

    alone = loaded()
    assert loaded(num_workers=2, multiprocessing_context=method) == alone


def test_the_default_method_more_workers_than_batches_and_prefetching() -> None:
    expected = lists(DataLoader(Numbers(5), 2))
    for options in (
        {"num_workers": 1},
        {"num_workers": 4},
        {"num_workers": 2, "prefetch_factor": 5},
    ):
        loader = DataLoader(Numbers(5), 2, **options)  # type: ignore[arg-type]
        assert lists(loader) == lists(loader) == expected
        assert len(iter(loader)) == 3  # type: ignore[arg-type]
    assert loader.prefetch_factor == 5
    assert DataLoader(Numbers(5), num_workers=1).prefetch_factor == 2
    assert list(DataLoader(Numbers(3), None, num_workers=2)) == [0, 1, 2]
    assert list(DataLoader([], num_workers=1)) == []  # type: ignore[arg-type]


def test_the_global_generator_ends_where_it_would_without_workers() -> None:
    states = []
    for workers in (0, 2):
        tg.manual_seed(0)
        lists(DataLoader(Numbers(5), 2, shuffle=True, num_workers=workers))
        states.append(tg.get_rng_state().tolist())
    assert states[0] == states[1]


def test_arrays_from_shared_memory_outlive_everything_and_are_writable() -> None:
    loader = DataLoader(Samples(4), 2, num_workers=1)
    first, second = (batch["image"] for batch in loader)
    del loader
    gc.collect()
    first.add_(1.0)
    assert first[1, 0, 0, 0] == 2
    assert second[1, 0, 0, 0] == 3
    second.requires_grad_()
    (second * second).sum().backward()
    assert second.grad[0, 0, 0, 0] == 4
    view = second.detach()[1]
    del first, second
    gc.collect()
    assert view.sum() == 3 * 64 * 65 * 3


def test_a_gathering_dataset_and_a_custom_collate() -> None:
    x = tg.randn(6, 200, 200)
    whole = DataLoader(TensorDataset(x), 4, num_workers=2)
    assert all(tg.equal(b, x[4 * i : 4 * i + 4]) for i, (b,) in enumerate(whole))
    assert list(DataLoader(Numbers(6), 2, num_workers=2, collate_fn=sum)) == [1, 5, 9]


# --- Workers know who they are -------------------------------------------------------------------


def test_get_worker_info_seeds_and_threads() -> None:
    generator = tg.Generator().manual_seed(5)
    twin = generator.clone_state()
    loader = DataLoader(Info(4), 1, num_workers=2, generator=generator, collate_fn=list)
    (a,), (b,), (c,), _ = list(loader)
    base = int(twin._rng.integers(1 << 63))
    assert a[:3] == (0, 2, base)
    assert b[:3] == (1, 2, base + 1)
    assert c == a
    assert a[3] is True
    assert a[4] == 1
    assert get_worker_info() is None


def test_workers_draw_other_numbers_each_and_the_same_again() -> None:
    def drawn(**options: Any) -> list[Any]:
        tg.manual_seed(1)
        loader = DataLoader(Drawn(8), 2, num_workers=2, **options)
        return lists(loader) + lists(loader)

    first = drawn()
    numbers = [x for batch in first for column in batch[1:] for x in column[2]]
    assert len(set(numbers)) == len(numbers)
    assert drawn() == first
    initialised = drawn(worker_init_fn=note_seed)
    assert initialised[:4] == initialised[4:]
    kept = drawn(worker_init_fn=note_seed, persistent_workers=True)
    assert kept[:4] == initialised[:4]
    assert kept[4:] != kept[:4]  # the generators went on


def test_streams_are_shared_out_as_the_workers_do() -> None:
    numbers = [batch[0][2] for batch in lists(DataLoader(Shared(11), 2, num_workers=3))]
    assert numbers == [[0, 3], [1, 4], [2, 5], [6, 9], [7, 10], [8]]
    dropped = lists(DataLoader(Shared(11), 2, num_workers=3, drop_last=True))
    assert [batch[0][2] for batch in dropped] == numbers[:-1]
    assert lists(DataLoader(Shared(0), 2, num_workers=2)) == []
    loader = DataLoader(Shared(11), 2, num_workers=3, persistent_workers=True)
    assert [b[0][2] for b in lists(loader)] == [b[0][2] for b in lists(loader)] == numbers


# --- Persistent workers ---------------------------------------------------------------------------


def test_persistent_workers_stay_and_broken_off_passes_leave_no_trace() -> None:
    loader = DataLoader(Numbers(20), 2, num_workers=2, persistent_workers=True)
    expected = lists(DataLoader(Numbers(20), 2))
    for stop in (0, 1, 3):
        for _ in zip(range(stop), loader):
            pass
    assert lists(loader) == expected
    pids = [process.pid for process in loader._iterator._pool.processes]  # type: ignore[union-attr]
    assert lists(loader) == expected
    assert pids == [p.pid for p in loader._iterator._pool.processes]  # type: ignore[union-attr]
    twin = pickle.loads(pickle.dumps(loader))
    assert lists(twin) == lists(copy.deepcopy(loader)) == expected


def test_out_of_order_gives_every_batch_once() -> None:
    loader = DataLoader(Numbers(40), 3, num_workers=3, in_order=False)
    assert sorted(x for batch in lists(loader) for x in batch[2]) == list(range(40))


# --- What goes wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_an_error_comes_with_its_type_and_traceback_and_the_pass_goes_on(method: str) -> None:
    passing = iter(DataLoader(Failing("raise"), 4, num_workers=2, multiprocessing_context=method))
    assert next(passing).tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="five is wrong") as caught:
        next(passing)
    text = str(caught.value)
    assert text.startswith("Caught ValueError in DataLoader worker process 1.\nOriginal Traceback")
    assert 'raise ValueError("five is wrong")' in text
    assert next(passing).tolist() == [8, 9, 10, 11]


@pytest.mark.parametrize(
    ("what", "kind", "message"),
    [
        ("key", KeyError, "Original Traceback.*\n.*KeyError: 'five.*is missing'"),
        ("odd", RuntimeError, "Caught Odd in DataLoader worker"),
        ("local", RuntimeError, "Caught Local in DataLoader worker"),
        ("exit", RuntimeError, r"worker 1 \(pid \d+\) exited unexpectedly with exit code 3"),
        ("die", RuntimeError, r"worker 1 \(pid \d+\) is killed by signal: SIGKILL"),
    ],
)
def test_errors_and_deaths(what: str, kind: type[Exception], message: str) -> None:
    passing = iter(DataLoader(Failing(what), 5, num_workers=2))
    next(passing)
    with pytest.raises(kind, match=f"(?s){message}"):
        next(passing)
    if what in ("exit", "die"):
        with pytest.raises(RuntimeError, match="the pass cannot go on"):
            next(passing)


def test_a_worker_killed_from_outside_and_persistent_workers_made_anew() -> None:
    loader = DataLoader(Numbers(40), 1, num_workers=2, persistent_workers=True)
    passing = iter(loader)
    next(passing)
    os.kill(loader._iterator._pool.processes[0].pid, signal.SIGKILL)  # type: ignore[union-attr]
    with pytest.raises(RuntimeError, match=r"worker 0 .*SIGKILL"):
        list(passing)
    assert len(list(loader)) == 40


@pytest.mark.parametrize("method", METHODS)
def test_workers_cannot_have_workers(method: str) -> None:
    loader = DataLoader(Nested(), 2, num_workers=1, multiprocessing_context=method, timeout=30)
    with pytest.raises(AssertionError, match="daemonic processes are not allowed to have children"):
        list(loader)


def test_a_timeout() -> None:
    loader = DataLoader(Failing("hang"), 5, num_workers=2, timeout=60)
    passing = iter(loader)
    next(passing)  # which takes as long as the workers' start
    loader.timeout = 0.3
    start = time.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tensorgrad.data.pool._PATIENCE", 0.1)
        with pytest.raises(RuntimeError, match=r"DataLoader timed out after 0\.3 seconds"):
            next(passing)
    assert time.monotonic() - start < 20


def test_errors_of_worker_init_fn_and_of_what_cannot_be_sent() -> None:
    with pytest.raises(OSError, match=r"(?s)worker process 0.*no file for 0"):
        next(iter(DataLoader(Numbers(), num_workers=1, worker_init_fn=fail)))
    with pytest.raises(Exception, match=r"(?s)worker process 0.*pickle"):
        next(iter(DataLoader(Numbers(), num_workers=1, collate_fn=unpicklable)))
    one = tg.ones(1, requires_grad=True)
    grads = DataLoader(Numbers(), num_workers=1, collate_fn=lambda _: one * 2)
    if METHODS[0] == "fork":  # named: from Python 3.14 on it is no platform's own
        grads.multiprocessing_context = "fork"
        with pytest.raises(RuntimeError, match="only leaf tensors can be pickled; detach"):
            next(iter(grads))
    grads.multiprocessing_context = "spawn"
    with pytest.raises(RuntimeError, match="cannot be sent to a worker started by 'spawn'"):
        iter(grads)


SCRIPT = """
import os, signal, sys, time
import tensorgrad as tg
import tensorgrad.data.pool as pool
from tensorgrad.data import DataLoader, TensorDataset

if __name__ == "__main__":
    data = TensorDataset(tg.zeros(64, 100, 100))
    loader = DataLoader(data, 2, num_workers=2, multiprocessing_context=sys.argv[1],
                        persistent_workers=True)
    passing = iter(loader)
    kept = next(passing)
    print(passing._pool._prefix, *[p.pid for p in passing._pool.processes], flush=True)
    if sys.argv[2] == "raise":
        raise ValueError("on purpose")
    if sys.argv[2] == "exit":
        sys.exit(0)
    if sys.argv[2] == "interrupt":
        # Programs in the background of a shell are started with the signal ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
    if sys.argv[2] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "way",
    [
        *("end", "interrupt", "kill"),
        *(pytest.param(way, marks=pytest.mark.long) for way in ("exit", "raise")),
    ],
)
def test_however_the_program_ends_nothing_is_left(way: str, method: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    here = os.pathsep.join([os.getcwd(), *sys.path])
    done = subprocess.run(
        [sys.executable, "-W", "error", script, method, way],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": here},
    )
    complaints = {
        "raise": "ValueError: on purpose",
        "interrupt": "KeyboardInterrupt",
    }.get(way, "")
    if way != "kill":  # then the system's tracker removes the blocks, and says so
        assert done.stderr.strip().splitlines()[-1:] == ([complaints] if complaints else [])
        assert "resource_tracker" not in done.stderr
        assert "Exception ignored" not in done.stderr
    prefix, *pids = done.stdout.split()[:1] + [int(pid) for pid in done.stdout.split()[1:]]
    assert len(pids) == 2
    deadline = time.monotonic() + 15
    while any(_runs(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_runs(pid) for pid in pids)
    if way == "kill":  # the tracker, a process of its own, begins when the last of them is gone
        while any(name.startswith(prefix) for name in blocks()) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert not [name for name in blocks() if name.startswith(prefix)]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # a zombie, if nobody here reaps it, has ended too
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_loop_that_is_left_ends_its_workers() -> None:
    passing = iter(DataLoader(Samples(30), 2, num_workers=2))
    next(passing)
    processes = list(passing._pool.processes)  # type: ignore[attr-defined]
    pids = [process.pid for process in processes]
    del passing
    gc.collect()
    assert not any(_runs(pid) for pid in pids)


def test_no_warning_is_given() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lists(DataLoader(Samples(6), 2, num_workers=2))
