"""Parametrizations: gradients at both orders, provenance, and what differs from PyTorch."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn.utils import parametrizations, parametrize

MADE = {
    "weight_norm": lambda layer: parametrizations.weight_norm(layer),
    "weight_norm of all": lambda layer: parametrizations.weight_norm(layer, dim=None),
    "spectral_norm": lambda layer: parametrizations.spectral_norm(layer).eval(),
    "matrix_exp": lambda layer: parametrizations.orthogonal(layer, orthogonal_map="matrix_exp"),
    "cayley": lambda layer: parametrizations.orthogonal(layer, orthogonal_map="cayley"),
    "householder": lambda layer: parametrizations.orthogonal(layer, orthogonal_map="householder"),
}


@pytest.mark.parametrize("name", MADE)
def test_gradients_of_originals(name):
    tg.manual_seed(0)
    layer = MADE[name](nn.Linear(3, 2).double())
    known = layer.parametrizations.weight
    first = known[0]
    originals = [p.detach().clone().requires_grad_() for p in known.parameters(recurse=False)]
    if name == "householder":  # its diagonal holds signs, which have no gradient

        def run(x):
            fixed = tg.eye(2, 3, dtype=tg.float64)
            return first(x * (1 - fixed) - fixed)

    else:
        run = first
    assert tg.gradcheck(run, tuple(originals))
    assert tg.gradgradcheck(run, tuple(originals))


def test_nodes_know_the_parametrization():
    net = nn.Sequential(parametrizations.weight_norm(nn.Linear(2, 1)))
    out = net(tg.ones(1, 2))
    seen, stack = set(), [out.grad_fn]
    while stack:
        node = stack.pop()
        if node is not None and getattr(node, "scope", None) is not None:
            seen.add(node.scope.path)
        if node is not None:
            stack += [following for following, _ in node.next_functions]
    assert any("parametrizations.weight" in path for path in seen), seen


def test_the_cache_is_cleared_by_errors_and_belongs_to_a_thread():
    layer = parametrize.register_parametrization(nn.Linear(2, 1), "weight", nn.Tanh())
    kept = []

    def failing():
        with parametrize.cached():
            kept.append(layer.weight)
            assert layer.weight is kept[0]
            other = threading.Thread(target=lambda: kept.append(layer.weight))
            other.start()
            other.join()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert kept[1] is not kept[0]
    assert layer.weight is not kept[0]


def test_training_moves_the_original_only():
    tg.manual_seed(0)
    layer = parametrizations.orthogonal(nn.Linear(4, 4).double())
    optimizer = tg.optim.Adam(layer.parameters(), lr=0.1)
    target = tg.from_numpy(np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0])
    if np.linalg.det(target.numpy()) * np.linalg.det(layer.weight.detach().numpy()) < 0:
        target[0] *= -1  # a rotation cannot become a reflection
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = ((layer.weight - target) ** 2).sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.05 * losses[0]
    product = (layer.weight @ layer.weight.mT).detach().numpy()
    np.testing.assert_allclose(product, np.eye(4), atol=1e-12)
