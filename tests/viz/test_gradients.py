"""viz.grad_flow: the numbers are right, and what is not a number is said in words."""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, viz
from tensorgrad.viz.charts import gradient_table
from tensorgrad.viz.figures.words import text_width

SVG = "{http://www.w3.org/2000/svg}"


def parameter(values, grad):
    """A parameter with this gradient (None: none)."""
    tensor = tg.tensor(np.asarray(values, np.float32), requires_grad=True)
    if grad is not None:
        tensor.grad = tg.tensor(np.asarray(grad, np.float32))
    return tensor


def one(values, grad):
    (row,) = viz.grad_flow({"w": parameter(values, grad)}).rows
    return row


def test_the_statistics():
    row = one([[3.0, 0.0], [0.0, 4.0]], [[1.0, -2.0], [2.0, 0.0]])
    assert row.status == "ok"
    assert row.mean == pytest.approx(1.25)
    assert row.max == 2.0
    assert row.std == pytest.approx(np.std([1.0, -2.0, 2.0, 0.0]))
    assert row.norm == pytest.approx(3.0)
    assert row.data_norm == pytest.approx(5.0)
    assert row.ratio == pytest.approx(0.6)


def test_a_model_after_backward():
    w = tg.ones(4, 3, requires_grad=True)
    unused = tg.ones(2, requires_grad=True)
    (tg.ones(5, 4) @ w).sum().backward()
    figure = viz.grad_flow([("w", w), ("unused", unused)])
    assert [row.status for row in figure.rows] == ["ok", "none"]
    assert figure.rows[0].mean == pytest.approx(5.0)


def test_a_gradient_that_was_not_computed_is_never_zero():
    figure = viz.grad_flow({"w": parameter([1.0], None)})
    (row,) = figure.rows
    assert row.status == "none"
    assert (row.mean, row.max, row.std, row.norm, row.ratio) == (None,) * 5
    assert "no gradient" in str(figure)
    assert "no gradient" in figure.svg()
    assert figure.data["parameters"][0]["mean"] is None
    assert " 0" not in str(figure).splitlines()[-1]


def test_reasons_for_no_gradient():
    frozen = tg.ones(2)
    inner = tg.ones(2, requires_grad=True) * 2
    inner.sum().backward()
    text = str(viz.grad_flow({"frozen": frozen, "inner": inner}))
    assert "no gradient (requires_grad=False)" in text
    assert "no gradient kept (not a leaf)" in text


def test_zeros_nan_and_infinities_are_said():
    assert one([1.0], [0.0]).status == "zero"
    assert one([1.0], [0.0]).remark == "all zero"
    nan = one([1.0] * 4, [math.nan, 1.0, math.inf, -math.inf])
    assert (nan.status, nan.nan, nan.inf) == ("nan", 1, 2)
    assert nan.remark == "1 NaN and 2 inf of 4"
    assert one([1.0, 1.0], [math.inf, 0.0]).remark == "1 inf of 2"
    figure = viz.grad_flow({"w": parameter([1.0, 1.0], [math.nan, 0.0])})
    assert json.loads(figure.json())["parameters"][0]["mean"] == "nan"


def test_scalars_empty_tensors_and_a_parameter_of_zeros(parse_svg):
    figure = viz.grad_flow(
        {
            "scalar": parameter(2.0, 0.5),
            "empty": parameter(np.ones((0, 3)), np.ones((0, 3))),
            "zeros": parameter([0.0, 0.0], [1.0, 1.0]),
        }
    )
    scalar, empty, zeros = figure.rows
    assert scalar.ratio == pytest.approx(0.25)
    assert empty.remark == "no elements"
    assert zeros.ratio is None
    assert "parameter is 0" in figure.svg()
    parse_svg(figure.svg())


def test_extremes_neither_overflow_nor_vanish(parse_svg):
    tiny = tg.tensor(np.full(4, 1e-300), requires_grad=True)
    tiny.grad = tg.tensor(np.full(4, 1e-320))
    huge = tg.tensor(np.full(4, 1e300), requires_grad=True)
    huge.grad = tg.tensor(np.full(4, 1e308))
    figure = viz.grad_flow({"tiny": tiny, "huge": huge})
    assert [row.status for row in figure.rows] == ["ok", "ok"]
    assert figure.rows[0].norm == pytest.approx(2e-320)
    assert figure.rows[1].mean == pytest.approx(1e308)
    assert figure.rows[1].norm == math.inf  # 2e308 is beyond what a float64 can hold
    assert "not finite" in figure.svg()
    parse_svg(figure.svg())
    str(figure)


@pytest.mark.parametrize("layers", [1, 3, 60])
def test_the_chart_has_a_row_a_parameter_and_no_text_on_another(layers, parse_svg):
    named = [(f"layers.{i}.weight", parameter([1.0], [10.0**-i])) for i in range(layers)]
    root = parse_svg(viz.grad_flow(named).svg())
    texts = [t for t in root.iter(SVG + "text") if t.text and t.text.startswith("layers.")]
    heights = sorted(float(t.attrib["y"]) for t in texts)
    assert len(heights) == layers
    assert all(b - a >= 14 for a, b in pairwise(heights))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for t in root.iter(SVG + "text"):
        room = viz.figures.words.text_width(t.text or "", 12)
        x = float(t.attrib["x"])
        anchor = t.attrib.get("text-anchor", "start")
        left = x - room if anchor == "end" else x - room / 2 if anchor == "middle" else x
        assert left >= 0
        assert left + room <= width + 4
        assert 0 < float(t.attrib["y"]) < height
    ticks = [
        (float(t.attrib["y"]), float(t.attrib["x"]))
        for t in root.iter(SVG + "text")
        if (t.text or "").startswith("10")
    ]
    ticks.sort()
    for (y0, x0), (y1, x1) in pairwise(ticks):
        assert y0 != y1 or x1 - x0 > 24


def test_long_and_hostile_names(hostile, parse_svg, tmp_path):
    named = [(f"{name}{k}", parameter([1.0], [1.0])) for k, name in enumerate(hostile)]
    figure = viz.grad_flow(named, title="</title><script>1</script>")
    root = parse_svg(figure.svg())
    assert "<b>bold</b>2" in {"".join(t.itertext()) for t in root.iter(SVG + "text")}
    page = figure.save(tmp_path / "g.html").read_text("utf-8")
    assert "<script" not in page
    str(figure).encode("utf-8")


def test_same_input_same_bytes_and_the_figure_is_of_its_moment():
    w = parameter([1.0, 2.0], [1.0, 1.0])
    first, second = viz.grad_flow({"w": w}), viz.grad_flow({"w": w})
    w.grad = None
    for a, b in (
        (first.svg(), second.svg()),
        (first.html(), second.html()),
        (str(first), str(second)),
    ):
        assert a == b
    assert "no gradient" not in str(first)


def test_a_chart_is_not_saved_as_a_graph(tmp_path):
    figure = viz.grad_flow({"w": parameter([1.0], [1.0])})
    with pytest.raises(ValueError, match=r"'\.dot' is not one of.*choose \.csv, \.html, \.json"):
        figure.save(tmp_path / "g.dot")


def test_wrong_arguments():
    with pytest.raises(TypeError, match="got None"):
        viz.grad_flow(None)
    with pytest.raises(TypeError, match="expected a Module"):
        viz.grad_flow(parameter([1.0], None))
    with pytest.raises(TypeError, match=r"model\.named_parameters"):
        viz.grad_flow([parameter([1.0], None)])
    with pytest.raises(ValueError, match="no parameters"):
        viz.grad_flow({})


def test_as_csv(tmp_path):
    figure = viz.grad_flow({"w": parameter([3.0, 4.0], [1.0, -1.0]), "=b": parameter([1.0], None)})
    lines = figure.to_csv(tmp_path / "flow.csv").splitlines()
    assert lines[0] == "name,shape,status,mean,max,std,norm,data_norm,ratio"
    assert lines[1] == "w,2,ok,1,1,1,1.41421,5,0.282843"
    assert lines[2] == "'=b,1,none,,,,,,"
    assert (tmp_path / "flow.csv").read_text() == figure.to_csv()
    assert figure.save(tmp_path / "again.csv").read_text() == figure.to_csv()


def test_as_a_matplotlib_figure():
    pytest.importorskip("matplotlib", reason="an extra")
    named = {"$w_0$": parameter([3.0, 4.0], [1.0, -1.0]), "frozen": parameter([1.0], None)}
    drawn = viz.grad_flow(named).to_matplotlib()
    drawn.canvas.draw()
    left, right = drawn.axes
    assert [t.get_text() for t in left.get_yticklabels()] == [r"\$w_0\$", "frozen (no gradient)"]
    assert list(left.lines[0].get_xdata()) == [1.0]
    assert len(right.lines[0].get_xdata()) == 1
    viz.grad_flow({"frozen": parameter([1.0], None)}).to_matplotlib().canvas.draw()


def test_the_columns_of_a_long_table_are_measured_once(monkeypatch):
    calls = []
    widths = gradient_table._widths

    def counted(lines):
        calls.append(lines)
        return widths(lines)

    monkeypatch.setattr(gradient_table, "_widths", counted)
    model = nn.Sequential(*[nn.Linear(2, 2) for _ in range(100)])
    model(tg.ones(3, 2)).sum().backward()
    text = str(viz.grad_flow(model, max_rows=None))
    assert text.count("weight") == 100
    assert len(calls) < 10


def many(count):
    """Parameters of which some, in the middle, are ill."""
    named = {f"layer{k}.weight": parameter([1.0], [1.0 + k / count]) for k in range(count)}
    ill = {400: None, 410: [math.nan], 420: [0.0], 430: [1e-9], 440: [1e9], 450: None, 460: None}
    for k, grad in ill.items():
        named[f"layer{k}.weight"] = parameter([1.0], grad)
    return named


def test_of_thousands_the_worst_are_seen(parse_svg):
    figure = viz.grad_flow(many(900), max_rows=20)
    text = str(figure)
    seen = [line.split(".")[0] for line in text.splitlines() if line.startswith("layer")]
    wanted = [400, 410, 420, 430, 440]
    assert {f"layer{k}" for k in wanted} <= set(seen)
    assert {"layer0", "layer1", "layer898", "layer899"} <= set(seen)
    assert len(seen) == 18  # two of the largest are the last
    # Of three without a gradient two are rows, the third is not hidden.
    assert "… 441 rows" not in text
    assert re.search(r"^… \d+ rows, 1: no gradient$", text, re.MULTILINE)
    folds = [line for line in text.splitlines() if line.startswith("…")]
    assert sum(int(re.match(r"… (\d+) row", line)[1]) for line in folds) == 882
    drawn = ["".join(t.itertext()) for t in parse_svg(figure.svg()).iter(SVG + "text")]
    assert set(folds) <= set(drawn)
    assert len([t for t in drawn if t.startswith("layer")]) == 18
    assert "900 parameters" in figure.svg()


def test_what_is_folded_is_in_the_data_and_in_the_page():
    figure = viz.grad_flow(many(900))
    assert len(figure.data["parameters"]) == len(figure.rows) == 900
    assert figure.to_csv().count("\n") == 901
    assert figure.html().count("layer123.weight") == 1
    assert "layer123.weight" not in str(figure)
    assert "layer123.weight" in str(viz.grad_flow(many(900), max_rows=None))


def test_rows_that_fit_are_not_folded():
    assert "…" not in str(viz.grad_flow({f"p{k}": parameter([1.0], [1.0]) for k in range(60)}))
    for wrong, kind in ((1, ValueError), ("9", TypeError), (True, TypeError)):
        with pytest.raises(kind, match=r"viz\.grad_flow: max_rows must be"):
            viz.grad_flow({"w": parameter([1.0], None)}, max_rows=wrong)


@pytest.mark.parametrize("title", ["Gradient flow", "a title of many words, " * 8])
def test_the_title_and_the_legend_do_not_overlap(title):
    w = tg.ones(3, requires_grad=True)
    w.grad = tg.ones(3)
    svg = viz.grad_flow({"w": w}, title=title).svg()
    found = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" class="(title|muted)">([^<]+)</text>', svg)
    ((x, y, _, words),) = [f for f in found if f[2] == "title"]
    end = float(x) + text_width(words, 14, bold=True) * 1.2  # as a fallback font has it
    assert float(re.search(r'width="([\d.]+)"', svg)[1]) >= float(x) + text_width(words, 14)
    for other, line, kind, _ in found:
        assert kind == "title" or line != y or float(other) > end
