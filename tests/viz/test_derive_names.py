"""Derivations of graphs that few tests have: complex numbers, gradients as values, long names."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import viz
from tensorgrad.consoles import cells
from tensorgrad.nn import functional as F


def steps_of(text):
    return re.findall(r"^ +\d+  (\S+|\(.*?\)) = (.*?)(?:  |$)", text, re.MULTILINE)


@pytest.mark.parametrize("notation", ["matrix", "index"])
def test_rules_of_complex_numbers_have_their_conjugates(notation):
    z, A = (tg.randn(*n, dtype=tg.complex128, requires_grad=True) for n in ((3,), (3, 3)))
    y = A @ z
    loss = (y.exp() * z / 2j).real.sum()
    text = str(viz.derive(loss, [z, A], notation=notation))
    assert "∂loss/∂A = (∂loss/∂y)ᵀ conj(z)" in text
    assert "= (∂loss/∂y) conj(A)" in text
    assert "⊙ conj(z)" in text
    assert "✗" not in text
    # Only what the gradient is multiplied by: the derivative of an analytic function has none.
    assert not any("conj" in line for line in text.splitlines() if line.endswith("local"))
    (grad,) = tg.autograd.grad(loss, A, retain_graph=True)
    (above,) = tg.autograd.grad(loss, y)
    expected = np.outer(above.numpy(), z.detach().numpy().conj())
    np.testing.assert_allclose(grad.numpy(), expected, rtol=1e-10)


def test_complex_constants_are_numbers():
    z = tg.randn(3, dtype=tg.complex128, requires_grad=True)
    figure = viz.derive((z * (1 - 2j) + 1 / z).real.sum(), z)
    text = str(figure)
    assert "= (1 − 2i)·z" in text
    assert "= (1 + 2i)·(∂L/∂" in text
    assert "= 1 / z" in text
    assert "<mi>i</mi>" in figure.html()


def test_a_gradient_is_called_as_the_program_calls_it():
    x = tg.tensor([1.0, 2.0, 3.0], dtype=tg.float64, requires_grad=True)
    y = (x**3).sum()
    (g,) = tg.autograd.grad(y, x, create_graph=True)
    p = (g**2).sum()
    steps = dict(steps_of(str(viz.derive(p, x))))
    assert "g" in steps
    # The ones that the gradient began with are not the program's y, which is a number.
    assert not re.search(r"\by\b", steps["g"])


def test_constants_that_are_not_kept_do_not_share_a_letter():
    x = tg.rand(3, 4, dtype=tg.float64, requires_grad=True)
    target = tg.softmax(tg.rand(3, 4, dtype=tg.float64), 1)
    loss = F.kl_div(x.log_softmax(1), target, reduction="batchmean")
    right = [made for _, made in steps_of(str(viz.derive(loss, x)))]
    (minus,) = (made.split(" − ")[0] for made in right if " − " in made)
    (times,) = (made.split(" ⊙ ")[0] for made in right if " ⊙ " in made)
    assert minus != times


def test_fractions_are_not_decimals_that_do_not_end():
    x = tg.rand(3, 4, dtype=tg.float64, requires_grad=True)
    text = str(viz.derive((x.log_softmax(1)).sum() / 3, x))
    assert "/ 3" in text
    assert "0.33333" not in text


def test_outputs_of_which_no_gradient_comes():
    x = tg.rand(3, 4, dtype=tg.float64, requires_grad=True)
    text = str(viz.derive(tg.linalg.svdvals(x).sum(), x))
    assert "(y₀, x₁, y₂) = svd(x)" in text
    assert "= y₀ diag(∂L/∂x₁) y₂" in text
    assert dict(steps_of(str(viz.derive((x.T @ x).sum(), x))))["x₂"] == "xᵀ"


def test_a_write_into_a_view_says_what_its_gradients_are():
    w = tg.rand(4, 3, dtype=tg.float64, requires_grad=True)
    y = w * 2
    z = y.view(12)
    z.add_(1)
    figure = viz.derive(z.sin().sum(), w)
    assert "the gradient with 0 where the view was written" in " ".join(str(figure).split())
    # What was written over gets 0, exactly: that is no rounding.
    assert figure.data["lost"] is None


def test_long_names_of_parameters_fit_into_a_terminal():
    name = "encoder_" + "x" * 200
    w, v = (tg.rand(3, dtype=tg.float64, requires_grad=True) for _ in range(2))
    figure = viz.derive((w * v).sum(), {name: w, "層" * 60: v})
    lines = str(figure).splitlines()
    assert max(map(cells, lines)) <= 80
    told = "".join(line.strip() for line in lines)
    assert f"is{name}" in told
    assert "is" + "層" * 60 in told
    assert [r["name"] for r in figure.data["results"]] == [name, "層" * 60]


def test_the_norms_of_many_uses_fit_into_a_terminal():
    x = tg.ones(3, dtype=tg.float64, requires_grad=True)
    y = x
    for _ in range(20):
        y = y.sin() + x * 0.001234
    assert max(map(cells, str(viz.derive(y.sum(), x)).splitlines())) <= 80


def test_writes_into_views_are_checked():
    w = tg.rand(4, 3, dtype=tg.float64, requires_grad=True)
    y = w * 2
    y[1] = y[0] * 3
    y[:, 0].mul_(2)
    loss = y.view(12).sin().sum()
    figure = viz.derive(loss, w)
    text = str(figure)
    assert "✗" not in text
    assert "not checked" not in text
    assert "‹the gradient with 0 where the view was written›" in text
    assert "‹the part of the gradient where the view was written›" in text
    assert "the whole gradient beside finite differences" in text


def test_an_index_of_several_numbers_is_those_numbers():
    w = tg.rand(4, 3, dtype=tg.float64, requires_grad=True)
    text = str(viz.derive(w[3, -1] ** 2, w))
    assert "∂x₁/∂wₖⱼ = δₖ₃ δⱼ₂" in text
    assert "∂L/∂wₙᵢ = 2·x₁ δₙ₃ δᵢ₂" in text
