"""Report 004's momentum beside PyTorch's SGD, which starts its buffer elsewhere."""

from __future__ import annotations

import pytest
import torch

from examples.reports import r004
from tensorgrad import optim

MU, RATE = 0.9, 0.1
GRADIENTS = (1.0, -0.5, 2.0)


def torch_steps(zero_buffer: bool) -> list[float]:
    p = torch.nn.Parameter(torch.tensor(1.0, dtype=torch.float64))
    optimizer = torch.optim.SGD([p], RATE, momentum=MU, dampening=MU)
    if zero_buffer:
        optimizer.state[p]["momentum_buffer"] = torch.zeros_like(p)
    places = []
    for g in GRADIENTS:
        p.grad = torch.tensor(g, dtype=torch.float64)
        optimizer.step()
        places.append(p.item())
    return places


def test_the_first_three_steps():
    ours = r004.three_steps(lambda p: r004.RunningMean(p, RATE, MU), GRADIENTS)
    sgd = r004.three_steps(lambda p: optim.SGD(p, RATE, momentum=MU, dampening=MU), GRADIENTS)
    assert sgd == pytest.approx(torch_steps(zero_buffer=False), abs=1e-15)
    # PyTorch's, begun with a buffer of zeros, is the report's.
    assert ours == pytest.approx(torch_steps(zero_buffer=True), abs=1e-15)
    assert ours[0] - sgd[0] == pytest.approx(RATE * MU)
