"""Profiles as bars and as flame graphs: what is shown adds up, fits, and names what is wrong."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

import tensorgrad as tg
from tensorgrad import nn, viz
from tensorgrad.consoles import cells
from tensorgrad.profiler import profile, record_function


def train(**switches):
    tg.manual_seed(0)
    net = nn.Sequential()
    net.add_module("first <&> " + "x" * 60, nn.Linear(3, 40))
    net.add_module("活性化", nn.Tanh())
    net.add_module("last", nn.Sequential(nn.Linear(40, 2)))
    optimizer = tg.optim.SGD(net.parameters(), lr=0.1)
    with profile(**switches) as prof:
        for _ in range(3):
            with record_function("a step"):
                optimizer.zero_grad()
                net(tg.ones(50, 3)).sum().backward()
                optimizer.step()
    return prof


@pytest.fixture(scope="module")
def prof():
    return train()


@pytest.mark.parametrize("by", ["module", "line", "operation"])
def test_bars_add_up_to_the_time_of_the_profile(prof, by):
    data = viz.profile(prof, by).data
    rows = data["rows"]
    assert sum(row["total"] for row in rows) == pytest.approx(data["elapsed"])
    for row in rows:
        parts = (row[key] for key in ("forward", "backward", "update", "other"))
        assert row["total"] == pytest.approx(sum(parts))
    assert rows[-1]["name"] == "outside of operations"
    times = [row["total"] for row in rows[:-1]]
    assert times == sorted(times, reverse=True)
    assert sum(row["update"] > 0 for row in rows) == 1


def test_operations_have_their_gradients(prof):
    rows = {row.name: row for row in viz.profile(prof, "operation").rows}
    assert {"linear", "tanh", "sum", "AccumulateGrad", "SGD.step"} <= {*rows}
    assert not any("Backward0" in name for name in rows)
    assert (rows["linear"].calls, rows["tanh"].calls, rows["SGD.step"].calls) == (6, 3, 3)
    gradient = [e.self_cpu_time_total for e in prof.events() if e.name == "TanhBackward0"]
    assert rows["tanh"].backward == pytest.approx(sum(gradient))


@pytest.mark.parametrize("modules", [False, True])
def test_a_flame_graph_is_a_tree_of_what_called_what(modules):
    prof = train(with_modules=modules)
    data = viz.profile(prof, "call").data
    (step,) = data["inside"]
    assert (step["name"], step["calls"], step["kind"]) == ("a step", 3, "range")
    names = {call["name"] for call in step["inside"]}
    assert {"backward", "Optimizer.step#SGD.step"} <= names
    whole = [data]
    for call in whole:
        whole += call["inside"]
        inner = sum(inner["total"] for inner in call["inside"])
        assert inner <= call["total"] * (1 + 1e-9)
        assert call["own"] == pytest.approx(call["total"] - inner)
    kinds = {call["name"]: call["kind"] for call in whole}
    assert kinds["last.0 (Linear)"] == "module"
    assert (kinds["linear"], kinds["TanhBackward0"]) == ("forward", "backward")
    linear = sum(call["total"] for call in whole if call["name"] == "linear")
    times = [e.cpu_time_total for e in prof.events() if e.name == "linear"]
    assert linear == pytest.approx(sum(times))


@pytest.mark.parametrize("by", ["module", "line", "operation", "call"])
def test_every_form(prof, by, tmp_path):
    figure = viz.profile(prof, by, title="A <title> & more")
    lines = str(figure).splitlines()
    assert max(map(cells, lines)) <= 80
    assert lines[0] == "A <title> & more"
    assert "A &lt;title&gt; &amp; more" in figure.svg()
    assert "<script" not in figure.html()
    assert json.loads(figure.json())["by"] == by
    table = list(csv.reader(io.StringIO(figure.csv())))
    assert len({len(row) for row in table}) == 1
    assert r"\begin{tikzpicture}" in figure.save(tmp_path / "x.tex").read_text("utf-8")


def test_bars_are_as_long_as_their_times(prof):
    figure = viz.profile(prof)
    widths = re.findall(
        r'<rect class="(soft|bar|dot|zeros)" [^>]*width="([\d.]+)" height="13"', figure.svg()
    )
    parts = [
        getattr(row, key)
        for row in figure.rows
        for key in ("forward", "backward", "update", "other")
        if getattr(row, key) > 0
    ]
    assert len(widths) == len(parts)
    longest = max(row.total for row in figure.rows)
    for (_, width), part in zip(widths, parts):
        assert float(width) == pytest.approx(part / longest * 420, abs=0.06)


def test_many_rows_are_one(prof):
    every = viz.profile(prof, "operation", max_rows=None)
    few = viz.profile(prof, "operation", max_rows=2)
    assert len(every.shown) == len(every.rows) == len(few.rows)
    assert len(few.shown) == 3
    assert re.match("… [0-9]+ rows$", few.shown[1].name)
    sums = [sum(row.total for row in figure.shown) for figure in (every, few)]
    assert sums[0] == pytest.approx(sums[1])
    flame = viz.profile(prof, "call", max_rows=3)
    assert re.search(r"… \d+ rows$", str(flame))
    assert "LinearBackward0" in flame.html()


def test_a_breakdown_is_drawn_too(prof):
    assert str(viz.profile(prof.by_line())) == str(viz.profile(prof, "line"))


def test_an_empty_profile():
    with profile() as nothing:
        pass
    for by in ("module", "line", "operation", "call"):
        assert viz.profile(nothing, by).svg().startswith("<svg")


def test_what_is_no_profile(prof):
    for value in (None, nn.Linear(2, 2), prof.key_averages(), profile):
        with pytest.raises(TypeError, match=r"viz\.profile: prof must be a tensorgrad\.profiler"):
            viz.profile(value)
    with pytest.raises(RuntimeError, match=r"viz\.profile: nothing was recorded yet"):
        viz.profile(profile())
    with profile() as running, pytest.raises(RuntimeError, match="still running"):
        viz.profile(running)
    with pytest.raises(ValueError, match=r"viz\.profile: by must be one of 'module'.*not 'modul'"):
        viz.profile(prof, "modul")
    with pytest.raises(ValueError, match=r"viz\.profile: max_rows must be at least 2"):
        viz.profile(prof, max_rows=1)
