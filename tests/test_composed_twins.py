"""Fused primitives: the adjoint of the kernel and the twin that is differentiated agree."""

import numpy as np
import pytest
from samples import SAMPLES
from sampling import Call, numbered, outputs_of

import tensorgrad as tg
from tensorgrad.primitive import primitives

FUSED = [s for s in SAMPLES if s.primitive and primitives[s.primitive].composed]


def gradients(sample, call, seed, create_graph):
    y = outputs_of(call.run(sample.function()))
    return tg.autograd.grad(y, call.leaves, seed, create_graph=create_graph)


def seeds_like(sample, call, rng):
    outputs = outputs_of(call.run(sample.function()))
    return [tg.from_numpy(rng.standard_normal(y.shape)) for y in outputs]


def test_there_are_some():
    assert {s.primitive for s in FUSED} == {op.name for op in primitives.values() if op.composed}


@pytest.mark.parametrize(("sample", "number"), numbered(FUSED))
def test_order_one(sample, number):
    call = Call(sample.draw(number))
    seed = seeds_like(sample, call, np.random.default_rng(0))
    kernel = gradients(sample, call, seed, create_graph=False)
    seed = [g.requires_grad_() for g in seed]
    twin = gradients(sample, call, seed, create_graph=True)
    for of_kernel, of_twin in zip(kernel, twin, strict=True):
        np.testing.assert_allclose(of_kernel.numpy(), of_twin.detach().numpy(), atol=1e-12)


@pytest.mark.parametrize(("sample", "number"), numbered(FUSED))
def test_order_two(sample, number):
    """The twin's second derivative is the derivative of the kernel's first."""
    rng = np.random.default_rng(1)
    call = Call(sample.draw(number))
    seed = seeds_like(sample, call, rng)
    weights = [tg.from_numpy(rng.standard_normal(t.shape)) for t in call.leaves]
    seed = [g.requires_grad_() for g in seed]  # some gradients depend on nothing else
    twin = gradients(sample, call, seed, create_graph=True)
    second = tg.autograd.grad(twin, call.leaves, weights, allow_unused=True)

    def moved(leaf, step):
        leaf._array += step
        leaf._bump()
        found = gradients(sample, call, seed, create_graph=False)
        leaf._array -= step
        leaf._bump()
        return sum(float((g * w).sum().item()) for g, w in zip(found, weights, strict=True))

    for leaf, gradient in zip(call.leaves, second, strict=True):
        step = 1e-6 * rng.standard_normal(leaf.shape)
        by_kernel = (moved(leaf, step) - moved(leaf, -step)) / 2e-6
        by_twin = 0.0 if gradient is None else float(np.sum(gradient.numpy() * step / 1e-6))
        assert by_kernel == pytest.approx(by_twin, rel=1e-6, abs=1e-8)
