"""viz.Monitor: the numbers are right, training is not disturbed, what was not computed is not 0."""

from __future__ import annotations

import copy
import csv
import gc
import io
import math
import pickle
import re

import numpy as np
import pytest
from monitor_tools import Net, batch, course, train, watched

import tensorgrad as tg
from tensorgrad import nn, optim, viz
from tensorgrad.graph.node import Node, local
from tensorgrad.nn import functional as F
from tensorgrad.viz.monitoring.sampling import LOWEST, Spaced, every, statistics


def test_the_numbers_are_those_of_the_whole_tensors_when_all_is_sampled():
    tg.manual_seed(0)
    model = nn.Linear(4, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    monitor = viz.Monitor(model, optimizer, every=1)
    x, y = batch(features=4)
    for _ in range(3):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        before, g = model.weight.detach().numpy().copy(), model.weight.grad.numpy().copy()
        optimizer.step()
    c = course(monitor, "weight")
    assert monitor.steps == [0, 1, 2]
    assert c.row("mean")[-1] == pytest.approx(g.mean(), rel=1e-5, abs=1e-9)
    assert c.row("abs_mean")[-1] == pytest.approx(abs(g).mean(), rel=1e-5)
    assert c.row("max")[-1] == pytest.approx(abs(g).max(), rel=1e-6)
    assert c.row("std")[-1] == pytest.approx(g.std(), rel=1e-5)
    ratio = np.linalg.norm(g) / np.linalg.norm(before)
    assert c.grad_to_data[-1] == pytest.approx(ratio, rel=1e-5)
    assert c.update_to_data[-1] == pytest.approx(0.5 * ratio, rel=1e-4)
    assert c.histograms[-1].sum() == 12


@pytest.mark.parametrize("size", [0, 1, 7, 512, 513, 1024 * 1024, 1000 * 512, 2**17])
def test_samples_are_spread_over_rows_and_columns(size):
    spaced = Spaced(size, 512)
    array = np.arange(size)
    part = every(array, spaced.step)
    assert len(part) == spaced.count <= 512
    if size > 1000:
        assert len(part) > 400
        assert len(set(part % 1024)) > 350  # of a matrix with 1024 columns, not one of them only


def test_histograms_are_by_factors_of_two():
    g = np.array([0.0, 1.0, -1.5, 2.0, 1e-300, np.nan, np.inf])
    values, histograms = statistics(g, np.ones(7), np.ones(7), np.array([7]))
    h = histograms[0]
    assert h[0] == 1
    assert h[1 - LOWEST + 0] == 2  # 1 and 1.5: from 2**0 to 2**1
    assert h[1 - LOWEST + 1] == 1
    assert h[1] == 1  # what is smaller than the smallest bin
    assert h.sum() == 5
    assert np.isnan(values[0, 0])
    assert values[-1, 0] == 0


def test_what_was_not_computed_is_never_zero():
    _, _, monitor = watched()
    frozen, unused = course(monitor, "frozen.weight"), course(monitor, "unused.weight")
    assert frozen.status == ["frozen"] * 3
    assert unused.status == ["no gradient"] * 3
    for c in (frozen, unused):
        assert np.isnan(c.values).all()
        assert c.histograms == [None] * 3
    report = monitor.report()
    line = next(line for line in str(report).splitlines() if line.startswith("frozen.weight"))
    assert line.endswith("frozen")
    assert " 0" not in line
    rows = list(csv.DictReader(io.StringIO(monitor.to_csv())))
    row = next(row for row in rows if row["name"] == "unused.bias")
    assert row["status"] == "no gradient"
    assert row["abs_mean"] == row["update_to_data"] == ""
    assert report.data["parameters"][2]["abs_mean"][0] == "nan"


def test_training_is_not_disturbed():
    tg.manual_seed(0)
    plain = Net()
    train(plain, optim.SGD(plain.parameters(), lr=0.1), 30)
    model, _, _ = watched(every=1)
    for a, b in zip(plain.parameters(), model.parameters()):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


@pytest.mark.parametrize(
    "make",
    [
        lambda p: optim.Adam(p, lr=1e-2),
        lambda p: optim.AdamW(p, lr=1e-2),
        lambda p: optim.RMSprop(p),
        lambda p: optim.Adagrad(p),
        lambda p: optim.Rprop(p),
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    ],
)
def test_any_optimizer(make):
    tg.manual_seed(0)
    model = Net()
    optimizer = make(model.parameters())
    monitor = viz.Monitor(model, optimizer, every=2)
    train(model, optimizer, 6)
    assert np.isfinite(course(monitor, "first.weight").update_to_data).all()


def test_an_optimizer_with_a_closure():
    tg.manual_seed(0)
    model = nn.Linear(8, 3)
    optimizer = optim.LBFGS(model.parameters(), max_iter=3)
    monitor = viz.Monitor(model, optimizer, every=1)
    x, y = batch()

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        return loss

    for _ in range(2):
        optimizer.step(closure)
    c = course(monitor, "weight")
    assert c.status == ["ok", "ok"]
    assert (c.update_to_data > 0).all()


def test_activations_as_functions_and_as_modules():
    _, _, monitor = watched()
    relu, tanh = monitor.tracks()
    assert "monitor_tools.py:" in relu.name
    assert relu.location.filename.endswith("monitor_tools.py")
    assert 0 < relu.zero[-1] < 1
    assert relu.saturated == (None,) * 3
    assert tanh.dead == (None,) * 3
    model = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 3))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    monitor = viz.Monitor(model, optimizer, every=1, activations=True)
    with tg.no_grad():
        model[0].bias[:2] = -100.0
    train(model, optimizer, 2)
    (track,) = monitor.tracks()
    assert track.name == "1: relu"
    assert track.dead == (0.5, 0.5)


def test_parts_of_a_model_that_are_called_by_themselves():
    class Coder(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(8, 4), nn.ReLU())
            self.head = nn.Linear(4, 3)

    model = Coder()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    monitor = viz.Monitor(model, optimizer, every=1)
    x, y = batch()
    for _ in range(3):
        F.cross_entropy(model.head(model.body(x)), y).backward()
        optimizer.step()
    assert [t.name for t in monitor.tracks()] == ["body.1: relu"]


def test_an_evaluation_and_another_model_do_not_count():
    tg.manual_seed(0)
    model, other = Net(), nn.Sequential(nn.Linear(8, 8), nn.Sigmoid())
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    monitor = viz.Monitor(model, optimizer, every=1)
    x, y = batch()
    with tg.no_grad():
        model(x * 1000)
    other(x)
    train(model, optimizer, 1, (x, y))
    assert [t.name.split()[0] for t in monitor.tracks()] == ["relu", "tanh"]
    assert monitor.tracks()[1].saturated[0] < 0.5


def test_detached_it_leaves_nothing_behind():
    model, optimizer, monitor = watched(every=1)
    monitor.detach()
    monitor.detach()
    assert all(module._hooks is None for module in model.modules())
    assert local.context.on_forward == ()
    train(model, optimizer, 3)
    assert len(monitor.steps) == 30
    assert "detached" in repr(monitor)
    with viz.Monitor(model, optimizer, every=1) as inside:
        train(model, optimizer, 2)
    train(model, optimizer, 2)
    assert inside.steps == [0, 1]


def test_an_error_in_forward_leaves_no_observer():
    model, optimizer, _ = watched(every=1)
    with pytest.raises(RuntimeError):
        model(tg.ones(2, 5))
    assert local.context.on_forward == ()
    train(model, optimizer, 2)


def test_copies_and_pickles_of_a_watched_model_are_not_watched():
    model, _, monitor = watched(every=1)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        optimizer = optim.SGD(other.parameters(), lr=0.1)
        train(other, optimizer, 2)
        assert len(monitor.steps) == 30
    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        pickle.dumps(monitor)


def test_the_graph_dies_with_its_loss():
    model, optimizer, monitor = watched(every=1)
    gc.collect()
    gc.disable()
    try:
        x, y = batch()
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        del loss
        nodes = [o for o in gc.get_objects() if type(o) is Node]
    finally:
        gc.enable()
    assert nodes == []
    assert monitor.steps[-1] == 30


def test_no_step_yet_one_step_and_odd_models(parse_svg, tmp_path):
    model = Net()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    monitor = viz.Monitor(model, optimizer)
    for _ in range(2):
        figure = monitor.report()
        parse_svg(figure.svg())
        str(figure)
        figure.save(tmp_path / "m.json")
        assert monitor.warnings().findings == () or len(monitor.steps) == 1
        train(model, optimizer, 1)
    odd = nn.Module()
    odd.scalar = nn.Parameter(tg.tensor(2.0))
    odd.empty = nn.Parameter(tg.ones(0, 3))
    odd.zero = nn.Parameter(tg.zeros(3))
    odd.complex = nn.Parameter(tg.ones(2, dtype=tg.complex64))
    optimizer = optim.SGD(odd.parameters(), lr=0.1)
    monitor = viz.Monitor(odd, optimizer, every=1)
    for _ in range(2):
        optimizer.zero_grad()
        total = odd.scalar * odd.zero.sum() + odd.empty.sum() + odd.complex.abs().sum()
        total.backward()
        optimizer.step()
    parse_svg(monitor.report().svg())
    assert course(monitor, "complex").row("abs_mean")[0] == pytest.approx(1.0)


def test_nan_and_infinite_gradients_are_said(parse_svg):
    model = nn.Linear(2, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    monitor = viz.Monitor(model, optimizer, every=1)
    for value in (1.0, np.inf):
        optimizer.zero_grad()
        (model(tg.ones(4, 2)) * value).sum().backward()
        optimizer.step()
    figure = monitor.report()
    parse_svg(figure.svg())
    assert "not finite" in figure.svg()
    (found,) = [f for f in monitor.warnings() if f.cause == "NaN or infinity"]
    assert found.layer == "weight"
    assert found.data["step"] == 1


def test_same_run_same_bytes():
    (_, _, a), (_, _, b) = watched(), watched()
    assert a.report().svg() == b.report().svg()
    assert str(a.report()) == str(b.report())
    assert a.to_csv() == b.to_csv()
    assert a.report().svg() == a.report().svg()


def test_hostile_names(hostile, parse_svg):
    model = nn.Module()
    for k, name in enumerate(hostile):
        model._parameters[f"{name}{k}"] = nn.Parameter(tg.ones(2, 2))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    monitor = viz.Monitor(model, optimizer, every=1)
    sum(p.sum() for p in model.parameters()).backward()
    optimizer.step()
    figure = monitor.report()
    parse_svg(figure.svg())
    assert "<script" not in figure.html()
    str(figure).encode()
    monitor.to_csv().encode("utf-8", "replace")


def test_choosing_names():
    _, _, monitor = watched()
    assert [c.name for c in monitor.report("*.weight").courses] == [
        "first.weight",
        "frozen.weight",
        "last.weight",
        "unused.weight",
    ]
    assert monitor.report(["first.bias"]).tracks == []
    with pytest.raises(ValueError, match=r"matches none of first\.weight"):
        monitor.report("body.*")


def test_text_fits_into_a_terminal():
    _, _, monitor = watched()
    assert max(map(len, str(monitor.report()).splitlines())) <= 80


def test_wrong_arguments():
    model = nn.Linear(2, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(TypeError, match=r"Monitor\(model, optimizer\)"):
        viz.Monitor(model, model.parameters())
    with pytest.raises(TypeError, match="must be a Module"):
        viz.Monitor(optimizer, model)
    with pytest.raises(ValueError, match="every must be an int of at least 1"):
        viz.Monitor(model, optimizer, every=0)
    with pytest.raises(TypeError, match="activations must be True, False or None, got 'all'"):
        viz.Monitor(model, optimizer, activations="all")
    with pytest.raises(ValueError, match="no parameters"):
        viz.Monitor(nn.ReLU(), optimizer)


def test_matplotlib_is_an_extra():
    _, _, monitor = watched()
    try:
        import matplotlib  # noqa: F401  (only whether it is there)
    except ImportError:
        with pytest.raises(ImportError, match=r"tensorgrad\[matplotlib\]"):
            monitor.report().to_matplotlib()
    else:
        assert len(monitor.report().to_matplotlib().axes) == 8
        assert len(monitor.to_matplotlib().axes) == 8


def test_what_is_said_of_nan_does_not_stand_on_the_lines():
    tg.manual_seed(0)
    model = nn.Linear(4, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with viz.Monitor(model, optimizer, every=1) as monitor:
        for step in range(8):
            optimizer.zero_grad()
            x = tg.randn(16, 4) * (math.nan if step == 6 else 1.0)
            model(x).pow(2).mean().backward()
            optimizer.step()
    svg = monitor.report().svg()
    said = [float(y) for y in re.findall(r'y="([\d.]+)" class="warn">not finite from', svg)]
    lines = re.findall(r'class="line thin s0[^"]*" d="M([\d. L]+)"', svg)
    points = [tuple(map(float, point.split())) for line in lines for point in line.split("L")]
    assert len(said) == 2
    for y in said:
        near = [py for _, py in points if abs(py - y) < 60]
        assert near
        assert all(py > y + 2 or py < y - 10 for _, py in points)
