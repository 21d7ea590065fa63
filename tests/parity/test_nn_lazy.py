"""Lazy modules beside PyTorch's: before, at and after their first call."""

from __future__ import annotations

import copy
import pickle

import pytest
from parity.nn_scripts import run_script

import tensorgrad as tg
from tensorgrad import nn

SCRIPTS = {}


def script(function):
    SCRIPTS[function.__name__] = function
    return function


def model(tg, nn):
    return nn.Sequential(
        nn.LazyConv2d(4, 3, groups=2), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten(),
        nn.LazyLinear(2, bias=False),
    )  # fmt: skip


@script
def becoming(tg, nn, say):
    net = model(tg, nn)
    say(repr(net), list(net.state_dict()), [type(m).__name__ for m in net])
    say([m.has_uninitialized_params() for m in net if hasattr(m, "has_uninitialized_params")])
    say([type(v).__name__ for v in net.state_dict().values() if "Uninit" in type(v).__name__])
    weight = net[0].weight
    say(repr(weight), weight.requires_grad, weight.dtype == tg.float32, type(weight).__name__)
    net.double()
    say(weight.dtype == tg.float64)
    out = net(tg.ones(2, 4, 5, 5, dtype=tg.float64))
    say(tuple(out.shape), repr(net), [type(m).__name__ for m in net])
    say(net[0].weight is weight, type(weight).__name__, weight.dtype == tg.float64)
    say({k: (tuple(v.shape), str(v.dtype).split(".")[-1]) for k, v in net.state_dict().items()})
    say(net[1].num_batches_tracked, net[1].weight, hasattr(net[0], "_initialize_hook"))
    say.attempt(net, tg.ones(2, 6, 5, 5, dtype=tg.float64))


@script
def uses_of_the_uninitialized(tg, nn, say):
    weight = nn.LazyLinear(2).weight
    buffer = nn.LazyBatchNorm1d().running_mean
    for lazy in (weight, buffer):
        say.attempt(lambda t: t.shape, lazy)
        say.attempt(lambda t: t + 1, lazy)
        say.attempt(lambda t: t.sum(), lazy)
        say.attempt(lambda t: t.numel(), lazy)
        say.attempt(lambda t: tg.ones(2) * t, lazy)
        say.attempt(lambda t: t.zero_(), lazy)
        say.attempt(lambda t: t.share_memory_(), lazy)
        say(lazy.is_floating_point(), lazy.is_complex(), lazy.is_leaf, lazy.grad, repr(lazy))
        say(nn.parameter.is_lazy(lazy), isinstance(lazy, nn.Parameter))
    say(type(copy.deepcopy(weight)).__name__, type(pickle.loads(pickle.dumps(buffer))).__name__)
    weight.materialize((2, 3), dtype=tg.float64)
    say(type(weight).__name__, tuple(weight.shape), weight.dtype == tg.float64)
    weight.materialize if hasattr(weight, "materialize") else say("no more")
    say(repr(nn.UninitializedParameter(requires_grad=False)), nn.UninitializedBuffer().persistent)
    net = nn.Module()
    net.p, net.b = nn.UninitializedParameter(), nn.UninitializedBuffer()
    say([n for n, _ in net.named_parameters()], [n for n, _ in net.named_buffers()])


@script
def states(tg, nn, say):
    plain = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    with tg.no_grad():
        plain[0].weight.copy_(tg.arange(6.0).reshape(2, 3))
        plain[0].bias.fill_(1)

    def lazy():
        return nn.Sequential(nn.LazyLinear(2), nn.LazyBatchNorm1d())

    net = lazy()
    say(net.load_state_dict(plain.state_dict()), net[0].weight, type(net[0]).__name__)
    say(net.eval()(tg.ones(1, 3)), type(net[0]).__name__)
    say(lazy().load_state_dict(lazy().state_dict()))
    say.attempt(plain.load_state_dict, lazy().state_dict())
    partial = {k: v for k, v in plain.state_dict().items() if "bias" not in k}
    say.attempt(lazy().load_state_dict, partial)
    one = lazy()
    say(one.load_state_dict(partial, strict=False))
    say.attempt(one.load_state_dict, {"0.weight": tg.ones(9, 9)})
    twin = copy.deepcopy(nn.Sequential(nn.LazyLinear(2)))
    say(tuple(twin(tg.ones(4, 7)).shape), repr(twin))
    say(tuple(pickle.loads(pickle.dumps(nn.LazyLinear(2)))(tg.ones(4, 5)).shape))


@script
def other_uses(tg, nn, say):
    for make in (lambda: nn.LazyConv2d(4, 3, groups=3), lambda: nn.LazyConvTranspose1d(2, 1)):
        say.attempt(make(), tg.ones(2, 4, 5, 5))
        say.attempt(make(), tg.ones(2))
    say(tuple(nn.LazyConv1d(2, 1)(tg.ones(3, 4)).shape))  # without a batch
    say(tuple(nn.LazyConvTranspose2d(3, 2)(tg.ones(1, 2, 3, 4), output_size=(4, 5)).shape))
    net = nn.LazyLinear(2)
    optimizer = tg.optim.SGD(net.parameters(), lr=0.5)
    net(tg.ones(1, 3)).sum().backward()
    before = net.bias.detach().clone()
    optimizer.step()
    say(net.bias.detach() - before)
    say(repr(nn.LazyInstanceNorm2d()), repr(nn.LazyBatchNorm1d(affine=False, bias=False)))
    lazy = nn.LazyLinear(2)
    lazy.reset_parameters()
    lazy.register_forward_hook(lambda m, args, out: say("hook", type(m).__name__))
    lazy(tg.ones(3))

    class Own(nn.modules.lazy.LazyModuleMixin, nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.UninitializedParameter()

        def forward(self, x, *, by=1):
            return x * self.scale * by

    say.attempt(Own(), tg.ones(2))

    class Half(Own):
        def initialize_parameters(self, x, by):
            say("called", by)

    say.attempt(Half(), tg.ones(2), by=3)

    class Full(Own):
        def initialize_parameters(self, x, by=1):
            with tg.no_grad():
                self.scale.materialize(x.shape)
                self.scale.fill_(2)

    own = Full()
    say(own(tg.ones(2), by=3), type(own).__name__, own.has_uninitialized_params(), own(tg.ones(2)))


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(name):
    run_script(SCRIPTS[name])


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="call the model once"):
        sum(p.numel() for p in nn.LazyLinear(2).parameters())
    with pytest.raises(RuntimeError, match="shape of an uninitialized"):
        nn.LazyLinear(2).weight.shape  # noqa: B018


def test_copies_of_lazy_batch_norms():
    net = nn.LazyBatchNorm1d()
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert twin(tg.ones(4, 3)).shape == (4, 3)
        assert twin.running_mean.shape == (3,)
    assert net.has_uninitialized_params()


def test_freezing_before_the_first_call():
    """Lenient: PyTorch refuses requires_grad_ here, though not the attribute."""
    net = nn.LazyLinear(2).requires_grad_(False)
    net(tg.ones(1, 3))
    assert not net.weight.requires_grad
    assert net.requires_grad_().weight.requires_grad
    assert isinstance(nn.LazyLinear(2).requires_grad_().weight, nn.UninitializedParameter)


def test_calls_after_the_first_take_the_short_way():
    net = nn.LazyLinear(2)
    net(tg.ones(1, 3))
    assert net._hooks is None
