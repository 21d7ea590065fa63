"""Containers, Parameters, copies and nn.utils beside PyTorch's."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict

import pytest
from parity.nn_scripts import run_script, two_layers

SCRIPTS = {}


def script(function):
    SCRIPTS[function.__name__] = function
    return function


@script
def sequential(tg, nn, say):
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4))
    say(len(net), net[0], net[-1], list(net), repr(net[1:]), repr(net[:-1]))
    say.attempt(lambda: net[3])
    say.attempt(lambda: net[-4])
    net[1] = nn.Tanh()
    say(repr(net))
    say.attempt(net.__setitem__, 7, nn.Tanh())
    say(repr(net.append(nn.Sigmoid())), repr(net.insert(1, nn.Flatten())))
    say.attempt(net.insert, 9, nn.Tanh())
    say(repr(net.insert(-1, nn.ELU())))
    del net[0]
    say(repr(net), list(net.state_dict()))
    del net[1:3]
    say(repr(net))
    say(repr(net.pop(0)), repr(net))
    other = nn.Sequential(nn.ReLU())
    say(repr(net + other), repr(other * 3), repr(2 * other))
    net += other
    net.extend([nn.Tanh(), nn.ReLU()])
    other *= 2
    say(repr(net), repr(other))
    say.attempt(lambda: net + [nn.ReLU()])
    say.attempt(lambda: net * 0)
    say.attempt(lambda: net * 1.5)
    named = nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Tanh(), c=nn.ELU()))
    say(repr(named), named.b, repr(named[1:]), repr(named[0]))
    named[1] = nn.Sigmoid()
    say(repr(named))
    del named[0]
    say(repr(named))
    say(repr(nn.Sequential()), nn.Sequential()(3))
    say.attempt(nn.Sequential, OrderedDict(a=3))


@script
def module_list(tg, nn, say):
    net = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    say(repr(net), len(net), net[1], net[-1], repr(net[1:]), [type(m).__name__ for m in net])
    net.append(nn.ReLU()).extend([nn.ReLU(), nn.Tanh()])
    say(repr(net))
    net.insert(1, nn.ELU())
    say(repr(net), list(net.state_dict()))
    net[0] = nn.Identity()
    del net[1]
    del net[2:4]
    say(repr(net))
    say(repr(net.pop(0)), repr(net), repr(net + [nn.ReLU()]))
    net += [nn.Flatten()]
    say(repr(net), repr(nn.ModuleList()))
    say.attempt(lambda: net[9])
    say.attempt(net.append, 3)
    say.attempt(net.extend, 3)
    nested = nn.ModuleList([nn.Sequential(nn.Linear(1, 1), nn.ReLU()) for _ in range(2)])
    say(repr(nested))


@script
def module_dict(tg, nn, say):
    net = nn.ModuleDict({"one": nn.Linear(1, 1), "two": nn.ReLU()})
    say(repr(net), list(net), len(net), "one" in net, "six" in net, net["two"])
    net["three"] = nn.Tanh()
    net.update([["four", nn.ELU()], ("two", nn.Sigmoid())])
    net.update(nn.ModuleDict({"five": nn.ReLU()}))
    say(repr(net), list(net.keys()), [k for k, _ in net.items()], list(net.values()))
    say(net.pop("one"), list(net))
    del net["two"]
    say(list(net), repr(net))
    say.attempt(lambda: net["two"])
    say.attempt(net.update, 3)
    say.attempt(net.update, [[1, 2, 3]])
    say.attempt(net.__setitem__, "type", nn.ReLU())
    net.clear()
    say(repr(net), len(net))


@script
def parameter_containers(tg, nn, say):
    items = nn.ParameterList([nn.Parameter(tg.ones(2)), tg.zeros(1, 3), "word"])
    say(repr(items), len(items), items[0], items[-1], [n for n, _ in items.named_parameters()])
    items.append(tg.ones(1))
    items += [nn.Parameter(tg.ones(3))]
    items[1] = nn.Parameter(tg.ones(4))
    say(repr(items), list(items.state_dict()), len(items[1:3]))
    say.attempt(lambda: items[9])
    say.attempt(items)
    say.attempt(items.extend, 3)
    named = nn.ParameterDict({"a": nn.Parameter(tg.ones(2)), "b": tg.zeros(2)})
    named["c"] = nn.Parameter(tg.ones(1))
    named.update({"d": 5})
    say(list(named), len(named), "a" in named, named["a"], named.get("x"), named.get("x", 3))
    say([k for k, _ in named.items()], list(named.keys()), list(reversed(named)))
    say([n for n, _ in named.named_parameters()], list(named.state_dict()))
    say(named.pop("a"), named.popitem(), list(named), named.setdefault("b", 3))
    say(list(named.copy()), list(named.fromkeys(["x", "y"], 1)))
    del named["b"]
    named.clear()
    say(len(named), repr(named), repr(nn.ParameterList()))


@script
def copies(tg, nn, say):
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout(0.3))
    net.shared = net[0].weight
    net.eval()
    net(tg.ones(3, 2)).sum().backward()
    other = copy.deepcopy(net)
    say(other.shared is other[0].weight, other[0].weight is net[0].weight, repr(other))
    say(other.training, [p.grad is None for p in other.parameters()])
    say(bool((other[0].weight == net[0].weight).all()), type(other[0].weight).__name__)
    with tg.no_grad():
        other[0].weight.zero_()
    say(bool((other[0].weight == net[0].weight).all()))
    third = pickle.loads(pickle.dumps(net))
    say(repr(third), third.shared is third[0].weight, third.training)
    say(bool((third[0].weight == net[0].weight).all()), type(third[0].weight).__name__)
    say(third[0].weight.requires_grad, [n for n, _ in third.named_buffers()])


@script
def parameters(tg, nn, say):
    base = tg.tensor([1.0, 2.0])
    p = nn.Parameter(base)
    say(repr(p), p, p.requires_grad, p.is_leaf, isinstance(p, tg.Tensor))
    base[0] = 5
    say(p, type(p * 2).__name__, type(p.detach()).__name__, type(p.data).__name__)
    say(nn.Parameter(base, requires_grad=False).requires_grad, nn.Parameter().shape == (0,))
    q = copy.deepcopy(p)
    say(type(q).__name__, q, q is p, q.requires_grad)
    (p * 3).sum().backward()
    say(p.grad, type(p.grad).__name__)
    say(isinstance(nn.Parameter(p * 2), nn.Parameter), nn.Parameter(p * 2).is_leaf)
    say(isinstance(nn.Buffer(base), nn.Parameter), nn.Buffer(base))


@script
def utils(tg, nn, say):
    net = two_layers(tg, nn)

    def run():
        net.zero_grad()
        net(tg.ones(2, 3)).sum().backward()

    u = nn.utils
    for order in (2.0, 1.0, float("inf"), 3):
        run()
        say(abs(u.clip_grad_norm_(net.parameters(), 0.5, order).item()) > 0.5)
        norm = u.get_total_norm([p.grad for p in net.parameters() if p.grad is not None], order)
        say(round(norm.item(), 5))
    run()
    say(u.clip_grad_norm_(net.head.weight, 1e9))
    u.clip_grad_value_(net.parameters(), 0.25)
    say([p.grad for p in net.parameters()])
    say(u.clip_grad_norm_([], 1.0))
    net.head.weight.grad.fill_(float("inf"))
    say.attempt(u.clip_grad_norm_, net.parameters(), 1.0, 2.0, True)
    vector = u.parameters_to_vector(net.parameters())
    say(vector)
    u.vector_to_parameters(vector * 2, net.parameters())
    say(dict(net.named_parameters()))


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(name):
    run_script(SCRIPTS[name])
