"""Which activation functions Monitor and doctor watch, and that a part of one is not judged."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, optim, viz
from tensorgrad.nn import functional as F


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def looked_at(activation, shift=-8.0, width=40):
    """What Monitor and doctor say of a layer whose inputs are shifted in 36 of 40 units."""
    tg.manual_seed(0)
    first = nn.Linear(6, 40)
    with tg.no_grad():
        first.bias[:36] += shift
    model = nn.Sequential(first, activation, nn.Linear(width, 3))
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    monitor = viz.Monitor(model, optimizer, every=1, activations=True)
    x, y = tg.randn(32, 6), tg.randint(0, 3, (32,))
    for _ in range(12):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    return monitor, viz.doctor(model, nn.CrossEntropyLoss(), (x, y))


@pytest.mark.parametrize(
    "activation",
    [nn.ELU(), nn.SELU(), nn.CELU(), Function(F.elu), Function(F.silu),
     Function(lambda x: x * tg.sigmoid(x)), nn.LeakyReLU(), nn.PReLU()],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("shift", [-8.0, 8.0])
def test_a_part_of_another_function_is_not_judged(activation, shift):
    monitor, found = looked_at(activation, shift)
    assert monitor.tracks() == []
    judged = {"dead units", "saturation"}
    assert not judged & set(monitor.warnings().causes)
    assert not judged & set(found.causes)


def test_a_gate_may_be_shut():
    monitor, found = looked_at(nn.GLU(), width=20)
    assert monitor.warnings().causes == []
    assert found.causes == []


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.ReLU6(), nn.GELU(), nn.SiLU(), nn.Mish()])
def test_what_can_die(activation):
    monitor, found = looked_at(activation)
    (track,) = monitor.tracks()
    assert track.name == f"1: {type(activation).__name__.lower()}"
    assert 0.8 < track.dead[-1] < 0.95
    assert track.saturated[-1] is None
    assert monitor.warnings().causes == ["dead units"]
    assert found.causes == ["dead units"]
    monitor, found = looked_at(activation, shift=0.0)
    assert monitor.tracks()[0].dead[-1] < 0.2
    assert monitor.warnings().causes == []
    assert found.causes == []


@pytest.mark.parametrize("activation", [nn.Sigmoid(), nn.Tanh(), nn.Hardtanh(), nn.Hardtanh(-3, 2)])
def test_what_saturates(activation):
    monitor, found = looked_at(activation)
    assert monitor.tracks()[0].saturated[-1] > 0.8
    assert monitor.warnings().causes == ["saturation"]
    assert found.causes == ["saturation"]
    monitor, found = looked_at(activation, shift=0.0)
    assert monitor.tracks()[0].saturated[-1] < 0.2
    assert found.causes == []


def test_flat_is_where_the_derivative_is_small():
    x = tg.linspace(-12, 12, 4001, dtype=tg.float64).requires_grad_()
    for function in (nn.GELU(), nn.SiLU(), nn.Mish(), nn.ReLU6(), nn.Tanh(), nn.Sigmoid()):
        y = function(x)
        kind = viz.diagnosis.activations.kind_of(y.grad_fn)
        (slope,) = tg.autograd.grad(y.sum(), x)
        stuck = kind.stuck(y.detach().numpy())
        at, slope = x.detach().numpy(), np.abs(slope.numpy())
        assert np.all(slope[stuck & (np.abs(at) > 0.06)] < 0.06)
        assert np.all(stuck[(slope < 0.005) & (np.abs(at) > 7)])
