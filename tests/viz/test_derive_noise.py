"""viz.derive: a gradient that cancels out is 0, not where the gradient shrinks most."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import viz


def parts(dtype=tg.float64):
    rng = np.random.default_rng(0)
    w = tg.tensor(rng.standard_normal((4, 3)), dtype=dtype, requires_grad=True)
    return tg.tensor(rng.standard_normal((5, 4)), dtype=dtype), w


@pytest.mark.parametrize("dtype", [tg.float64, tg.float32])
@pytest.mark.parametrize("notation", ["matrix", "index"])
def test_what_cancels_out_is_said_and_not_compared(dtype, notation):
    x, w = parts(dtype)
    h = tg.tanh(x @ w)
    p = tg.softmax(h, 1)
    loss = p.sum()  # 1 for each row, whatever w is
    figure = viz.derive(loss, w, notation=notation)
    data = figure.data
    assert data["shrinks"] is None
    assert data["grows"]["operation"] == "sum"
    assert (data["lost"]["operation"], data["lost"]["step"]) == ("softmax", 2)
    for shown in (" ".join(str(figure).split()), figure.html(), figure.latex()):
        assert "is rounding, and stands for 0" in shown
        assert "shrinks" not in shown


def test_the_real_branch_is_chosen_beside_one_that_cancels_out():
    x, w = parts()
    h = tg.tanh(x @ w)
    p = tg.softmax(h, 1)
    loss = p.sum() + (h * 1e-3).sum()
    data = viz.derive(loss, w).data
    assert data["lost"]["operation"] == "softmax"
    assert data["shrinks"]["operation"] == "mul"
    assert data["shrinks"]["ratio"] == pytest.approx(1e-3)


def test_what_is_only_multiplied_is_small_and_no_rounding():
    x, w = parts()
    h = tg.tanh(x @ w)
    loss = (h * 1e-20).sum()
    data = viz.derive(loss, w).data
    assert data["lost"] is None
    assert data["shrinks"]["ratio"] == pytest.approx(1e-20)


def test_nothing_is_lost_in_an_ordinary_chain():
    x, w = parts()
    loss = tg.nn.functional.cross_entropy(x @ w, tg.tensor([0, 1, 2, 0, 1]))
    figure = viz.derive(loss, w)
    assert figure.data["lost"] is None
    assert "rounding" not in str(figure)


@pytest.mark.parametrize(("scale", "verb"), [(1e-3, "shrinks"), (1e3, "grows")])
def test_latex_says_where_a_gradient_shrinks_or_grows_most(scale, verb):
    x, w = parts()
    h = tg.tanh(x @ w)
    loss = (h * scale).sum()
    figure = viz.derive(loss, w)
    extreme = figure.data[verb]
    (told,) = [line for line in figure.latex().splitlines() if f"{verb} most" in line]
    assert f"at step {extreme['step']} ({extreme['operation']}), on its way to $h$" in told
    assert told in figure.latex().partition("\\end{align}")[2]
