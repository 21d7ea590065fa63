"""The workloads compute the same in both libraries: losses of three steps, and the gradients."""

from __future__ import annotations

import operations
import pytest
import torch
from agreement import check
from workloads import WORKLOADS

import tensorgrad as tg


@pytest.mark.parametrize("name", WORKLOADS)
def test_losses_and_gradients_agree(name):
    check(name, {"tensorgrad": WORKLOADS[name](tg), "torch": WORKLOADS[name](torch)})


@pytest.mark.parametrize("name", operations.OPERATIONS)
def test_operations_agree(name):
    steps = {"tensorgrad": operations.build(tg, name), "torch": operations.build(torch, name)}
    assert operations.disagreement(steps) < 1e-5


@pytest.mark.parametrize("name", ["mnist_mlp", "deep_mlp_bn", "transformer", "lstm"])
def test_inference_agrees(name):
    ours, theirs = (WORKLOADS[name](lib).predict(4)() for lib in (tg, torch))
    torch.testing.assert_close(torch.from_numpy(ours.numpy()), theirs, rtol=1e-4, atol=1e-4)
