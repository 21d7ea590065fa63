"""Two reports on one assignment (000 and 003): an MLP's gradients for one sample, a batch, and
batch norm; the machine derives what they derive, and finds what they have wrong.
"""

from __future__ import annotations

import numpy as np
import pytest
from derive_tools import backward, cases, draw, forward, in_all, local, worst

import tensorgrad as tg
from tensorgrad import nn, viz
from tensorgrad.nn import functional as F


def one_sample(**options):
    """Softmax and cross entropy over two linear layers and a ReLU, for one x, one-hot t."""
    x0, W1, b1, W2, b2 = draw(4), draw(5, 4, seed=1), draw(5, seed=2), draw(3, 5, seed=3), draw(3)
    t = tg.tensor([0.0, 1.0, 0.0], dtype=tg.float64)
    z1 = F.linear(x0, W1, b1)
    x1 = tg.relu(z1)
    z2 = F.linear(x1, W2, b2)
    x2 = tg.softmax(z2, 0)
    L = -(t * tg.log(x2)).sum()
    return viz.derive(L, [x0, W1, b1, W2, b2], **options)


@pytest.fixture(scope="module")
def indexed():
    return one_sample(notation="index")


@pytest.fixture(scope="module")
def columns():
    return one_sample(convention="column")


def test_all_of_it_agrees_with_differences(indexed, columns):
    assert worst(indexed) < 1e-7
    assert worst(columns) < 1e-7


def test_000_f1_and_003_f1_cross_entropy(indexed):
    assert "∂L/∂x₂ᵢ = −tᵢ / x₂ᵢ" in in_all(indexed)


def test_000_f2_and_003_f2_the_jacobian_of_softmax(indexed):
    assert "∂x₂ᵢ/∂z₂ⱼ = x₂ᵢ (δᵢⱼ − x₂ⱼ)" in local(indexed)
    assert cases(indexed) == ["∂x₂ᵢ/∂z₂ⱼ = { x₂ᵢ (1 − x₂ᵢ) if i = j; −x₂ᵢ x₂ⱼ if i ≠ j }"]


def test_the_jacobian_has_these_numbers():
    # N x N, as both reports have it: diag(x) - x xᵀ.
    z = draw(4)
    s = np.exp(z.detach().numpy()) / np.exp(z.detach().numpy()).sum()
    found = tg.func.jacrev(lambda v: tg.softmax(v, 0))(z.detach()).numpy()
    np.testing.assert_allclose(found, np.diag(s) - np.outer(s, s), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found, s[:, None] * (np.eye(4) - s[None]), rtol=1e-12, atol=1e-15)


def test_000_f3_and_003_f3_relu(indexed):
    # 003: ReLU_back(x) δ.  000 prints "if i = j: 1", without the 0 for x <= 0.
    assert "∂x₁ᵢ/∂z₁ⱼ = δᵢⱼ [z₁ᵢ > 0]" in local(indexed)


def test_000_f3_as_printed_is_wrong():
    z = draw(6)
    x = tg.relu(z)
    loss = (x * draw(6, seed=4, grad=False)).sum()
    check = viz.check_derivation(loss, z, "g", through=x)
    assert not check.ok
    assert "Backward gives g, where g * (z > 0) belongs" in check.explanation
    assert viz.check_derivation(loss, z, "g * [z > 0]", through=x).ok


def test_000_f4_to_f6_and_003_f4_to_f6_linear(indexed, columns):
    for found in (
        "∂z₂ᵢ/∂x₁ⱼ = W₂ᵢⱼ",
        "∂z₂ᵢ/∂W₂ⱼₖ = x₁ₖ δᵢⱼ",
        "∂z₂ᵢ/∂b₂ⱼ = δᵢⱼ",
    ):
        assert found in local(indexed)
    assert "z₂ = W₂ x₁ + b₂" in forward(columns)


def test_000_f7_to_f11_the_chain(columns):
    assert backward(columns)[3:] == [
        "∂L/∂x₂ = (∂L/∂x₅) / x₂",
        "∂L/∂z₂ = x₂ ⊙ (∂L/∂x₂ − Σᵢ ∂L/∂x₂ ⊙ x₂)",
        "∂L/∂x₁ = W₂ᵀ (∂L/∂z₂)",
        "∂L/∂W₂ = (∂L/∂z₂) x₁ᵀ",
        "∂L/∂b₂ = ∂L/∂z₂",
        "∂L/∂z₁ = ∂L/∂x₁ ⊙ [z₁ > 0]",
        "∂L/∂x₀ = W₁ᵀ (∂L/∂z₁)",
        "∂L/∂W₁ = (∂L/∂z₁) x₀ᵀ",
        "∂L/∂b₁ = ∂L/∂z₁",
    ]
    shapes = {w["to"]: w["shape"] for s in columns.data["steps"] for w in s["gives"]}
    assert shapes["z2"] == [3]
    assert shapes["x1"] == [5]
    assert shapes["W2"] == [3, 5]


def test_003_the_products_in_index_notation(indexed):
    for found in (
        "∂L/∂x₁ⱼ = Σₖ (∂L/∂z₂ₖ) W₂ₖⱼ",
        "∂L/∂W₂ᵢⱼ = (∂L/∂z₂ᵢ) x₁ⱼ",
        "∂L/∂b₂ᵢ = ∂L/∂z₂ᵢ",
    ):
        assert found in backward(indexed)
    # Softmax and cross entropy together; the elements of t add up to 1.
    assert "∂L/∂z₂ᵢ = x₂ᵢ − tᵢ" in in_all(indexed)


def test_000_f12_and_003_f7_a_batch():
    X, W, b = draw(6, 4), draw(3, 4, seed=1), draw(3, seed=2)
    t = tg.tensor([0, 2, 1, 1, 0, 2])
    Z = F.linear(X, W, b)
    S = tg.softmax(Z, 1)
    loss = -tg.log(S)[tg.arange(6), t].mean()
    figure = viz.derive(loss, [X, W, b], notation="index")
    assert worst(figure) < 1e-7
    # Row by row: the three-dimensional Jacobian has a block for each row of the batch.
    assert "∂Sₙᵢ/∂Zₙⱼ = Sₙᵢ (δᵢⱼ − Sₙⱼ)" in local(figure)
    # The loss averages over the batch, parameters' gradients are sums over it.
    assert "∂loss/∂Zₙᵢ = (Sₙᵢ − δ_(i,tₙ)) / N" in in_all(figure)
    assert "∂loss/∂Wᵢⱼ = Σₙ (∂loss/∂Zₙᵢ) Xₙⱼ" in backward(figure)
    assert "∂loss/∂bᵢ = Σₙ ∂loss/∂Zₙᵢ" in backward(figure)
    assert figure.data["sizes"] == {"N": 6}


# --- Batch norm -----------------------------------------------------------------------------------

BATCH = 8


def batch_norm():
    x, gamma, beta = draw(BATCH, 3), draw(3, seed=1), draw(3, seed=2)
    y = F.batch_norm(x, None, None, gamma, beta, training=True)
    loss = (y * draw(BATCH, 3, seed=3, grad=False)).sum()
    return loss, x, gamma, beta, y


@pytest.mark.parametrize("notation", ["matrix", "index"])
def test_000_f13_and_003_f8_batch_norm(notation):
    loss, x, gamma, beta, _ = batch_norm()
    figure = viz.derive(loss, [x, gamma, beta], notation=notation)
    assert worst(figure) < 1e-7
    wanted = {
        "matrix": [
            "∂loss/∂x = γ ⊙ (∂loss/∂y − meanₙ ∂loss/∂y − x̂ ⊙ (meanₙ ∂loss/∂y ⊙ x̂)) / σₓ",
            "∂loss/∂γ = Σₙ ∂loss/∂y ⊙ x̂",
            "∂loss/∂β = Σₙ ∂loss/∂y",
        ],
        "index": [
            "∂loss/∂xₙᵢ = γᵢ (∂loss/∂yₙᵢ − Σₘ ∂loss/∂yₘᵢ / N − x̂ₙᵢ (Σₖ (∂loss/∂yₖᵢ) x̂ₖᵢ) / N) / σᵢ",
            "∂loss/∂γᵢ = Σₘ (∂loss/∂yₘᵢ) x̂ₘᵢ",
            "∂loss/∂βᵢ = Σₘ ∂loss/∂yₘᵢ",
        ],
    }
    assert backward(figure)[-3:] == wanted[notation]


def printed(g, x, gamma, eps):
    """000's dx = dxm1 + dxm2, as it stands."""
    centred = x - x.mean(0)
    std = np.sqrt((centred**2).mean(0) + eps)
    dxm1 = g * gamma / std
    dxm2 = g * gamma * centred * (1 / std**2) * 0.5 * (1 / std) * (2 / BATCH) * centred
    return dxm1 + dxm2


def signed_and_summed(g, x, gamma, eps):
    centred = x - x.mean(0)
    std = np.sqrt((centred**2).mean(0) + eps)
    dxm1 = g * gamma / std
    total = (g * gamma * centred).sum(0)
    return dxm1 - total * (1 / std**2) * 0.5 * (1 / std) * (2 / BATCH) * centred


def completed(g, x, gamma, eps):
    """003's three summands, carried out."""
    dx = signed_and_summed(g, x, gamma, eps)
    return dx - dx.mean(0, keepdims=True)


def test_000_f14_as_printed_is_wrong():
    loss, x, _, _, y = batch_norm()
    check = viz.check_derivation(loss, x, printed, through=y)
    assert not check.ok
    assert check.relative_error > 0.5
    said = " ".join(check.explanation.split())
    assert "The gradient of x has 2 mistakes. 1. The mean term -mean(g) is missing." in said
    assert "2. The variance term -u * mean(g * u) lacks its sum over axis 0" in said
    assert "and that with the wrong sign" in said


def test_000_f14_step_by_step():
    loss, x, _, _, y = batch_norm()
    half = viz.check_derivation(loss, x, signed_and_summed, through=y)
    assert not half.ok
    assert half.explanation.lstrip().startswith("The mean term is missing in the gradient of x")
    whole = viz.check_derivation(loss, x, completed, through=y)
    assert whole.ok
    assert whole.relative_error < 1e-7


def test_003_f8_in_closed_form():
    loss, x, _, _, y = batch_norm()
    machine = (
        "channels(gamma, x) * (g - mean_channels(g)"
        " - normal(x, eps) * mean_channels(g * normal(x, eps))) / deviation(x, eps)"
    )
    check = viz.check_derivation(loss, x, machine, through=y)
    assert check.ok
    assert check.machine == ("γ ⊙ (∂loss/∂y − meanₙ ∂loss/∂y − x̂ ⊙ (meanₙ ∂loss/∂y ⊙ x̂)) / σₓ")


def test_the_layer_gives_the_same():
    layer = nn.BatchNorm1d(3).double()
    x = draw(BATCH, 3)
    loss = (layer(x) ** 3).sum()
    assert worst(viz.derive(loss, [x], params=layer)) < 1e-7
