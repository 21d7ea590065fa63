"""Report 002: softmax and cross entropy in index notation, and the worked example to its digits."""

from __future__ import annotations

import numpy as np
import pytest
from derive_tools import backward, cases, draw, in_all, local, worst

import tensorgrad as tg
from tensorgrad import viz


def test_f1_softmax_and_cross_entropy():
    o, c = draw(3), 1
    y = tg.softmax(o, 0)
    l = -y[c].log()  # noqa: E741  (the report's name)
    figure = viz.derive(l, o, notation="index")
    assert worst(figure) < 1e-7
    # -1/y for the true class: the report leaves out that it is 0 for the others.
    assert "∂l/∂y_c = −1 / y_c" in in_all(figure)
    assert "∂l/∂yᵢ = −δ_ic / y_c" in in_all(figure)
    assert local(figure)[-1] == "∂yᵢ/∂oⱼ = yᵢ (δᵢⱼ − yⱼ)"
    assert cases(figure) == ["∂yᵢ/∂oⱼ = { yᵢ (1 − yᵢ) if i = j; −yᵢ yⱼ if i ≠ j }"]
    assert in_all(figure)[-1] == "∂l/∂oᵢ = yᵢ − δ_ic"


def worked_example():
    x = tg.tensor([1.0, -1.0], dtype=tg.float64)
    w = tg.tensor([[1.0, 1, 1], [-1, -1, -1]], dtype=tg.float64, requires_grad=True)
    b1 = tg.zeros(3, dtype=tg.float64, requires_grad=True)
    v = tg.tensor([[1.0, 1], [-1, -1], [-1, -1]], dtype=tg.float64, requires_grad=True)
    b2 = tg.zeros(2, dtype=tg.float64, requires_grad=True)
    c = 0
    k = x @ w + b1
    h = tg.sigmoid(k)
    o = h @ v + b2
    y = tg.softmax(o, 0)
    l = -y[c].log()  # noqa: E741  (the report's name)
    return l, o, {"v": v, "b2": b2, "w": w, "b1": b1}, (k, h, y)


def test_f2_the_worked_example_to_the_printed_digits():
    l, o, params, (k, h, y) = worked_example()  # noqa: E741
    figure = viz.derive(l, params)
    assert worst(figure) < 1e-7
    np.testing.assert_allclose(k.detach().numpy(), [2, 2, 2])
    np.testing.assert_allclose(h.detach().numpy(), [0.88079708] * 3, atol=5e-9)
    np.testing.assert_allclose(o.detach().numpy(), [-0.8808] * 2, atol=5e-5)
    np.testing.assert_allclose(y.detach().numpy(), [0.5, 0.5], rtol=1e-15)
    assert float(l.detach()) == pytest.approx(0.69314718, abs=5e-9)
    l.backward()
    printed = {
        "v": "[[-0.4404  0.4404] [-0.4404  0.4404] [-0.4404  0.4404]]",
        "b2": "[-0.5, 0.5]",
        "w": "[[ 0.  0.  0.] [-0. -0. -0.]]",
        "b1": "[0.0, 0.0, 0.0]",
    }
    with np.printoptions(precision=4):
        for name in ("v", "w"):
            shown = str(params[name].grad.numpy()).replace("\n ", " ")
            assert shown == printed[name], name
    for name in ("b1", "b2"):
        assert str(params[name].grad.tolist()) == printed[name], name
    # The derivation has the same numbers: 0 is said to be 0, and computed.
    sizes = {result["name"]: result for result in figure.data["results"]}
    assert sizes["w"]["status"] == sizes["b1"]["status"] == "zero"
    assert sizes["v"]["norm"] == pytest.approx(0.88079708 / 2 * np.sqrt(6), rel=1e-8)
    assert sizes["b2"]["norm"] == pytest.approx(np.sqrt(0.5), rel=1e-12)


def test_f2_the_steps():
    l, _, params, _ = worked_example()  # noqa: E741
    figure = viz.derive(l, params, convention="column")
    for found in (
        "∂l/∂h = V (∂l/∂x₃)".replace("V", "v"),
        "∂l/∂k = ∂l/∂h ⊙ h ⊙ (1 − h)",
        "∂l/∂b₁ = ∂l/∂k",
    ):
        assert found in [f.replace("vᵀ", "v") for f in backward(figure)], backward(figure)


def test_f2_the_printed_code_contradicts_its_output():
    l, o, _, _ = worked_example()  # noqa: E741

    def as_printed(y):
        o_d = y.copy()
        o_d[0] = -1
        return o_d

    def as_meant(y):
        o_d = y.copy()
        o_d[0] -= 1
        return o_d

    wrong = viz.check_derivation(l, o, as_printed)
    assert not wrong.ok
    assert "Only o[0] is wrong; the other element is right." in wrong.explanation
    assert wrong.relative_error == pytest.approx(np.sqrt(0.5), rel=1e-6)
    assert viz.check_derivation(l, o, as_meant).ok


def test_f3_a_batch():
    X, h_batch, v, b2 = draw(6, 4), draw(6, 3, seed=1), draw(3, 2, seed=2), draw(2, seed=3)
    O = h_batch @ v + b2  # noqa: E741  (the report's name)
    loss = (O * O).sum() + X.sum()
    rows = viz.derive(loss, [v, b2])
    assert worst(rows) < 1e-7
    # V_grad = hᵀ O_grad, and b2_grad = O_grad summed over the batch, O_gradᵀ 1.
    assert "∂loss/∂v = h_batchᵀ (∂loss/∂x₄)".replace("x₄", "x₃") in [
        f.replace("x₄", "x₃").replace("x₅", "x₃") for f in backward(rows)
    ]
    assert "∂loss/∂b₂ = Σₙ ∂loss/∂O" in backward(rows)
    assert "∂loss/∂b₂ = (∂loss/∂O) 𝟏" in backward(viz.derive(loss, [b2], convention="column"))
