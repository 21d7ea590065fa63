"""What figures print fits into a terminal of 80 columns, with names that can be told apart."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, viz
from tensorgrad.consoles import cells

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


def test_a_graph_with_long_names_and_calls():
    names = [f"encoder.{'very_' * 40}long.{end}" for end in "ab"] + ["層" * 40, "w"]
    named = {name: tg.rand(3, requires_grad=True) for name in names}
    loss = tg.stack(list(named.values())).sum()
    model = nn.GRU(4, 5, num_layers=2, bidirectional=True)
    loss = loss + model(tg.randn(2, 3, 4))[0].sum()
    with viz.trace_backward(loss) as trace:
        loss.backward()
    show = ("shape", "dtype", "params", "formula", "location", "grad")
    figure = viz.graph(loss, [*named.items(), ("rnn", model)], trace=trace, show=show)
    lines = lines_of(figure)
    assert max(map(cells, lines)) <= 80
    assert len({line.split("  ")[0] for line in lines if "…" in line and "very" in line}) >= 2
    leaves = {leaf["name"] for leaf in figure.data["leaves"]}
    assert leaves >= set(names)


def test_gradients_stand_in_a_column():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    loss = model(tg.ones(5, 3)).sum()
    with viz.trace_backward(loss) as trace:
        loss.backward()
    lines = lines_of(viz.graph(loss, model, trace=trace, show=("shape", "grad")))
    assert len({line.index("‖grad‖") for line in lines if "%" in line and "‖grad‖" in line}) == 1


def test_wide_characters_stand_in_their_columns():
    named = {"層": tg.ones(3), "kanji_漢字": tg.ones(3), "w": tg.ones(3)}
    for p in named.values():
        p.requires_grad_()
        p.grad = tg.ones(3)
    rows = lines_of(viz.grad_flow(named))[3:]
    assert len({cells(row.partition("(3)")[0]) for row in rows}) == 1
    labels = ["犬", "a cat", "鳥の名前はとても長い"]
    table = lines_of(viz.confusion_matrix([[5, 1, 0], [0, 5, 1], [1, 0, 9]], labels=labels))
    assert len({cells(row) for row in table[4:7]}) == 1
    rows = [{"name": "漢字", "n": 1}, {"name": "name", "n": 2}]
    assert len({cells(line) for line in lines_of(viz.table(rows))[1:]}) == 1
    text = lines_of(viz.learning_curves({"損失": [1.0, 2.0], "loss": [1.0, 2.0]}))
    assert len({cells(line.partition("2")[0]) for line in text[1:]}) == 1


@pytest.mark.parametrize("count", [12, 40])
def test_a_confusion_matrix_of_many_classes_is_in_parts(count):
    counts = np.full((count, count), 1234) + np.diag(np.full(count, 56000))
    figure = viz.confusion_matrix(counts, labels=[f"class number {k}" for k in range(count)])
    lines = lines_of(figure)
    assert max(map(len, lines)) <= 80
    assert sum(line.count("57,234") for line in lines) == count
    assert sum(line.count(" 1,234") for line in lines) == count * (count - 1)
    assert sum("recall" in line for line in lines) == 1


def test_long_titles_are_broken():
    title = "a title of many words " * 8 + "x" * 100
    figures = [
        viz.learning_curves({"loss": [1.0]}, title=title),
        viz.table([{"a": 1}], title=title),
        viz.confusion_matrix([[1]], title=title),
        viz.images(np.zeros((1, 2, 2)), title=title),
        viz.grad_flow({"w": tg.ones(2, requires_grad=True)}, title=title),
    ]
    for figure in figures:
        assert max(map(len, lines_of(figure))) <= 80
        assert figure.title == title or "".join(title.split()) in "".join(str(figure).split())
