"""Lone surrogates, null characters and empty things: refused in words, or made visible."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import viz
from tensorgrad.formula import FormulaError


def loss_of(w):
    return (w * w).sum()


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("2 * w\ud800", "a lone surrogate is not a character"),
        ("2 * w\x00", "null"),
        ("-" * 100_000 + "w", "nested too deeply"),
    ],
)
def test_a_formula_that_is_no_text(own, said):
    w = tg.ones(3, dtype=tg.float64, requires_grad=True)
    with pytest.raises(FormulaError, match=said) as caught:
        viz.check_derivation(loss_of(w), w, own, {"w": w})
    str(caught.value).encode("utf-8")


def test_names_of_a_derivation_that_is_checked(hostile):
    for name in hostile:
        w = tg.ones(3, dtype=tg.float64, requires_grad=True)

        def own(g):
            return 2.0 * g * np.ones(3)

        own.__name__ = name
        for given in (own, "2 * x1"):
            check = viz.check_derivation(loss_of(w), w, given, {name: w})
            str(check).encode("utf-8")
            check._repr_html_().encode("utf-8")


def test_a_file_that_cannot_be(tmp_path):
    figure = viz.learning_curves({"a": [1.0, 0.5]})
    for name in ("x\ud800.svg", "x\x00.svg"):
        with pytest.raises(ValueError, match="cannot be the name of a file"):
            figure.save(tmp_path / name)


def test_a_graph_of_nothing():
    for nothing in ([], ()):
        with pytest.raises(ValueError, match="root is empty: there is nothing to draw"):
            viz.graph(nothing)
