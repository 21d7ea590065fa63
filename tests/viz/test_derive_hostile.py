"""viz.derive of what it was not made for: hostile names, NaN, empty tensors, odd nodes."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from derive_tools import backward, draw, worst

import tensorgrad as tg
from tensorgrad import nn, viz


def every_face(figure):
    """All that a figure can be made into; the HTML must be well-formed where it has MathML."""
    data = json.loads(figure.json())
    page = figure.html()
    for formula in page.split("<math")[1:]:
        ET.fromstring("<math" + formula.split("</math>")[0].replace("&#x2061;", "") + "</math>")
    return [str(figure), figure.text(120), figure.latex(), page, data]


def test_names(hostile):
    for name in [*hostile, "__proto__", "constructor", "$x$", "%", "a_b^c", "w{"]:
        w = draw(3, 2)
        loss = (draw(4, 3, grad=False) @ w).sum()
        text, _, latex, page, _ = every_face(viz.derive(loss, {name: w}))
        for face in (text, latex, page):
            face.encode("utf-8")
            assert "\x00" not in face
        assert "<script" not in page
        assert "<img" not in page
        assert "<b>bold" not in page
        depth = 0
        for char in latex.replace("\\{", "").replace("\\}", ""):
            depth += (char == "{") - (char == "}")
            assert depth >= 0, name
        assert depth == 0, name


def test_the_name_of_a_function_of_ones_own():
    class Own(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    Own.__name__ = Own.__qualname__ = "own\u2028</script>\x1b\u202e"
    w = draw(3, 2)
    for convention in ("row", "column"):
        faces = every_face(viz.derive(Own.apply(w).sum(), w, convention=convention))[:4]
        assert "is your own function" in faces[0]
        for face in faces:
            assert not set("\u2028\x1b\u202e") & set(face)


def test_nan_and_infinity():
    x = tg.tensor([0.0, 1.0, -1.0], dtype=tg.float64, requires_grad=True)
    with np.errstate(all="ignore"):
        loss = tg.log(x).sum()
        figure = viz.derive(loss, x)
    (result,) = figure.data["results"]
    assert result["status"] in ("inf", "nan")
    assert "inf" in str(figure) or "NaN" in str(figure)
    every_face(figure)
    assert math.isinf(figure.derivation.results[0].size.norm)


def test_of_no_elements_and_of_one():
    empty = tg.zeros(0, 3, dtype=tg.float64, requires_grad=True)
    figure = viz.derive((empty * 2).sum(), empty)
    assert "no elements" in str(figure)
    every_face(figure)
    one = tg.tensor(2.0, dtype=tg.float64, requires_grad=True)
    figure = viz.derive(one.exp() * one, one)
    assert worst(figure) < 1e-7
    every_face(figure)


def test_several_outputs():
    a = draw(4, 3)
    u, s, v = tg.linalg.svd(a, full_matrices=False)
    figure = viz.derive((s**2).sum() + u.sum() + v.sum(), a)
    assert worst(figure) < 1e-7
    every_face(figure)
    only = viz.derive(tg.linalg.svd(a, full_matrices=False)[1].sum(), a)
    assert worst(only) < 1e-7


def test_a_recursion_has_a_sentence_for_a_formula():
    tg.manual_seed(0)
    lstm = nn.LSTM(3, 4).double()
    out, _ = lstm(draw(5, 2, 3))
    figure = viz.derive((out**2).sum(), lstm)
    assert "backpropagation through time" in str(figure)
    assert worst(figure) < 1e-6
    every_face(figure)


def test_views_and_writes_in_place():
    x = draw(4, 3)
    y = x * 2
    y[0] = y[1] * 3
    y.add_(1)
    z = y.reshape(12)[2:8]
    figure = viz.derive((z**2).sum(), x)
    every_face(figure)
    (result,) = figure.data["results"]
    loss = (z**2).sum()
    loss.backward()
    assert result["norm"] == pytest.approx(float(x.grad.norm()), rel=1e-12)


def test_a_saved_array_that_was_written_is_told():
    x = draw(3)
    y = x.exp()
    loss = (y * y).sum()
    y.detach().add_(1)
    figure = viz.derive(loss, x)
    assert "modified by an inplace operation" in " ".join(str(figure).split())
    (result,) = figure.data["results"]
    assert (result["norm"], result["status"]) == (None, "none")
    assert "not computed" in str(figure)
    every_face(figure)


def test_a_leaf_that_was_written_since():
    x = draw(3)
    loss = (x + 1).sum()
    with tg.no_grad():
        x.add_(5)
    figure = viz.derive(loss, x)
    assert "not checked" in str(figure) or worst(figure) < 1e-7
    every_face(figure)


def test_float32_is_checked_in_double():
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.LayerNorm(8), nn.Linear(8, 2))
    loss = model(tg.randn(5, 4)).pow(2).mean()
    figure = viz.derive(loss, model)
    assert "✗" not in str(figure)
    assert worst(figure) < 1e-4


def test_a_deep_graph():
    x = draw(3)
    h = x
    for _ in range(400):
        h = (h * 1.01).tanh()
    figure = viz.derive(h.sum(), x, differences=False)
    assert len(figure.data["steps"]) == 801
    assert "Not checked by finite differences" in str(figure)
    every_face(figure)


def test_a_loss_of_several_elements_with_its_gradient():
    x = draw(4)
    y = tg.softmax(x, 0)
    figure = viz.derive(y, x, gradient=tg.tensor([1.0, 0, 0, 0], dtype=tg.float64))
    assert backward(figure) == ["∂y/∂x = ∂y/∂y ⊙ ∂y/∂y"] or worst(figure) < 1e-7


def test_the_same_bytes_from_the_same_program():
    def make():
        tg.manual_seed(3)
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
        return viz.derive(model(tg.ones(2, 3, dtype=tg.float64)).sum(), model)

    first, second = make(), make()
    assert every_face(first) == every_face(second)


def test_a_hook_that_changes_the_gradient_is_named_not_called_an_error():
    """As the implicit derivative of a fixed point is had: a hook on the last iterate."""
    w = draw(3, 3)
    hidden = tg.tanh(w @ tg.ones(3, 2, dtype=w.dtype))
    hidden.register_hook(lambda g: g * 2)
    shown = " ".join(str(viz.derive(hidden.square().sum(), w)).split())
    assert "not checked: a hook on the result of tanh (" in shown
    assert "test_derive_hostile.py:" in shown
    assert "✗" not in shown
    watched = tg.tanh(w @ tg.ones(3, 2, dtype=w.dtype))
    watched.register_hook(lambda g: None)  # one that only looks leaves the check standing
    assert "finite differences (complex): ✓" in str(viz.derive(watched.square().sum(), w))
    w.register_hook(lambda g: g + 1)
    assert "a hook on it has changed the gradient" in str(viz.derive(w.square().sum(), w))
