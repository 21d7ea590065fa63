"""Curves of many points: what is left of them looks like all of them."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tensorgrad import viz
from tensorgrad.viz.charts.scales import Linear, Log
from tensorgrad.viz.charts.thinning import MAX_POINTS, runs, thinned


def columns_one_by_one(points):
    """Of (index, x, y): the first, the lowest, the highest and the last in each column."""
    columns = {}
    for point in points:
        columns.setdefault(round(point[1]), []).append(point)
    kept = []
    for column in columns.values():
        order = sorted(range(len(column)), key=lambda k: column[k][2])
        kept += [column[k][0] for k in sorted({0, order[0], order[-1], len(column) - 1})]
    return kept


@pytest.mark.parametrize("shape", ["noise", "ties", "constant", "turning", "one column"])
def test_each_column_keeps_its_first_and_last_point_and_its_extremes(shape):
    rng = np.random.default_rng(0)
    n = 5000
    x = np.sort(rng.uniform(0, 320, n))
    y = rng.integers(0, 3, n).astype(float) if shape == "ties" else rng.standard_normal(n)
    if shape == "constant":
        y[:] = 1.0
    if shape == "turning":
        x = rng.permutation(x)
    if shape == "one column":
        x[:] = 7.0
    at = np.arange(0, n, 2)
    found = thinned(at, x, y).tolist()
    assert found == columns_one_by_one(zip(at.tolist(), x[at].tolist(), y[at].tolist()))
    few = np.arange(MAX_POINTS)
    assert thinned(few, x, y) is few


def test_gaps_that_can_be_seen_break_a_line():
    known = np.ones(9, bool)
    known[[0, 3, 4, 8]] = False
    few = runs(known, np.arange(9.0))
    assert [run.tolist() for run in few] == [[1, 2], [5, 6, 7]]
    assert runs(np.zeros(3, bool), np.arange(3.0)) == []
    pixels = np.linspace(0, 100, 10_000)
    known = np.arange(10_000) % 2 == 0  # gaps of a hundredth of a pixel
    known[5000:5200] = False  # and one of two pixels
    many = runs(known, pixels)
    assert [(run[0], run[-1], len(run)) for run in many] == [(0, 4998, 2500), (5200, 9998, 2400)]


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("kind", ["plain", "gaps", "band", "faint"])
def test_a_picture_of_a_hundred_thousand_points_is_small(kind, log, parse_svg):
    rng = np.random.default_rng(1)
    y = np.exp(rng.standard_normal(100_000))
    y[70_000] = 1e4  # one extreme, that must be seen
    if kind == "gaps":
        y[1::2] = np.nan
    points = viz.over_runs([y, y * 1.5]) if kind == "band" else y
    figure = viz.learning_curves({"loss": points}, log=log, decay=0.99 if kind == "faint" else None)
    svg = figure.svg()
    parse_svg(svg)
    assert len(svg) < 120_000
    heights = [float(v) for v in re.findall(r"[ML][\d.]+ ([\d.]+)", svg)]
    assert min(heights) < 75  # the top of the panel is at 57
    marks = svg.count('class="warnmark"')
    assert (40 < marks < 60) if kind == "gaps" else not marks


def test_every_part_of_a_curve_with_many_gaps_is_marked():
    y = np.where(np.arange(3000) % 3 == 0, np.nan, 1.0)
    svg = viz.learning_curves({"loss": y}).svg()
    places = [float(x) for x in re.findall(r'class="warnmark" d="M([\d.]+)', svg)]
    assert min(places) < 100
    assert max(places) > 350


def test_marks_that_stand_for_many_do_not_touch():
    y = np.ones(100_000)
    y[30_000:38_000] = y[70_000] = y[70_100] = np.nan
    svg = viz.learning_curves({"loss": y}).svg()
    _, *places = [float(x) for x in re.findall(r'class="warnmark" d="M([\d.]+)', svg)]  # a legend
    assert len(places) == 5
    assert min(np.diff(places)) >= 7


@pytest.mark.parametrize("n", [30, 30_000])
def test_what_is_faint_behind_a_line_has_its_gaps_too(n, parse_svg):
    y = np.sin(np.arange(n))
    y[n // 3 : n // 2] = np.nan
    y[-2] = np.nan  # and then a point alone
    svg = viz.learning_curves({"loss": y}, decay=0.9).svg()
    parse_svg(svg)
    (path,) = re.findall(r'class="line faint s\d" d="([^"]+)', svg)
    runs = [re.findall(r"([\d.]+) [\d.]+", run) for run in path.split("M")[1:]]
    assert len(runs) == (3 if n == 30 else 2)
    assert float(runs[1][0]) - float(runs[0][-1]) > 50
    assert path.endswith("h0") == (n == 30)


@pytest.mark.parametrize("scale", [Linear(-2.0, 5.0, 10.0, 300.0), Log(1e-3, 1e4, 200.0, 0.0)])
def test_pixels_of_many_values_are_those_of_each(scale):
    values = np.array([1e-3, 0.5, 1.0, 4.9])
    np.testing.assert_allclose(scale.pixels(values), [scale(v) for v in values], rtol=1e-13)
