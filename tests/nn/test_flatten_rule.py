"""The short way through Flatten gives what its forward gives, a view where somebody can see one."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.autograd import observe_forward


def _net(*flatten):
    tg.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(*flatten), nn.Tanh())


def _one_by_one(net, x):
    for module in net:
        x = module(x)
    return x


@pytest.mark.parametrize("dims", [(), (1, 2), (2,), (0,), (-3, -1)], ids=str)
def test_without_gradients(dims, rules_run):
    net, x = _net(*dims), tg.randn(4, 3, 9, 7)
    with tg.no_grad():
        found = net(x)
        assert (net[2] in rules_run) == (dims == ())
        wanted = _one_by_one(net, x)
    np.testing.assert_array_equal(found.numpy(), wanted.numpy())
    assert found.stride() == wanted.stride()
    assert [module._calls for module in net] == [2] * 4


@pytest.mark.parametrize("dims", [(), (1, 2), (2,), (0,)], ids=str)
def test_with_gradients(dims):
    net, x = _net(*dims), tg.randn(4, 3, 9, 7)
    found = []
    for run in (net, lambda x: _one_by_one(net, x)):
        net.zero_grad()
        y = run(x)
        (y * y).sum().backward()
        node = y.grad_fn.inputs[0]
        assert (node.op.name, node.scope.cls) == ("reshape", "Flatten")
        assert node.location.filename == __file__
        found.append([y.detach(), *(p.grad for p in net.parameters())])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    with pytest.raises(IndexError):
        nn.Sequential(nn.Tanh(), nn.Flatten(7))(x)


@pytest.mark.parametrize("grad", [False, True])
def test_the_users_own_input_is_viewed(grad):
    x = tg.randn(4, 3, 2)
    with tg.set_grad_enabled(grad):
        y = nn.Sequential(nn.Flatten())(x)
        assert y._is_view()
        y[0, 0] = 5
    assert x[0, 0, 0] == 5
    with tg.set_grad_enabled(grad):
        z = nn.Sequential(nn.Conv1d(3, 2, 1), nn.Flatten())(x)
        assert z.shape == (4, 4)
        assert z.is_contiguous()


def test_images_between_layers_are_copied_once():
    """As they lie channels last; nobody has what is flattened, so it need not share the memory."""
    conv, x = nn.Conv2d(3, 8, 3), tg.randn(4, 3, 9, 7)
    assert not nn.Sequential(conv, nn.Flatten())(x)._is_view()
    y = conv(x)
    assert not y._array.flags.c_contiguous
    z = nn.Sequential(nn.Identity(), nn.Flatten())(y)  # this one the program has
    assert z._is_view()
    outs = []
    with observe_forward(lambda node, out: outs.append(out)):
        assert nn.Sequential(conv, nn.Flatten())(x)._is_view()
    with tg.no_grad():
        z[0, 0] = 5.0
        outs[-1][0, 0] = 5.0
    assert y[0, 0, 0, 0] == 5
    assert outs[0][0, 0, 0, 0] == 5


def test_what_derives_from_a_tensor_may_flatten_otherwise():
    class Mine(tg.Tensor):
        def flatten(self, start_dim=0, end_dim=-1):
            return super().flatten(start_dim, end_dim) * 2

    x = tg.randn(2, 3, 4).as_subclass(Mine)
    wanted = 2 * x.detach().numpy().reshape(2, 12)
    for grad in (False, True):
        with tg.set_grad_enabled(grad):
            np.testing.assert_array_equal(np.asarray(nn.Sequential(nn.Flatten())(x)), wanted)
            np.testing.assert_array_equal(np.asarray(nn.Flatten()(x)), wanted)
