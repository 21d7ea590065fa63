"""viz.learning_curves: histories of every shape, gaps, long runs, axes."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest

from tensorgrad import viz
from tensorgrad.viz.charts.smoothing import exponential_mean
from tensorgrad.viz.figures.words import text_width

SVG = "{http://www.w3.org/2000/svg}"


def texts(root):
    return ["".join(t.itertext()) for t in root.iter(SVG + "text")]


def lines(root):
    return [
        p
        for p in root.iter(SVG + "path")
        if "line" in p.attrib.get("class", "").split() and "h26" not in p.attrib["d"]
    ]


def test_panels_runs_and_series(parse_svg):
    history = {
        "loss": {
            run: {"train": [2, 1, 0.5], "validation": [2, 1.2, 0.9]} for run in ("MLP", "CNN")
        },
        "accuracy": {run: {"validation": [0.2, 0.7, 0.9]} for run in ("MLP", "CNN")},
    }
    figure = viz.learning_curves(history, title="Digits")
    root = parse_svg(figure.svg())
    shown = texts(root)
    for label in ("Digits", "loss", "accuracy", "MLP, train", "CNN, validation", "epoch"):
        assert label in shown
    assert shown.count("MLP, validation") == 1  # one legend for both panels
    assert len(lines(root)) == 6
    classes = {line.attrib["class"] for line in lines(root)}
    assert classes == {"line s0", "line s0 dash1", "line s1", "line s1 dash1"}
    assert figure.data["panels"][0]["series"][1] == {
        "run": "MLP",
        "name": "validation",
        "x": [1, 2, 3],
        "y": [2, 1.2, 0.9],
    }


def test_series_alone_make_one_panel(parse_svg):
    figure = viz.learning_curves({"train": [3, 2, 1], "validation": [3, 3, 3]}, x_label="step")
    root = parse_svg(figure.svg())
    assert len(figure.panels) == 1
    assert "step" in texts(root)


def test_pairs_arrays_and_numpy_scalars():
    pairs = viz.learning_curves({"a": [(0, 1.0), (10, 0.5)], "b": np.array([[0, 2], [5, 1]])})
    assert pairs.panels[0].series[0].x == (0.0, 10.0)
    assert pairs.panels[0].series[1].y == (2.0, 1.0)
    numbers = viz.learning_curves({"a": np.array([1.0, 2.0]), "b": iter([np.float32(1), 2])})
    assert numbers.panels[0].series[1].x == (1.0, 2.0)


def test_values_that_cannot_be_drawn_interrupt_the_line_and_are_marked(parse_svg):
    figure = viz.learning_curves({"loss": {"a": [1.0, 2.0, math.nan, 3.0, math.inf, 4.0, 5.0]}})
    root = parse_svg(figure.svg())
    assert len(lines(root)) == 2
    assert len(list(root.iter(SVG + "circle"))) == 1
    marks = [p for p in root.iter(SVG + "path") if p.attrib.get("class") == "warnmark"]
    assert len(marks) == 3  # two in the panel, one in the legend
    assert "×" in str(figure)
    y = json.loads(figure.json())["panels"][0]["series"][0]["y"]
    assert y[2] == "nan"
    assert y[4] == "inf"


def test_log_axes(parse_svg):
    figure = viz.learning_curves(
        {"loss": {"a": [100, 1, 0, 0.01, -1]}, "b": {"a": [1]}}, log=["loss"]
    )
    shown = texts(parse_svg(figure.svg()))
    assert "log scale" in shown
    assert "10⁰" in shown
    assert viz.learning_curves({"a": [1, 2]}, log=True).panels[0].log
    close = texts(parse_svg(viz.learning_curves({"a": [1.0, 1.1]}, log=True).svg()))
    assert any(label.startswith("1.0") for label in close)


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1],
        [0, 0, 0],
        [5.0] * 3,
        [1e300, -1e300],
        [1e-300, 2e-300],
        [math.nan],
        [1e12, 2e12, 1.5e12],
        [1e299, -1e299],
        [5e-324, 1e-323],
    ],
)
def test_degenerate_series_draw(values, parse_svg):
    figure = viz.learning_curves({"panel": {"a": values}})
    root = parse_svg(figure.svg())
    labels = [
        (t.attrib["y"], t.text)
        for t in root.iter(SVG + "text")
        if t.attrib.get("text-anchor") == "end"
    ]
    assert len({text for _, text in labels}) == len(labels)  # no two ticks read the same
    str(figure)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    "values", [[1e308, -1e308, 1.0], [5e-324, 1e-323], [5e-324, 1e299], [5e-324], [1e-310, 1.0]]
)
def test_the_ends_of_double_precision_draw(values, log, parse_svg):
    figure = viz.learning_curves({"panel": values}, log=log)
    svg = figure.svg()
    parse_svg(svg)
    assert not re.search(r"\b(nan|inf)\b", re.sub("<text.*?</text>", "", svg))
    *_, line = str(figure).splitlines()
    course = line.split()[-1]
    assert len(course) == len(values)
    assert set(course) <= set("▁▂▃▄▅▆▇█")
    assert (course[values.index(max(values))] == "█") == (len(values) > 1)


def test_long_runs_are_thinned_but_keep_their_extremes(parse_svg):
    values = np.sin(np.arange(100_000) / 500.0)
    values[70_000] = 9.0
    figure = viz.learning_curves({"a": values})
    svg = figure.svg()
    assert len(svg) < 60_000
    (line,) = lines(parse_svg(svg))
    heights = [float(p.split()[1]) for p in line.attrib["d"][1:].split("L")]
    assert min(heights) < sorted(heights)[1] - 50
    assert len(figure.panels[0].series[0].y) == 100_000


def test_many_series_wrap_the_legend_inside_the_picture(parse_svg):
    figure = viz.learning_curves({f"a series called {k}": [k, k + 1] for k in range(20)})
    root = parse_svg(figure.svg())
    width = float(root.attrib["width"])
    for t in root.iter(SVG + "text"):
        if (t.text or "").startswith("a series"):
            assert float(t.attrib["x"]) + viz.figures.words.text_width(t.text, 11) <= width


def test_hostile_names(hostile, parse_svg, tmp_path):
    figure = viz.learning_curves(
        {f"{n}{k}": {n: [1, 2]} for k, n in enumerate(hostile)}, title=hostile[0]
    )
    parse_svg(figure.svg())
    assert "<script" not in figure.save(tmp_path / "c.html").read_text("utf-8")
    str(figure).encode("utf-8")
    assert (
        figure.svg()
        == viz.learning_curves(
            {f"{n}{k}": {n: [1, 2]} for k, n in enumerate(hostile)}, title=hostile[0]
        ).svg()
    )


def test_wrong_histories():
    with pytest.raises(TypeError, match="must be a mapping"):
        viz.learning_curves([1, 2])
    with pytest.raises(ValueError, match="'a' is a series and 'b' a mapping"):
        viz.learning_curves({"a": [1], "b": {"c": [1]}})
    with pytest.raises(TypeError, match="'a' has 'x' at place 1"):
        viz.learning_curves({"a": [1, "x"]})
    with pytest.raises(TypeError, match="must be numbers or"):
        viz.learning_curves({"a": "123"})
    with pytest.raises(ValueError, match="has x = nan"):
        viz.learning_curves({"a": [(math.nan, 1)]})
    with pytest.raises(ValueError, match="log names 'x', which is not a panel"):
        viz.learning_curves({"loss": {"a": [1]}}, log=["x"])
    with pytest.raises(ValueError, match="no series"):
        viz.learning_curves({})
    with pytest.raises(ValueError, match="columns must be at least 1"):
        viz.learning_curves({"a": [1]}, columns=0)


@pytest.mark.parametrize("decay", [0, 0.5, 0.995, 1 - 1e-7])
def test_an_exponential_mean_is_that_of_the_loop(decay):
    rng = np.random.default_rng(0)
    y = 1 + rng.standard_normal(1_000_000)
    y[[0, 7, 500_000]] = np.nan, np.inf, -np.inf
    y[1000] = 1e12
    expected = np.empty(len(y))
    mean = weight = 0.0
    for t, value in enumerate(y.tolist()):
        if math.isfinite(value):
            mean = decay * mean + (1 - decay) * value
            weight = decay * weight + (1 - decay)
        expected[t] = mean / weight if math.isfinite(value) else value
    size = np.abs(expected[np.isfinite(expected)]).max() if decay else 0
    np.testing.assert_allclose(exponential_mean(y, decay), expected, rtol=1e-8, atol=1e-15 * size)
    assert exponential_mean(y[:0], decay).size == 0


def test_long_titles_and_names_are_not_cut_by_the_edge():
    name = "encoder.layer_with_a_very_long_name." * 5
    history = {name: {name + "train": [3, 2, 1], name + "validation": [2, 2, 2]}}
    title = "a title of many words which is longer than a panel is wide " * 3
    svg = viz.learning_curves(history, title=title).svg()
    width = float(re.search(r'width="([\d.]+)"', svg)[1])
    found = re.findall(r'<text x="([\d.]+)" y="[\d.]+"(?: class="([\w ]*)")?>([^<]+)</text>', svg)
    assert " ".join(line for _, kind, line in found if kind == "title") == title.strip()
    for x, kind, words in found:
        size, bold = (14, True) if kind == "title" else (11, kind == "strong")
        assert float(x) + text_width(words, size, bold=bold) <= width
    labels = {words for _, kind, words in found if not kind and "…" in words}
    assert len(labels) == 2


def test_runs_of_one_colour_differ_in_their_dashes():
    history = {"loss": {f"run {k}": {"train": [1, 2], "test": [2, 3]} for k in range(16)}}
    svg = viz.learning_curves(history).svg()
    legend = re.findall(r'<path class="(line s\d[^"]*)" d="M[\d. ]+h26"', svg)
    assert len(legend) == len(set(legend)) == 32
