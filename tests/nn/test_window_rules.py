"""The short ways through convolutions and max pooling give what the layers' forwards give."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn

LAYERS = {
    "conv1d": lambda: nn.Conv1d(4, 6, 3, stride=2, padding=1),
    "conv2d": lambda: nn.Conv2d(4, 6, (3, 2), padding=(1, 0), dilation=(1, 2)),
    "conv2d without bias": lambda: nn.Conv2d(4, 6, 1, bias=False),
    "grouped conv2d": lambda: nn.Conv2d(4, 6, 3, groups=2),
    "conv3d": lambda: nn.Conv3d(4, 2, 2),
    "max_pool1d": lambda: nn.MaxPool1d(3, 2, 1),
    "max_pool2d": lambda: nn.MaxPool2d(2),
    "max_pool2d of single places": lambda: nn.MaxPool2d(1),
    "max_pool2d, dilated": lambda: nn.MaxPool2d((2, 3), 1, dilation=(2, 1)),
    "max_pool2d, last windows": lambda: nn.MaxPool2d((3, 2), 2, ceil_mode=True),
    "max_pool3d": lambda: nn.MaxPool3d(2, 1),
}
# Their forwards must be called.
OTHERS = {
    "same": lambda: nn.Conv2d(4, 6, 3, padding="same"),
    "circular": lambda: nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"),
    "sizes in a list": lambda: nn.MaxPool2d([3, 2], 2),
    "with indices": lambda: nn.MaxPool2d(2, return_indices=True),
}


def made(name, dtype=tg.float32):
    tg.manual_seed(0)
    layer = {**LAYERS, **OTHERS}[name]().to(dtype)
    rank = next((n for n in (1, 2, 3) if f"{n}d" in type(layer).__name__), 2)
    return layer, tg.randn(3, 4, *(9, 7, 6)[:rank], dtype=dtype)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dtype", [tg.float32, tg.float64])
@pytest.mark.parametrize("turned", [False, True])
def test_without_gradients(name, dtype, turned, rules_run):
    layer, x = made(name, dtype)
    if turned:
        x = x.transpose(1, -1).contiguous().transpose(1, -1)
    kept = x.numpy().copy()
    with tg.no_grad():
        found, wanted, within = layer(x), layer.forward(x), nn.Sequential(layer, nn.Tanh())(x)
    assert rules_run[:2] == [layer, layer]
    np.testing.assert_array_equal(found.numpy(), wanted.numpy())
    np.testing.assert_array_equal(within.numpy(), wanted.tanh().numpy())
    assert (found.dtype, found.stride()) == (wanted.dtype, wanted.stride())
    assert not found.requires_grad
    np.testing.assert_array_equal(x.numpy(), kept)


@pytest.mark.parametrize("name", [*LAYERS, "same", "circular", "sizes in a list"])
def test_with_gradients_in_a_sequential(name):
    layer, x = made(name)
    net, found = nn.Sequential(nn.Tanh(), layer, nn.ReLU()), []
    for run in (net, lambda x: net[2](net[1](net[0](x)))):
        leaf = x.clone().requires_grad_()
        y = run(leaf)
        (g,) = tg.autograd.grad((y**2).sum(), leaf, create_graph=True)
        net.zero_grad()
        (g * g).sum().backward()
        # A pooling has no weights, and the square of a maximum a second derivative all the same.
        found.append([y, g, leaf.grad, *(p.grad for p in net.parameters())])
        node = y.grad_fn.inputs[0]
        assert node.op.name in ("conv", "max_pool")
        assert (node.scope.cls, node.location.filename) == (type(layer).__name__, __file__)
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
    assert [module._calls for module in net] == [2, 2, 2]


@pytest.mark.parametrize("name", OTHERS)
def test_what_the_rules_leave_to_the_forward(name, rules_run):
    layer, x = made(name)
    with tg.no_grad():
        found, wanted = layer(x), layer.forward(x)
    pairs = zip(found, wanted, strict=True) if type(found) is tuple else [(found, wanted)]
    assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in pairs)
    assert rules_run == []


@pytest.mark.parametrize("grad", [False, True])
def test_a_class_of_ones_own(grad, rules_run):
    """Layers that derive from a convolution may compute with another weight."""

    class Standardized(nn.Conv2d):
        def _conv_forward(self, input, weight, bias):
            return super()._conv_forward(input, weight * 0, bias)

    layer, x = Standardized(4, 64, 3), tg.randn(8, 4, 30, 30)
    with tg.set_grad_enabled(grad):
        y = nn.Sequential(layer, nn.ReLU())(x) + layer(x).relu()
    wanted = 2 * layer.bias.detach().relu().numpy()[:, None, None]
    np.testing.assert_allclose(y.detach().numpy(), np.broadcast_to(wanted, y.shape), rtol=1e-6)
    assert layer not in rules_run


@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize("on", ["layer", "class"])
def test_a_replaced_conv_forward_is_called(grad, on, monkeypatch):
    layer, x = nn.Conv2d(4, 64, 3), tg.randn(8, 4, 30, 30)
    if on == "layer":
        monkeypatch.setattr(layer, "_conv_forward", lambda x, w, b: x * 0 + 3, raising=False)
    else:
        monkeypatch.setattr(nn.Conv2d, "_conv_forward", lambda self, x, w, b: x * 0 + 3)
    with tg.set_grad_enabled(grad):
        for y in (layer(x), nn.Sequential(layer)(x), nn.Sequential(layer, nn.ReLU())(x)):
            assert (y == 3).all()


@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("conv2d", {"padding": (-1, 0)}, "padding must be at least 0"),
        ("conv2d", {"stride": 0}, "stride must be at least 1"),
        ("max_pool2d", {"kernel_size": 20}, "Output size is too small"),
        ("max_pool2d", {"padding": 2}, "at most half"),
    ],
)
def test_what_does_not_fit_is_refused(name, words, message, grad):
    layer, x = made(name)
    for key, value in words.items():
        setattr(layer, key, value)
    for net in (layer, nn.Sequential(layer)):
        with tg.set_grad_enabled(grad), pytest.raises(RuntimeError, match=message):
            net(x)


@pytest.mark.parametrize("name", ["conv2d", "max_pool2d"])
def test_an_example_without_a_batch_and_a_mapped_one(name):
    layer, x = made(name)
    net = nn.Sequential(layer, nn.ReLU())
    expected = net(x).detach().numpy()
    for grad in (False, True):
        with tg.set_grad_enabled(grad):
            np.testing.assert_allclose(net(x[1]).detach(), expected[1], rtol=1e-5, atol=1e-6)
            mapped = tg.func.vmap(net)(x[:, None])[:, 0]
            np.testing.assert_allclose(mapped.detach(), expected, rtol=1e-5, atol=1e-6)
