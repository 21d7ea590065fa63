"""nn.utils.prune beside PyTorch's."""

from __future__ import annotations

import importlib

import pytest
from parity.nn_scripts import run_script

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn.utils import prune

SCRIPTS = {}


def script(function):
    SCRIPTS[function.__name__] = function
    return function


def tools(tg):
    return importlib.import_module(f"{tg.__name__}.nn.utils.prune")


def layer(tg, nn, rows=3, columns=4):
    """Weights of different magnitudes, without ties."""
    made = nn.Linear(columns, rows).double()
    count = rows * columns
    with tg.no_grad():
        values = (tg.arange(1.0, count + 1, dtype=tg.float64) * 7 % (count + 1)) / 4
        signs = 1 - 2 * (tg.arange(count) % 2)
        made.weight.copy_((values * signs).reshape(rows, columns))
        made.bias.copy_(tg.arange(rows, dtype=tg.float64) - 1.5)
    return made


def tell(say, net):
    say(repr(net), [n for n, _ in net.named_parameters()], dict(net.named_buffers()))
    say(net.weight, [type(h).__name__ for h in net._forward_pre_hooks.values()])


@script
def one_after_the_other(tg, nn, say):
    P = tools(tg)
    net = layer(tg, nn)
    weight = net.weight
    say(P.is_pruned(net), P.l1_unstructured(net, "weight", 3) is net, P.is_pruned(net))
    tell(say, net)
    say(net.weight_orig is weight)
    x = tg.ones(2, 4, dtype=tg.float64)
    net(x).sum().backward()
    say(weight.grad, net(x))
    with tg.no_grad():
        weight += 1
    say(net(x), net.weight)
    P.l1_unstructured(net, "weight", 0.5)
    tell(say, net)
    P.ln_structured(net, "weight", 1, n=2, dim=0)
    tell(say, net)
    P.ln_structured(net, "weight", 0.5, n=float("inf"), dim=-1)
    tell(say, net)
    P.identity(net, "weight")
    tell(say, net)
    [container] = net._forward_pre_hooks.values()
    say(len(container), [type(m).__name__ for m in container], type(container[0]).__name__)
    P.custom_from_mask(net, "bias", tg.tensor([1, 0, 1]))
    say(net.bias, net.bias_mask)
    state = net.state_dict()
    say(list(state))
    other = layer(tg, nn)
    P.identity(P.identity(other, "weight"), "bias")
    say(other.load_state_dict(state, strict=False), other(x))
    say(P.remove(net, "weight") is net, net.weight is weight, P.is_pruned(net))
    say(net.weight, [n for n, _ in net.named_parameters()], list(dict(net.named_buffers())))
    say.attempt(P.remove, net, "weight")
    P.remove(net, "bias")
    say(net.bias, P.is_pruned(net))


@script
def by_scores(tg, nn, say):
    P = tools(tg)
    net = layer(tg, nn)
    scores = (tg.arange(12, dtype=tg.float64) * 5 % 12).reshape(3, 4)
    P.l1_unstructured(net, "weight", amount=5, importance_scores=scores)
    tell(say, net)
    P.ln_structured(net, "weight", 0.3, 1, 0, importance_scores=scores)
    tell(say, net)
    say.attempt(P.l1_unstructured, net, "weight", 1, scores[0])


@script
def globally(tg, nn, say):
    P = tools(tg)
    net = nn.Sequential(layer(tg, nn), nn.ReLU(), layer(tg, nn, 2, 3))
    pairs = [(net[0], "weight"), (net[2], "weight")]
    P.l1_unstructured(net[0], "weight", 2)
    P.global_unstructured(pairs, pruning_method=P.L1Unstructured, amount=0.4)
    tell(say, net[0])
    tell(say, net[2])
    say(P.is_pruned(net), P.is_pruned(net[1]))
    scores = {(net[2], "weight"): tg.full((2, 3), 0.01, dtype=tg.float64)}
    scores[net[2], "weight"][0, 0] = 100
    P.global_unstructured(pairs, P.L1Unstructured, importance_scores=scores, amount=4)
    say([int(m.weight_mask.sum().item()) for m, _ in pairs])
    say.attempt(P.global_unstructured, 3, P.L1Unstructured, amount=1)
    say.attempt(P.global_unstructured, pairs, P.L1Unstructured, [1], amount=1)
    say.attempt(P.global_unstructured, pairs, P.LnStructured, amount=1, n=1)
    say.attempt(P.global_unstructured, pairs, P.L1Unstructured, amount=100)


@script
def at_random(tg, nn, say):
    P = tools(tg)
    net = layer(tg, nn)
    P.random_unstructured(net, "weight", 0.25)
    say(net.weight_mask.sum())
    P.random_unstructured(net, "weight", 2)
    say(net.weight_mask.sum())
    net = layer(tg, nn)
    P.random_structured(net, "weight", 2, dim=1)
    say(sorted(net.weight_mask.sum(dim=0).tolist()))
    P.random_structured(net, "weight", 1, dim=0)
    say(sorted(net.weight_mask.sum(dim=1).tolist()))


@script
def refused(tg, nn, say):
    P = tools(tg)
    for amount in (-1, -0.5, 1.5, "a", None, 13):
        for method in (P.l1_unstructured, P.random_unstructured):
            net = layer(tg, nn)
            say.attempt(method, net, "weight", amount)
            say(repr(net), sorted(n for n, _ in net.named_parameters()), P.is_pruned(net))
    net = layer(tg, nn)
    for name, dim, amount in (("bias", 0, 1), ("weight", 2, 1), ("weight", 0, 4)):
        say.attempt(P.ln_structured, net, name, amount, 2, dim)
        say.attempt(P.random_structured, net, name, amount, dim)
    say.attempt(P.custom_from_mask, net, "weight", tg.ones(2))
    say.attempt(P.l1_unstructured, net, "nothing", 1)
    say.attempt(P.BasePruningMethod)
    say.attempt(P.PruningContainer().add_pruning_method, 3)
    for amount in (0, 0.0, 1.0, 12):
        net = layer(tg, nn)
        P.l1_unstructured(net, "weight", amount)
        say(net.weight_mask)
        P.ln_structured(net, "weight", 0, 1, 0)
        say(net.weight_mask)


@script
def own_methods(tg, nn, say):
    P = tools(tg)

    class Threshold(P.BasePruningMethod):
        PRUNING_TYPE = "unstructured"

        def __init__(self, at):
            self.at = at

        def compute_mask(self, t, default_mask):
            mask = default_mask.clone()
            mask[t.abs() < self.at] = 0
            return mask

    net = layer(tg, nn)
    say(type(Threshold.apply(net, "weight", 1.0)).__name__, net.weight)
    say(type(Threshold.apply(net, "weight", at=2.0)).__name__, net.weight)
    t = tg.tensor([0.5, -3.0, 2.0])
    say(Threshold(1).prune(t), Threshold(1).prune(t, default_mask=tg.tensor([1.0, 1.0, 0.0])))
    say(P.L1Unstructured(2).prune(t, importance_scores=tg.tensor([3.0, 2.0, 1.0])))
    say(P.LnStructured(1, 2, 0).prune(tg.tensor([[1.0, 2.0], [0.5, -0.5]])))

    class Wrong(Threshold):
        PRUNING_TYPE = "other"

    say.attempt(Wrong.apply, net, "weight", 1.0)
    conv = nn.Conv2d(2, 3, 2)
    with tg.no_grad():
        conv.weight.copy_(tg.arange(24.0).reshape(3, 2, 2, 2) - 9)
    P.ln_structured(conv, "weight", 1, 1, 0)
    P.ln_structured(conv, "weight", 0.5, 2, 1)
    say(conv.weight)


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(name):
    run_script(SCRIPTS[name])


def test_a_second_method_that_fails_leaves_the_first():
    """In PyTorch the hook of the first is gone then."""
    net = prune.l1_unstructured(layer(tg, nn), "weight", 2)
    before = net.weight_mask.clone()
    with pytest.raises(ValueError, match="amount=100"):
        prune.l1_unstructured(net, "weight", 100)
    assert prune.is_pruned(net)
    assert tg.equal(net.weight_mask, before)


def test_the_same_numbers_are_drawn_again():
    masks = []
    for _ in range(2):
        tg.manual_seed(3)
        masks.append(prune.random_unstructured(layer(tg, nn), "weight", 5).weight_mask)
    assert tg.equal(*masks)
