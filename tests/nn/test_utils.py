"""nn.utils: clipping gradients, parameters as a vector."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import utils


def net():
    model = nn.Linear(3, 2)
    model.weight.grad = tg.full((2, 3), 3.0)
    model.bias.grad = tg.full((2,), -4.0)
    return model


@pytest.mark.parametrize(
    ("order", "norm"),
    [(2, np.sqrt(6 * 9 + 2 * 16)), (1, 26), (float("inf"), 4), (3, (6 * 27 + 2 * 64) ** (1 / 3))],
)
def test_clip_grad_norm(order, norm):
    model = net()
    found = utils.clip_grad_norm_(model.parameters(), 1.0, order)
    assert found.item() == pytest.approx(norm, rel=1e-6)
    flat = np.concatenate([p.grad.numpy().ravel() for p in model.parameters()])
    assert np.linalg.norm(flat, order) == pytest.approx(1, rel=1e-4)
    assert flat[-1] / flat[0] == pytest.approx(-4 / 3)


def test_a_small_norm_is_left_alone():
    model = net()
    utils.clip_grad_norm_(model.parameters(), 100.0)
    assert model.bias.grad.tolist() == [-4, -4]
    assert utils.clip_grad_norm_(model.weight, 1e9).item() == pytest.approx(np.sqrt(54))
    model.bias.grad = None
    assert utils.clip_grad_norm_([model.bias], 1.0).item() == 0


def test_a_norm_that_is_not_finite():
    model = net()
    model.bias.grad[0] = float("nan")
    before = model.weight.grad.tolist()
    with pytest.raises(RuntimeError, match="non-finite"):
        utils.clip_grad_norm_(model.parameters(), 1.0, error_if_nonfinite=True)
    assert model.weight.grad.tolist() == before


def test_clip_grad_value():
    model = net()
    utils.clip_grad_value_(model.parameters(), 3.5)
    assert model.bias.grad.tolist() == [-3.5, -3.5]
    assert model.weight.grad[0].tolist() == [3, 3, 3]


def test_parameters_as_a_vector():
    model = net()
    vector = utils.parameters_to_vector(model.parameters())
    assert vector.shape == (8,)
    vector.sum().backward()
    assert model.bias.grad.tolist() == [-3, -3]
    other = nn.Linear(3, 2)
    utils.vector_to_parameters(vector.detach(), other.parameters())
    assert other.weight.tolist() == model.weight.tolist()
    assert other.bias.tolist() == model.bias.tolist()
    with pytest.raises(RuntimeError, match="8 elements"):
        utils.vector_to_parameters(tg.ones(7), other.parameters())
    with pytest.raises(TypeError, match="list"):
        utils.vector_to_parameters([1.0], other.parameters())
    assert other.bias.tolist() == model.bias.tolist()
