"""Learning-rate schedules against PyTorch's: the same sequences of rates."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest
import torch
from parity.optim_compare import leaves, options, rates, two_groups

import tensorgrad as tg
from tensorgrad import optim

STEPS = 20


class Halving:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, epoch):
        return self.factor**epoch


SCHEDULERS = [
    ("StepLR", {"step_size": 3}),
    ("StepLR", {"step_size": 1, "gamma": 0.7}),
    ("MultiStepLR", {"milestones": [2, 5, 5, 9], "gamma": 0.3}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("LambdaLR", {"lr_lambda": lambda epoch: 1 / (1 + epoch)}),
    ("LambdaLR", {"lr_lambda": [lambda epoch: 0.95**epoch, Halving(0.5)]}),
    ("MultiplicativeLR", {"lr_lambda": lambda epoch: 0.9 + 0.01 * epoch}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 4}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.5, "end_factor": 0.1, "total_iters": 7}),
    ("PolynomialLR", {"total_iters": 8, "power": 2.0}),
    ("PolynomialLR", {}),
    ("CosineAnnealingLR", {"T_max": 7}),
    ("CosineAnnealingLR", {"T_max": 4, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 100}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3}),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 2, "eta_min": 0.001}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 3}),
    ("CyclicLR", {"base_lr": [0.1, 0.01], "max_lr": [0.5, 0.2], "step_size_up": 3}),
    (
        "CyclicLR",
        {
            "base_lr": 0.1,
            "max_lr": 0.5,
            "step_size_up": 3,
            "step_size_down": 5,
            "mode": "triangular2",
            "base_momentum": [0.5, 0.6],
            "max_momentum": 0.8,
        },
    ),
    (
        "CyclicLR",
        {
            "base_lr": 0.1,
            "max_lr": 0.5,
            "step_size_up": 4,
            "mode": "exp_range",
            "gamma": 0.9,
            "cycle_momentum": False,
        },
    ),
    (
        "CyclicLR",
        {
            "base_lr": 0.1,
            "max_lr": 0.5,
            "step_size_up": 4,
            "scale_fn": lambda x: 0.9**x,
            "scale_mode": "iterations",
            "mode": "other",
        },
    ),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 2, "scale_fn": Halving(0.5)}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 20}),
    ("OneCycleLR", {"max_lr": [0.5, 0.2], "total_steps": 30, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.5, "epochs": 5, "steps_per_epoch": 6, "three_phase": True}),
    (
        "OneCycleLR",
        {
            "max_lr": 0.5,
            "total_steps": 25,
            "pct_start": 0.4,
            "div_factor": 10.0,
            "final_div_factor": 100.0,
            "base_momentum": [0.1, 0.2],
            "max_momentum": 0.7,
        },
    ),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 25, "pct_start": 0.0, "cycle_momentum": False}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 25, "pct_start": 1.0}),
]


MOVING_MOMENTUM = ("CyclicLR", "OneCycleLR")


@pytest.mark.parametrize(("name", "kwargs"), SCHEDULERS)
def test_sequence_of_rates(name, kwargs):
    a, b = two_groups(optim, tg.tensor), two_groups(torch.optim, torch.tensor)
    mine = getattr(optim.lr_scheduler, name)(a, **kwargs)
    theirs = getattr(torch.optim.lr_scheduler, name)(b, **kwargs)
    assert options(a) == options(b)
    for _ in range(STEPS):
        for optimizer, scheduler in ((a, mine), (b, theirs)):
            optimizer.step()
            scheduler.step()
        assert options(a) == options(b)
        assert mine.get_last_lr() == theirs.get_last_lr() == rates(a)
        assert mine.last_epoch == theirs.last_epoch
    assert mine.state_dict() == theirs.state_dict()


@pytest.mark.parametrize(("name", "kwargs"), [s for s in SCHEDULERS if s[0] in MOVING_MOMENTUM])
def test_the_first_beta_moves_too(name, kwargs):
    a, b = optim.AdamW(leaves(tg.tensor)), torch.optim.AdamW(leaves(torch.tensor))
    mine = getattr(optim.lr_scheduler, name)(a, **kwargs)
    theirs = getattr(torch.optim.lr_scheduler, name)(b, **kwargs)
    for _ in range(STEPS):
        for optimizer, scheduler in ((a, mine), (b, theirs)):
            optimizer.step()
            scheduler.step()
        assert options(a) == options(b)


@pytest.mark.parametrize(("name", "kwargs"), SCHEDULERS)
def test_resuming_a_schedule(name, kwargs):
    sequences = []
    for library, tensor in ((optim, tg.tensor), (torch.optim, torch.tensor)):
        found = []
        optimizer = two_groups(library, tensor)
        scheduler = getattr(library.lr_scheduler, name)(optimizer, **kwargs)
        for _ in range(4):
            optimizer.step()
            scheduler.step()
        # By last_epoch, with initial_lr in the groups ...
        resumed = two_groups(library, tensor)
        resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        by_epoch = getattr(library.lr_scheduler, name)(resumed, **kwargs, last_epoch=3)
        # ... and by state_dict.
        again = two_groups(library, tensor)
        by_state = getattr(library.lr_scheduler, name)(again, **kwargs)
        by_state.load_state_dict(copy.deepcopy(scheduler.state_dict()))
        again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        for _ in range(8):
            for o, s in ((resumed, by_epoch), (again, by_state)):
                o.step()
                s.step()
                found.append(options(o))
        sequences.append(found)
    assert sequences[0] == sequences[1]


@pytest.mark.parametrize(("name", "kwargs"), [s for s in SCHEDULERS if s[0] != "MultiplicativeLR"])
def test_going_to_an_epoch(name, kwargs):
    a, b = two_groups(optim, tg.tensor), two_groups(torch.optim, torch.tensor)
    mine = getattr(optim.lr_scheduler, name)(a, **kwargs)
    theirs = getattr(torch.optim.lr_scheduler, name)(b, **kwargs)
    for epoch in (3, 11, 2):
        for optimizer, scheduler in ((a, mine), (b, theirs)):
            optimizer.step()
            if name == "CosineAnnealingWarmRestarts":  # which takes epochs, and parts of them
                scheduler.step(epoch)
                scheduler.step(epoch + 0.25)
                continue
            with pytest.warns(UserWarning, match="epoch parameter"):
                scheduler.step(epoch)
        np.testing.assert_allclose(rates(a), rates(b), rtol=1e-14)


def test_two_schedulers_at_once():
    sequences = []
    for library, tensor in ((optim, tg.tensor), (torch.optim, torch.tensor)):
        optimizer = two_groups(library, tensor)
        module = library.lr_scheduler
        schedulers = [module.ExponentialLR(optimizer, 0.9), module.ConstantLR(optimizer, 0.5, 4)]
        sequences.append([])
        for _ in range(8):
            optimizer.step()
            for scheduler in schedulers:
                scheduler.step()
            sequences[-1].append(rates(optimizer))
    assert sequences[0] == sequences[1]


def test_the_same_warnings():
    for library, tensor in ((optim, tg.tensor), (torch.optim, torch.tensor)):
        optimizer = two_groups(library, tensor)
        scheduler = library.lr_scheduler.StepLR(optimizer, 2)
        with pytest.warns(
            UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"
        ):
            scheduler.step()
        with pytest.warns(UserWarning, match=r"please use `get_last_lr\(\)`"):
            scheduler.get_lr()
        optimizer = two_groups(library, tensor)
        scheduler = library.lr_scheduler.StepLR(optimizer, 2)
        optimizer.step = lambda: None
        with pytest.warns(UserWarning, match=r"`optimizer.step\(\)` has been overridden"):
            scheduler.step()
        optimizer = two_groups(library, tensor)
        scheduler = library.lr_scheduler.StepLR(optimizer, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for _ in range(3):
                optimizer.step()
                scheduler.step()
