"""Schedules that follow a metric or are made of others, and what is refused, as in PyTorch."""

from __future__ import annotations

import copy

import pytest
import torch
from parity.optim_compare import options, rates, two_groups
from samples_optim import SCHEDULERS, chained, from_the_second, sequential

import tensorgrad as tg
from tensorgrad import optim

STEPS = 20
(PLATEAU,) = (row for row in SCHEDULERS if row.name == "ReduceLROnPlateau")
METRICS = [1.0, 0.9, 0.91, 0.92, 0.9, 0.95, 0.7, 0.7, 0.71, 0.7, float("nan"), 0.7, 0.6999, 0.8]


@pytest.mark.parametrize("kwargs", PLATEAU.variants)
def test_reduce_on_plateau(kwargs):
    a, b = two_groups(optim, tg.tensor), two_groups(torch.optim, torch.tensor)
    mine = optim.lr_scheduler.ReduceLROnPlateau(a, **kwargs)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(b, **kwargs)
    for i, metric in enumerate(METRICS * 2):
        mine.step(tg.tensor(metric, dtype=tg.float64) if i % 2 else metric)
        theirs.step(metric)
        assert rates(a) == rates(b) == mine.get_last_lr()
        assert mine.in_cooldown == theirs.in_cooldown
    assert mine.state_dict() == theirs.state_dict()
    again = optim.lr_scheduler.ReduceLROnPlateau(two_groups(optim, tg.tensor), mode="max")
    again.load_state_dict(theirs.state_dict())
    assert again.state_dict() == theirs.state_dict()


def test_reduce_on_plateau_with_groups_added():
    for library, tensor in ((optim, tg.tensor), (torch.optim, torch.tensor)):
        for least, message in ((0.1, None), ([0.1, 0.2], "min_lrs")):
            optimizer = two_groups(library, tensor)
            scheduler = library.lr_scheduler.ReduceLROnPlateau(
                optimizer, patience=0, factor=0.5, min_lr=least
            )
            optimizer.add_param_group({"params": [tensor([1.0], requires_grad=True)], "lr": 1.0})
            scheduler.step(1.0)
            if message is None:
                scheduler.step(1.0)
                assert rates(optimizer) == [0.25, 0.03, 0.5]
            else:
                with pytest.raises(RuntimeError, match=message):
                    scheduler.step(1.0)


@pytest.mark.parametrize("make", [sequential, chained, from_the_second])
def test_combined(make):
    a, b = two_groups(optim, tg.tensor), two_groups(torch.optim, torch.tensor)
    mine, theirs = make(optim.lr_scheduler, a), make(torch.optim.lr_scheduler, b)
    assert options(a) == options(b)
    for _ in range(STEPS):
        for optimizer, scheduler in ((a, mine), (b, theirs)):
            optimizer.step()
            scheduler.step()
        assert options(a) == options(b)
        assert mine.get_last_lr() == theirs.get_last_lr()
    assert mine.state_dict() == theirs.state_dict()


@pytest.mark.parametrize("make", [sequential, chained])
def test_combined_resumes(make):
    optimizer = two_groups(optim, tg.tensor)
    scheduler = make(optim.lr_scheduler, optimizer)
    for _ in range(6):
        optimizer.step()
        scheduler.step()
    again = two_groups(optim, tg.tensor)
    resumed = make(optim.lr_scheduler, again)
    saved = copy.deepcopy(scheduler.state_dict())
    resumed.load_state_dict(saved)
    assert saved == scheduler.state_dict()  # not taken apart
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for _ in range(8):
        for o, s in ((optimizer, scheduler), (again, resumed)):
            o.step()
            s.step()
        assert rates(optimizer) == rates(again)


def test_parts_that_do_not_go_together():
    for library, tensor in ((optim, tg.tensor), (torch.optim, torch.tensor)):
        a, b = two_groups(library, tensor), two_groups(library, tensor)
        module = library.lr_scheduler
        plateau, steps, other = (
            module.ReduceLROnPlateau(a),
            module.StepLR(a, 2),
            module.StepLR(b, 2),
        )
        for parts, error in (
            ([], ValueError),
            ([steps, plateau], ValueError),
            ([steps, other], ValueError),
            ([steps, 3], TypeError),
        ):
            with pytest.raises(error):
                module.ChainedScheduler(parts)
            with pytest.raises(error):
                module.SequentialLR(a, parts, [1])
        with pytest.raises(ValueError, match="number of milestone"):
            module.SequentialLR(a, [steps, steps], [1, 2])


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("CosineAnnealingWarmRestarts", {"T_0": 0}),
        ("CosineAnnealingWarmRestarts", {"T_0": 2.0}),
        ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 0}),
        ("CosineAnnealingWarmRestarts", {"T_0": 2, "eta_min": "0"}),
        ("ReduceLROnPlateau", {"factor": 1.0}),
        ("ReduceLROnPlateau", {"mode": "least"}),
        ("ReduceLROnPlateau", {"threshold_mode": "least"}),
        ("ReduceLROnPlateau", {"min_lr": [0.1]}),
        ("CyclicLR", {"base_lr": 0.1, "max_lr": [0.1]}),
        ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.2, "mode": "square"}),
        ("OneCycleLR", {"max_lr": 0.1}),
        ("OneCycleLR", {"max_lr": 0.1, "epochs": 3}),
        ("OneCycleLR", {"max_lr": 0.1, "total_steps": 0}),
        ("OneCycleLR", {"max_lr": 0.1, "total_steps": 2.5}),
        ("OneCycleLR", {"max_lr": 0.1, "epochs": 3, "steps_per_epoch": 0}),
        ("OneCycleLR", {"max_lr": 0.1, "total_steps": 5, "pct_start": 1}),
        ("OneCycleLR", {"max_lr": 0.1, "total_steps": 5, "anneal_strategy": "exp"}),
        ("OneCycleLR", {"max_lr": [0.1], "total_steps": 5}),
    ],
)
def test_refused_as_there(name, kwargs):
    for library, tensor in ((optim, tg.tensor), (torch.optim, torch.tensor)):
        with pytest.raises(ValueError):
            getattr(library.lr_scheduler, name)(two_groups(library, tensor), **kwargs)


def test_momentum_needs_an_optimizer_that_has_it():
    for library, tensor in ((optim, tg.tensor), (torch.optim, torch.tensor)):
        optimizer = library.Adagrad([tensor([1.0], requires_grad=True)])
        module = library.lr_scheduler
        with pytest.raises(ValueError, match="must support momentum or beta1"):
            module.CyclicLR(optimizer, 0.1, 0.2)
        with pytest.raises(ValueError, match="must support momentum or beta1"):
            module.OneCycleLR(optimizer, 0.1, 5)
        scheduler = module.OneCycleLR(optimizer, 0.1, 2, cycle_momentum=False)
        for _ in range(2):
            optimizer.step()
            scheduler.step()
        with pytest.raises(ValueError, match="Tried to step 3 times"):
            scheduler.step()
        with pytest.raises(ValueError, match="non-negative epoch"):
            module.CosineAnnealingWarmRestarts(optimizer, 3).step(-1)
