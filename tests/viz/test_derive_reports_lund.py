"""Report 004: dense layers in columns, ReLU's convention at 0, a stable softmax loss, momentum."""

from __future__ import annotations

import numpy as np
from derive_tools import backward, draw, forward, in_all, local, worst

import tensorgrad as tg
from tensorgrad import viz
from tensorgrad.nn import functional as F


def test_f1_dense():
    x, W, b = draw(4), draw(3, 4, seed=1), draw(3, seed=2)
    y = F.linear(x, W, b)
    L = (y * y).sum()
    figure = viz.derive(L, [x, W, b], convention="column")
    assert worst(figure) < 1e-7
    assert forward(figure)[-1] == "y = W x + b"
    assert backward(figure)[-3:] == [
        "∂L/∂x = Wᵀ (∂L/∂y)",
        "∂L/∂W = (∂L/∂y) xᵀ",
        "∂L/∂b = ∂L/∂y",
    ]


def test_f1_dense_in_index_notation():
    x, W, b = draw(4), draw(3, 4, seed=1), draw(3, seed=2)
    y = F.linear(x, W, b)
    L = (y * y).sum()
    figure = viz.derive(L, [x, W, b], notation="index")
    assert worst(figure) < 1e-7
    assert forward(figure)[-1] == "yᵢ = Σₖ xₖ Wᵢₖ + bᵢ"
    assert backward(figure)[-3:] == [
        "∂L/∂xⱼ = Σₖ (∂L/∂yₖ) Wₖⱼ",
        "∂L/∂Wᵢⱼ = (∂L/∂yᵢ) xⱼ",
        "∂L/∂bᵢ = ∂L/∂yᵢ",
    ]


def test_f2_a_batch_in_columns():
    X, W, b = draw(6, 4), draw(3, 4, seed=1), draw(3, seed=2)
    Y = F.linear(X, W, b)
    L = (Y * Y).sum()
    figure = viz.derive(L, [X, W, b], convention="column")
    assert worst(figure) < 1e-7
    assert forward(figure)[-1] == "Y = W X + b"
    assert backward(figure)[-3:] == [
        "∂L/∂X = Wᵀ (∂L/∂Y)",
        "∂L/∂W = (∂L/∂Y) Xᵀ",
        "∂L/∂b = (∂L/∂Y) 𝟏",
    ]
    # Element by element, as the report derives it.
    indexed = backward(viz.derive(L, [W, b], notation="index"))
    assert indexed[-2:] == ["∂L/∂Wᵢⱼ = Σₙ (∂L/∂Yₙᵢ) Xₙⱼ", "∂L/∂bᵢ = Σₙ ∂L/∂Yₙᵢ"]


def test_f3_relu_at_0():
    x = tg.tensor([-1.0, 0.0, 2.0], dtype=tg.float64, requires_grad=True)
    y = tg.relu(x)
    L = (3 * y).sum()
    figure = viz.derive(L, x)
    assert backward(figure)[-1] == "∂L/∂x = ∂L/∂y ⊙ [x > 0]"
    assert "∂y/∂x = [x > 0]" in local(figure)
    L.backward()
    assert x.grad.tolist() == [0.0, 0.0, 3.0]  # 0 at 0


def test_f4_the_softmax_loss_is_stable():
    x = tg.tensor([[1000.0, 0.0, -1000.0], [0.5, -1.0, 2.0]], dtype=tg.float64, requires_grad=True)
    c = tg.tensor([0, 2])
    L = F.cross_entropy(x, c)
    assert np.isfinite(float(L.detach()))
    with np.errstate(over="ignore", invalid="ignore"):
        raw = np.exp(x.detach().numpy())  # the report's: e**1000 is infinite
        assert not np.isfinite(np.log(raw.sum(1))).all()
    figure = viz.derive(L, x)
    assert worst(figure) < 1e-7
    assert backward(figure) == ["∂L/∂x = (softmax(x) − onehot(c)) / N"]
    # The report's own form: -x_c + log sum e**x.
    z, c0 = draw(5), 3
    l = -z[c0] + tg.logsumexp(z, 0)  # noqa: E741
    apart = viz.derive(l, z, notation="index")
    assert worst(apart) < 1e-7


def test_f4_by_its_parts_in_all():
    x, c = draw(4, 3), tg.tensor([0, 2, 1, 1])
    y = tg.softmax(x, 1)
    L = -y.log()[tg.arange(4), c].mean()
    figure = viz.derive(L, x, notation="index")
    assert worst(figure) < 1e-7
    assert in_all(figure)[-1] == "∂L/∂xₙᵢ = (yₙᵢ − δ_(i,cₙ)) / N"


def test_f5_momentum_with_dampening():
    # m = mu m + (1 - mu) g; w -= alpha m: SGD with dampening = mu, but for the first step.
    w = tg.tensor([1.0, -2.0], dtype=tg.float64, requires_grad=True)
    mu, alpha = 0.9, 0.1
    optimizer = tg.optim.SGD([w], lr=alpha, momentum=mu, dampening=mu)
    value, m = np.array([1.0, -2.0]), None
    for _ in range(4):
        optimizer.zero_grad()
        (w**3).sum().backward()
        g = 3 * value**2
        m = g if m is None else mu * m + (1 - mu) * g
        value = value - alpha * m
        optimizer.step()
        np.testing.assert_allclose(w.detach().numpy(), value, rtol=1e-12)
