"""Hooks around steps and state dicts of optimizers."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.optim import SGD, Optimizer
from tensorgrad.optim.hooks import Appointment
from tensorgrad.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)


def leaves(*shapes):
    rng = np.random.default_rng(0)
    return [tg.tensor(rng.standard_normal(s), requires_grad=True) for s in shapes or [(2,), (3,)]]


def step(optimizer, seed=0):
    rng = np.random.default_rng(seed)
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = tg.tensor(rng.standard_normal(p.shape))
    optimizer.step()


def values(ps):
    return [p.detach().numpy().copy() for p in ps]


def test_step_hooks():
    p = leaves()[0]
    optimizer = SGD([p])
    seen = []
    handles = [
        register_optimizer_step_pre_hook(lambda o, a, k: seen.append("every pre")),
        optimizer.register_step_pre_hook(lambda o, a, k: seen.append("pre")),
        optimizer.register_step_post_hook(lambda o, a, k: seen.append("post")),
        register_optimizer_step_post_hook(lambda o, a, k: seen.append("every post")),
    ]
    step(optimizer)
    assert seen == ["every pre", "pre", "post", "every post"]
    for handle in handles:
        handle.remove()
    step(optimizer)
    assert len(seen) == 4


def test_a_pre_hook_may_change_the_arguments():
    optimizer = SGD(leaves())
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((args[0], lambda: 42), {}))
    assert optimizer.step() == 42
    optimizer.register_step_pre_hook(lambda o, args, kwargs: "nonsense")
    with pytest.raises(RuntimeError, match="must return None or a tuple"):
        optimizer.step()


def test_hooks_run_once_around_a_subclasss_step():
    class Loud(SGD):
        def step(self, closure=None):
            return super().step(closure)

    optimizer = Loud(leaves())
    seen = []
    optimizer.register_step_post_hook(lambda o, a, k: seen.append(type(o).__name__))
    step(optimizer)
    assert seen == ["Loud"]


def test_a_step_that_is_wrapped_by_hand_has_its_hooks_once():
    class Twice(SGD):
        @Optimizer.profile_hook_step
        def step(self, closure=None):
            """Its words."""
            super().step()
            return super().step(closure)

    called = []
    optimizer = Twice([tg.ones(1, requires_grad=True)], lr=0.1)
    optimizer.register_step_pre_hook(lambda *_: called.append("before"))
    optimizer.register_step_post_hook(lambda *_: called.append("after"))
    optimizer.step()
    assert called == ["before", "after"]
    assert Twice.step.__doc__ == "Its words."
    assert Optimizer.profile_hook_step(len).__name__ == "len"


def test_an_appointment_is_kept_once_after_the_hooks():
    class Loud(SGD):
        def step(self, closure=None):
            return super().step(closure)

    optimizer = Loud(leaves())
    seen = []

    def appoint(number):
        def note(word):
            return lambda o, a, k: seen.append((o._begun, word))

        appointment = Appointment(number, note("before"), note("after"))
        optimizer._expect(appointment)
        return appointment

    optimizer.register_step_pre_hook(lambda o, a, k: seen.append("pre"))
    optimizer.register_step_post_hook(lambda o, a, k: seen.append("post"))
    appoint(3), appoint(2)
    called_off = appoint(2)
    optimizer._call_off(called_off)
    optimizer._call_off(called_off)
    twin = copy.deepcopy(optimizer)
    for _ in range(4):
        step(optimizer), step(twin)
    around = [["pre", (n, "before"), "post", (n, "after")] for n in (2, 3)]
    assert seen == ["pre", "post", *around[0], *around[1], "pre", "post"]
    appoint(1)  # that step is over: the next one
    with pytest.raises(ArithmeticError):
        optimizer.step(lambda: 1 / 0)
    step(optimizer)
    assert seen[-6:] == ["pre", (5, "before"), "pre", (6, "before"), "post", (6, "after")]


def test_state_dict_hooks():
    optimizer = SGD(leaves(), momentum=0.9)
    step(optimizer)
    order = []
    optimizer.register_state_dict_pre_hook(lambda o: order.append("b"))
    optimizer.register_state_dict_pre_hook(lambda o: order.append("a"), prepend=True)
    optimizer.register_state_dict_post_hook(lambda o, s: {**s, "extra": 1})
    state = optimizer.state_dict()
    assert order == ["a", "b"]
    assert state["extra"] == 1
    optimizer.register_load_state_dict_pre_hook(
        lambda o, s: s.update(param_groups=[{**g, "lr": 9.0} for g in s["param_groups"]])
    )
    optimizer.register_load_state_dict_post_hook(lambda o: order.append("loaded"))
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"] == 9.0
    assert state["param_groups"][0]["lr"] == 1e-3  # the hook edited a copy
    assert order[-1] == "loaded"
