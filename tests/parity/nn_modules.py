"""Modules run by both libraries with the same parameters, in whichever way a test says."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from parity.nn_compare import assert_same, numbers, seed_of, sides

import tensorgrad as tg
from tensorgrad import nn


def both(make):
    """A module in both libraries, with PyTorch's parameters, none of them 0."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, ours = make(torch.nn).double(), make(nn).double()
    assert repr(ours) == repr(theirs)
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    for number, value in enumerate(state.values()):
        drawn = np.asarray(0.5 * numbers(*value.shape, seed=number))
        value.copy_(torch.from_numpy(drawn))
    ours.load_state_dict({key: tg.from_numpy(t.numpy().copy()) for key, t in state.items()})
    return theirs, ours


def flat(value):
    if isinstance(value, (tuple, list)):
        return [t for item in value for t in flat(item)]
    return [] if value is None else [value]


def check(theirs, ours, run):
    """The same outputs, and gradients of parameters and leaves, for one way to run a module."""
    found = []
    for module, side in zip((theirs, ours), sides()):
        module.zero_grad()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outputs = flat(run(module, side))
        for out in outputs:
            if out.requires_grad:
                out.backward(side.const(seed_of(out)), retain_graph=True)
        gradients = [t.grad for t in (*side.leaves.values(), *module.parameters())]
        found.append((outputs, gradients))
    assert_same(found[0][0], found[1][0], "output")
    assert_same(found[0][1], found[1][1], "gradient")
