"""Softmax, its logarithm and sums along rows by every way that a shape may take."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.machine import blocks
from tensorgrad.nn import functional as F
from tensorgrad.ops import softmax as ops

SHAPES = [(300, 1), (300, 10), (300, 17), (5, 300), (4, 100, 12), (2000, 3), (10, 2000), (0, 5)]


def defined(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True, initial=-np.inf))
    return e / e.sum(axis, keepdims=True)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_and_its_gradient(shape, axis, dtype):
    rng = np.random.default_rng(0)
    x = (rng.standard_normal(shape) * 5).astype(dtype)
    g = rng.standard_normal(shape).astype(dtype)
    p = defined(x.astype(np.float64), axis)
    close = {"rtol": 1e-11, "atol": 1e-13} if dtype == "float64" else {"rtol": 2e-5, "atol": 1e-6}
    leaf = tg.from_numpy(x).requires_grad_()
    F.softmax(leaf, axis).backward(tg.from_numpy(g))
    np.testing.assert_allclose(F.softmax(leaf, axis).detach().numpy(), p, **close)
    np.testing.assert_allclose(
        leaf.grad.numpy(), p * (g - (g * p).sum(axis, keepdims=True)), **close
    )
    logs = F.log_softmax(leaf, axis).detach().numpy()
    np.testing.assert_allclose(np.exp(logs), p, **close)


def test_rows_of_infinities_and_nan():
    x = np.random.default_rng(0).standard_normal((300, 4)).astype("f4")
    x[0] = -np.inf
    x[1, 2] = np.nan
    x[2, 1] = -np.inf
    y = F.softmax(tg.from_numpy(x), -1).numpy()
    assert np.isnan(y[:2]).all()
    assert y[2, 1] == 0
    assert not np.isnan(y[2:]).any()


def test_blocks_of_rows_change_nothing(monkeypatch):
    x = np.random.default_rng(0).standard_normal((40, 7))

    def run():
        leaf = tg.from_numpy(x.copy()).requires_grad_()
        y = F.softmax(leaf, 1) * F.log_softmax(leaf, -1)
        y.sum().backward()
        return y.detach().numpy(), leaf.grad.numpy()

    whole = run()
    for module in (blocks, ops):
        monkeypatch.setattr(module, "LARGE", 1)
    monkeypatch.setattr(blocks, "_BLOCK", 21)
    for a, b in zip(run(), whole, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("shape", [(3000, 7), (10, 1000), (10, 1025), (7, 20, 100)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_sums_along_rows(shape, keepdims):
    x = np.random.default_rng(0).random(shape).astype("f4")
    y = tg.from_numpy(x).sum(-1, keepdim=keepdims).numpy()
    exact = x.astype(np.float64).sum(-1, keepdims=keepdims)
    assert y.shape == exact.shape
    np.testing.assert_allclose(y, exact, rtol=1e-6)
