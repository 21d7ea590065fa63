"""Batch norm composed of operations and batch norm fused: docs/batchnorm.md in numbers."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn


def composed(x, weight, bias, eps=1e-5):
    """The forward of the page; its backward is derived by the engine."""
    axes = (0, *range(2, x.ndim))
    shape = (1, -1, *(1,) * (x.ndim - 2))
    centred = x - x.mean(axes, keepdim=True)
    variance = (centred * centred).mean(axes, keepdim=True)
    normal = centred / (variance + eps).sqrt()
    return normal * weight.reshape(shape) + bias.reshape(shape)


def fused(x, weight, bias, eps=1e-5):
    return nn.functional.batch_norm(x, None, None, weight, bias, training=True, eps=eps)


def drawn(shape, seed=0):
    rng = np.random.default_rng(seed)
    sizes = (shape, (shape[1],), (shape[1],), shape)
    arrays = [rng.standard_normal(s) * 2 + 0.3 for s in sizes]
    return [tg.from_numpy(a).requires_grad_() for a in arrays[:3]], tg.from_numpy(arrays[3])


def assert_close(ours, others):
    for a, b in zip(ours, others, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 6), (3, 2, 4, 5), (2, 3, 2, 2, 3)])
def test_they_agree_at_orders_one_and_two(shape):
    leaves, seed = drawn(shape)
    outputs = [forward(*leaves) for forward in (composed, fused)]
    assert_close(outputs[:1], outputs[1:])
    first = [tg.autograd.grad(y, leaves, seed, create_graph=True) for y in outputs]
    assert_close(*first)
    second = [
        tg.autograd.grad(sum((g * g).sum() for g in found), leaves, allow_unused=True)
        for found in first
    ]
    assert_close(*[[g for g in found if g is not None] for found in second])


def test_first_order_uses_the_rule_derived_by_hand():
    """Without create_graph the fused backward is one node's rule, not the composed graph's."""
    leaves, seed = drawn((6, 3, 4))
    one, many = fused(*leaves), composed(*leaves)
    assert one.grad_fn.op.name == "batch_norm"
    by_hand = tg.autograd.grad(one, leaves, seed)
    derived = tg.autograd.grad(many, leaves, seed)
    assert_close(by_hand, derived)


def test_without_the_mean_term_it_would_be_noticed():
    """The classic slip: the derivative through the batch's mean left out."""
    (x, weight, bias), seed = drawn((6, 3))
    (right,) = tg.autograd.grad(fused(x, weight, bias), [x], seed)
    g, v = seed.numpy() * weight.detach().numpy(), x.detach().numpy()
    deviation = np.sqrt(v.var(0) + 1e-5)
    normal = (v - v.mean(0)) / deviation
    wrong = (g - normal * (g * normal).mean(0)) / deviation
    assert np.abs(right.numpy() - wrong).max() > 0.1
    np.testing.assert_allclose(right.numpy(), wrong - g.mean(0) / deviation, atol=1e-12)
