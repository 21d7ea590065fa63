"""The arithmetic of the steps, on arrays of every layout."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.optim import (
    ASGD,
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Muon,
    NAdam,
    RAdam,
    RMSprop,
    Rprop,
)
from tensorgrad.optim.elementwise import CHUNK

MAKERS = {
    "SGD": lambda ps: SGD(ps, lr=0.1, weight_decay=0.01),
    "momentum": lambda ps: SGD(ps, lr=0.1, momentum=0.9, dampening=0.5, weight_decay=0.01),
    "nesterov": lambda ps: SGD(ps, lr=0.1, momentum=0.9, nesterov=True, maximize=True),
    "Adam": lambda ps: Adam(ps, lr=0.1, weight_decay=0.01, maximize=True),
    "AdamW": lambda ps: AdamW(ps, lr=0.1, amsgrad=True),
    "NAdam": lambda ps: NAdam(ps, lr=0.1, weight_decay=0.01, maximize=True),
    "RAdam": lambda ps: RAdam(ps, lr=0.1, betas=(0.9, 0.9), weight_decay=0.01),
    "Adamax": lambda ps: Adamax(ps, lr=0.1, weight_decay=0.01, maximize=True),
    "Adagrad": lambda ps: Adagrad(ps, lr=0.1, weight_decay=0.01, maximize=True),
    "Adadelta": lambda ps: Adadelta(ps, weight_decay=0.01, maximize=True),
    "RMSprop": lambda ps: RMSprop(ps, lr=0.1, momentum=0.9, centered=True, maximize=True),
    "Rprop": lambda ps: Rprop(ps, lr=0.1, maximize=True),
    "ASGD": lambda ps: ASGD(ps, lr=0.1, t0=1, weight_decay=0.01, maximize=True),
}
makers = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def leaf(array):
    return tg.from_numpy(array).requires_grad_()


def give(p, gradient):
    p.grad = tg.from_numpy(gradient)


def test_sgd_by_hand():
    p = tg.tensor([1.0, -2.0], dtype=tg.float64, requires_grad=True)
    optimizer = SGD([p], lr=0.5, momentum=0.9, dampening=0.9, weight_decay=0.1)
    b = None
    expected = p.detach().numpy().copy()
    for k in range(3):
        g = np.array([k + 1.0, -1.0])
        give(p, g)
        d = g + 0.1 * expected
        b = d if b is None else 0.9 * b + (1 - 0.9) * d  # the first is not dampened
        expected = expected - 0.5 * b
        optimizer.step()
        np.testing.assert_allclose(p.detach().numpy(), expected, rtol=1e-14)
        np.testing.assert_allclose(optimizer.state[p]["momentum_buffer"].numpy(), b, rtol=1e-14)


def test_adam_by_hand():
    p = tg.tensor([1.0, -2.0], dtype=tg.float64, requires_grad=True)
    optimizer = Adam([p], lr=0.1, betas=(0.8, 0.9), eps=1e-4)
    expected, m, v = p.detach().numpy().copy(), np.zeros(2), np.zeros(2)
    for t in range(1, 5):
        g = np.array([t - 2.5, 0.3])
        give(p, g)
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g**2
        expected = expected - 0.1 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-4)
        optimizer.step()
        np.testing.assert_allclose(p.detach().numpy(), expected, rtol=1e-13)
    assert optimizer.state[p]["step"].item() == 4


def test_decoupled_decay_is_not_scaled():
    # With no gradient at all Adam's decay becomes a step of size lr, AdamW's stays lr * decay.
    p, q = tg.tensor([10.0], requires_grad=True), tg.tensor([10.0], requires_grad=True)
    for leaf_, optimizer in ((p, Adam([p], lr=0.1, weight_decay=0.5)), (q, AdamW([q], lr=0.1))):
        leaf_.grad = tg.zeros(1)
        optimizer.step()
    assert p.item() == pytest.approx(10 - 0.1, rel=1e-6)
    assert q.item() == pytest.approx(10 - 0.1 * 0.01 * 10, rel=1e-6)


def layouts(rng):
    """Arrays of the same numbers with other strides; large ones are updated in chunks."""
    n = 3 * CHUNK // 8  # in float64 that is three chunks
    large = rng.standard_normal((n // 100 + 7, 100))
    small = rng.standard_normal((6, 5, 4))
    return {
        "chunks": large.copy(),
        "chunks, Fortran order": np.asfortranarray(large),
        "large, strided": np.repeat(large, 2, axis=1)[:, ::2],
        "permuted": np.ascontiguousarray(small.transpose(1, 2, 0)).transpose(2, 0, 1),
        "strided": np.repeat(small, 2, axis=0)[::2],
        "0-d": np.array(1.5),
        "empty": np.empty((0, 3)),
    }


@makers
@pytest.mark.parametrize("layout", list(layouts(np.random.default_rng(0))))
def test_layouts_do_not_matter(make, layout):
    array = layouts(np.random.default_rng(1))[layout]
    other = leaf(np.array(array, order="C"))
    p = leaf(array)
    mine = p._array
    optimizers = make([p]), make([other])
    rng = np.random.default_rng(2)
    for k in range(4):
        g = np.asarray(rng.standard_normal(array.shape))
        give(other, g)
        give(p, np.array(g, order="F") if k % 2 else g)  # the gradient's layout is its own
        for optimizer in optimizers:
            optimizer.step()
    assert p._array is mine  # updated in place, never replaced
    np.testing.assert_array_equal(array, other._array)


@makers
def test_float32_stays_float32(make):
    p = leaf(np.ones((3, 2), np.float32))
    optimizer = make([p])
    optimizer.param_groups[0]["lr"] = np.float64(0.1)  # would make NumPy compute in float64
    give(p, np.full((3, 2), 0.5, np.float32))
    optimizer.step()
    assert p.dtype == tg.float32
    for name, value in optimizer.state[p].items():
        assert value.dtype == tg.float32, name


@makers
def test_gradients_are_read_only(make):
    p = leaf(np.ones((2, 3)))
    optimizer = make([p])
    g = np.broadcast_to(np.array([1.0, 2.0, 3.0]), (2, 3))  # as backward of a sum may give
    give(p, g)
    optimizer.step()
    optimizer.step()
    np.testing.assert_array_equal(g[1], [1.0, 2.0, 3.0])
    assert not np.any(p._array == 1)


@makers
def test_no_temporaries_of_the_parameters_size(make):
    p = leaf(np.ones(4_000_000, np.float32))
    give(p, np.ones(4_000_000, np.float32))
    optimizer = make([p])
    optimizer.step()  # makes the state and the scratch space
    tracemalloc.start()
    try:
        optimizer.step()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # A mask for one piece in each thread, at most.
    assert peak < p._array.nbytes // 40


def test_parameters_without_gradients_are_left_alone():
    p, q = leaf(np.ones(2)), leaf(np.ones(2))
    optimizer = Adam([p, q], weight_decay=0.1)
    give(p, np.ones(2))
    optimizer.step()
    np.testing.assert_array_equal(q._array, 1)
    assert q not in optimizer.state
    give(q, np.ones(2))
    optimizer.step()
    assert (optimizer.state[p]["step"].item(), optimizer.state[q]["step"].item()) == (2, 1)


def test_plain_sgd_keeps_nothing():
    p = leaf(np.ones(2))
    optimizer = SGD([p])
    give(p, np.ones(2))
    optimizer.step()
    assert optimizer.state_dict()["state"] == {}


@makers
def test_backward_through_a_step_says_so(make):
    # The graph saved the parameter that the step then wrote.
    p = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (p * p).sum()
    loss.backward(retain_graph=True)
    make([p]).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_complex_parameters_are_two_real_ones():
    rng = np.random.default_rng(3)
    z = leaf(rng.standard_normal((3, 2)) + 1j * rng.standard_normal((3, 2)))
    pair = leaf(np.stack([z._array.real, z._array.imag]))
    optimizers = Adam([z]), Adam([pair])
    for _ in range(3):
        g = rng.standard_normal((3, 2)) + 1j * rng.standard_normal((3, 2))
        give(z, g)
        give(pair, np.stack([g.real, g.imag]))
        for optimizer in optimizers:
            optimizer.step()
    np.testing.assert_allclose(z._array, pair._array[0] + 1j * pair._array[1], rtol=1e-14)


@makers
def test_a_closure_is_called_with_recording_on(make):
    p = tg.tensor([3.0], requires_grad=True)
    optimizer = make([p])

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with tg.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 9
    assert p.item() != 3


@pytest.mark.parametrize(
    "make",
    [
        lambda p: SGD([p], lr=0.1),
        lambda p: SGD([p], lr=0.05, momentum=0.9, nesterov=True),
        lambda p: Adam([p], lr=0.5),
        lambda p: AdamW([p], lr=0.5, amsgrad=True),
        lambda p: NAdam([p], lr=0.1),
        lambda p: RAdam([p], lr=0.5),
        lambda p: Adamax([p], lr=0.1),
        lambda p: Adagrad([p], lr=1),
        lambda p: Adadelta([p], lr=20),
        lambda p: RMSprop([p], lr=0.02),
        lambda p: Rprop([p]),
        lambda p: ASGD([p], lr=0.1),
        lambda p: Adafactor([p], lr=0.05),
    ],
)
def test_finds_the_minimum(make):
    target = tg.tensor([1.0, -3.0, 0.5], dtype=tg.float64)
    p = tg.zeros(3, dtype=tg.float64, requires_grad=True)
    optimizer = make(p)
    for _ in range(300):
        optimizer.zero_grad()
        ((p - target) ** 2).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(p.detach().numpy(), target.numpy(), atol=0.02)


def test_muon_makes_singular_values_alike():
    rng = np.random.default_rng(4)
    for shape in ((20, 6), (6, 20)):
        p = leaf(np.zeros(shape))
        g = rng.standard_normal(shape) @ np.diag(np.logspace(0, -1, shape[1]))
        give(p, g)
        Muon([p], lr=1, adjust_lr_fn="match_rms_adamw").step()
        singular = np.linalg.svd(p._array / (0.2 * 20**0.5), compute_uv=False)
        assert singular.min() > 0.6
        assert singular.max() < 1.3
        assert np.sum(p._array * g) < 0  # downhill


def test_adafactor_keeps_rows_and_columns():
    p, q, nothing = leaf(np.ones((30, 50))), leaf(np.ones(7)), leaf(np.ones((0, 3)))
    optimizer = Adafactor([p, q, nothing])
    for x in (p, q, nothing):
        give(x, np.ones(x.shape))
    optimizer.step()
    assert sum(value.numel() for value in optimizer.state[p].values()) == 1 + 30 + 50
    assert optimizer.state[q]["variance"].shape == (7,)
    assert not optimizer.state[nothing]


def test_adafactor_in_float16():
    p = leaf(np.full((3, 3), 128, np.float16))  # the sum of squares is infinite
    give(p, p._array)
    Adafactor([p], lr=0.1).step()
    np.testing.assert_allclose(p._array, 128 * 0.9, rtol=1e-3)


def test_rprop_by_hand():
    p = leaf(np.zeros(3))
    optimizer = Rprop([p], lr=1.0, etas=(0.5, 1.5))
    for g in ([1.0, 1.0, 0.0], [5.0, -1.0, 0.0], [1.0, -1.0, 2.0]):
        give(p, np.array(g))
        optimizer.step()
    # -1 -1.5 -2.25;  -1, turned: stays, then +0.5;  0, 0, -1
    np.testing.assert_array_equal(p._array, [-4.75, -0.5, -1.0])


def test_asgd_averages_from_t0_on():
    p = leaf(np.array([10.0]))
    optimizer = ASGD([p], lr=0.5, lambd=0, t0=2)
    seen = []
    for _ in range(6):
        give(p, np.array([1.0]))
        optimizer.step()
        seen.append(p._array.item())
    # Steps 1 to t0 + 1 replace the average, those after are averaged in.
    assert optimizer.state[p]["ax"].item() == pytest.approx(np.mean(seen[3:]), rel=1e-6)
