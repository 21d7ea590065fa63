"""Every optimizer and schedule has a row, and continues from its state dict to the same numbers."""

import copy

import numpy as np
import pytest
from samples_optim import OPTIMIZERS, SCHEDULERS

import tensorgrad as tg
from tensorgrad import optim
from tensorgrad.optim import lr_scheduler, swa_utils

LOSSES = [1.0, 0.9, 0.91, 0.92, 0.9, 0.95, 0.7, 0.7, 0.71, 0.7, 0.7, 0.6999]

BASES = {optim.Optimizer, lr_scheduler.LRScheduler}


def classes_of(module, base):
    """The public classes of a module that derive from a base, by name."""
    listed = {name: getattr(module, name) for name in module.__all__}
    return {n for n, k in listed.items() if isinstance(k, type) and issubclass(k, base)} - {
        kind.__name__ for kind in BASES
    }


def without_a_row():
    optimizers = classes_of(optim, optim.Optimizer) - {row.name for row in OPTIMIZERS}
    schedules = {
        (where, name)
        for where, module in (("lr_scheduler", lr_scheduler), ("swa_utils", swa_utils))
        for name in classes_of(module, lr_scheduler.LRScheduler)
    } - {(row.module, row.name) for row in SCHEDULERS}
    return sorted(optimizers | {name for _, name in schedules})


def test_every_optimizer_and_schedule_has_a_row():
    assert len(classes_of(optim, optim.Optimizer)) > 12
    assert len(classes_of(lr_scheduler, lr_scheduler.LRScheduler)) > 14
    assert without_a_row() == []
    assert len({row.name for row in OPTIMIZERS}) == len(OPTIMIZERS)


def test_a_class_without_a_row_is_noticed(monkeypatch):
    for module, base in ((optim, optim.Optimizer), (lr_scheduler, lr_scheduler.LRScheduler)):
        monkeypatch.setattr(module, "__all__", [*module.__all__, "Brand"])
        monkeypatch.setattr(module, "Brand", type("Brand", (base,), {}), raising=False)
    assert without_a_row() == ["Brand", "Brand"] or without_a_row() == ["Brand"]


def test_what_pytorch_lacks_has_a_reason():
    assert all(row.torch or row.reason for row in SCHEDULERS)


def parameters(row, seed=0):
    rng = np.random.default_rng(seed)
    return [tg.tensor(rng.standard_normal(shape), requires_grad=True) for shape in row.shapes]


def steps(row, optimizer, leaves, count, seed):
    """Steps with gradients of a seed, or down a bowl for an optimizer that asks for the loss."""
    rng = np.random.default_rng(seed)

    def closure():
        optimizer.zero_grad()
        loss = sum(((p - 0.3) ** 2).sum() + (p**4).sum() for p in leaves)
        loss.backward()
        return loss

    for _ in range(count):
        for p in leaves:
            p.grad = tg.tensor(np.asarray(rng.standard_normal(tuple(p.shape))))
        optimizer.step(closure if row.by_closure else None)


@pytest.mark.parametrize("row", OPTIMIZERS, ids=lambda row: row.name)
def test_an_optimizer_continues_from_its_state_dict(row):
    for variant in range(len(row.variants)):
        leaves = parameters(row)
        optimizer = row.make(tg, leaves, variant)
        steps(row, optimizer, leaves, 3, seed=1)
        others = [p.detach().clone().requires_grad_() for p in leaves]
        # Made with the defaults: the state dict must bring all options with it.
        other = getattr(optim, row.name)(others)
        other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        assert repr(other) == repr(optimizer)
        steps(row, optimizer, leaves, 3, seed=2)
        steps(row, other, others, 3, seed=2)
        for p, q in zip(leaves, others, strict=True):
            np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())


def schedule(row, variant):
    groups = [
        {"params": [tg.tensor([1.0], requires_grad=True)]},
        {"params": [tg.tensor([2.0], requires_grad=True)], "lr": 0.3},
    ]
    optimizer = optim.SGD(groups, lr=0.5, momentum=0.1)
    return optimizer, row.make(tg, optimizer, variant)


def rates_of(row, optimizer, scheduler, losses):
    found = []
    for loss in losses:
        optimizer.step()
        scheduler.step(loss) if row.measured else scheduler.step()
        found.append([(g["lr"], g["momentum"]) for g in optimizer.param_groups])
    return found


@pytest.mark.parametrize("row", SCHEDULERS, ids=lambda row: row.name)
def test_a_schedule_continues_from_its_state_dict(row):
    for variant in range(len(row.variants)):
        optimizer, scheduler = schedule(row, variant)
        rates_of(row, optimizer, scheduler, LOSSES[:5])
        other, resumed = schedule(row, variant)
        resumed.load_state_dict(copy.deepcopy(scheduler.state_dict()))
        other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        rest = rates_of(row, optimizer, scheduler, LOSSES[5:])
        assert rest == rates_of(row, other, resumed, LOSSES[5:])


def test_the_rows_of_schedules_move_the_rates():
    still = []
    for row in SCHEDULERS:
        seen = [
            rates_of(row, *schedule(row, variant), LOSSES) for variant in range(len(row.variants))
        ]
        if all(rates[0] == rate for rates in seen for rate in rates):
            still.append(row.name)
    assert still == []
