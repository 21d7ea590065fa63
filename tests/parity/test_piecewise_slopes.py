"""The gradient of the gradient of what is linear, or linear in pieces: zeros, as in PyTorch."""

import numpy as np
import pytest
import torch

import tensorgrad as tg

X = np.array([[-4.0, -1.3, -0.2, 0.3, 0.7, 2.2, 7.1]])
FUNCTIONS = {
    "relu": (),
    "leaky_relu": (0.2,),
    "leaky_relu_": (0.2,),
    "rrelu": (),
    "hardtanh": (),
    "hardtanh_": (),
    "relu6": (),
    "threshold": (0.1, 2.0),
    "threshold_": (0.1, 2.0),
    "hardshrink": (),
    "softshrink": (),
    "hardswish": (),
    "prelu": ([0.25],),
}


def gradients(module, name, options):
    x = module.tensor(X, requires_grad=True)
    given = [module.tensor(o, dtype=module.float64) if isinstance(o, list) else o for o in options]
    y = getattr(module.nn.functional, name)(x * 1.5, *given)
    (first,) = module.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = module.autograd.grad((first**2).sum(), x)
    return [t.detach().numpy() for t in (y, first, second)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_second_gradients_are_there(name):
    for ours, theirs in zip(
        gradients(tg, name, FUNCTIONS[name]), gradients(torch, name, FUNCTIONS[name]), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def critic(module, inplace):
    nn = module.nn
    net = nn.Sequential(
        nn.Linear(3, 5), nn.LeakyReLU(0.2, inplace=inplace), nn.Linear(5, 4), nn.PReLU(),
        nn.Linear(4, 1),
    ).to(module.float64)  # fmt: skip
    rng = np.random.default_rng(0)
    with module.no_grad():
        for p in net.parameters():
            p.copy_(module.tensor(rng.normal(size=tuple(p.shape))))
    return net


@pytest.mark.parametrize("inplace", [False, True])
def test_a_critics_gradient_penalty_reaches_every_parameter_but_the_last_bias(inplace):
    def penalty(module):
        net = critic(module, inplace)
        x = module.tensor(X[:, :6].reshape(2, 3), requires_grad=True)
        (g,) = module.autograd.grad(net(x).sum(), x, create_graph=True)
        ((g.norm(2, dim=1) - 1) ** 2).mean().backward()
        return [p.grad if p.grad is None else p.grad.numpy() for p in net.parameters()]

    for ours, theirs in zip(penalty(tg), penalty(torch), strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def second(module, f):
    x = module.tensor(np.arange(1.0, 17).reshape(1, 1, 4, 4), requires_grad=True)
    (first,) = module.autograd.grad((f(module.nn.functional, x) * 3).sum(), x, create_graph=True)
    if not first.requires_grad:
        return first.detach().numpy(), None
    (zeros,) = module.autograd.grad((first**2).sum(), x)
    return first.detach().numpy(), zeros.numpy()


LINEAR = {
    "avg_pool1d": lambda F, x: F.avg_pool1d(x[0], 2, ceil_mode=True),
    "avg_pool2d": lambda F, x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    "avg_pool3d": lambda F, x: F.avg_pool3d(x[None], (1, 2, 2)),
    "adaptive_avg_pool2d to halves": lambda F, x: F.adaptive_avg_pool2d(x, 2),
    "adaptive_avg_pool2d to thirds": lambda F, x: F.adaptive_avg_pool2d(x, 3),
    "adaptive_avg_pool2d to one": lambda F, x: F.adaptive_avg_pool2d(x, 1),
    "area": lambda F, x: F.interpolate(x, size=3, mode="area"),
    "nearest": lambda F, x: F.interpolate(x, size=3),
    "adaptive_max_pool2d": lambda F, x: F.adaptive_max_pool2d(x, 3),
    "reflect": lambda F, x: F.pad(x, (1, 2, 0, 1), "reflect"),
    "replicate": lambda F, x: F.pad(x, (1, 2, -1, 1), "replicate"),
    "circular": lambda F, x: F.pad(x, (1, 2, 0, 1), "circular"),
    "matrix_power": lambda F, x: x.matrix_power(0),
}


@pytest.mark.parametrize("name", LINEAR)
def test_second_gradients_of_pooling_and_padding_are_there_where_pytorchs_are(name):
    ours, theirs = (second(module, LINEAR[name]) for module in (tg, torch))
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12)
    assert (ours[1] is None) == (theirs[1] is None)
    if ours[1] is not None:
        np.testing.assert_array_equal(ours[1], theirs[1])


def test_second_gradients_of_fractional_pooling():
    noise = np.full((1, 1, 2), 0.3)
    ours, theirs = (
        second(
            m, lambda F, x, m=m: F.fractional_max_pool2d(x, 2, 2, _random_samples=m.tensor(noise))
        )
        for m in (tg, torch)
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)
