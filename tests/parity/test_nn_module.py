"""The machinery of modules beside PyTorch's: registration, state, modes, conversion, hooks."""

from __future__ import annotations

import copy
from collections import OrderedDict

import pytest
from parity.nn_scripts import run_script, two_layers

SCRIPTS = {}


def script(function):
    SCRIPTS[function.__name__] = function
    return function


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


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(name):
    run_script(SCRIPTS[name])
