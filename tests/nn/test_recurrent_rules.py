"""Recurrent layers called under no_grad go the short way where that gives what forward gives."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn

CLASSES = [nn.LSTM, nn.GRU, nn.RNN]


def same(found, expected):
    output, state = found
    wanted, last = expected
    pairs = zip(state, last, strict=True) if isinstance(last, tuple) else [(state, last)]
    for one, other in [(output, wanted), *pairs]:
        assert one.stride() == other.stride()
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.fixture(params=CLASSES)
def cls(request):
    tg.manual_seed(0)
    return request.param


@pytest.mark.parametrize("words", [{}, {"batch_first": True}, {"bias": False},
                                   {"num_layers": 2, "bidirectional": True}])  # fmt: skip
@pytest.mark.parametrize("sizes", [(6, 1), (1, 6), (5, 3)])
def test_a_call_gives_what_the_forward_gives(cls, words, sizes, rules_run):
    layer, x = cls(3, 5, **words), tg.randn(*sizes, 3)
    with tg.no_grad():
        same(layer(x), layer.forward(x))
    assert rules_run == [layer]


def test_what_the_rule_leaves_to_the_forward(cls, rules_run):
    layer, dropping = cls(3, 5), cls(3, 5, num_layers=2, dropout=0.5)
    x = tg.randn(6, 2, 3)
    with tg.no_grad():
        _, state = layer(x)
        assert rules_run.pop() is layer
        layer(x, state)
        layer(x[:, 0])  # one sequence without a batch
        layer(nn.utils.rnn.pack_sequence([x[:, 0], x[:4, 1]]))
        dropping(x)
        assert rules_run == []
        dropping.eval()
        dropping(x)
        assert rules_run == [dropping]
        with tg.enable_grad():
            assert layer(x)[0].requires_grad
    assert rules_run == [dropping]


def test_errors_are_those_of_the_forward(cls, rules_run):
    layer, x = cls(3, 5), tg.randn(6, 2, 3)
    with tg.no_grad():
        for wrong in (tg.randn(6, 2, 4), x.double(), tg.zeros(0, 2, 3), tg.zeros(6, 2, 3, 1)):
            with pytest.raises((RuntimeError, ValueError)) as told:
                layer(wrong)
            with pytest.raises(told.type) as expected:
                layer.forward(wrong)
            assert str(told.value) == str(expected.value)
        layer.weight_hh_l0 = nn.Parameter(tg.randn(3, 3))
        with pytest.raises(RuntimeError, match="weight"):
            layer(x)
    assert rules_run == []


def test_methods_of_a_subclass_are_called(cls, rules_run):
    seen = []

    class Own(cls):
        def check_forward_args(self, input, hidden, batch_sizes):
            seen.append(tuple(input.shape))

    layer = Own(3, 5)
    with tg.no_grad():
        layer(tg.randn(6, 2, 3))
    assert seen == [(6, 2, 3)]
    assert rules_run == []


def test_hooks_and_weights_that_are_computed(cls, rules_run):
    layer, x = cls(3, 5), tg.randn(6, 2, 3)
    with tg.no_grad():
        plain = layer(x)[0]
        rules_run.clear()
        seen = []
        handle = layer.register_forward_hook(lambda module, args, out: seen.append(out))
        output = layer(x)[0]
        assert rules_run == []
        assert seen[0][0] is output
        handle.remove()

        class Twice(nn.Module):
            def forward(self, weight):
                return 2 * weight

        nn.utils.parametrize.register_parametrization(layer, "weight_hh_l0", Twice())
        doubled = layer(x)[0]
    assert rules_run == []
    assert not np.allclose(doubled.numpy(), plain.numpy())


def test_a_write_to_a_weight_is_seen_by_the_next_call(cls, rules_run):
    layer, x = cls(3, 5), tg.randn(40, 1, 3)
    with tg.no_grad():
        layer(x)
        layer.weight_hh_l0.numpy()[...] *= 2
        layer.weight_ih_l0.data.mul_(3)
        same(layer(x), layer.forward(x))
    assert rules_run == [layer, layer]


def test_in_a_sequential(cls, rules_run):
    class First(nn.Module):
        def forward(self, given):
            return given[0]

    layer = cls(4, 5)
    net = nn.Sequential(nn.Linear(3, 4), layer, First(), nn.Tanh())
    alone = net[:2]
    x = tg.randn(6, 2, 3)
    with tg.no_grad():
        found, last = net(x), alone(x)
        assert rules_run == [net[0], layer, net[3], net[0], layer]
        expected = layer.forward(net[0](x))
    same(last, expected)
    np.testing.assert_array_equal(found.numpy(), np.tanh(expected[0].numpy()))
    recorded = net(x)
    assert recorded.requires_grad
    np.testing.assert_allclose(recorded.detach().numpy(), found.numpy(), rtol=1e-5, atol=1e-6)


def test_under_vmap(cls, rules_run):
    layer, xs = cls(3, 5), tg.randn(4, 6, 2, 3)
    with tg.no_grad():
        found = tg.vmap(lambda x: layer(x)[0])(xs)
        assert rules_run == []
        for i in range(4):
            np.testing.assert_allclose(
                found[i].numpy(), layer(xs[i])[0].numpy(), rtol=1e-5, atol=1e-6
            )
