"""Memory of large results is used again, never while anybody can see it."""

import gc
import os
import signal
import threading
import time

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.machine import arena
from tensorgrad.ops import linalg


@pytest.fixture(autouse=True)
def fresh():
    arena.empty_cache()
    yield
    arena.empty_cache()


def address(x):
    return x.__array_interface__["data"][0]


def test_memory_is_used_again_when_the_last_view_is_gone():
    x = arena.empty((300, 200), np.float32)
    place, view = address(x), x[3:].T
    del x
    assert arena.cached_bytes() == 0
    other = arena.empty((300, 200), np.float32)
    assert address(other) != place
    del view
    assert arena.cached_bytes() == 240_000
    again = arena.empty((200, 150), np.float64)  # as many bytes
    assert address(again) == place
    assert again.shape == (200, 150)
    assert again.dtype == np.float64
    assert again.flags.writeable
    assert again.flags.c_contiguous
    assert arena.cached_bytes() == 0


def test_the_memory_of_the_last_time_is_found_again():
    blocks = [arena.block(1 << 18) for _ in range(3)]
    memories = [id(block.base) for block in blocks]
    while blocks:
        del blocks[0]
    assert arena.cached_bytes() == 3 << 18
    second = arena.block(1 << 18, memories[1])
    assert id(second.base) == memories[1]
    another = arena.block(1 << 18, memories[1])  # it is in use
    assert id(another.base) == memories[2]
    assert arena.cached_bytes() == 1 << 18


def test_views_of_it_have_it_as_their_base():
    x = arena.empty((300, 200), np.float32)
    assert x[1:].base is x
    assert np.moveaxis(x, 0, 1)[2:].base is x


def test_views_of_the_block_itself_give_nothing_back():
    x = arena.empty((300, 200), np.float32)
    block = x.base
    parts = [block[10:], block.reshape(600, 400), block.view(np.ndarray), block.copy()]
    del parts
    assert arena.cached_bytes() == 0
    last = block[5:]
    del x, block
    assert arena.cached_bytes() == 0
    del last
    assert arena.cached_bytes() == 240_000


def test_a_storage_of_bytes_ends_at_its_block():
    x = tg.from_numpy(arena.empty((300, 1000), np.uint8))
    x.fill_(3)
    memory = x.untyped_storage()
    assert memory.nbytes() == 300_000
    assert memory.data_ptr() == x.data_ptr() == address(x.numpy())
    assert type(x.view(-1).numpy()) is np.ndarray


def test_small_arrays_are_numpys():
    assert arena.empty((10, 10), np.float32).base is None
    assert arena.empty_like(np.ones((3, 4)).T).strides == (8, 32)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_empty_like_keeps_the_order_of_memory(axes):
    x = np.ones((40, 50, 60), np.float32).transpose(axes)
    y = arena.empty_like(x)
    assert y.shape == x.shape
    assert y.strides == x.strides


def test_what_waits_is_bounded(monkeypatch):
    monkeypatch.setattr(arena, "LIMIT", 1 << 20)
    held = [arena.empty((1 << 15,), np.float64) for _ in range(10)]
    held += [arena.empty((n,), np.float32) for n in range(40_000, 40_010)]
    held.append(arena.empty((1 << 18,), np.float64))
    del held
    assert 0 < arena.cached_bytes() <= 1 << 20
    tg.backends.empty_cache()
    assert tg.backends.cached_bytes() == 0


def test_blocks_in_a_cycle_come_back():
    x = arena.empty((300, 200), np.float32)
    cycle = [x]
    cycle.append(cycle)
    del x, cycle
    gc.collect()
    assert arena.cached_bytes() == 240_000


def test_threads_never_get_the_same_memory():
    wrong = []

    def work(number):
        for _ in range(200):
            x = arena.empty((200, 200), np.float32)
            x[...] = number
            y = arena.empty((200, 200), np.float32)
            y[...] = -number
            if not (x == number).all():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_results_that_are_kept_are_not_overwritten():
    x = tg.randn(64, 16, 16, 16)
    first = tg.relu(x)
    expected = first.numpy().copy()
    kept = first.numpy()[:, ::2]
    del first
    for _ in range(5):
        tg.relu(-x)
    assert np.array_equal(kept, expected[:, ::2])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_does_not_wait_for_a_lock_that_a_thread_of_its_parent_held():
    held, over = threading.Event(), threading.Event()

    def hold():
        with arena._lock:
            held.set()
            over.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(60)
    child = os.fork()
    if child == 0:
        arena.empty((300, 200), np.float32)
        os._exit(0)
    try:
        for _ in range(500):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                break
            time.sleep(0.01)
        else:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        assert done
        assert status == 0
    finally:
        over.set()
        thread.join()


def test_a_gradient_on_a_block_becomes_the_leafs_without_a_copy(monkeypatch):
    w = tg.randn(256, 512, requires_grad=True)
    product, places = linalg.product, []

    def noted(a, b):
        y = product(a, b)
        places.append(address(y))
        return y

    monkeypatch.setattr(linalg, "product", noted)
    (tg.randn(128, 256) @ w).relu().sum().backward()
    assert w.grad.numpy().nbytes >= arena.LEAST
    assert address(w.grad.numpy()) in places


def test_a_gradient_on_a_block_that_a_hook_keeps_is_the_hooks_own():
    w, kept = tg.randn(256, 512, requires_grad=True), []
    w.register_hook(kept.append)
    (tg.randn(128, 256) @ w).relu().sum().backward()
    before = kept[0].clone()
    w.grad.zero_()
    assert tg.equal(kept[0], before)


def test_arrays_begin_at_a_line_of_the_cache():
    held = [arena.empty((40_000 + 5 * n,), np.float32) for n in range(9)]
    assert [address(x) % 64 for x in held] == [0] * 9


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_large_arrays_are_joined_on_memory_that_waits(axis):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((64, 8, 128)).astype(np.float32) for _ in range(3)]
    joined = tg.cat([tg.from_numpy(x) for x in arrays], axis)
    np.testing.assert_array_equal(joined.numpy(), np.concatenate(arrays, axis))
    assert joined.is_contiguous()
    assert type(joined._array.base) is arena._Block
    turned = tg.cat([tg.from_numpy(x.T) for x in arrays], axis)
    np.testing.assert_array_equal(turned.numpy(), np.concatenate([x.T for x in arrays], axis))


def test_large_arrays_that_do_not_fit_are_refused_as_small_ones_are():
    for wrong in [(64, 9, 128), (64, 8), (64, 8, 128, 1)]:
        with pytest.raises((RuntimeError, ValueError), match="dimension"):
            tg.cat([tg.zeros(64, 8, 128), tg.zeros(*wrong)], -1)
    mixed = tg.cat([tg.zeros(64, 8, 128), tg.ones(64, 8, 128, dtype=tg.float64)])
    assert mixed.dtype == tg.float64
    np.testing.assert_array_equal(mixed.numpy()[64:], 1)
