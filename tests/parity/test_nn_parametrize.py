"""Parametrizations and the old norms of weights, beside PyTorch's."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from parity.nn_compare import array, assert_same, numbers
from parity.nn_modules import both, check
from parity.nn_scripts import run_script

import tensorgrad as tg
from tensorgrad import nn

SCRIPTS = {}


def script(function):
    SCRIPTS[function.__name__] = function
    return function


def classes(nn):
    class Double(nn.Module):
        def forward(self, x):
            return 2 * x

    class Invertible(Double):
        def right_inverse(self, x):
            return x / 2

    class Split(nn.Module):
        def forward(self, a, b):
            return a + 2 * b

        def right_inverse(self, x):
            return x / 2, x / 4

    return Double, Invertible, Split


def small(tg, nn):
    net = nn.Linear(2, 1)
    with tg.no_grad():
        net.weight.copy_(tg.tensor([[1.0, -3.0]]))
        net.bias.fill_(1)
    return net


@script
def registering(tg, nn, say):
    P = nn.utils.parametrize
    Double, Invertible, Split = classes(nn)
    net = small(tg, nn)
    weight = net.weight
    say(P.is_parametrized(net), P.type_before_parametrizations(net).__name__)
    say(P.register_parametrization(net, "weight", Double()) is net, repr(net), net.weight)
    say(P.is_parametrized(net), P.is_parametrized(net, "weight"), P.is_parametrized(net, "bias"))
    say(net.parametrizations.weight.original is weight, type(net).__name__)
    say(P.type_before_parametrizations(net).__name__, isinstance(net, nn.Linear))
    say([n for n, _ in net.named_parameters()], list(net.state_dict()))
    net(tg.ones(1, 2)).sum().backward()
    say(weight.grad, net.bias.grad)
    say.attempt(setattr, net, "weight", tg.ones(1, 2))
    P.register_parametrization(net, "weight", Double())
    P.register_parametrization(net, "bias", Split())
    say(repr(net), net.weight, net.bias, [n for n, _ in net.named_parameters()])
    net.bias = tg.tensor([8.0])
    say(net.bias, net.parametrizations.bias.original0, net.parametrizations.bias.original1)
    say([p.requires_grad for p in net.parameters()])
    say.attempt(P.remove_parametrizations, net, "bias", leave_parametrized=False)
    P.remove_parametrizations(net, "bias")
    say(net.bias, type(net.bias).__name__, type(net).__name__)
    P.remove_parametrizations(net, "weight", leave_parametrized=False)
    say(net.weight, net.weight is weight, type(net).__name__, hasattr(net, "parametrizations"))
    say.attempt(P.remove_parametrizations, net, "weight")
    say.attempt(P.register_parametrization, net, "nothing", Double())

    P.register_parametrization(net, "weight", Invertible())
    say(net.weight, weight)
    net.weight = tg.full((1, 2), 6.0)
    say(net.weight, weight, net.parametrizations.weight.original is weight)
    say.attempt(setattr, net, "weight", nn.Parameter(tg.ones(1, 2)))
    P.remove_parametrizations(net, "weight")
    say(net.weight, net.weight is weight)


@script
def checks(tg, nn, say):
    P = nn.utils.parametrize

    def parametrization(function, inverse=None):
        class Made(nn.Module):
            def forward(self, x):
                return function(x)

        if inverse is not None:
            Made.right_inverse = lambda self, x: inverse(x)
        return Made()

    wrong = [
        (lambda x: x[0], None), (lambda x: x.double(), None), (lambda x: 3, None),
        (lambda x: x, lambda x: 3), (lambda x: x, lambda x: x.double()),
        (lambda x: x, lambda x: (x, 3)), (lambda x: x, lambda x: x[0]),
    ]  # fmt: skip
    for function, inverse in wrong:
        net = small(tg, nn)
        made = parametrization(function, inverse)
        say.attempt(lambda n, m: P.register_parametrization(n, "weight", m).weight, net, made)
        say(type(net).__name__, [n for n, _ in net.named_parameters()])
        net = small(tg, nn)
        P.register_parametrization(net, "weight", parametrization(lambda x: x))
        made = parametrization(function, inverse)
        say.attempt(lambda n, m: P.register_parametrization(n, "weight", m).weight, net, made)
    net = small(tg, nn)
    P.register_parametrization(net, "weight", parametrization(lambda x: x[0]), unsafe=True)
    say(net.weight, net.parametrizations.weight.unsafe)
    say.attempt(P.ParametrizationList, [], tg.ones(1))

    def not_yet(x):
        raise NotImplementedError

    net = small(tg, nn)
    P.register_parametrization(net, "weight", parametrization(lambda x: x, not_yet))
    say(net.weight)
    say.attempt(setattr, net, "weight", tg.ones(1, 2))


@script
def of_a_buffer_and_cached(tg, nn, say):
    P = nn.utils.parametrize
    calls = []

    class Counting(nn.Module):
        def forward(self, x):
            calls.append(1)
            return x + 1

    net = nn.BatchNorm1d(2)
    P.register_parametrization(net, "running_mean", Counting())
    say(net.running_mean, [n for n, _ in net.named_buffers()], list(net.state_dict()), len(calls))
    with P.cached():
        first = net.running_mean
        with P.cached():
            say(net.running_mean is first)
        say(net.running_mean is first, len(calls))
    say(net.running_mean is first, len(calls))
    say(net.eval()(tg.ones(1, 2)))
    other = nn.Linear(2, 2)
    say(other.train().training, net.parametrizations.training)
    plain = nn.Linear(2, 2)
    say(P.transfer_parametrizations_and_params(plain, other) is other, type(other).__name__)


@script
def transferring(tg, nn, say):
    P = nn.utils.parametrize
    _, Invertible, Split = classes(nn)
    source = small(tg, nn)
    P.register_parametrization(source, "weight", Invertible())
    P.register_parametrization(source, "bias", Split())
    for name in (None, "weight"):
        target = nn.Linear(2, 1)
        P.transfer_parametrizations_and_params(source, target, name)
        say(target.weight, [n for n, _ in target.named_parameters()])
        say(target.parametrizations.weight.original is source.parametrizations.weight.original)
    bare = nn.Module()
    P.transfer_parametrizations_and_params(source, bare, "bias")
    say(bare.bias, [n for n, _ in bare.named_parameters()])


@script
def copying(tg, nn, say):
    P = nn.utils.parametrize
    Double = classes(nn)[0]
    net = small(tg, nn)
    P.register_parametrization(net, "weight", Double())
    say.attempt(pickle.dumps, net)
    twin = copy.deepcopy(net)
    say(twin.weight, type(twin).__name__)
    with tg.no_grad():
        twin.parametrizations.weight.original.zero_()
    say(twin.weight, net.weight)
    say(twin.load_state_dict(net.state_dict()), twin.weight)
    given = {"parametrizations.weight.original": tg.ones(1, 2)}
    say(tg.func.functional_call(net, given, tg.ones(1, 2)))


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(name):
    run_script(SCRIPTS[name])


def test_removing_from_a_copy_leaves_the_other():
    net = nn.utils.parametrize.register_parametrization(nn.Linear(2, 1), "weight", nn.Tanh())
    twin = copy.deepcopy(net)
    nn.utils.parametrize.remove_parametrizations(twin, "weight")
    assert type(twin) is nn.Linear
    assert_same(twin.weight, net.weight, "the weight")
    assert nn.utils.parametrize.is_parametrized(net)


# --- Norms ----------------------------------------------------------------------------------------

NORMS = {
    "weight_norm": lambda nn: nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)),
    "weight_norm dim": lambda nn: nn.utils.parametrizations.weight_norm(nn.Conv1d(3, 2, 2), dim=1),
    "weight_norm all": lambda nn: nn.utils.parametrizations.weight_norm(nn.Linear(3, 2), dim=None),
    "weight_norm bias": lambda nn: nn.utils.parametrizations.weight_norm(nn.Linear(3, 2), "bias"),
    "old weight_norm": lambda nn: nn.utils.weight_norm(nn.Conv1d(3, 2, 2)),
    "old weight_norm all": lambda nn: nn.utils.weight_norm(nn.Linear(3, 2), dim=None),
    "spectral_norm": lambda nn: nn.utils.parametrizations.spectral_norm(nn.Linear(3, 2)),
    "spectral_norm conv": lambda nn: nn.utils.parametrizations.spectral_norm(
        nn.ConvTranspose1d(3, 2, 2), n_power_iterations=2, eps=1e-3
    ),
    "spectral_norm vector": lambda nn: nn.utils.parametrizations.spectral_norm(
        nn.Linear(3, 2), "bias"
    ),
    "old spectral_norm": lambda nn: nn.utils.spectral_norm(nn.Linear(3, 2)),
    "old spectral_norm conv": lambda nn: nn.utils.spectral_norm(nn.ConvTranspose1d(3, 2, 2)),
    "cayley": lambda nn: nn.utils.parametrizations.orthogonal(nn.Linear(3, 3), "weight", "cayley"),
    "matrix_exp": lambda nn: nn.utils.parametrizations.orthogonal(nn.Linear(3, 3)),
    "matrix_exp tall": lambda nn: nn.utils.parametrizations.orthogonal(
        nn.Linear(2, 4), orthogonal_map="matrix_exp", use_trivialization=False
    ),
    "cayley wide": lambda nn: nn.utils.parametrizations.orthogonal(
        nn.Linear(4, 2), orthogonal_map="cayley", use_trivialization=False
    ),
}  # fmt: skip


def shaped(module):
    """An input for it."""
    if "Conv" in type(module).__name__:
        return (2, 3, 4)
    return (2, module.in_features)


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("name", NORMS)
def test_norms(name, train):
    """Outputs, gradients and what two calls do to the buffers."""
    theirs, ours = both(NORMS[name])
    theirs.train(train)
    ours.train(train)

    def run(module, side):
        x = side.leaf(numbers(*shaped(module), seed=5), "x")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [module(x), module(x * 2)]

    if name.startswith("old weight_norm"):
        theirs.weight, ours.weight = None, None
    check(theirs, ours, run)
    for (key, a), (_, b) in zip(theirs.state_dict().items(), ours.state_dict().items()):
        assert_same(a, b, key)


@pytest.mark.parametrize("name", NORMS)
def test_removing(name):
    theirs, ours = both(NORMS[name])
    x = numbers(*shaped(ours), seed=5)
    expected = ours.eval()(tg.from_numpy(x))
    for module, tools in ((theirs.eval(), torch.nn.utils), (ours, nn.utils)):
        if name.startswith("old"):
            getattr(tools, "remove_" + name.split()[1])(module)
            with pytest.raises(ValueError, match="not found"):
                getattr(tools, "remove_" + name.split()[1])(module)
        else:
            tensor = "bias" if name.split()[-1] in ("bias", "vector") else "weight"
            tools.parametrize.remove_parametrizations(module, tensor)
    assert repr(ours) == repr(theirs)
    assert type(ours.weight) is nn.Parameter
    assert_same(dict(theirs.named_parameters())["weight"], ours.weight, "the weight")
    assert_same(expected, ours(tg.from_numpy(x)), "the output")


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (2, 4, 3)])
@pytest.mark.parametrize("how", ["householder", "matrix_exp", "cayley"])
@pytest.mark.parametrize("trivial", [True, False])
def test_orthogonal(shape, how, trivial):
    module = nn.Module()
    module.weight = nn.Parameter(tg.from_numpy(numbers(*shape)))
    nn.utils.parametrizations.orthogonal(module, orthogonal_map=how, use_trivialization=trivial)

    def is_orthogonal():
        q = array(module.weight)
        q = q if shape[-2] >= shape[-1] else q.swapaxes(-1, -2)
        np.testing.assert_allclose(
            q.swapaxes(-1, -2) @ q,
            np.broadcast_to(np.eye(q.shape[-1]), (*q.shape[:-2], q.shape[-1], q.shape[-1])),
            atol=1e-10,
        )

    is_orthogonal()
    if trivial or how == "householder":  # it starts at the given matrix, made orthogonal
        q, r = np.linalg.qr(numbers(*shape) if shape[-2] >= shape[-1] else numbers(*shape).T)
        q = q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]
        expected = q if shape[-2] >= shape[-1] else q.T
        np.testing.assert_allclose(array(module.weight), expected, atol=1e-10)
        module.weight = tg.from_numpy(expected.copy())  # and can be assigned to
        np.testing.assert_allclose(array(module.weight), expected, atol=1e-10)
    (module.weight**3).sum().backward()
    original = module.parametrizations.weight.original
    with tg.no_grad():
        original -= 0.1 * original.grad
    is_orthogonal()


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4)])
def test_householder_without_a_base(shape):
    """The same triangle and gradient as PyTorch's."""
    found = []
    for library, F in ((torch, torch.nn.utils.parametrizations), (tg, nn.utils.parametrizations)):
        module = library.nn.Module()
        module.weight = library.nn.Parameter(library.from_numpy(numbers(*shape)))
        F.orthogonal(module, orthogonal_map="householder", use_trivialization=False)
        (module.weight**3).sum().backward()
        original = module.parametrizations.weight.original
        found.append((original, module.weight, original.grad))
    assert_same(*found, "original, weight and gradient")


def test_complex_orthogonal():
    values = numbers(3, 3) + 1j * numbers(3, 3, seed=1)
    found = []
    for library, F in ((torch, torch.nn.utils.parametrizations), (tg, nn.utils.parametrizations)):
        module = library.nn.Module()
        module.weight = library.nn.Parameter(library.from_numpy(values.copy()))
        F.orthogonal(module)
        with library.no_grad():
            module.parametrizations.weight.original += library.from_numpy(0.1 * values)
        (module.weight.real**3).sum().backward()
        found.append((module.weight, module.parametrizations.weight.original.grad))
    assert_same(*found, "weight and gradient")
    bad = nn.Module()
    bad.weight = nn.Parameter(tg.from_numpy(values))
    with pytest.raises(ValueError, match="householder"):
        nn.utils.parametrizations.orthogonal(bad, orthogonal_map="householder")


def test_the_spectral_norm_is_one():
    layer = nn.utils.parametrizations.spectral_norm(nn.Linear(6, 4), n_power_iterations=200)
    assert tg.linalg.matrix_norm(layer.weight, 2).item() == pytest.approx(1, abs=1e-5)


def test_states_of_the_old_weight_norm():
    with pytest.warns(FutureWarning, match="parametrizations"):
        old = nn.utils.weight_norm(nn.Linear(3, 2))
    new = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
    state = old.state_dict()
    assert list(state) == ["bias", "weight_g", "weight_v"]
    new.load_state_dict(state)
    x = tg.ones(1, 3)
    assert_same(old(x), new(x), "the output", 1e-6)


def test_states_of_the_oldest_spectral_norm():
    """Which had the weight itself and no v."""
    found = []
    for library in (torch, tg):
        layer = library.nn.utils.spectral_norm(library.nn.Linear(3, 2)).double()
        weight = library.from_numpy(numbers(2, 3))
        u = library.from_numpy(np.array([0.6, 0.8]))
        state = {"weight_orig": weight, "weight": weight / 2, "weight_u": u,
                 "bias": library.zeros(2, dtype=library.float64)}  # fmt: skip
        layer.load_state_dict(state)
        found.append((layer.weight_v, layer.eval()(library.ones(3, dtype=library.float64))))
        with pytest.raises(RuntimeError, match=r"weight_u"):
            layer.load_state_dict({"weight_orig": weight, "bias": state["bias"]})
    assert_same(*found, "v and the output")


def test_refused():
    F = nn.utils.parametrizations
    for call in (
        lambda: F.spectral_norm(nn.Linear(1, 1), n_power_iterations=0),
        lambda: nn.utils.spectral_norm(nn.Linear(1, 1), n_power_iterations=0),
        lambda: nn.utils.spectral_norm(nn.Linear(1, 1, bias=False), "bias"),
        lambda: nn.utils.spectral_norm(nn.LazyLinear(1)),
        lambda: F.spectral_norm(nn.ReLU()),
        lambda: F.orthogonal(nn.Linear(1, 1), "bias"),
        lambda: F.orthogonal(nn.Linear(1, 1), orthogonal_map="other"),
        lambda: F.orthogonal(nn.ReLU()),
    ):
        with pytest.raises(ValueError):
            call()
    with pytest.raises(IndexError):
        F.spectral_norm(nn.Linear(1, 1), dim=2)
    twice = nn.utils.spectral_norm(nn.Linear(1, 1))
    with pytest.raises(RuntimeError, match="two spectral_norm"):
        nn.utils.spectral_norm(twice)
    with pytest.warns(FutureWarning), pytest.raises(RuntimeError, match="two weight_norm"):
        nn.utils.weight_norm(nn.utils.weight_norm(nn.Linear(1, 1)))
