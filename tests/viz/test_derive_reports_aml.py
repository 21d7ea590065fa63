"""Report 001: a two-layer net with softmax, cross entropy and an L2 term without the half."""

from __future__ import annotations

import numpy as np
import pytest
from derive_tools import backward, cases, draw, forward, in_all, local, worst

import tensorgrad as tg
from tensorgrad import viz
from tensorgrad.nn import functional as F

LAMBDA = 0.1


def net(params=("W2", "W1", "b2", "b1"), **options):
    x = draw(5, 4, grad=False)
    y = tg.tensor([0, 1, 2, 2, 1])
    W1, b1, W2, b2 = draw(4, 10, seed=1), draw(10, seed=2), draw(10, 3, seed=3), draw(3, seed=4)
    z2 = x @ W1 + b1
    a2 = tg.relu(z2)
    z3 = a2 @ W2 + b2
    J = F.cross_entropy(z3, y)
    J_reg = J + LAMBDA * ((W1**2).sum() + (W2**2).sum())
    tensors = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
    figure = viz.derive(J_reg, {name: tensors[name] for name in params}, **options)
    return figure, tensors, z3, y


@pytest.fixture(scope="module")
def rows():
    return net()[0]


@pytest.fixture(scope="module")
def columns():
    return net(convention="column")[0]


def test_all_of_it_agrees_with_differences(rows, columns):
    assert worst(rows) < 1e-7
    assert worst(columns) < 1e-7


def test_f1_the_fused_loss(rows):
    assert "∂J_reg/∂z₃ = (∂J_reg/∂J) (softmax(z₃) − onehot(y)) / N" in backward(rows)
    assert rows.data["sizes"]["N"] == 5
    _, _, z3, y = net()
    psi = np.exp(z3.detach().numpy())
    psi /= psi.sum(1, keepdims=True)
    delta = np.eye(3)[y.numpy()]
    (found,) = tg.autograd.grad(F.cross_entropy(z3, y), [z3])
    np.testing.assert_allclose(found.numpy(), (psi - delta) / 5, rtol=1e-12)


def test_f2_softmax_and_cross_entropy_apart():
    z, Y = draw(4), tg.tensor([0.0, 0.0, 1.0, 0.0], dtype=tg.float64)
    a = tg.softmax(z, 0)
    J = -(Y * a.log()).sum()
    figure = viz.derive(J, z, notation="index")
    assert worst(figure) < 1e-7
    # The report prints a stray minus in front of the first of these.
    assert cases(figure) == ["∂aᵢ/∂zⱼ = { aᵢ (1 − aᵢ) if i = j; −aᵢ aⱼ if i ≠ j }"]
    assert "∂J/∂aᵢ = −Yᵢ / aᵢ" in in_all(figure)
    assert in_all(figure)[-1] == "∂J/∂zᵢ = aᵢ − Yᵢ"


def test_f3_weights_of_the_second_layer(rows, columns):
    assert "∂J_reg/∂z₃ = (∂J_reg/∂J) (softmax(z₃) − onehot(y)) / N" in backward(columns)
    assert "z₂ = x₈ + b₁" in forward(columns)
    # As derived, z = W x + b, and as coded, z = x W + b.
    assert "(∂J_reg/∂W₂)₁₀ = (∂J_reg/∂x₇) a₂ᵀ" in backward(columns)
    assert "(∂J_reg/∂W₂)₁₀ = a₂ᵀ (∂J_reg/∂x₇)" in backward(rows)
    assert "x₇ = W₂ a₂" in forward(columns)
    assert "x₇ = a₂ W₂" in forward(rows)


def test_f3_the_regularised_term(rows):
    assert "(∂J_reg/∂W₂)₅ = 2·(∂J_reg/∂x₅) ⊙ W₂" in backward(rows)
    assert "∂x₅/∂W₂ = 2·W₂" in local(rows)
    (result,) = [r for r in rows.data["results"] if r["name"] == "W2"]
    assert [t["text"] for t in result["terms"]] == ["(∂J_reg/∂W₂)₅", "(∂J_reg/∂W₂)₁₀"]
    # 2 lambda W: of a sum of squares, not of half of it.
    figure, tensors, _, _ = net(params=["W2"])
    (way,) = [
        w for s in figure.data["steps"] for w in s["gives"]
        if w["gradient"]["text"] == "(∂J_reg/∂W₂)₂" or "⊙ W₂" in w["formula"]["text"]
    ]  # fmt: skip
    size = float(np.linalg.norm(2 * LAMBDA * tensors["W2"].detach().numpy()))
    assert way["norm"] == pytest.approx(size, rel=1e-12)


def test_f4_the_first_layer_and_the_biases(rows, columns):
    for found in (
        "∂J_reg/∂a₂ = W₂ᵀ (∂J_reg/∂x₇)",
        "∂J_reg/∂z₂ = ∂J_reg/∂a₂ ⊙ [z₂ > 0]",
        "(∂J_reg/∂W₁)₁₃ = (∂J_reg/∂x₈) xᵀ",
        "∂J_reg/∂b₂ = (∂J_reg/∂z₃) 𝟏",
        "∂J_reg/∂b₁ = (∂J_reg/∂z₂) 𝟏",
    ):
        assert found in backward(columns)
    for found in (
        "∂J_reg/∂a₂ = (∂J_reg/∂x₇) W₂ᵀ",
        "(∂J_reg/∂W₁)₁₃ = xᵀ (∂J_reg/∂x₈)",
        "∂J_reg/∂b₂ = Σₙ ∂J_reg/∂z₃",
    ):
        assert found in backward(rows)


def test_a_forgotten_regularisation_is_told():
    tensors = net(params=["W2"])[1]
    a2 = draw(5, 10, seed=6)
    W2 = tensors["W2"]
    out = a2 @ W2
    loss = (out**2).sum() + LAMBDA * (W2**2).sum()
    assert viz.check_derivation(loss, W2, "2 * a2.T @ out + 0.2 * W2").ok
    check = viz.check_derivation(loss, W2, "2 * a2.T @ out")
    assert not check.ok
    assert check.explanation
