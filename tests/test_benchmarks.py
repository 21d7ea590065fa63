"""The benchmark suite itself: each workload runs and repeats itself; figures are judged rightly."""

from __future__ import annotations

import copy
import json
import math
import xml.etree.ElementTree as ET

import chart
import numpy as np
import operations
import peers
import profile_step
import pytest
import report
import results
import run
import scaling
import workloads
from agreement import check, gradients_differ
from peer_models import LOSSES
from targets import STEPS, Figure, Target, figures
from workloads import WORKLOADS

import tensorgrad as tg
from tensorgrad.kernels import registry
from tensorgrad.kernels.onednn import health

SMALL = {
    "cifar_mlp": lambda: workloads.cifar_mlp(tg, batch=8, width=16),
    "mnist_cnn_b64": lambda: workloads.mnist_cnn(tg, 4),
    "cifar_vgg": lambda: workloads.cifar_vgg(tg, batch=4),
    "transformer": lambda: workloads.transformer(tg, batch=2, length=8),
    "lstm": lambda: workloads.lstm(tg, batch=2, time=5),
    "elementwise": lambda: workloads.elementwise(tg, rows=8),
}


def build(name):
    return SMALL[name]() if name in SMALL else WORKLOADS[name](tg)


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_repeats_itself_and_learns(name):
    first, second = build(name), build(name)
    losses = [first(), first()]
    assert losses == [second(), second()]
    assert all(map(math.isfinite, losses))
    assert gradients_differ(first.gradients(), second.gradients())[0] == 0.0
    if first.optimizer is not None:
        assert losses[1] < losses[0]
    gradients = first.gradients().values()
    assert all(np.isfinite(g).all() for g in gradients)
    assert max(np.abs(g).max() for g in gradients) > 0


def test_every_workload_has_a_bar_and_a_peer():
    assert set(WORKLOADS) == set(STEPS) == set(LOSSES)
    learning = {name for name in WORKLOADS if build(name).optimizer is not None}
    assert set(peers.UPDATES) == learning


def test_the_mini_vgg_is_that_of_the_reports():
    parameters = WORKLOADS["cifar_vgg"](tg).parameters
    assert sum(p.numel() for p in parameters.values()) == 9_231_114


def test_there_are_forty_operations_and_each_reaches_a_leaf():
    families = (
        operations.ELEMENTWISE,
        operations.REDUCTIONS,
        operations.SHAPE,
        operations.LINEAR_ALGEBRA,
    )
    assert [len(family) for family in families] == [20, 8, 8, 4]
    for name in operations.OPERATIONS:
        _, *gradients = operations.build(tg, name)()
        assert any(g is not None for g in gradients), name


def test_a_wrong_gradient_is_noticed():
    wrong = build("tiny_mlp")
    right = wrong.gradients
    wrong.gradients = lambda: {name: 1.001 * g for name, g in right().items()}
    with pytest.raises(SystemExit, match="gradients of"):
        check("tiny_mlp", {"a": build("tiny_mlp"), "b": wrong})
    shifted = build("tiny_mlp")
    loss = shifted.loss
    shifted.loss = lambda: loss() + 0.01
    with pytest.raises(SystemExit, match="losses of step 1"):
        check("tiny_mlp", {"a": build("tiny_mlp"), "b": shifted})


def test_inference_records_nothing():
    workload = build("tiny_mlp")
    assert workload.predict is not None
    out = workload.predict(1)()
    assert out.shape == (1, 1)
    assert not out.requires_grad


def made_up(ratio=0.5, runs=None):
    step = {"tensorgrad": {"median": 1e-3, "p10": 1e-3}, "torch": {"median": 2e-3, "p10": 2e-3}}
    step |= {"ratio": ratio, "runs": {"ratio": runs or [ratio] * 3}}
    line = [[1, 1.0], [10, 10.0]]
    return {
        "about": {
            "date": "2026-01-01",
            "machine": "2-core",
            "system": "Linux",
            "python": "3.11",
            "versions": {"tensorgrad": "0", "numpy": "2"},
            "runs": 3,
        },
        "steps": {"mnist_mlp": step},
        "per-op": {"ratio": 0.4, "operations": {"add": step}},
        "scaling": {"batch": {"title": "batch", "x_label": "n", "lines": {"tensorgrad": line}}},
    }


def test_runs_are_combined_by_their_medians():
    runs = [{"a": {"ratio": r, "median": r}} for r in (3.0, 1.0, 2.0)]
    combined = results.combine(runs)
    assert combined == {"a": {"ratio": 2.0, "median": 2.0, "runs": {"ratio": [3.0, 1.0, 2.0]}}}


def test_a_regression_beyond_the_noise_is_one():
    stored = made_up(0.5)
    assert results.compare(made_up(0.53), stored)[1] == []
    (worse,) = results.compare(made_up(0.6), stored)[1]
    assert "mnist_mlp" in worse
    # The same change is no regression where single runs differ by as much.
    assert results.compare(made_up(0.6, [0.4, 0.6, 0.62]), stored)[1] == []
    lines, worse = results.compare(made_up(0.3), stored)
    assert worse == []
    assert "better" in lines[0]


def test_the_exit_status_says_that_something_became_slower(tmp_path, monkeypatch, capsys):
    def measure(*_):
        return {"steps": {"mnist_mlp": {"ratio": 0.5}}}

    monkeypatch.setattr(run, "measure", measure)
    stored = tmp_path / "stored.json"
    for before, status in ((0.5, None), (0.3, "1 regressions beyond the noise")):
        stored.write_text(json.dumps(made_up(before)))
        monkeypatch.setattr("sys.argv", ["run.py", "--compare", str(stored)])
        if status is None:
            run.main()
        else:
            with pytest.raises(SystemExit, match=status):
                run.main()
    monkeypatch.setattr("sys.argv", ["run.py", "--compare", str(tmp_path / "missing.json")])
    with pytest.raises(SystemExit):
        run.main()
    assert "no stored result file" in capsys.readouterr().err


def test_an_update_keeps_what_was_not_measured():
    old = made_up()
    new = {"steps": {"scalar": {"ratio": 1.0}}}
    before = copy.deepcopy(old)
    merged = results.update(old, new)
    assert set(merged["steps"]) == {"mnist_mlp", "scalar"}
    assert merged["per-op"] == old["per-op"]
    assert old == before


def test_figures_are_judged_by_their_bars():
    target = Target(1.0, 0.5)
    verdicts = [Figure("x", value, [value], target).verdict for value in (0.5, 1.0, 1.01)]
    assert verdicts == ["goal", "bar", "missed"]
    assert Figure("x", 0.4, [0.4], Target(0.35, 0.5)).verdict == "missed"  # an inference's
    assert [f.name for f in figures(made_up())] == ["mnist_mlp", "per-op"]


def test_the_page_is_written_between_its_marks_only():
    page = "before\n<!-- begin: steps -->\nold\n<!-- end: steps -->\nafter\n"
    written = report.written(page, made_up())
    assert written.startswith("before\n<!-- begin: steps -->\n| one training step |")
    assert "old" not in written
    assert written.endswith("<!-- end: steps -->\nafter\n")
    assert report.written(written, made_up()) == written
    with pytest.raises(SystemExit, match="'nothing'"):
        report.written("<!-- begin: nothing -->\n<!-- end: nothing -->", made_up())


def accelerated_figures():
    f = {"tensorgrad": {"median": 0.004}, "torch": {"median": 0.01}, "ratio": 0.4}
    return {**f, "inference": {"full": {"ratio": 0.6}, "one": {"ratio": 0.7}}}


def test_what_was_measured_with_the_accelerator_has_a_table_of_its_own():
    found = {"accelerator": {"mnist_cnn_b16": accelerated_figures()}}
    row = "| mnist_cnn_b16 | 4.00 | 10.0 | **0.40** | 0.5 | 0.60 | 0.70 |"
    assert report.accelerated(found).endswith(row)
    assert report.accelerated({}) == "Not measured in this run."
    assert "accelerator" not in report.others(found)
    assert [(f.name, f.verdict) for f in figures(found)] == [("accelerator mnist_cnn_b16", "bar")]
    other = {"accelerator": {"transformer": accelerated_figures()}}
    assert list(results.update(found, other)["accelerator"]) == ["mnist_cnn_b16", "transformer"]


def test_the_accelerators_part_alone_uses_it(monkeypatch, capsys):
    modes = []

    def compared(name, seconds, others, target):
        modes.append((name, registry.mode(), target.bar))
        return {}

    monkeypatch.setattr(run, "compare", compared)
    monkeypatch.setattr(run.inference, "compare", lambda *args: {})
    monkeypatch.setattr(health, "reason", lambda: "")
    monkeypatch.delenv("TENSORGRAD_KERNELS", raising=False)
    words = ["run.py", "--only", "steps", "accelerator", "tiny_mlp", "transformer"]
    monkeypatch.setattr(run.sys, "argv", words)
    run.main()
    assert modes == [
        ("tiny_mlp", "numpy", 0.35), ("transformer", "numpy", 2.0), ("transformer", "auto", 1.3)
    ]  # fmt: skip
    monkeypatch.setattr(health, "reason", lambda: "not here")
    assert run.accelerated(["transformer"], 1.0) == {}
    assert "nothing is measured with oneDNN: not here" in capsys.readouterr().out


def test_pictures_are_whole():
    for name, svg in report.pictures(made_up()).items():
        root = ET.fromstring(svg)
        width, height = float(root.get("width")), float(root.get("height"))
        for item in root.iter("{http://www.w3.org/2000/svg}text"):
            size = chart.text_width(item.text, 14 if item.get("class") == "title" else 11)
            start = float(item.get("x"))
            start -= {"end": size, "middle": size / 2}.get(item.get("text-anchor"), 0.0)
            assert start >= 0, (name, item.text)
            assert start + size <= width, (name, item.text)
            assert float(item.get("y")) <= height, (name, item.text)


def test_growth_in_proportion_has_slope_one():
    assert chart.slopes([(1.0, 2.0), (10.0, 20.0), (100.0, 20.0)]) == pytest.approx([1.0, 0.0])
    for _, _, sizes, build_one in scaling.AXES.values():
        assert math.isfinite(build_one(tg, sizes[1])())


def test_the_profile_counts_calls():
    clock = profile_step.Clock()
    double = clock.timed(lambda x: 2 * x, ("double", "forward"))
    assert clock.timed(lambda x: double(x) + 1, ("outer", "forward"))(3) == 7
    assert clock.calls == {("outer", "forward"): 1}  # the inner call counts for the outermost
    clock.end_step()
    spent, calls = clock.medians()
    assert spent["outer", "forward"] > 0
    assert calls["outer", "forward"] == 1
    assert profile_step.nodes(build("tiny_mlp"))["linear"] == 3
