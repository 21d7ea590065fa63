"""Kernels split over threads: the same numbers, errors that arrive, children that do not split."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.machine import threads


@pytest.fixture
def two_threads():
    before = tg.get_num_threads()
    tg.set_num_threads(2)
    yield
    tg.set_num_threads(before)


def test_the_parts_cover_the_range(two_threads):
    for size in (0, 1, 2, 7, 100):
        seen = np.zeros(size, int)
        names = set()

        def work(start, stop, seen=seen, names=names):
            seen[start:stop] += 1
            names.add(threading.current_thread().name)

        threads.split(work, size)
        assert (seen == 1).all()
        assert len(names) == (2 if size > 1 else 1)
        threads.split(work, size, worthwhile=False)
        assert (seen == 2).all()


def test_one_setting():
    before = tg.get_num_threads()
    for number in (1, 3, before):
        tg.set_num_threads(number)
        parts = []
        threads.split(lambda a, b, parts=parts: parts.append((a, b)), 90)
        assert len(parts) == number
        assert tg.get_num_threads() == number


def test_a_part_inside_a_part_is_not_split_again(two_threads):
    inner = []

    def outer(start, stop):
        threads.split(lambda a, b: inner.append((a, b)), 10)

    threads.split(outer, 2)
    assert (0, 10) in inner  # by the second thread; the first may split


@pytest.mark.parametrize("where", [0, 50])
def test_an_error_in_any_part_is_raised_after_all_have_ended(two_threads, where):
    ended = []

    def work(start, stop):
        if start == where:
            raise ValueError("in a part")
        ended.append(start)

    with pytest.raises(ValueError, match="in a part"):
        threads.split(work, 100)
    assert ended == [50 - where]
    threads.split(lambda a, b: ended.append(a), 100)  # the threads still serve
    assert sorted(ended) == sorted([50 - where, 0, 50])


def test_numpys_error_state_holds_in_every_part(two_threads):
    numbers = np.full(10, 1e300)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        threads.split(lambda a, b: np.square(numbers[max(a, 5) : b]), 10)


def step(dtype=tg.float32):
    """The gradients of a network whose layers are large enough to be split."""
    tg.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2, 1), nn.Flatten(),
        nn.Linear(784, 10),
    ).to(dtype)  # fmt: skip
    x = tg.randn(48, 1, 28, 28, dtype=dtype, requires_grad=True)
    loss = nn.functional.cross_entropy(model(x), tg.arange(48) % 10)
    loss.backward()
    return [x.grad.numpy(), *(p.grad.numpy() for p in model.parameters())]


def test_results_do_not_depend_on_the_number_of_threads_beyond_rounding(two_threads):
    with tg.backends.use_kernels("numpy"):
        two = step(tg.float64)
        tg.set_num_threads(1)
        one = step(tg.float64)
    assert all(np.allclose(a, b, rtol=1e-9, atol=1e-13) for a, b in zip(one, two, strict=True))


def test_deterministic_algorithms_are_asked_for_by_a_bool():
    for wrong in ({"mode": 1}, {"mode": True, "warn_only": "no"}):
        with pytest.raises(TypeError, match="must be a bool"):
            tg.use_deterministic_algorithms(**wrong)


def test_two_runs_give_the_same_bits(two_threads):
    before = tg.are_deterministic_algorithms_enabled()
    tg.use_deterministic_algorithms(True)
    try:
        runs = [step() for _ in range(3)]
    finally:
        tg.use_deterministic_algorithms(before)
    for run in runs[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(runs[0], run, strict=True))


def test_a_forked_child_computes_on_one_thread():
    code = """
import os
import tensorgrad as tg
from tensorgrad.machine import threads
tg.set_num_threads(2)
def parts():
    seen = []
    threads.split(lambda a, b: seen.append((a, b)), 10)
    return len(seen)
assert parts() == 2
pid = os.fork()
if pid == 0:
    os._exit(0 if parts() == 1 else 1)
assert os.waitpid(pid, 0)[1] == 0
assert parts() == 2
"""
    if not hasattr(os, "fork"):
        pytest.skip("this system does not fork")
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=60)


def test_a_process_of_multiprocessing_computes_on_one_thread(tmp_path):
    script = tmp_path / "spawned.py"
    script.write_text("""
import multiprocessing
from tensorgrad.machine import threads

def parts():
    return threads._pool.size()

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(parts) == 1
""")
    subprocess.run([sys.executable, str(script)], check=True, timeout=60)


def test_one_blas_thread_and_back(two_threads):
    set_number, get_number = threads._setting()
    with threads.one_blas_thread():
        assert get_number() == 1
        assert tg.get_num_threads() == 2  # what holds for everything else
        with threads.one_blas_thread():
            assert get_number() == 1
        assert get_number() == 1
    assert get_number() == 2
    set_number(3)  # by another package
    with threads.one_blas_thread():
        assert get_number() == 1
    assert get_number() == 3


def test_a_setting_made_meanwhile_holds_afterwards(two_threads):
    get_number = threads._setting()[1]
    with threads.one_blas_thread():
        tg.set_num_threads(3)
        assert get_number() == 1
    assert get_number() == 3


def test_one_blas_thread_ends_with_the_last_who_asks(two_threads):
    get_number = threads._setting()[1]
    inside, leave, seen = threading.Event(), threading.Event(), []

    def other():
        with threads.one_blas_thread():
            inside.set()
            leave.wait(10)
            seen.append(get_number())

    thread = threading.Thread(target=other)
    with threads.one_blas_thread():
        thread.start()
        assert inside.wait(10)
    assert get_number() == 1
    leave.set()
    thread.join()
    assert seen == [1]
    assert get_number() == 2
