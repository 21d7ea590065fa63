"""Averages of models, their schedule, and swapped-in states, as PyTorch has them."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from parity.optim_compare import assert_same, assert_same_tree, feed, pairs, rates, two_groups

import tensorgrad as tg
from tensorgrad import nn, optim
from tensorgrad.optim import swa_utils as mine_utils

their_utils = torch.optim.swa_utils


def models():
    """The same small network in both libraries."""
    theirs = torch.nn.Sequential(
        torch.nn.Linear(4, 5), torch.nn.BatchNorm1d(5), torch.nn.Linear(5, 2)
    ).double()
    mine = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 2)).double()
    rng = np.random.default_rng(0)
    for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
        values = rng.standard_normal(p.shape)
        p.data = tg.tensor(values)
        q.data = torch.tensor(values)
    return mine, theirs


AVERAGES = [
    lambda u: {},
    lambda u: {"use_buffers": True},
    lambda u: {"avg_fn": u.get_swa_avg_fn()},
    lambda u: {"avg_fn": u.get_ema_avg_fn(0.7)},
    lambda u: {"avg_fn": lambda a, p, n: 0.2 * a + 0.8 * p + 0.1 * n},
    lambda u: {"multi_avg_fn": u.get_ema_multi_avg_fn()},
    lambda u: {"multi_avg_fn": u.get_ema_multi_avg_fn(0.3), "use_buffers": True},
    lambda u: {"multi_avg_fn": u.get_swa_multi_avg_fn(), "device": "cpu"},
]


@pytest.mark.parametrize("make", AVERAGES)
def test_averages(make):
    mine, theirs = models()
    a = mine_utils.AveragedModel(mine, **make(mine_utils))
    b = their_utils.AveragedModel(theirs, **make(their_utils))
    rng = np.random.default_rng(1)
    for _ in range(4):
        x = rng.standard_normal((6, 4))
        if "use_buffers" not in make(mine_utils) or "multi_avg_fn" in make(mine_utils):
            mine(tg.tensor(x)), theirs(torch.tensor(x))  # moves the running statistics
        for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
            step = rng.standard_normal(p.shape)
            with tg.no_grad(), torch.no_grad():
                p += tg.tensor(step)
                q += torch.tensor(step)
        a.update_parameters(mine)
        b.update_parameters(theirs)
    assert list(a.state_dict()) == list(b.state_dict())
    # PyTorch divides by a count in float32.
    assert_same_tree(dict(a.state_dict()), dict(b.state_dict()), 1e-6)
    assert a.n_averaged.item() == 4
    x = rng.standard_normal((6, 4))
    assert_same([a.eval()(tg.tensor(x))], [b.eval()(torch.tensor(x))], 1e-5)


def test_update_bn():
    mine, theirs = models()
    mine[1].momentum = theirs[1].momentum = 0.3
    rng = np.random.default_rng(2)
    batches = [rng.standard_normal((n, 4)) for n in (6, 6, 3)]
    mine.eval(), theirs.eval()
    mine_utils.update_bn([(tg.tensor(x), 0) for x in batches], mine)
    their_utils.update_bn([(torch.tensor(x), 0) for x in batches], theirs)
    assert_same_tree(dict(mine.state_dict()), dict(theirs.state_dict()))
    assert mine[1].momentum == 0.3
    assert not mine[1].training
    mine_utils.update_bn(iter([tg.tensor(batches[0])]), mine, device="cpu")
    assert mine[1].num_batches_tracked.item() == 1
    linear = nn.Linear(2, 2)
    mine_utils.update_bn(iter([3]), linear)  # nothing to do: the batch is not looked at


def test_update_bn_that_fails_leaves_the_momentum():
    mine, _ = models()
    with pytest.raises(RuntimeError):
        mine_utils.update_bn([tg.ones(3, 7)], mine.eval())
    assert mine[1].momentum == 0.1
    assert not mine.training


@pytest.mark.parametrize(
    "kwargs",
    [
        {"swa_lr": 0.05},
        {"swa_lr": 0.05, "anneal_epochs": 4, "anneal_strategy": "linear"},
        {"swa_lr": [0.05, 0.5], "anneal_epochs": 3},
        {"swa_lr": 0.05, "anneal_epochs": 0},
    ],
)
@pytest.mark.parametrize("beside", [False, True])
def test_swalr(kwargs, beside):
    a, b = two_groups(optim, tg.tensor), two_groups(torch.optim, torch.tensor)
    mine, theirs = mine_utils.SWALR(a, **kwargs), their_utils.SWALR(b, **kwargs)
    others = [
        library.lr_scheduler.ExponentialLR(o, 0.9) for library, o in ((optim, a), (torch.optim, b))
    ]
    for _ in range(12):
        for o, s, other in ((a, mine, others[0]), (b, theirs, others[1])):
            o.step()
            s.step()
            if beside:
                other.step()
        assert rates(a) == pytest.approx(rates(b), rel=1e-12)
    assert mine.state_dict().keys() == theirs.state_dict().keys()
    again = mine_utils.SWALR(two_groups(optim, tg.tensor), 0.3)
    again.load_state_dict(copy.deepcopy(theirs.state_dict()))
    assert again.state_dict() == theirs.state_dict()


def test_what_is_refused_as_there():
    for library, utils, tensor in (
        (optim, mine_utils, tg.tensor),
        (torch.optim, their_utils, torch.tensor),
    ):
        optimizer = two_groups(library, tensor)
        for kwargs in (
            {"swa_lr": [0.1]},
            {"swa_lr": 0.1, "anneal_strategy": "exp"},
            {"swa_lr": 0.1, "anneal_epochs": -1},
            {"swa_lr": 0.1, "anneal_epochs": 1.5},
        ):
            with pytest.raises(ValueError):
                utils.SWALR(optimizer, **kwargs)
        with pytest.raises(ValueError, match="Invalid decay value"):
            utils.get_ema_avg_fn(1.5)
        with pytest.raises(ValueError, match="Invalid decay value"):
            utils.get_ema_multi_avg_fn(-0.5)
    mine, _ = models()
    with pytest.raises(AssertionError, match="Only one of"):
        mine_utils.AveragedModel(mine, avg_fn=len, multi_avg_fn=len)
    with pytest.raises(ValueError, match="has 2 parameters, the average 6"):
        mine_utils.AveragedModel(mine).update_parameters(nn.Linear(4, 5))
    assert optim.swa_utils is mine_utils
    with pytest.raises(AttributeError, match="no attribute 'swa_util'"):
        optim.swa_util  # noqa: B018


# --- Swapping in ----------------------------------------------------------------------------------


def test_swap_in():
    mine, theirs = pairs([(2, 3), (4,), ()])
    rng = np.random.default_rng(3)
    made = [
        (optim, optim.Adam([{"params": mine[:1], "lr": 0.1}, {"params": mine[1:]}])),
        (
            torch.optim,
            torch.optim.Adam([{"params": theirs[:1], "lr": 0.1}, {"params": theirs[1:]}]),
        ),
    ]
    feed(mine, theirs, rng)
    for _, optimizer in made:
        optimizer.step()
    before = copy.deepcopy(made[0][1].state_dict())
    others, other_theirs = pairs([(2, 3), (4,), ()], seed=5)
    feed(others, other_theirs, rng)
    states = []
    for (library, optimizer), ps in zip(made, (others, other_theirs), strict=True):
        state = copy.deepcopy(optimizer.state_dict())
        state["param_groups"][1]["lr"] = 0.5
        named = {f"p{i}": p for i, p in enumerate(ps)}
        with library.swap_in_optimizer_params_and_state(optimizer, named, state):
            optimizer.step()
            assert optimizer.param_groups[1]["lr"] == 0.5
        states.append(state)
    assert_same(others, other_theirs)
    assert_same(mine, theirs)
    assert_same_tree(states[0], states[1])  # written in place
    assert_same_tree(made[0][1].state_dict(), made[1][1].state_dict())
    after = made[0][1].state_dict()
    assert after["param_groups"] == before["param_groups"]
    assert after["state"][0]["step"].item() == 1
    with (
        pytest.raises(ZeroDivisionError),
        optim.swap_in_optimizer_params_and_state(
            made[0][1], dict(enumerate(others)), copy.deepcopy(after)
        ),
    ):
        1 / 0  # noqa: B018
    assert made[0][1].param_groups[0]["params"][0] is mine[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda s, ps: s.update(state=None),
        lambda s, ps: s.update(param_groups=None),
        lambda s, ps: s["param_groups"].append({}),
        lambda s, ps: s["param_groups"].__setitem__(0, 3),
        lambda s, ps: s["param_groups"][0].update(params=["a", "b"]),
        lambda s, ps: s["param_groups"][0].update(params=[0]),
        lambda s, ps: s["param_groups"][0].update(other=1),
        lambda s, ps: s["param_groups"][0].pop("lr"),
        lambda s, ps: s["state"].update({7: {}}),
        lambda s, ps: s["state"].update({0: 3}),
        lambda s, ps: s["state"].update({ps["a"]: {}}),
        lambda s, ps: ps.pop("a"),
    ],
)
def test_swap_in_refuses(change):
    mine, theirs = pairs([(2,), (3,)])
    feed(mine, theirs, np.random.default_rng(0))
    for library, ps in ((optim, mine), (torch.optim, theirs)):
        optimizer = library.Adam(ps)
        named = {"a": ps[0], "b": ps[1]}
        with (
            pytest.raises(RuntimeError),
            library.swap_in_optimizer_params_and_state(optimizer, named, optimizer.state_dict()),
        ):
            pass
        optimizer.step()
        state = copy.deepcopy(optimizer.state_dict())
        change(state, named)
        with (
            pytest.raises(RuntimeError),
            library.swap_in_optimizer_params_and_state(optimizer, named, state),
        ):
            pass
        assert optimizer.param_groups[0]["params"][0] is ps[0]
