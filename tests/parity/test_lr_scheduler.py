"""Learning-rate schedules against PyTorch's: the same sequences of rates."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest
import torch
from parity.optim_compare import leaves, options, rates, two_groups
from samples_optim import SCHEDULERS as ROWS

import tensorgrad as tg
from tensorgrad import optim

STEPS = 20


# Those that count epochs; the others are in test_lr_scheduler_combined.
SCHEDULERS = [
    (row.name, o)
    for row in ROWS
    if not row.measured and row.module == "lr_scheduler"
    for o in row.variants
    if not callable(o)
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
