"""Optimizers and schedulers against PyTorch: the same gradients in, the same numbers out."""

from __future__ import annotations

import functools
import inspect
import itertools

import numpy as np
import pytest
import torch
from parity.optim_compare import assert_same, assert_same_tree, feed, pairs, to_tensorgrad
from samples_optim import ADAFACTOR, LBFGS, MUON, OPTIMIZERS

import tensorgrad as tg
from tensorgrad import optim

STEPS = 20


CASES = [
    (row.name, o) for row in OPTIMIZERS if row not in (ADAFACTOR, MUON, LBFGS) for o in row.variants
]


ELEMENTWISE = list(dict.fromkeys(name for name, _ in CASES))


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_twenty_steps(name, kwargs):
    mine, theirs = pairs()
    a, b = getattr(optim, name)(mine, **kwargs), getattr(torch.optim, name)(theirs, **kwargs)
    rng = np.random.default_rng(1)
    for i in range(STEPS):
        feed(mine, theirs, rng, skip={1} if i in (0, 7) else ())  # some without a gradient
        a.step()
        b.step()
        assert_same(mine, theirs)
    assert_same_tree(a.state_dict(), b.state_dict())
    assert repr(a) == repr(b)


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("dtype", [np.float32, np.complex128, np.complex64])
def test_other_dtypes(name, dtype):
    # eps is large: PyTorch's float32 sums are in another order, and m / (sqrt(v) + eps) of a
    # tiny first gradient would magnify the last bit.
    kwargs = {"lr": 0.1} if name == "Rprop" else {"lr": 0.1, "weight_decay": 0.01}
    kwargs |= {"eps": 1e-3} if name not in ("SGD", "Rprop", "ASGD") else {}
    kwargs |= {"amsgrad": True} if name in ("Adam", "AdamW") else {}
    kwargs |= {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
    kwargs |= {"initial_accumulator_value": 0.5} if name == "Adagrad" else {}
    mine, theirs = pairs([(7, 3), ()], dtype)
    a, b = getattr(optim, name)(mine, **kwargs), getattr(torch.optim, name)(theirs, **kwargs)
    rng = np.random.default_rng(2)
    for _ in range(STEPS):
        feed(mine, theirs, rng)
        a.step()
        b.step()
    assert_same(mine, theirs, 1e-10 if dtype == np.complex128 else 2e-5)
    assert_same_tree(a.state_dict(), b.state_dict(), 1e-10 if dtype == np.complex128 else 2e-5)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_groups_and_rates_that_change(name):
    mine, theirs = pairs()
    made = []
    for library, ps in ((optim, mine), (torch.optim, theirs)):
        groups = [
            {"params": ps[:2], "lr": 0.5},
            {"params": ps[2], **({} if name == "Rprop" else {"weight_decay": 0.2})},
        ]
        optimizer = getattr(library, name)(groups, lr=0.1)
        optimizer.add_param_group({"params": iter(ps[3:]), "maximize": True})
        made.append(optimizer)
    rng = np.random.default_rng(3)
    for i in range(STEPS):
        feed(mine, theirs, rng)
        for optimizer in made:
            optimizer.param_groups[0]["lr"] = 0.5 / (1 + i)
            if name == "SGD" and i == 5:
                optimizer.param_groups[1]["momentum"] = 0.9  # its buffer starts now
            optimizer.step()
    assert_same(mine, theirs)
    assert repr(made[0]) == repr(made[1])
    assert_same_tree(made[0].state_dict(), made[1].state_dict())


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_state_dict_of_pytorch_continues_here(name):
    kwargs = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
    kwargs |= {"amsgrad": True} if name in ("Adam", "AdamW") else {}
    mine, theirs = pairs()
    theirs_optimizer = getattr(torch.optim, name)(
        [(f"layer.{i}", q) for i, q in enumerate(theirs)], lr=0.1, **kwargs
    )
    rng = np.random.default_rng(4)
    for _ in range(3):
        feed(mine, theirs, rng)
        theirs_optimizer.step()
    mine = [tg.tensor(q.detach().numpy().copy(), requires_grad=True) for q in theirs]
    optimizer = getattr(optim, name)(mine, lr=77.0, **kwargs)
    optimizer.load_state_dict(to_tensorgrad(theirs_optimizer.state_dict()))
    assert_same_tree(optimizer.state_dict(), theirs_optimizer.state_dict())
    for _ in range(3):
        feed(mine, theirs, rng)
        optimizer.step()
        theirs_optimizer.step()
    assert_same(mine, theirs)


def test_tensor_hyperparameters():
    mine, theirs = pairs()
    lr = 0.125  # exact in float32, in which PyTorch computes with a tensor
    a = optim.SGD(mine, lr=tg.tensor([lr]), momentum=0.5)
    b = torch.optim.SGD(theirs, lr=torch.tensor([lr]), momentum=0.5)
    schedulers = optim.lr_scheduler.StepLR(a, 2, 0.5), torch.optim.lr_scheduler.StepLR(b, 2, 0.5)
    rng = np.random.default_rng(5)
    for _ in range(6):
        feed(mine, theirs, rng)
        a.step()
        b.step()
        for scheduler in schedulers:
            scheduler.step()
        assert a.param_groups[0]["lr"].item() == b.param_groups[0]["lr"].item()
    assert_same(mine, theirs)


# --- Those that look at a whole parameter ---------------------------------------------------------


@pytest.mark.parametrize("kwargs", ADAFACTOR.variants)
def test_adafactor(kwargs):
    mine, theirs = pairs(ADAFACTOR.shapes)
    a, b = optim.Adafactor(mine, **kwargs), torch.optim.Adafactor(theirs, **kwargs)
    rng = np.random.default_rng(6)
    for i in range(STEPS):
        feed(mine, theirs, rng, skip={1} if i in (0, 7) else ())
        a.step()
        b.step()
        assert_same(mine, theirs)
    assert_same_tree(a.state_dict(), b.state_dict())
    assert repr(a) == repr(b)
    again = optim.Adafactor(mine, lr=7.0)
    again.load_state_dict(to_tensorgrad(b.state_dict()))
    for _ in range(3):
        feed(mine, theirs, rng)
        again.step()
        b.step()
    assert_same(mine, theirs)


MATRICES = MUON.shapes


@pytest.mark.parametrize("kwargs", MUON.variants)
def test_muon(kwargs, monkeypatch):
    # PyTorch's own code, but for its rounding to bfloat16, of which the next test is.
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    mine, theirs = pairs(MATRICES)
    a, b = optim.Muon(mine, **kwargs), torch.optim.Muon(theirs, **kwargs)
    rng = np.random.default_rng(7)
    for i in range(STEPS):
        feed(mine, theirs, rng, skip={1} if i in (0, 7) else ())
        a.step()
        b.step()
        assert_same(mine, theirs)
    assert_same_tree(a.state_dict(), b.state_dict())
    assert repr(a) == repr(b)


def test_muon_with_bfloat16s_rounding():
    mine, theirs = pairs([(8, 8), (3, 5)], np.float32)
    a, b = optim.Muon(mine, lr=0.1), torch.optim.Muon(theirs, lr=0.1)
    feed(mine, theirs, np.random.default_rng(8))
    a.step()
    b.step()
    for p, q in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), atol=0.1 * 0.02)


@pytest.mark.parametrize("name", ["Adafactor", "Muon"])
def test_what_is_refused_as_there(name):
    bad = {
        "Adafactor": [
            {"beta2_decay": 0.1},
            {"eps": (-1.0, 1e-3)},
            {"eps": (None, -1.0)},
            {"d": 0.5},
        ],
        "Muon": [{"momentum": -1}, {"adjust_lr_fn": "other"}],
    }[name]
    for library, tensor in ((optim, tg.tensor), (torch.optim, torch.tensor)):
        make = getattr(library, name)
        for kwargs in [*bad, {"lr": -1.0}, {"weight_decay": -1}, {"lr": tensor([0.1, 0.1])}]:
            with pytest.raises(ValueError):
                make([tensor([[1.0]], requires_grad=True)], **kwargs)
        p = tensor([[1.0 + 1j]], requires_grad=True)
        p.grad = tensor([[1.0 + 1j]])
        with pytest.raises(RuntimeError, match="complex"):
            make([p]).step()
        if name == "Muon":
            with pytest.raises(ValueError, match="only supports 2D parameters"):
                make([tensor([1.0], requires_grad=True)])
            q = tensor([[1.0]], requires_grad=True)
            q.grad = tensor([[1.0]])
            with pytest.raises(ValueError, match="less than 100"):
                make([q], ns_steps=100).step()
            with pytest.raises(ValueError, match="exactly 3 values"):
                make([q], ns_coefficients=(1.0, 2.0)).step()


def test_every_name_and_signature():
    """Each optimizer, schedule and helper has PyTorch's arguments, and was compared above."""
    for path in ("optim", "optim.lr_scheduler", "optim.swa_utils"):
        mine, theirs = (functools.reduce(getattr, path.split("."), x) for x in (tg, torch))
        missing = set(theirs.__all__) - set(dir(mine))
        assert missing == ({"SparseAdam"} if path == "optim" else set())
        for name in set(theirs.__all__) - missing:
            a, b = getattr(mine, name), getattr(theirs, name)
            if callable(b):
                a, b = inspect.signature(a).parameters, inspect.signature(b).parameters
                assert [(p.name, p.kind, p.default) for p in a.values()] == [
                    (p.name, p.kind, p.default) for p in b.values()
                ], name


def test_a_hundred_steps():
    for name, kwargs in (("NAdam", {}), ("RAdam", {}), ("ASGD", {"t0": 30}), ("Rprop", {})):
        mine, theirs = pairs()
        a, b = getattr(optim, name)(mine, **kwargs), getattr(torch.optim, name)(theirs, **kwargs)
        rng = np.random.default_rng(9)
        for _ in range(100):
            feed(mine, theirs, rng)
            a.step()
            b.step()
        assert_same(mine, theirs)
        assert_same_tree(a.state_dict(), b.state_dict())


# --- LBFGS ----------------------------------------------------------------------------------------


def rosenbrock(ps):
    total = 0.0
    for p in ps:
        v = p.reshape(-1).abs() if p.is_complex() else p.reshape(-1)
        for a, b in itertools.pairwise(v):
            total = total + 100 * (b - a * a) ** 2 + (1 - a) ** 2
        total = total + (v**2).sum() * 0.1
    return total


def lbfgs_run(library, ps, steps, state=None, **kwargs):
    optimizer = library.LBFGS(ps, **kwargs)
    if state is not None:
        optimizer.load_state_dict(state)
    losses = []

    def closure():
        optimizer.zero_grad()
        loss = rosenbrock(ps)
        loss.backward()
        losses.append(loss.item())
        return loss

    for _ in range(steps):
        optimizer.step(closure)
    return optimizer, losses


@pytest.mark.parametrize("kwargs", LBFGS.variants)
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_lbfgs(kwargs, dtype):
    mine, theirs = pairs(LBFGS.shapes, dtype, seed=3)
    # Few steps: what a last bit does to a long search is not the rule's.
    steps = max(1, 20 // kwargs.get("max_iter", 20))
    a, seen = lbfgs_run(optim, mine, steps, **kwargs)
    b, there = lbfgs_run(torch.optim, theirs, steps, **kwargs)
    assert len(seen) == len(there)
    np.testing.assert_allclose(seen, there, rtol=1e-8)
    assert_same(mine, theirs, 1e-8)
    one, other = a.state_dict(), b.state_dict()
    assert one["param_groups"] == other["param_groups"]
    assert one["state"][0].keys() == other["state"][0].keys()
    assert one["state"][0]["func_evals"] == other["state"][0]["func_evals"]
    assert one["state"][0]["n_iter"] == other["state"][0]["n_iter"]
    assert len(one["state"][0]["old_dirs"]) == len(other["state"][0]["old_dirs"])
    assert_same(one["state"][0]["old_stps"], other["state"][0]["old_stps"], 1e-6)
    assert repr(a) == repr(b)
    # PyTorch's state continues here.
    mine = [tg.tensor(q.detach().numpy().copy(), requires_grad=True) for q in theirs]
    state = to_tensorgrad(b.state_dict())
    _, seen = lbfgs_run(optim, mine, 1, state, **kwargs)
    _, there = lbfgs_run(torch.optim, theirs, 1, b.state_dict(), **kwargs)
    np.testing.assert_allclose(seen[:3], there[:3], rtol=1e-8)
