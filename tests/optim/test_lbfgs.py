"""L-BFGS and its line search, by what they promise."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.optim import LBFGS
from tensorgrad.optim.line_search import Point, cubic_minimum, strong_wolfe


def quadratic(dtype=tg.float64):
    p = tg.tensor([3.0, -2.0], dtype=dtype, requires_grad=True)
    scale = tg.tensor([1.0, 50.0], dtype=dtype)

    def loss():
        p.grad = None
        value = (scale * (p - 1) ** 2).sum()
        value.backward()
        return value

    return p, loss


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_a_quadratic_in_one_call(search):
    p, loss = quadratic()
    optimizer = LBFGS([p], line_search_fn=search, max_iter=50)
    with tg.no_grad():
        first = optimizer.step(loss)
    assert first.item() == 4 + 50 * 9
    np.testing.assert_allclose(p.detach().numpy(), [1, 1], atol=1e-5)
    state = optimizer.state[p]
    assert state["n_iter"] < 50
    assert state["func_evals"] <= 62
    evaluations = state["func_evals"]
    optimizer.param_groups[0]["tolerance_grad"] = 1.0
    optimizer.step(loss)  # the gradient is small enough already: one look
    assert state["func_evals"] == evaluations + 1


def test_float32_stays_float32():
    p, loss = quadratic(tg.float32)
    optimizer = LBFGS([p], lr=tg.tensor(1.0), line_search_fn="strong_wolfe")
    optimizer.step(loss)
    assert p.dtype == tg.float32
    assert optimizer.state[p]["d"].dtype == tg.float32
    np.testing.assert_allclose(p.detach().numpy(), [1, 1], atol=1e-3)


def test_history_is_limited():
    p = tg.tensor([0.2, 1.5, 0.3, 2.0], dtype=tg.float64, requires_grad=True)

    def loss():
        p.grad = None
        value = (100 * (p[1:] - p[:-1] ** 2) ** 2 + (1 - p[:-1]) ** 2).sum()
        value.backward()
        return value

    optimizer = LBFGS([p], history_size=3, line_search_fn="strong_wolfe", max_iter=10)
    for _ in range(20):
        optimizer.step(loss)
        assert len(optimizer.state[p]["old_dirs"]) <= 3
    np.testing.assert_allclose(p.detach().numpy(), 1, atol=1e-5)


def test_parameters_without_a_gradient_stay():
    p, loss = quadratic()
    q = tg.ones(2, dtype=tg.float64, requires_grad=True)
    LBFGS([q, p], line_search_fn="strong_wolfe").step(loss)
    np.testing.assert_array_equal(q.detach().numpy(), 1)
    np.testing.assert_allclose(p.detach().numpy(), 1, atol=1e-5)


def test_refusals():
    p, loss = quadratic()
    q = tg.ones(1, requires_grad=True)
    with pytest.raises(ValueError, match="parameter groups"):
        LBFGS([{"params": [p]}, {"params": [q]}])
    optimizer = LBFGS([p])
    with pytest.raises(ValueError, match="parameter groups"):
        optimizer.add_param_group({"params": [q]})
    with pytest.raises(TypeError, match="closure"):
        optimizer.step()
    with pytest.raises(TypeError, match="needs a closure"):
        optimizer.step(None)
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        LBFGS([p], lr=-1)
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported, got 'armijo'"):
        LBFGS([p], line_search_fn="armijo").step(loss)


def test_a_closure_that_raises_leaves_the_state():
    p, loss = quadratic()
    optimizer = LBFGS([p], max_iter=2)
    optimizer.step(loss)
    d = optimizer.state[p]["d"]
    calls = iter([loss])

    def failing():
        return next(calls)()

    with pytest.raises(StopIteration):
        optimizer.step(failing)
    assert optimizer.state[p]["d"] is d


def on_a_line(f, slope):
    return lambda t: (f(t), np.array([slope(t)]))


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 30.0])
def test_what_the_search_finds_satisfies_wolfe(first):
    def f(t):
        return -t / (t * t + 2)

    def slope(t):
        return (t * t - 2) / (t * t + 2) ** 2

    start = Point(0.0, f(0), np.array([slope(0)]), slope(0))
    point, count = strong_wolfe(on_a_line(f, slope), first, np.array([1.0]), start, c2=0.1)
    assert f(point.t) <= f(0) + 1e-4 * point.t * slope(0)
    assert abs(slope(point.t)) <= 0.1 * abs(slope(0))
    assert count <= 25


def test_cubic_minimum():
    def at(t):
        return Point(t, t**3 - 3 * t, np.array([]), 3 * t * t - 3)

    for a, b in ((0.0, 3.0), (3.0, 0.0), (0.5, 1.2)):
        assert cubic_minimum(at(a), at(b)) == pytest.approx(1)
    assert cubic_minimum(at(1.5), at(3.0), (1.6, 2.0)) == 1.6
    falling = Point(0.0, 0.0, np.array([]), -1.0), Point(1.0, -1.0, np.array([]), -1.0)
    assert cubic_minimum(*falling) == 0.5  # a straight line has no minimum
