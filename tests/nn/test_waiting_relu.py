"""Where nothing is recorded, a Sequential rectifies after the max pooling that follows a ReLU."""

import copy

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.kernels import rectify
from tensorgrad.nn.hooks import everywhere


def _images(channels=4):
    """Windows of negatives alone, of NaN and of infinities are among them."""
    x = np.random.default_rng(0).standard_normal((2, channels, 64, 64)).astype(np.float32)
    x[0, 0, :4, :4] = -1
    x[0, 1, 0, :3] = [np.nan, np.inf, -np.inf]
    x[0, 1, 8:12, 8:12] = -np.inf
    return tg.from_numpy(x)


def _one_by_one(net, x):
    for module in net:
        x = module(x)
    return x


@pytest.mark.parametrize("pooling", [
    nn.MaxPool2d(2), nn.MaxPool2d(3, 2, 1), nn.MaxPool2d(2, dilation=2), nn.MaxPool2d(5, 3, 2, 1),
    nn.MaxPool2d(3, ceil_mode=True), nn.AvgPool2d(2),
], ids=str)  # fmt: skip
@pytest.mark.parametrize("first", [[], [nn.ReLU()], [nn.Tanh()]], ids=str)
def test_the_result_is_that_of_the_modules(pooling, first):
    net = copy.deepcopy(nn.Sequential(*first, nn.ReLU(), pooling, nn.Sigmoid()))
    before = [module._calls for module in net]
    x = _images()
    kept = x.numpy().copy()
    with tg.no_grad():
        found = net(x)
        np.testing.assert_array_equal(found, _one_by_one(net, x))
    assert found.is_contiguous()
    np.testing.assert_array_equal(x.numpy(), kept)
    assert [module._calls for module in net] == [calls + 2 for calls in before]


@pytest.mark.parametrize("kind", ["Conv1d", "Conv2d", "Conv3d"])
def test_behind_convolutions(kind):
    n = int(kind[-2])
    pool = getattr(nn, f"MaxPool{n}d")
    conv = getattr(nn, kind)
    net = nn.Sequential(conv(3, 8, 3), nn.ReLU(), pool(2), conv(8, 4, 3), nn.ReLU(), pool(2))
    x = tg.randn(2, 3, *([14] * n))
    with tg.no_grad():
        found = net(x)
        np.testing.assert_array_equal(found, _one_by_one(net, x))
        assert found.stride() == tuple(np.cumprod([1, *found.shape[:0:-1]])[::-1])
        np.testing.assert_array_equal(found.view(-1), found.numpy().reshape(-1))


def test_it_does_wait(monkeypatch):
    """The rectified are those of the pooled map: a quarter."""
    sizes = []

    def run(problem, x):
        sizes.append(x.size)
        return np.maximum(x, 0)

    monkeypatch.setattr(rectify.relu, "choose", lambda problem: run)
    monkeypatch.setattr(everywhere, "hooks", None)  # there once anybody has asked for them
    x = _images()
    with tg.no_grad():
        nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))(x)
    assert sizes == [x.numel() // 4]


def test_what_does_not_wait():
    """Places of maxima, writing in place, hooks, forwards of one's own: everything in its order."""
    x = _images()
    with tg.no_grad():
        y, places = nn.Sequential(nn.ReLU(), nn.MaxPool2d(2, return_indices=True))(x)
        rectified = x.relu()
        expected = nn.functional.max_pool2d(rectified, 2, return_indices=True)
        np.testing.assert_array_equal(y, expected[0])
        np.testing.assert_array_equal(places, expected[1])

        own = x.clone()
        nn.Sequential(nn.ReLU(inplace=True), nn.MaxPool2d(2))(own)
        np.testing.assert_array_equal(own, rectified)

        seen = []
        net = nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))
        net[1].register_forward_hook(lambda module, args, out: seen.append(args[0]))
        net(x)
        np.testing.assert_array_equal(seen[0], rectified)

        class Smallest(nn.MaxPool2d):
            def forward(self, input):
                return -super().forward(-input)

        net = nn.Sequential(nn.ReLU(), Smallest(2))
        np.testing.assert_array_equal(net(x), _one_by_one(net, x))


def test_an_error_of_the_pooling_is_its_own():
    with tg.no_grad(), pytest.raises(RuntimeError, match="max_pool2d"):
        nn.Sequential(nn.ReLU(), nn.MaxPool2d(100))(_images())
