"""What is kept of an array: exact where it can be, and never 0 for what is not known."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from tensorgrad.viz.figures.figure import jsonable
from tensorgrad.viz.snapshots.statistics import BINS, BLOCK, FEW, SAMPLE, array_stats


def test_numbers_of_an_ordinary_array():
    a = np.random.default_rng(0).normal(2.0, 3.0, (50, 7)).astype(np.float32)
    a[0] = 0
    stats = array_stats(a)
    wide = a.astype(np.float64)
    assert stats.shape == (50, 7)
    assert stats.dtype == "float32"
    assert stats.mean == pytest.approx(wide.mean(), rel=1e-12)
    assert stats.std == pytest.approx(wide.std(), rel=1e-12)
    assert stats.norm == pytest.approx(np.linalg.norm(wide), rel=1e-12)
    assert (stats.min, stats.max) == (a.min(), a.max())
    assert stats.zeros == pytest.approx(7 / 350)
    assert stats.values is None
    assert stats.counts == tuple(np.histogram(wide, BINS)[0])


def test_large_arrays_are_summed_in_blocks_and_sampled_for_the_histogram():
    a = np.random.default_rng(0).normal(5.0, 1.0, 2 * BLOCK + 5).astype(np.float32)
    stats = array_stats(a)
    assert stats.mean == pytest.approx(a.mean(dtype=np.float64), rel=1e-9)
    assert stats.std == pytest.approx(a.std(dtype=np.float64), rel=1e-9)
    assert SAMPLE / 2 < sum(stats.counts) <= SAMPLE


def test_few_values_are_kept():
    assert array_stats(np.array([[1.0, -2.5]])).values == (1.0, -2.5)
    assert array_stats(np.array(3)).values == (3.0,)
    assert array_stats(np.ones(FEW + 1)).values is None
    assert array_stats(np.array([True, False])).values == (1.0, 0.0)


def test_nothing_is_known_of_no_elements():
    stats = array_stats(np.zeros((0, 3)))
    assert stats.status == "empty"
    known = stats.as_dict()
    assert all(known[name] is None for name in ("mean", "std", "min", "max", "norm", "zeros"))


@pytest.mark.parametrize(
    ("values", "status", "nan", "inf"),
    [
        ([1.0, math.nan, -3.0], "nan", 1, 0),
        ([1.0, math.inf, -math.inf], "inf", 0, 2),
        ([math.nan, math.inf], "nan", 1, 1),
        ([0.0, -0.0], "zero", 0, 0),
        ([1e-300], "ok", 0, 0),
    ],
)
def test_what_is_not_finite_is_counted_and_left_out(values, status, nan, inf):
    stats = array_stats(np.array(values))
    assert (stats.status, stats.nan, stats.inf) == (status, nan, inf)
    finite = [v for v in values if math.isfinite(v)]
    assert stats.mean == (pytest.approx(np.mean(finite)) if finite else None)
    json.dumps(jsonable(stats.as_dict()), allow_nan=False)


def test_huge_and_tiny_numbers_neither_overflow_nor_vanish():
    assert array_stats(np.array([1e300, -1e300] * 20)).norm == pytest.approx(1e300 * math.sqrt(40))
    assert array_stats(np.full(100, 1e-300)).norm == pytest.approx(1e-299)
    wide = array_stats(np.array([-1.7e308, 1.7e308] * 20))
    assert sum(wide.counts) == 40


def test_complex_numbers_are_their_magnitudes():
    stats = array_stats(np.array([3 + 4j, 0]))
    assert stats.max == 5.0
    assert stats.norm == 5.0
    assert stats.values == ("3+4j", "0+0j")
