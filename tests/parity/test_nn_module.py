"""The machinery of modules: one script run with both libraries, and what each says compared.

A script gets ``tg`` (the library), ``nn`` and ``say``; what it says must be the same on both
sides, errors by their type.
"""

from __future__ import annotations

import copy
import pickle
import warnings
from collections import OrderedDict

import numpy as np
import pytest
import torch

import tensorgrad as tg

SCRIPTS = {}


def script(function):
    SCRIPTS[function.__name__] = function
    return function


def plain(value):
    """What was said, without the library's name and with tensors as lists."""
    if isinstance(value, (tg.Tensor, torch.Tensor)):
        return "tensor", str(value.dtype).split(".")[-1], value.detach().numpy().tolist()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (tg.nn.Module, torch.nn.Module)):
        return type(value).__name__
    if isinstance(value, str):
        return value.replace("tensorgrad", "torch")
    return value


class Journal(list):
    def __call__(self, *values):
        self.append([plain(v) for v in values])

    def attempt(self, function, *args, **kwargs):
        try:
            self("done", function(*args, **kwargs))
        except Exception as error:
            # PyTorch raises some errors by way of a subclass.
            self("raised", [k.__name__ for k in (KeyError, TypeError) if isinstance(error, k)])


def two_layers(tg, nn):
    class Block(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.lin = nn.Linear(width, width)
            self.register_buffer("scale", tg.ones(1))
            self.register_buffer("scratch", tg.zeros(2), persistent=False)
            self.gain = nn.Parameter(tg.ones(width))

        def forward(self, x):
            return self.lin(x) * self.gain * self.scale

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = Block(3)
            self.second = Block(3)
            self.head = nn.Linear(3, 2, bias=False)
            self.again = self.first
            self.nothing = None
            self.register_parameter("absent", None)
            self.add_module("missing", None)

        def forward(self, x):
            return self.head(self.second(self.first(x)))

    net = Net()
    for i, p in enumerate(net.parameters()):
        with tg.no_grad():
            p.copy_(tg.arange(p.numel(), dtype=p.dtype).reshape(p.shape) / 10 - 0.1 * i)
    return net


@script
def walking(tg, nn, say):
    net = two_layers(tg, nn)
    for duplicates in (True, False):
        say([n for n, _ in net.named_modules(remove_duplicate=duplicates)])
        say([n for n, _ in net.named_parameters(remove_duplicate=duplicates)])
        say([n for n, _ in net.named_buffers(remove_duplicate=duplicates)])
        say([n for n, _ in net.named_parameters("p", False, duplicates)])
    say([n for n, _ in net.named_children()], list(net.children()), list(net.modules()))
    say(len(list(net.parameters())), len(list(net.parameters(recurse=False))))
    say(net)
    say(repr(net))
    say(net.get_submodule("second.lin") is net.second.lin, net.get_submodule("") is net)
    say(net.get_parameter("second.lin.bias"), net.get_buffer("first.scale"))
    say.attempt(net.get_parameter, "second.lin")
    say.attempt(net.get_submodule, "second.gain")
    net.set_submodule("second.lin", nn.Identity())
    say(repr(net.second))
    say.attempt(net.set_submodule, "", nn.Identity())


@script
def attributes(tg, nn, say):
    net = two_layers(tg, nn)
    say.attempt(setattr, net.head, "weight", tg.zeros(2))
    say.attempt(setattr, net.head, "weight", None)
    say(net.head.weight, [n for n, _ in net.head.named_parameters()])
    net.head.weight = nn.Parameter(tg.zeros(1, 2))
    say([n for n, _ in net.head.named_parameters()])
    say.attempt(setattr, net, "head", 3)
    net.head = None
    say(repr(net), net.head)
    net.head = nn.ReLU()
    say(repr(net))
    say.attempt(setattr, net.first, "scale", 1.0)
    net.first.scale = None
    net.first.scale = tg.ones(2)
    say([n for n, _ in net.named_buffers()])
    net.second.lin = nn.Parameter(tg.ones(1))  # a module becomes a parameter
    say(repr(net.second), [n for n, _ in net.second.named_parameters()])
    say.attempt(setattr, net.second, "gain", nn.ReLU())  # but a parameter stays one
    say(repr(net.second), [n for n, _ in net.second.named_parameters()])
    net.number = 3
    net.number = nn.Parameter(tg.ones(1))
    say("number" in net.__dict__, [n for n, _ in net.named_parameters()])
    del net.number, net.first, net.second.scale
    say(hasattr(net, "number"), hasattr(net, "first"), hasattr(net.second, "scale"))
    say(repr(net))
    for name in ("", "a.b", "forward", "head"):
        say.attempt(net.register_parameter, name, nn.Parameter(tg.ones(1)))
        say.attempt(net.register_buffer, name, tg.ones(1))
        say.attempt(net.add_module, name, nn.ReLU())
    say.attempt(net.register_parameter, "ok", tg.ones(1))
    say.attempt(net.register_buffer, "ok", 1)
    say.attempt(net.register_module, "ok", 1)
    say.attempt(net.register_module, 1, nn.ReLU())
    net.buffer = nn.Buffer(tg.ones(2))
    net.other = nn.Buffer(tg.ones(2), persistent=False)
    say([n for n, _ in net.named_buffers()], list(net.state_dict()))
    say("0" in dir(nn.Sequential(nn.ReLU())), "weight" in dir(nn.Linear(1, 1)))


@script
def before_init(tg, nn, say):
    class Forgot(nn.Module):
        def __init__(self, value):
            self.value = value

    say.attempt(Forgot, 3)
    say.attempt(Forgot, nn.ReLU())
    say.attempt(Forgot, nn.Parameter(tg.ones(1)))


@script
def state(tg, nn, say):
    net = two_layers(tg, nn)
    state = net.state_dict()
    say(list(state), type(state).__name__ == "OrderedDict", list(net.state_dict(prefix="net.")))
    say([type(v).__name__ for v in net.state_dict(keep_vars=True).values()])
    say([v.requires_grad for v in state.values()])
    state["head.weight"].fill_(7)  # shared memory
    say(net.head.weight)
    filled = OrderedDict(old=1)
    say(net.state_dict(destination=filled) is filled, list(filled))
    saved = copy.deepcopy(state)
    with tg.no_grad():
        for p in net.parameters():
            p.zero_()
    say(net.load_state_dict(saved))
    say(dict(net.named_parameters()))

    partial = {k: v for k, v in saved.items() if "gain" not in k}
    partial["extra"] = tg.ones(1)
    say.attempt(net.load_state_dict, partial)
    found = net.load_state_dict(partial, strict=False)
    say(found.missing_keys, found.unexpected_keys)
    missing, unexpected = found
    say(missing, unexpected)
    wrong = dict(saved)
    wrong["head.weight"] = tg.ones(5)
    say.attempt(net.load_state_dict, wrong)
    say.attempt(net.load_state_dict, wrong, strict=False)
    say.attempt(net.load_state_dict, [1])
    say.attempt(net.load_state_dict, {**saved, "head.weight": "a"})

    doubled = {k: v.double() for k, v in saved.items()}
    weight = net.head.weight
    net.load_state_dict(doubled)
    say(net.head.weight.dtype == tg.float32, net.head.weight is weight)
    net.head.weight.requires_grad_(False)
    net.load_state_dict(doubled, assign=True)
    say(net.head.weight.dtype == tg.float64, net.head.weight is weight)
    say(net.head.weight.requires_grad, net.first.gain.requires_grad, type(net.first.gain).__name__)
    say(net.first.scale.dtype == tg.float64)

    scalar = nn.BatchNorm1d(2)
    counted = scalar.state_dict()
    counted["num_batches_tracked"] = tg.tensor([5])
    say(scalar.load_state_dict(counted), scalar.num_batches_tracked)
    del counted["num_batches_tracked"]
    say.attempt(scalar.load_state_dict, counted)
    say.attempt(scalar.load_state_dict, dict(counted))  # without metadata: an old file


@script
def extra_state(tg, nn, say):
    class Counter(nn.Module):
        def __init__(self):
            super().__init__()
            self.count = 0

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    outer = nn.Sequential(Counter())
    outer[0].count = 5
    saved = outer.state_dict()
    say(dict(saved))
    other = nn.Sequential(Counter())
    say(other.load_state_dict(saved), other[0].count)
    say.attempt(other.load_state_dict, {})


@script
def modes(tg, nn, say):
    net = two_layers(tg, nn)
    say(net.eval() is net, [m.training for m in net.modules()])
    net.second.train()
    say([m.training for m in net.modules()])
    say(net.train(False).training, net.train().training)
    say(net.requires_grad_(False) is net, [p.requires_grad for p in net.parameters()])
    net.requires_grad_()
    net(tg.ones(2, 3)).sum().backward()
    say([p.grad for p in net.parameters()])
    net.zero_grad(set_to_none=False)
    say([p.grad for p in net.parameters()])
    net.zero_grad()
    say([p.grad for p in net.parameters()])
    order = []
    say(net.apply(lambda m: order.append(type(m).__name__)) is net, order)


@script
def conversion(tg, nn, say):
    net = two_layers(tg, nn)
    net.register_buffer("count", tg.zeros(2, dtype=tg.int64))

    def kinds():
        return [str(t.dtype) for t in (*net.parameters(), *net.buffers())]

    weight = net.head.weight
    net(tg.ones(1, 3)).sum().backward()
    say(net.double() is net, kinds(), net.head.weight is weight, weight.grad.dtype == tg.float64)
    net.zero_grad()
    net(tg.ones(1, 3, dtype=tg.float64)).sum().backward()
    say(weight.grad)
    net.half()
    say(kinds())
    net.float()
    say(kinds())
    say(net.to(tg.float64) is net, kinds())
    net.to("cpu", tg.float32)
    say(kinds())
    net.to(tg.zeros(1, dtype=tg.float64))
    say(kinds())
    net.to(device="cpu", dtype=tg.float32, non_blocking=True).to("cpu").cpu()
    say(kinds())
    say.attempt(net.to, tg.int32)
    net.type(tg.float64)
    say(kinds())


@script
def forward_hooks(tg, nn, say):
    net = nn.Linear(2, 2)
    with tg.no_grad():
        net.weight.copy_(tg.eye(2))
        net.bias.zero_()
    x = tg.tensor([[1.0, 2.0]])
    first = net.register_forward_pre_hook(lambda m, args: say("pre 1", args))
    second = net.register_forward_pre_hook(lambda m, args: args[0] * 2)
    net.register_forward_pre_hook(lambda m, args: (say("pre 0"), None)[1], prepend=True)
    say(net(x))
    first.remove()
    say(net(x))
    second.remove()
    net.register_forward_hook(lambda m, args, out: say("post", args, out))
    with net.register_forward_hook(lambda m, args, out: out + 1):
        say(net(x))
    say(net(x))
    net.register_forward_pre_hook(
        lambda m, args, kwargs: ((args[0] + 1,), kwargs), with_kwargs=True
    )
    net.register_forward_hook(
        lambda m, args, kwargs, out: say("kw", args, kwargs, out), with_kwargs=True
    )
    say(net(x))
    say.attempt(net, input=x)
    broken = nn.Linear(2, 2)
    broken.register_forward_hook(lambda m, args, out: say("always", out), always_call=True)
    broken.register_forward_hook(lambda m, args, out: say("never", out))
    say.attempt(broken, tg.ones(1, 3))
    bad = nn.Linear(2, 2)
    bad.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True)
    say.attempt(bad, x)


@script
def backward_hooks(tg, nn, say):
    class Two(nn.Module):
        def forward(self, x, k, y):
            return x * k + y, y * 3

    two = Two()
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = tg.tensor([3.0, 4.0], requires_grad=True)
    handles = [
        two.register_full_backward_hook(lambda m, gi, go: say("hook", gi, go)),
        two.register_full_backward_pre_hook(lambda m, go: say("pre", go)),
    ]
    a, b = two(x, 2, y)
    (a * 5 + b).sum().backward()
    say(x.grad, y.grad)
    x.grad = y.grad = None
    a, b = two(x, 2, y)
    a.sum().backward()  # one output unused
    say(x.grad, y.grad)
    for handle in handles:
        handle.remove()
    x.grad = y.grad = None
    two.register_full_backward_pre_hook(lambda m, go: tuple(g if g is None else g * 10 for g in go))
    two.register_full_backward_hook(lambda m, gi, go: (gi[0] * 2, None, gi[2]))
    a, b = two(x, 2, y)
    (a + b).sum().backward()
    say(x.grad, y.grad)

    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    for i, p in enumerate(net.parameters()):
        with tg.no_grad():
            p.copy_(tg.ones(p.shape) * (i + 1))
    for i, layer in enumerate(net):
        layer.register_full_backward_hook(lambda m, gi, go, i=i: say(i, gi, go))
    net(tg.ones(1, 2)).sum().backward()  # the first layer's input needs no gradient
    say([p.grad for p in net.parameters()])
    with tg.no_grad():
        say(net(tg.ones(1, 2)))
    wrong = nn.Linear(2, 1)
    wrong.register_full_backward_hook(lambda m, gi, go: (None, None))
    say.attempt(lambda: wrong(x).sum().backward())


@script
def backward_hook_on_shared_input(tg, nn, say):
    layer = nn.Linear(1, 1, bias=False)
    with tg.no_grad():
        layer.weight.fill_(3)
    layer.register_full_backward_hook(lambda m, gi, go: say(gi, go))
    x = tg.ones(1, 1, requires_grad=True)
    (layer(x) + x * 100).sum().backward()
    say(x.grad)


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
    journals = []
    for library in (torch, tg):
        journal = Journal()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            SCRIPTS[name](library, library.nn, journal)
        journals.append(journal)
    assert len(journals[0]) == len(journals[1])
    for i, (theirs, ours) in enumerate(zip(*journals)):
        if "tensor" in str(theirs):
            np.testing.assert_equal(rounded(ours), rounded(theirs), f"{name}, {i}")
        else:
            assert ours == theirs, f"{name}, {i}"


def rounded(value):
    """Floats to six digits: these scripts run in float32."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, (list, tuple)):
        return [rounded(v) for v in value]
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return value
