"""Pictures of the reports: smoothed curves, runs, confusion matrices, images, kernels, tables."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
import re
import struct
import zlib

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, viz
from tensorgrad.training import confusion_matrix
from tensorgrad.viz.charts.smoothing import exponential_mean, windowed_mean
from tensorgrad.viz.figures.latex import latex_escape
from tensorgrad.viz.figures.pixels import to_bytes

SVG = "{http://www.w3.org/2000/svg}"


def texts(root):
    return ["".join(t.itertext()) for t in root.iter(SVG + "text")]


def decoded(element):
    """The pixels of an embedded PNG, (H, W) or (H, W, 3)."""
    data = base64.b64decode(element.attrib["href"].partition(",")[2])
    width, height, _, kind = struct.unpack(">IIBB", data[16:26])
    start = data.index(b"IDAT")
    (size,) = struct.unpack(">I", data[start - 4 : start])
    raw = np.frombuffer(zlib.decompress(data[start + 4 : start + 4 + size]), np.uint8)
    channels = {0: 1, 2: 3}[kind]
    pixels = raw.reshape(height, width * channels + 1)[:, 1:].reshape(height, width, channels)
    return pixels[..., 0] if channels == 1 else pixels


# --- Curves --------------------------------------------------------------------------------------


def test_windowed_means():
    x, y = windowed_mean(np.arange(1.0, 8), np.array([1, 3, 5, 7, 9, 11, 2.0]), 2)
    assert x.tolist() == [2, 4, 6, 7]
    assert y.tolist() == [2, 6, 10, 2]
    figure = viz.learning_curves({"loss": {"train": range(1000)}}, window=100)
    (series,) = figure.panels[0].series
    assert series.x == tuple(range(100, 1001, 100))
    assert series.y[0] == 49.5


def test_exponential_means_do_not_start_at_zero():
    y = exponential_mean(np.full(5, 3.0), 0.995)
    np.testing.assert_allclose(y, 3.0)
    y = exponential_mean(np.array([1.0, math.nan, 3.0]), 0.5)
    assert y[0] == 1.0
    assert math.isnan(y[1])
    assert y[2] == pytest.approx((0.25 * 1 + 0.5 * 3) / 0.75)


def test_a_smoothed_line_has_its_points_behind_it(parse_svg):
    figure = viz.learning_curves({"loss": [5.0, 1.0, 4.0, 2.0]}, decay=0.9)
    root = parse_svg(figure.svg())
    classes = [p.attrib.get("class") for p in root.iter(SVG + "path")]
    assert "line faint s0" in classes
    assert figure.data["panels"][0]["series"][0]["raw"]["y"] == [5, 1, 4, 2]


def test_mean_and_band_over_runs(parse_svg):
    runs = [[1.0, 2.0, 3.0], [3.0, 2.0], [5.0, 2.0, 5.0]]
    found = viz.over_runs(runs)
    assert found.mean.tolist() == [3, 2, 4]
    assert found.std.tolist() == [2, 0, math.sqrt(2)]
    assert found.count.tolist() == [3, 3, 2]
    figure = viz.learning_curves({"loss": {"MLP": {"train": found}, "CNN": {"train": [1, 2, 3]}}})
    root = parse_svg(figure.svg())
    assert sum("spread" in p.attrib.get("class", "") for p in root.iter(SVG + "path")) == 1
    rows = list(csv.DictReader(io.StringIO(figure.csv())))
    assert rows[0]["std"] == "2"
    assert rows[-1]["std"] == ""
    assert viz.learning_curves({"a": viz.over_runs([[1.0, 2.0]])}).panels[0].series[0].spread == ()
    with pytest.raises(ValueError, match="no runs"):
        viz.over_runs([])


def test_histories_of_tensors_arrays_and_of_fit():
    for given in (tg.tensor([1.0, 2.0]), np.array([1.0, 2.0]), [tg.tensor(1.0), tg.tensor([2.0])]):
        assert viz.learning_curves({"a": given}).panels[0].series[0].y == (1.0, 2.0)
    pairs = viz.learning_curves({"a": tg.tensor([[0.0, 5.0], [10.0, 6.0]])})
    assert pairs.panels[0].series[0].x == (0.0, 10.0)
    with pytest.raises(TypeError, match="over_runs"):
        viz.learning_curves({"a": np.ones((3, 5))})
    with pytest.raises(ValueError, match="window must be at least 1"):
        viz.learning_curves({"a": [1]}, window=0)
    with pytest.raises(ValueError, match=r"decay must be in \[0, 1\)"):
        viz.learning_curves({"a": [1]}, decay=1.0)


def test_a_million_points(parse_svg):
    values = np.random.default_rng(0).standard_normal(1_000_000)
    figure = viz.learning_curves({"a": values}, decay=0.999)
    assert len(figure.svg()) < 100_000
    assert len(str(figure)) < 400


# --- Confusion matrices --------------------------------------------------------------------------


def test_a_confusion_matrix(parse_svg, tmp_path):
    counts = [[8, 2, 0], [1, 9, 0], [0, 0, 0]]
    figure = viz.confusion_matrix(counts, labels=["cat", "dog", "=cow"])
    root = parse_svg(figure.svg())
    assert {"cat", "dog", "8", "9", "true", "predicted", "80.0 %", "-"} <= set(texts(root))
    assert figure.accuracy == 0.85
    assert figure.recall[0] == 0.8
    assert figure.precision[0] == pytest.approx(8 / 9)
    assert math.isnan(figure.recall[2])
    assert "accuracy 85.00 % of 20 samples" in str(figure)
    lines = figure.save(tmp_path / "m.csv").read_text().splitlines()
    assert lines[1] == "cat,8,2,0,80.0 %"
    assert lines[3].startswith("'=cow")  # a spreadsheet must not compute it
    assert r"cat & 8 & 2 & 0 & 80.0 \% \\" in figure.save(tmp_path / "m.tex").read_text()
    shares = viz.confusion_matrix(counts, normalize="true")
    assert "80.0" in texts(parse_svg(shares.svg()))
    matrix = confusion_matrix(tg.tensor([0, 1, 1]), tg.tensor([0, 1, 0]), labels=["a", "b"])
    assert viz.confusion_matrix(matrix).labels == ["a", "b"]


@pytest.mark.parametrize("n", [1, 2, 10, 25, 100])
def test_matrices_of_all_sizes(n, parse_svg):
    counts = np.random.default_rng(0).integers(-1000, 2000, (n, n)).clip(0)
    figure = viz.confusion_matrix(counts, labels=[f"class number {k}" for k in range(n)])
    root = parse_svg(figure.svg())
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    cells = [r for r in root.iter(SVG + "rect") if r.attrib.get("class") == "cell"]
    # Of many classes only cells that hold something, and one rectangle behind them.
    assert len(cells) == (n * n if n <= 40 else np.count_nonzero(counts) + 1)
    assert max(float(r.attrib["x"]) + float(r.attrib["width"]) for r in cells) < width
    assert max(float(r.attrib["y"]) + float(r.attrib["height"]) for r in cells) < height
    if n <= 10:
        assert max(map(len, str(figure).splitlines())) <= 80


def test_wrong_matrices():
    with pytest.raises(ValueError, match=r"expected \(C, C\)"):
        viz.confusion_matrix([[1, 2, 3]])
    with pytest.raises(ValueError, match="finite numbers, not negative"):
        viz.confusion_matrix([[1, -1], [0, 0]])
    with pytest.raises(ValueError, match="3 labels for 2 classes"):
        viz.confusion_matrix([[1, 1], [0, 0]], labels="abc")
    with pytest.raises(ValueError, match="normalize must be"):
        viz.confusion_matrix([[1]], normalize="rows")
    assert "no samples" in str(viz.confusion_matrix([[0, 0], [0, 0]]))


# --- Images --------------------------------------------------------------------------------------


def test_images_keep_their_pixels(parse_svg):
    grey = np.array([[[0, 255], [128, 7]]], np.uint8)
    colour = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3) * 20
    fine = np.random.default_rng(0).integers(0, 255, (1, 28, 28), np.uint8)
    # Of a 2x2 image each pixel is 72 wide: a square of twice as many, for renderers that blur.
    for pixels, times in ((grey, 72), (colour, 72), (fine, 1)):
        (image,) = parse_svg(viz.images(pixels).svg()).iter(SVG + "image")
        wanted = pixels[0].repeat(times, 0).repeat(times, 1)
        np.testing.assert_array_equal(decoded(image), wanted)
    (image,) = parse_svg(viz.images(tg.tensor([[0.0, 1.0]])).svg()).iter(SVG + "image")
    np.testing.assert_array_equal(decoded(image)[::72, ::72], [[0, 255]])


def test_rows_of_images_are_of_one_length(parse_svg):
    def lefts(**options):
        shown = parse_svg(viz.kernels(np.ones((16, 1, 5, 5)), **options).svg()).iter(SVG + "image")
        return len({image.get("x") for image in shown})

    assert lefts() == 8  # eleven would fit beside each other, and leave five for the second row
    assert lefts(columns=10) == 10


def test_shapes_of_images(parse_svg):
    for shape in ((4, 6), (2, 4, 6), (2, 1, 4, 6), (2, 3, 4, 6), (2, 4, 6, 3), (2, 4, 6, 1)):
        figure = viz.images(np.ones(shape))
        assert figure.pixels.shape[1:] == (4, 6, 3)
        parse_svg(figure.svg())
    for shape in ((0, 4, 6), (2, 0, 6), (1, 1, 1)):
        figure = viz.images(np.ones(shape))
        parse_svg(figure.svg())
        str(figure)
    with pytest.raises(ValueError, match="reshape"):
        viz.images(np.ones(784))
    with pytest.raises(ValueError, match="3 captions for 2 images"):
        viz.images(np.ones((2, 3, 3)), ["a", "b", "c"])
    with pytest.raises(TypeError, match="must be numbers"):
        viz.images(np.array([["a"]]))


def test_values_that_are_not_finite_are_red():
    pixels = to_bytes(np.array([[[0.0, math.nan, math.inf, 1.0]]]))
    assert pixels[0, 0].tolist() == [[0, 0, 0], [179, 38, 30], [179, 38, 30], [255, 255, 255]]
    assert to_bytes(np.array([[[-1e308, 1e308]]]))[0, 0, :, 0].tolist() == [0, 255]
    assert to_bytes(np.full((1, 2, 2), 7.0))[0, 0, 0, 0] == 128


def test_the_most_confident_mistakes_come_first(parse_svg):
    images = np.zeros((4, 2, 2))
    scores = tg.tensor([[5.0, 0.0], [3.0, 1.0], [9.0, 0.0], [0.0, 1.0]])
    figure = viz.misclassified(images, scores, tg.tensor([1, 1, 1, 1]), labels=["cat", "dog"])
    assert figure.data["indices"] == [2, 0, 1]
    assert figure.captions == ["dog → cat"] * 3
    assert "3 of 4 (75.00 %), 3 shown" in str(figure)
    parse_svg(figure.svg())
    # The longest names of CIFAR-10 fit, a name that does not is cut.
    names = viz.misclassified(images, scores, [1, 1, 1, 1], labels=["airplane", "automobile"])
    assert "automobile → airplane</text>" in names.svg()
    long = viz.misclassified(images, scores, [1, 1, 1, 1], labels=["W" * 30, "i"])
    assert "WW…</text>" in long.svg()
    assert "W" * 30 + "</text>" not in long.svg()
    none = viz.misclassified(images, [0, 1, 0, 1], [0, 1, 0, 1])
    assert "0 of 4" in str(none)
    parse_svg(none.svg())
    with pytest.raises(ValueError, match="expected N images"):
        viz.misclassified(images, scores, tg.tensor([1]))


def test_kernels_grey_and_colour(parse_svg):
    grey = viz.kernels(nn.Conv2d(1, 16, 5))
    assert grey.pixels.shape == (16, 5, 5, 3)
    assert len(list(parse_svg(grey.svg()).iter(SVG + "image"))) == 16
    weight = np.zeros((2, 3, 1, 1))
    weight[0, :, 0, 0] = [1, 0, -1]
    colour = viz.kernels(weight)
    assert colour.pixels[0, 0, 0].tolist() == [255, 128, 0]
    assert viz.kernels(nn.Conv2d(4, 2, 3)).captions[:5] == ["0, 0", "0, 1", "0, 2", "0, 3", "1, 0"]
    assert "128 of 256 shown" in str(viz.kernels(np.ones((16, 16, 3, 3))))
    with pytest.raises(ValueError, match="Linear's weight has shape"):
        viz.kernels(nn.Linear(2, 2))


# --- Tables --------------------------------------------------------------------------------------


def rows():
    return [
        {"hidden": [64], "lr": 1e-3, "accuracy": np.array([50.0, 52.0]), "steps": 12_000},
        {"hidden": [128, 64], "lr": 1e-2, "accuracy": np.array([54.0, 54.5]), "steps": 900},
        {"hidden": [256], "lr": 0.1, "accuracy": math.nan},
    ]


def test_a_table_in_all_its_forms(parse_svg, tmp_path):
    figure = viz.table(rows(), best={"accuracy": "max"}, title="Sweep")
    assert figure.rows[0] == ["[64]", "0.001", "51 ± 1.4", "12,000"]
    assert figure.best == {(1, 2)}
    assert "54.25 ± 0.35*" in str(figure)
    root = parse_svg(figure.svg())
    assert "54.25 ± 0.35" in texts(root)
    assert r"| \[128, 64\] | 0.01 | **54.25 ± 0.35** | 900 |" in figure.markdown()
    lines = list(csv.reader(io.StringIO(figure.save(tmp_path / "t.csv").read_text())))
    assert lines[0] == ["hidden", "lr", "accuracy", "accuracy std", "steps"]
    assert lines[1][:3] == ["[64]", "0.001", "51"]
    assert lines[3][2:] == ["nan", "", ""]
    tex = figure.save(tmp_path / "t.tex").read_text()
    assert r"{[}128, 64] & 0.01 & \textbf{54.25 $\pm$ 0.35} & 900 \\" in tex
    assert (tmp_path / "t.md").write_text(figure.markdown())
    assert json.loads(figure.json())["rows"][2]["accuracy"] == "nan"


def test_a_long_table_is_folded_where_it_is_seen_and_whole_elsewhere(parse_svg, tmp_path):
    rows = [{"epoch": k, "loss": abs(k - 1000) + 0.5} for k in range(5000)]
    figure = viz.table(rows, best={"loss": "min"}, max_rows=20)
    root = parse_svg(figure.svg())
    assert float(root.attrib["height"]) < 600
    seen = texts(root)
    assert seen.index("9") < seen.index("… 990 rows") < seen.index("0.5")
    assert seen.index("0.5") < seen.index("… 3,989 rows") < seen.index("4990")
    printed = str(figure).splitlines()
    assert len(printed) == 2 + 10 + 1 + 1 + 1 + 10
    assert printed[12:15] == ["… 990 rows", " 1000   0.5*", "… 3,989 rows"]
    # Nothing is lost: the page's text, the data, Markdown, CSV and LaTeX have every row.
    assert " 2500   1500" in figure.html()
    assert "… 990" not in figure.html().partition("<pre>")[2]
    assert figure.data["rows"][2500] == {"epoch": 2500, "loss": 1500.5}
    for lines in (figure.csv(), figure.markdown(), figure.latex()):
        assert len(re.findall(r"^\W*2500\b", lines, re.MULTILINE)) == 1
    assert "… 4,940 rows" in str(viz.table([{"a": 1}] * 5000))
    assert "…" not in str(viz.table([{"a": 1}] * 61))  # a line for one row saves nothing
    assert "… 2 rows" in str(viz.table([{"a": 1}] * 62))
    assert len(str(viz.table(rows, max_rows=None)).splitlines()) == 5002
    for wrong, error in ((1, ValueError), (2.5, TypeError), (True, TypeError)):
        with pytest.raises(error, match=r"viz\.table: max_rows must be"):
            viz.table(rows, max_rows=wrong)


def test_wrong_tables():
    with pytest.raises(TypeError, match=r"viz\.table: columns must be names .* got a list"):
        viz.table([{"a": 1}], columns=[["a"]])
    with pytest.raises(TypeError, match="a row must be a mapping"):
        viz.table([[1, 2]])
    with pytest.raises(ValueError, match="no columns"):
        viz.table([])
    with pytest.raises(ValueError, match="no row has a column 'loss'"):
        viz.table(rows(), best={"loss": "min"})
    with pytest.raises(ValueError, match="'max' or 'min'"):
        viz.table(rows(), best={"lr": "least"})
    str(viz.table([], columns=["a"]))


def test_latex_and_markdown_of_hostile_names(hostile, parse_svg, tmp_path):
    figure = viz.table([{name + str(k): name} for k, name in enumerate(hostile)])
    parse_svg(figure.svg())
    tex = figure.latex()
    assert "\\N" not in tex.replace("\\textbackslash", "")
    assert "<script" not in figure.save(tmp_path / "t.html").read_text("utf-8")
    assert "<b>" not in figure.markdown().replace(r"\<b\>", "")
    for suffix in (".md", ".csv", ".tex", ".txt", ".json"):
        figure.save(tmp_path / f"t{suffix}")
    n = len(hostile)
    matrix = viz.confusion_matrix(np.eye(n), labels=hostile)
    parse_svg(matrix.svg())
    pictures = viz.images(np.ones((n, 2, 2)), hostile, title=hostile[0])
    parse_svg(pictures.svg())
    assert "<script" not in pictures.html()


def test_same_input_same_bytes():
    def make():
        return [
            viz.confusion_matrix([[3, 1], [0, 4]]),
            viz.images(np.arange(12.0).reshape(3, 2, 2), "abc"),
            viz.table(rows()),
            viz.learning_curves({"a": viz.over_runs([[1, 2], [2, 3]])}),
        ]

    for a, b in zip(make(), make()):
        assert (a.svg(), str(a), a.json()) == (b.svg(), str(b), b.json())


def test_formulas_in_a_latex_table():
    shown = latex_escape("∂L/∂oᵢ = W₂ᵀ δ ⊙ x̂, 10⁻³ ± 5 %, [1]")
    assert shown == (
        r"$\partial$L/$\partial$o$_{i}$ = W$_{2}$$^{\top}$ $\delta$ $\odot$ $\hat{x}$, "
        r"10$^{-3}$ $\pm$ 5 \%, {[}1]"
    )


def test_long_words_of_a_table_differ_in_the_picture_too():
    model = "a convolutional network with a very long name of its own, number "
    svg = viz.table([{"model": model + str(k), "loss": k} for k in range(3)]).svg()
    shown = re.findall(r"<text[^>]*>(a convol[^<]*)</text>", svg)
    assert len(set(shown)) == 3


def test_large_counts_stay_in_their_cells():
    svg = viz.confusion_matrix([[123_456_789, 1], [0, 98_765]]).svg()
    assert re.findall(r">([\d.,]+M?)</text>", svg)[:2] != ["123,456,789"]
    assert ">123M</text>" in svg
    assert "true 0, predicted 0: 123,456,789" in svg
    shares = viz.confusion_matrix([[1, 0], [0, 1]], normalize="true").svg()
    assert ">100.0</text>" in shares
