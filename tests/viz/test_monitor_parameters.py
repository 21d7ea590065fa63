"""Monitor looks its parameters up anew: those of a model may be shared, exchanged, added."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from monitor_tools import batch, course

import tensorgrad as tg
from tensorgrad import nn, optim, viz
from tensorgrad.nn import functional as F


def test_a_parameter_that_is_exchanged_or_added_is_seen():
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    model.extra = model[0].weight  # shared: under its first name
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    monitor = viz.Monitor(model, optimizer, every=1)

    def step():
        optimizer.zero_grad()
        (model(tg.ones(5, 3)) ** 2).sum().backward()
        optimizer.step()

    step()
    names = [c.name for c in monitor.courses()]
    assert names == [name for name, _ in model.named_parameters()]
    model[2].weight = nn.Parameter(tg.zeros(2, 4))
    optimizer.add_param_group({"params": [model[2].weight]})
    step()
    assert course(monitor, "2.weight").row("data_norm")[-1] == 0
    step()
    model.late = nn.Linear(2, 1)
    step()
    assert "late.weight" not in [c.name for c in monitor.courses()]
    optimizer.add_param_group({"params": [model.late.weight]})
    step(), step()
    assert "late.weight" in [c.name for c in monitor.courses()]
    model.later = nn.Linear(1, 1)  # no optimizer has it
    for _ in range(32):
        step()
    assert "later.weight" in [c.name for c in monitor.courses()]


def test_rates_are_those_of_the_step():
    model = nn.Linear(3, 2)
    optimizer = optim.SGD(
        [{"params": [model.weight], "lr": 0.5}, {"params": [model.bias], "lr": tg.tensor(0.25)}]
    )
    monitor = viz.Monitor(model, optimizer, every=1)
    for k in range(3):
        model.weight.grad, model.bias.grad = tg.ones(2, 3), tg.ones(2)
        if k == 1:
            optimizer.param_groups[0]["lr"] = 0.125
            optimizer.param_groups[1]["lr"].fill_(1.0)
        optimizer.step()
    assert course(monitor, "weight").rates == [0.5, 0.125, 0.125]
    assert course(monitor, "bias").rates == [0.25, 1.0, 1.0]
    np.testing.assert_allclose(course(monitor, "weight").row("update_norm"), [0.5, 0.125, 0.125])


def test_gradients_are_those_that_the_optimizer_was_given():
    class Careless(optim.SGD):
        def step(self, closure=None):
            super().step(closure)
            for group in self.param_groups:
                for p in group["params"]:
                    p.grad.zero_()

    model = nn.Linear(3, 2)
    monitor = viz.Monitor(model, optimizer := Careless(model.parameters(), lr=0.5), every=1)
    model.weight.grad, model.bias.grad = tg.ones(2, 3), tg.ones(2)
    optimizer.step()
    assert course(monitor, "weight").row("grad_norm").tolist() == [1.0]


def test_a_closure_that_calls_the_model_writes_between_the_rows():
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 3))
    x, y = batch()

    def values(activations):
        twin = copy.deepcopy(model)
        optimizer = optim.SGD(twin.parameters(), lr=0.1)
        monitor = viz.Monitor(twin, optimizer, every=1, activations=activations)

        def closure():
            optimizer.zero_grad()
            loss = F.cross_entropy(twin(x), y)
            loss.backward()
            return loss

        for _ in range(5):
            optimizer.step(closure)
        return course(monitor, "2.weight").values

    found = [values(True), values(False)]
    np.testing.assert_array_equal(*found)
    assert (found[0][-1] > 0).all()


def test_new_memory_in_a_parameters_place_is_seen():
    model = nn.Linear(3, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    monitor = viz.Monitor(model, optimizer, every=1)
    for k in range(3):
        model.weight.data = tg.full((2, 3), float(k))
        model.weight.grad = tg.ones(2, 3)
        optimizer.step()
    found = course(monitor, "weight")
    assert found.row("data_norm").tolist() == [0.0, 1.0, 2.0]
    assert found.row("update_norm").tolist() == [0.5] * 3


def test_a_step_that_puts_new_memory_in_the_old_ones_place():
    class Exchanging(optim.SGD):
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    p.data = p.data - group["lr"] * p.grad

    model = nn.Linear(3, 2)
    monitor = viz.Monitor(model, optimizer := Exchanging(model.parameters(), lr=0.5), every=1)
    model.weight.grad, model.bias.grad = tg.ones(2, 3), tg.ones(2)
    optimizer.step()
    assert course(monitor, "weight").row("update_norm").tolist() == [0.5]


def _with_gaps(x):
    wide = tg.zeros(len(x), 2 * x.shape[1])
    wide[:, ::2] = x
    return wide[:, ::2]


@pytest.mark.parametrize("count", [16, 2000])
def test_memory_in_any_order_and_with_gaps(count):
    found = []
    for lay in (lambda x: x, lambda x: x.T.contiguous().T, _with_gaps):
        weight = tg.arange(float(count)).reshape(4, -1)
        model = nn.Module()
        model.weight = nn.Parameter(lay(weight).detach())
        model.weight.grad = (weight.detach().clone() / 8 + 1).T.contiguous().T
        optimizer = optim.SGD(model.parameters(), lr=0.5)
        monitor = viz.Monitor(model, optimizer, every=1, sample=count)
        optimizer.step()
        found.append(course(monitor, "weight").values)
    expected = np.linalg.norm(np.arange(count)) / count**0.5, (count - 1) / 8 + 1
    for values in found:
        assert values[5, 0] == pytest.approx(expected[0], rel=1e-6)
        assert values[2, 0] == pytest.approx(expected[1], rel=1e-6)
        np.testing.assert_allclose(values[[0, 6]], found[0][[0, 6]], rtol=1e-6)


def test_a_step_that_fails_is_counted_and_disturbs_nothing():
    model = nn.Linear(3, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    monitor = viz.Monitor(model, optimizer, every=2)

    def closure():
        raise ArithmeticError

    for k in range(6):
        model.weight.grad, model.bias.grad = tg.ones(2, 3), tg.ones(2)
        if k in (2, 3):
            with pytest.raises(ArithmeticError):
                optimizer.step(closure)
        else:
            optimizer.step()
    assert monitor.steps == [0, 4]
    assert course(monitor, "weight").row("update_norm").tolist() == [0.5] * 2
