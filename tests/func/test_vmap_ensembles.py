"""vmap over the parameters and buffers of several networks of one kind."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.func import functional_call, stack_module_state, vmap


def close(a, b, tolerance=1e-12):
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=tolerance, atol=tolerance)


def test_an_ensemble_of_models():
    tg.manual_seed(0)
    models = [nn.Linear(3, 2) for _ in range(5)]
    parameters, buffers = stack_module_state(models)
    data = tg.randn(7, 3)
    out = vmap(lambda p, b: functional_call(models[0], (p, b), (data,)))(parameters, buffers)
    close(out.detach(), tg.stack([m(data) for m in models]).detach(), 1e-6)
    out.sum().backward()
    assert parameters["weight"].grad.shape == (5, 2, 3)


@pytest.mark.parametrize("norm", [nn.BatchNorm1d, nn.InstanceNorm1d])
def test_running_statistics_of_each_network_are_moved(norm):
    layers = [norm(3, affine=False, track_running_stats=True).double() for _ in range(2)]
    batches = tg.from_numpy(np.random.default_rng(2).standard_normal((2, 4, 3, 5)))
    _, buffers = stack_module_state(layers)

    def run(buffers, batch):
        return functional_call(layers[0], buffers, batch)

    out = vmap(run)(buffers, batches)
    close(out, tg.stack([layer(batch) for layer, batch in zip(layers, batches, strict=True)]))
    for name, stacked in buffers.items():
        close(stacked, tg.stack([getattr(layer, name) for layer in layers]))
    counts = [1, 1] if norm is nn.BatchNorm1d else [0, 0]  # instance norm counts nothing
    assert buffers["num_batches_tracked"].tolist() == counts
