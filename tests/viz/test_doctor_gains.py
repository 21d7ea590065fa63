"""Small weights are no disease where something makes up for them."""

from __future__ import annotations

import numpy as np
import pytest
from example_tools import example

import tensorgrad as tg
from tensorgrad import nn, viz
from tensorgrad.nn import functional as F


def linear(features, units, std):
    made = nn.Linear(features, units)
    nn.init.normal_(made.weight, std=std)
    nn.init.zeros_(made.bias)
    return made


def chain(*stds, between=nn.ReLU):
    """Layers of 64 units, with something between them."""
    layers = [part for std in stds for part in (linear(64, 64, std), between())]
    return nn.Sequential(*layers[:-1])


class Residual(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return x + self.inner(x)


def causes(model, size=1.0):
    tg.manual_seed(1)
    x, y = tg.randn(32, 64) * size, tg.randint(0, 64, (32,))
    return viz.doctor(model, nn.CrossEntropyLoss(), (x, y)).causes


def test_in_a_row_they_are_named():
    tg.manual_seed(0)
    assert "tiny initialisation" in causes(chain(1e-3, 1e-3, 1e-3))


def test_not_beside_a_skip_connection():
    tg.manual_seed(0)
    blocks = [Residual(nn.Sequential(linear(64, 64, 0.1), nn.ReLU(), linear(64, 64, 1e-3)))
              for _ in range(4)]  # fmt: skip
    assert causes(nn.Sequential(*blocks, linear(64, 64, 0.1))) == []


def test_not_before_a_norm():
    tg.manual_seed(0)
    norm = lambda: nn.Sequential(nn.LayerNorm(64), nn.ReLU())  # noqa: E731
    assert causes(nn.Sequential(chain(1e-2, 1e-2, 1e-2, between=norm), norm())) == []


def test_not_for_large_inputs():
    tg.manual_seed(0)
    two = chain(1e-3, 1e-3)
    assert "tiny initialisation" in causes(two)
    assert "tiny initialisation" not in causes(two, size=70.0)


def test_the_course_s_mlp_and_a_transformer_are_healthy():
    rng = np.random.default_rng(0)
    tg.manual_seed(0)
    pixels = tg.tensor(rng.integers(0, 256, (64, 3, 32, 32)).astype(np.uint8))
    labels = tg.tensor(rng.integers(0, 10, 64))
    mlp = example("cifar_mlp").make_model(pixels.float().mean(0))
    found = viz.doctor(mlp, lambda: F.cross_entropy(mlp(pixels), labels))
    assert "tiny initialisation" not in found.causes
    module = example("char_gpt")
    gpt = module.GPT(module.Config(characters=30, block=16, features=32))
    text = tg.tensor(rng.integers(0, 30, (8, 17)))

    def loss():
        return F.cross_entropy(gpt(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())

    assert viz.doctor(gpt, loss).causes == []


@pytest.mark.parametrize("std", [0.0])
def test_a_weight_of_zeros_is_not_judged(std):
    tg.manual_seed(0)
    assert "tiny initialisation" not in causes(chain(std, 0.1))
