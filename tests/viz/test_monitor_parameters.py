"""Monitor looks its parameters up anew: those of a model may be shared, exchanged, added."""

from __future__ import annotations

import tensorgrad as tg
from tensorgrad import nn, optim, viz


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
    course = next(c for c in monitor.courses() if c.name == "2.weight")
    assert course.row("data_norm")[-1] == 0
    model.late = nn.Linear(2, 1)
    for _ in range(8):
        step()
    assert "late.weight" in [c.name for c in monitor.courses()]
