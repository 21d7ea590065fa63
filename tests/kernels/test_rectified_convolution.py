"""A Sequential computes a convolution and the ReLU after it at once, and records both nodes."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.autograd import observe_forward
from tensorgrad.kernels import bounds
from tensorgrad.kernels import convolution as kernels
from tensorgrad.kernels.onednn import convolution as accelerated
from tensorgrad.kernels.onednn import offers
from tensorgrad.nn.hooks import everywhere


def _net():
    tg.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 8, 3, stride=2, bias=False), nn.ReLU(), nn.Conv2d(8, 4, 3),
    )  # fmt: skip


def _one_by_one(net, x):
    for module in net:
        x = module(x)
    return x


def _results(net, x, run):
    net.zero_grad()
    x = x.detach().requires_grad_()
    y = run(x)
    (y * y).sum().backward()
    return [a.detach().numpy().copy() for a in (y, x.grad, *(p.grad for p in net.parameters()))]


@pytest.fixture(autouse=True)
def everything(monkeypatch):
    monkeypatch.setattr(everywhere, "hooks", None)  # there once anybody has asked for them
    with tg.backends.use_kernels("auto"):
        yield


@pytest.fixture
def fused(onednn, monkeypatch):
    """Whether each convolution by oneDNN was rectified at once."""
    made = []
    convolve = accelerated.convolve

    def counted(*args, rectified=False):
        made.append(rectified)
        return convolve(*args, rectified=rectified)

    monkeypatch.setattr(accelerated, "convolve", counted)
    return made


def test_results_and_gradients_are_those_of_the_modules(fused):
    net, x = _net(), tg.randn(12, 3, 32, 32)
    itself = _results(net, x, net)
    assert fused == [True, True]  # the third is too small for oneDNN
    for a, b in zip(itself, _results(net, x, lambda x: _one_by_one(net, x)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * np.abs(b).max())
    assert fused[2:] == [False, False]
    assert [module._calls for module in net] == [2] * len(net)


def test_second_derivatives(fused):
    net, x = _net(), tg.randn(4, 3, 32, 32)
    found = []
    for run in (net, lambda x: _one_by_one(net, x)):
        leaf = x.detach().requires_grad_()
        (g,) = tg.autograd.grad((run(leaf) ** 2).sum(), leaf, create_graph=True)
        (g * g).sum().backward()
        found.append(leaf.grad.numpy())
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-5 * np.abs(found[1]).max())


def _chain(y):
    node, found = y.grad_fn, []
    while node is not None and node.inputs:
        found.append((node.op, node.shape, node.params, node.scope.path, node.scope.cls))
        found.append(node.location)
        node = node.inputs[0]
    return found


def test_the_nodes_are_those_of_the_modules(fused):
    net, x = _net(), tg.randn(8, 3, 32, 32)
    ys = net(x), [y := x] and [y := module(y) for module in net][-1]
    itself, modules = map(_chain, ys)
    assert len(itself) == 12
    assert [node[0].name for node in itself[::2]] == [
        "conv", "relu", "conv", "max_pool", "relu", "conv"
    ]  # fmt: skip
    for a, b in zip(itself[::2], modules[::2], strict=True):
        assert a[0] is b[0]
        assert a[1:3] == b[1:3]
        assert a[4] == b[4]
    assert [node[3] for node in itself[::2]] == ["5", "4", "3", "2", "1", "0"]
    assert {place.filename for place in itself[1::2]} == {__file__}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize("where", ["input", "weight", "bias"])
def test_what_is_not_finite_stays_so(fused, value, where):
    net, x = _net()[:2], np.random.default_rng(0).standard_normal((8, 3, 32, 32))
    x = x.astype(np.float32)
    with tg.no_grad():
        if where == "input":
            x[0, 0, 5, 5] = value
        else:
            getattr(net[0], where)[0] = value
    x = tg.from_numpy(x).requires_grad_()
    with np.errstate(all="ignore"):
        found, expected = net(x), _one_by_one(net, x)
    assert not fused[0]
    np.testing.assert_array_equal(np.isnan(found.detach()), np.isnan(expected.detach()))
    np.testing.assert_array_equal(found.detach(), expected.detach())


def test_who_sees_the_convolution_sees_its_own_result(fused):
    net, x = _net(), tg.randn(8, 3, 32, 32)
    outs = []
    with observe_forward(lambda node, out: outs.append(np.array(out.detach()))):
        net(x)
    assert outs[0].min() < 0
    assert not any(fused)
    net[0].register_forward_hook(lambda module, args, out: outs.append(np.array(out.detach())))
    net(x)
    assert outs[-1].min() < 0
    net = _net()
    net[1].register_forward_pre_hook(lambda module, args: outs.append(np.array(args[0].detach())))
    net(x)
    assert outs[-1].min() < 0


def test_other_followers(fused):
    """A ReLU that writes in place, or with a forward of its own, gets the convolution's result."""
    x = tg.randn(8, 3, 32, 32)
    seen = []

    class Own(nn.ReLU):
        def forward(self, input):
            seen.append(np.array(input.detach()).min())
            return super().forward(input)

    nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(inplace=True))(x)
    nn.Sequential(nn.Conv2d(3, 16, 3), Own())(x)
    nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, padding_mode="circular"), nn.ReLU())(x)
    nn.Sequential(nn.Conv2d(3, 16, 3, padding="same"), nn.ReLU())(x)
    nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU())(x[0])
    assert not any(fused)
    assert seen[0] < 0


def test_a_result_that_cannot_overflow_is_not_looked_through(fused, monkeypatch):
    looked = []
    finite = offers._finite
    monkeypatch.setattr(offers, "_finite", lambda x: looked.append(x.shape) or finite(x))
    net, x = _net(), tg.randn(12, 3, 32, 32)
    y = net[:3](x)
    assert fused == [True]
    assert looked == []
    assert bounds.known(y._array) is None
    assert bounds._told.array is None
    net[2](net[1](net[0](x)))
    assert looked == [(12, 16, 32, 32)] * 2  # by relu and by the pooling
    assert np.array_equal(y.detach(), _one_by_one(net[:3], x).detach())


def test_bounds_grow_until_the_numbers_are_looked_at(fused):
    """Layer after layer the bound grows by a factor of millions, the numbers do not."""
    layers = []
    for _ in range(15):
        layers += [nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 1, 1)]
    net, x = nn.Sequential(*layers), tg.randn(4, 16, 20, 20)
    found = net(x)
    assert fused == [True] * 15
    assert np.isfinite(found.detach()).all()
    np.testing.assert_allclose(found.detach(), _one_by_one(net, x).detach(), rtol=1e-4, atol=1e-5)


def test_what_is_known_of_a_result_ends_where_others_may_write(fused):
    class Spoils(nn.Module):
        def forward(self, x):
            x.detach().numpy()[0, 0, 0, 0] = np.nan
            return x

    class Fails(nn.Module):
        def forward(self, x):
            raise ValueError

    net, x = _net(), tg.randn(8, 3, 32, 32)
    assert np.isnan(nn.Sequential(*net[:2], Spoils(), net[2])(x).detach()[0, 0, 0, 0])
    y = Spoils()(net[:2](x))
    assert np.isnan(net[2](y).detach()[0, 0, 0, 0])
    assert np.isnan(nn.Sequential(net[2])(y).detach()[0, 0, 0, 0])
    with pytest.raises(ValueError):
        nn.Sequential(*net[:3], Fails())(x)
    assert bounds._told.array is None
    assert fused[:2] == [True, True]


def test_an_error_is_the_layers_own():
    net = _net()
    with pytest.raises(RuntimeError, match="channels"):
        net(tg.randn(8, 4, 32, 32))


def test_the_reference_is_one_after_the_other():
    x, w, b = (np.random.default_rng(0).standard_normal(s) for s in ((2, 3, 7, 7), (4, 3, 3, 3), 4))
    problem = kernels.Problem(
        x.shape, w.shape, (1, 1), ((0, 0), (0, 0)), (1, 1), 1, np.dtype(np.float64)
    )
    y, _ = kernels.rectified.reference.run(problem, x, w, b, False)
    np.testing.assert_allclose(
        y, np.maximum(kernels.convolve.reference.run(problem, x, w, b, False)[0], 0), atol=1e-12
    )
