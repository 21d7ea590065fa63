"""What figures print fits into a terminal of 80 columns, with names that can be told apart."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, viz

PREFIX = "encoder.layers.11.attention"


def lines_of(figure):
    return str(figure).splitlines()


def flow():
    named = {}
    for k, shape in enumerate([(8, 1, 3, 3), (1024, 1024), (512, 512, 3, 3), (7,)]):
        p = named[f"{PREFIX}.{k}.weight"] = nn.Parameter(tg.ones(*shape) * 1e-5)
        p.grad = tg.full(shape, -1.234567e-7 * 10**k)
    named[f"{PREFIX}.frozen"] = nn.Parameter(tg.ones(3))
    return viz.grad_flow(named)


def curves():
    y = np.exp(-np.arange(200) / 50)
    run = "a run with a name that is long, seed 0"
    return viz.learning_curves({"loss": {run: {"training": y, "validation": y / 3}}})


def table():
    model = "a convolutional network with a long name of its own, "
    rows = [
        {"model": model + kind, "optimizer": "Adam", "lr": 1e-3, "batch": 32, "dropout": 0.1,
         "test accuracy": 0.91234, "test loss": 0.3}
        for kind in ("wide", "deep")
    ]  # fmt: skip
    return viz.table(rows)


@pytest.mark.parametrize("make", [flow, curves, table])
def test_it_fits_and_names_differ(make):
    lines = lines_of(make())
    assert max(map(len, lines)) <= 80
    assert len(set(lines)) == len(lines)
    names = [line[:14] for line in lines if "…" in line]
    assert len(names) >= 2


def test_numbers_of_a_table_are_never_cut():
    row = {f"column {k}": [0.123456, 0.123456] for k in range(6)} | {"name": "n" * 50}
    lines = lines_of(viz.table([row]))
    assert lines[-1].count("[0.123456, 0.123456]") == 6
    assert "n…n" in lines[-1]


def test_a_matplotlib_report_writes_whole_decades():
    pytest.importorskip("matplotlib", reason="an extra")
    model = nn.Linear(2, 2)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    monitor = viz.Monitor(model, optimizer, every=1, activations=True)
    for scale in (1.0, 3e-5, 2.0):
        optimizer.zero_grad()
        (model(tg.ones(4, 2)) * scale).sum().backward()
        optimizer.step()
    figure = monitor.to_matplotlib()
    figure.canvas.draw()
    for axis in figure.axes:
        written = [label.get_text() for label in axis.get_yticklabels() if label.get_text()]
        assert 2 <= len(written) <= 4
        assert not any(label.get_text() for label in axis.get_yticklabels(minor=True))
