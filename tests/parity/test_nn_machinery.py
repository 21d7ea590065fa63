"""Hooks of all modules, hooks around the state, and what subclasses of Module override."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict

import pytest
from parity.nn_scripts import run_script, two_layers

import tensorgrad as tg
from tensorgrad import nn

SCRIPTS = {}


def script(function):
    SCRIPTS[function.__name__] = function
    return function


def small(tg, nn):
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1, bias=False))
    with tg.no_grad():
        for i, p in enumerate(net.parameters()):
            p.copy_(tg.arange(1.0, p.numel() + 1).reshape(p.shape) / 4 - i)
    return net


@script
def hooks_of_all_modules(tg, nn, say):
    everywhere = nn.modules.module
    net = small(tg, nn)
    net[0].register_forward_hook(lambda m, args, out: say("own", out))
    net[0].register_forward_pre_hook(lambda m, args: say("own pre", args))
    handles = [
        everywhere.register_module_forward_pre_hook(lambda m, args: say("pre", m, args)),
        everywhere.register_module_forward_hook(lambda m, args, out: say("post", m, args, out)),
        everywhere.register_module_forward_hook(
            lambda m, args, kwargs, out: say("kw", m, kwargs, out), with_kwargs=True
        ),
        everywhere.register_module_forward_hook(
            lambda m, args, out: say("always", m, out), always_call=True
        ),
        everywhere.register_module_full_backward_pre_hook(lambda m, go: say("bpre", m, go)),
        everywhere.register_module_full_backward_hook(lambda m, gi, go: say("back", m, gi, go)),
    ]
    try:
        x = tg.tensor([[1.0, 2.0]], requires_grad=True)
        net(x).sum().backward()
        say(x.grad)
        say.attempt(net, tg.ones(1, 3))
        say.attempt(everywhere.register_module_backward_hook, lambda m, gi, go: None)
    finally:
        for handle in handles:
            handle.remove()
    say("removed", net(x))


@script
def hooks_of_registration(tg, nn, say):
    everywhere = nn.modules.module
    other = nn.Parameter(tg.full((2,), 7.0))
    handles = [
        everywhere.register_module_parameter_registration_hook(
            lambda m, name, p: say("parameter", name) or (other if name == "exchanged" else None)
        ),
        everywhere.register_module_buffer_registration_hook(
            lambda m, name, b: say("buffer", name, b)
        ),
        everywhere.register_module_module_registration_hook(
            lambda m, name, sub: say("module", name, sub)
        ),
    ]
    try:
        net = nn.Module()
        net.weight = nn.Parameter(tg.ones(1))
        net.exchanged = nn.Parameter(tg.ones(2))
        net.register_parameter("none", None)
        net.register_buffer("b", tg.zeros(1))
        net.b = tg.ones(1)
        net.child = nn.ReLU()
        net.child = None
    finally:
        for handle in handles:
            handle.remove()
    say(net.exchanged is other, list(dict(net.named_parameters())))


@script
def old_backward_hooks(tg, nn, say):
    relu = nn.ReLU()
    x = tg.tensor([1.0, -2.0], requires_grad=True)
    relu.register_backward_hook(lambda m, gi, go: say("old", gi, go))
    relu.register_backward_hook(lambda m, gi, go: (gi[0] * 3,))
    relu(x).sum().backward()
    say(x.grad)
    say.attempt(relu.register_full_backward_hook, lambda m, gi, go: None)
    full = nn.ReLU()
    full.register_full_backward_hook(lambda m, gi, go: None)
    say.attempt(full.register_backward_hook, lambda m, gi, go: None)


@script
def hooks_of_writing(tg, nn, say):
    net = small(tg, nn)
    net.register_state_dict_pre_hook(lambda m, prefix, keep: say("pre", prefix, keep))
    net[0].register_state_dict_pre_hook(lambda m, prefix, keep: say("pre 0", prefix, keep))

    def renamed(module, state, prefix, metadata):
        say("post 0", sorted(state), prefix, metadata)
        state[prefix + "w"] = state.pop(prefix + "weight")

    net[0].register_state_dict_post_hook(renamed)
    handle = net.register_state_dict_post_hook(lambda m, s, p, d: say("post", sorted(s)))
    say(sorted(net.state_dict(prefix="a.")))
    say(sorted(net.state_dict(None, "b.", True)))
    handle.remove()
    handle = net.register_state_dict_post_hook(lambda m, s, p, d: {})
    say.attempt(net.state_dict)
    handle.remove()
    net._register_state_dict_hook(lambda m, s, p, d: {"only": 1})
    say(net.state_dict())


@script
def hooks_of_reading(tg, nn, say):
    net = small(tg, nn)
    saved = copy.deepcopy(net.state_dict())

    def renamed(module, state, prefix, metadata, strict, missing, unexpected, errors):
        say("pre", module, sorted(state), prefix, metadata.get("version"), strict)
        if prefix + "w" in state:
            state[prefix + "weight"] = state.pop(prefix + "w")

    net[2].register_load_state_dict_pre_hook(renamed)
    net._register_load_state_dict_pre_hook(lambda s, prefix, *rest: say("old", sorted(s), prefix))
    old = dict(saved)
    old["2.w"] = old.pop("2.weight") * 5
    say(net.load_state_dict(old), net[2].weight, sorted(old))

    def accept(module, found):
        say("loaded", found.missing_keys, found.unexpected_keys, module[0].bias)
        found.missing_keys.clear()

    net.register_load_state_dict_post_hook(accept)
    partial = {k: v * 3 for k, v in saved.items() if k != "0.weight"}
    say(net.load_state_dict(partial))
    say.attempt(net.load_state_dict, {**partial, "extra": tg.ones(1)})
    wrong = small(tg, nn)
    wrong.register_load_state_dict_post_hook(lambda m, found: 1)
    say.attempt(wrong.load_state_dict, saved)

    def failing(state, prefix, metadata, strict, missing, unexpected, errors):
        errors.append("not today")

    broken = small(tg, nn)
    broken._register_load_state_dict_pre_hook(failing)
    say.attempt(broken.load_state_dict, saved)


@script
def overridden_state(tg, nn, say):
    class Table(nn.Module):
        def __init__(self):
            super().__init__()
            self.rows = {"a": tg.ones(1)}
            self.weight = nn.Parameter(tg.ones(1))

        def _save_to_state_dict(self, destination, prefix, keep_vars):
            super()._save_to_state_dict(destination, prefix, keep_vars)
            for key, row in self.rows.items():
                destination[f"{prefix}rows.{key}"] = row

        def _load_from_state_dict(self, state, prefix, metadata, strict, missing, unexpected, errs):
            start = f"{prefix}rows."
            self.rows = {k[len(start) :]: v for k, v in state.items() if k.startswith(start)}
            rest = {k: v for k, v in state.items() if not k.startswith(start)}
            super()._load_from_state_dict(rest, prefix, metadata, strict, missing, unexpected, errs)

    net = nn.Sequential(Table(), nn.Linear(1, 1))
    state = {k: v * 2 for k, v in net.state_dict().items()}
    say(sorted(state))
    state["0.rows.b"] = tg.zeros(2)
    say(net.load_state_dict(state), net[0].rows, net[0].weight)
    say.attempt(net.load_state_dict, {**state, "1.rows.b": tg.zeros(1)})
    say.attempt(net.load_state_dict, {**state, "0.other": tg.zeros(1)})


@script
def applied_to_all_tensors(tg, nn, say):
    class Extra(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = tg.ones(2)
            self.lin = nn.Linear(2, 2)

        def _apply(self, fn, recurse=True):
            super()._apply(fn, recurse)
            self.hidden = fn(self.hidden)
            return self

    net = nn.Sequential(Extra())
    weight = net[0].lin.weight
    say(net.double() is net, net[0].hidden.dtype == tg.float64)
    say(weight is net[0].lin.weight, weight.dtype == tg.float64)
    empty = net.to_empty(device="cpu")
    say(empty is net, [tuple(p.shape) for p in net.parameters()], weight.dtype == tg.float64)
    say(all(p.requires_grad for p in net.parameters()))
    say.attempt(net.to_empty)
    say.attempt(net.to_empty, device="nowhere")


@script
def arguments_of_init(tg, nn, say):
    class Mixin:
        def __init__(self, size):
            self.size = size

    class Both(nn.Module, Mixin):
        call_super_init = True

        def __init__(self, size):
            super().__init__(size)

    say(Both(3).size)
    say.attempt(nn.Module, 3)
    say.attempt(nn.Module, size=3)
    net = two_layers(tg, nn)
    say(len(list(net.modules())), len(list(net.modules(remove_duplicate=False))))


@script
def parameter_dictionaries(tg, nn, say):
    made = nn.ParameterDict({"b": tg.zeros(2, 1), "a": nn.Parameter(tg.ones(2)), "c": 5})
    say(repr(made), list(made), [n for n, _ in made.named_parameters()])
    say(repr(made | nn.ParameterDict({"q": tg.ones(1)})), len({"w": tg.ones(1)} | made))
    made |= {"q": tg.ones(1, dtype=tg.float64)}
    say(repr(made), type({"w": tg.ones(1)} | made).__name__)
    made.update(OrderedDict(z=tg.ones(1), y=tg.ones(1)))
    made.update({"k2": tg.ones(1), "k1": tg.ones(1)})
    say(list(made), list(made.copy()))
    for wrong in (3, [1], [(1, 2, 3)]):
        say.attempt(made.update, wrong)
    say.attempt(nn.ParameterDict().popitem)
    say.attempt(nn.ModuleDict().update, [1])
    say.attempt(nn.ModuleDict().update, [(1,)])
    say.attempt(nn.Module().set_submodule, "q", 3)


@script
def kinds_by_name(tg, nn, say):
    net = nn.Linear(1, 1)
    net.register_buffer("count", tg.zeros(1, dtype=tg.int64))
    say(net.type(f"{tg.__name__}.DoubleTensor") is net, net.weight.dtype == tg.float64)
    say(net.count.dtype == tg.float64, net.weight.requires_grad)
    say(net.type(tg.float32).weight.dtype == tg.float32)
    say.attempt(net.type, "nothing")


@script
def paths_of_modules(tg, nn, say):
    modules = nn.modules
    say(modules.Linear is nn.Linear, modules.conv._ConvNd in nn.Conv2d.__mro__)
    say(isinstance(nn.BatchNorm1d(1), modules.batchnorm._BatchNorm))
    say(isinstance(nn.InstanceNorm1d(1), modules.batchnorm._NormBase))
    say(isinstance(nn.Dropout(), modules.dropout._DropoutNd))
    say(isinstance(nn.MSELoss(), modules.loss._Loss), issubclass(nn.NLLLoss, nn.Module))
    say.attempt(lambda: modules.nothing)
    tools = modules.utils
    say(tools._pair(3), tools._triple([1, 2]), tools._single("ab"), tools._ntuple(5)(0))
    say(tools._reverse_repeat_tuple((1, 2), 2), tools._list_with_default([None, 3], [7, 8, 9]))
    say.attempt(tools._list_with_default, [1, 2], [3, 4])
    wrapped = nn.Module()
    wrapped.module = small(tg, nn)
    state = wrapped.state_dict()
    tools.consume_prefix_in_state_dict_if_present(state, "module.")
    say(list(state), dict(state._metadata))
    say(small(tg, nn).load_state_dict(state))


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(name):
    run_script(SCRIPTS[name])


def test_copies_keep_hooks_and_flags():
    net = nn.Linear(2, 1)
    seen = []
    net.register_forward_hook(lambda m, args, kwargs, out: seen.append(m), with_kwargs=True)
    twin = copy.deepcopy(net)
    twin(tg.ones(2))
    assert seen == [twin]
    plain = pickle.loads(pickle.dumps(nn.Sequential(nn.Linear(2, 1)).eval()))
    assert not plain[0].training
    assert plain(tg.ones(2)).shape == (1,)


def test_a_post_hook_sees_loaded_values_and_a_misfit_changes_nothing():
    net = nn.Linear(2, 1)
    seen = []
    net.register_load_state_dict_post_hook(lambda m, found: seen.append(m.bias.item()))
    net.load_state_dict({"weight": tg.ones(1, 2), "bias": tg.full((1,), 4.0)})
    assert seen == [4.0]
    with pytest.raises(RuntimeError, match="size mismatch"):
        net.load_state_dict({"weight": tg.ones(3), "bias": tg.full((1,), 5.0)})
    assert seen == [4.0]
    assert net.bias.item() == 4.0


def test_share_memory_is_refused():
    with pytest.raises(RuntimeError, match="share_memory_"):
        nn.Linear(1, 1).share_memory()
