"""Rows of optimizers and schedules beside PyTorch: state dicts both ways, all rates."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from parity.optim_compare import (
    assert_same,
    assert_same_tree,
    feed,
    pairs,
    rates,
    to_tensorgrad,
    two_groups,
)
from samples_optim import LBFGS, MUON, OPTIMIZERS, SCHEDULERS

import tensorgrad as tg
from tensorgrad import optim

STEPS = 20


def to_torch(tree):
    if isinstance(tree, tg.Tensor):
        return torch.tensor(tree.detach().numpy().copy())
    if isinstance(tree, dict):
        return {key: to_torch(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(to_torch(value) for value in tree)
    return tree


# LBFGS' own exchange stands in test_optim, with the closure it needs.
@pytest.mark.parametrize("row", [r for r in OPTIMIZERS if r is not LBFGS], ids=lambda row: row.name)
@pytest.mark.parametrize("way", ["from PyTorch", "to PyTorch"])
def test_state_dicts_are_exchanged(row, way, monkeypatch):
    if row is MUON:  # PyTorch's own code, but for its rounding to bfloat16
        monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    for variant in range(len(row.variants)):
        mine, theirs = pairs(list(row.shapes))
        a, b = row.make(tg, mine, variant), row.make(torch, theirs, variant)
        rng = np.random.default_rng(7)
        for _ in range(3):
            feed(mine, theirs, rng)
            a.step()
            b.step()
        if way == "from PyTorch":
            a = getattr(optim, row.name)(mine)
            a.load_state_dict(to_tensorgrad(b.state_dict()))
            assert_same_tree(a.state_dict(), b.state_dict())
        else:
            b = getattr(torch.optim, row.name)(theirs)
            b.load_state_dict(to_torch(a.state_dict()))
        # Loading, PyTorch widens numbers that it otherwise keeps in float32: its own run changes.
        rounded = way == "to PyTorch" and row.name in ("NAdam", "ASGD")
        for _ in range(3):
            feed(mine, theirs, rng)
            a.step()
            b.step()
        assert_same(mine, theirs, 1e-6 if rounded else 1e-10)


@pytest.mark.parametrize("row", [r for r in SCHEDULERS if r.torch], ids=lambda row: row.name)
def test_rates_and_state_dicts(row):
    losses = np.random.default_rng(3).uniform(0.5, 1.0, STEPS)
    for variant in range(len(row.variants)):
        a, b = two_groups(optim, tg.tensor), two_groups(torch.optim, torch.tensor)
        mine, theirs = row.make(tg, a, variant), row.make(torch, b, variant)
        for number, loss in enumerate(losses):
            for optimizer, scheduler in ((a, mine), (b, theirs)):
                optimizer.step()
                scheduler.step(float(loss)) if row.measured else scheduler.step()
            np.testing.assert_allclose(rates(a), rates(b), rtol=1e-14)
            if number == STEPS // 2:  # PyTorch's state takes the place of this library's
                mine.load_state_dict(theirs.state_dict())
        if row.name != "SWALR":  # whose state holds a function
            assert mine.state_dict() == theirs.state_dict()
