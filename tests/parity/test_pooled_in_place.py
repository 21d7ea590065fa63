"""Maxima that are written after they were selected: ``nn.MaxPool2d(2), nn.ReLU(inplace=True)``."""

import numpy as np
import pytest
import torch

import tensorgrad as tg

X = np.random.default_rng(0).integers(-3, 4, (2, 3, 7, 8)).astype(np.float32)

WAYS = {
    "relu_": lambda y, lib: y.relu_(),
    "mul_": lambda y, lib: y.mul_(0.5),
    "a part": lambda y, lib: y.__setitem__((..., 0), 0.0) or y,
    "nn.ReLU": lambda y, lib: lib.nn.ReLU(inplace=True)(y),
    "add": lambda y, lib: y.add_(lib.ones(y.shape[-1])),
}
POOLS = {
    "1d": lambda x, lib: lib.nn.functional.max_pool1d(x[0], 2),
    "2d": lambda x, lib: lib.nn.functional.max_pool2d(x, 2),
    "overlap": lambda x, lib: lib.nn.functional.max_pool2d(x, 3, 1, 1),
    "dilated": lambda x, lib: lib.nn.functional.max_pool2d(x, 2, 2, dilation=2),
    "3d": lambda x, lib: lib.nn.functional.max_pool3d(x, 2),
    "indices": lambda x, lib: lib.nn.functional.max_pool2d(x, 2, return_indices=True)[0],
    "adaptive": lambda x, lib: lib.nn.functional.adaptive_max_pool2d(x, 2),
    "after relu": lambda x, lib: lib.nn.functional.max_pool2d(x.relu(), 2),
}


def _backward(x, y, lib):
    (y * y).sum().backward()
    return x.grad


def _gradient(x, y, lib):
    return lib.autograd.grad((y * y).sum(), x)[0]


def _twice(x, y, lib):
    (first,) = lib.autograd.grad((y**3).sum(), x, create_graph=True)
    return lib.autograd.grad((first**2).sum(), x)[0]


def _retained(x, y, lib):
    loss = (y * y).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    return x.grad


@pytest.mark.parametrize("walk", [_backward, _gradient, _twice, _retained])
@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("way", WAYS)
def test_the_gradient_is_pytorchs(way, pool, walk):
    found = []
    for lib in (tg, torch):
        x = lib.tensor(X, requires_grad=True)
        y = WAYS[way](POOLS[pool](x * 1, lib), lib)
        found.append(np.asarray(walk(x, y, lib).detach()))
    np.testing.assert_allclose(found[0], found[1])


def test_of_a_leaf():
    found = []
    for lib in (tg, torch):
        x = lib.tensor(X, requires_grad=True)
        y = lib.nn.functional.max_pool2d(x, 2)
        with lib.no_grad():
            y.mul_(2)
        y.backward(lib.ones_like(y))
        found.append(np.asarray(x.grad))
    np.testing.assert_array_equal(*found)


def test_under_anomaly_mode_and_vmap():
    x = tg.tensor(X, requires_grad=True)
    with tg.autograd.set_detect_anomaly(True):
        _backward(x, tg.nn.functional.max_pool2d(x * 1, 2).relu_(), tg)

    def loss(one):
        return (tg.nn.functional.max_pool2d(one * 1, 2).relu_() ** 2).sum()

    np.testing.assert_array_equal(tg.func.vmap(tg.func.grad(loss))(tg.tensor(X)), x.grad)


@pytest.mark.parametrize("both", [False, True])
def test_the_input_may_not_be_written(both):
    x = tg.tensor(X, requires_grad=True) * 1
    y = tg.nn.functional.max_pool2d(x, 2)
    if both:
        y.relu_()
    x.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation: the argument 'x' of"):
        y.sum().backward()
