"""linear_cross_entropy in pieces beside PyTorch's, and beside itself in one."""

import tracemalloc

import numpy as np
import pytest
import torch

import tensorgrad as tg

LIBRARIES = (tg, torch)
RNG = np.random.default_rng(0)
X, W, B = (RNG.standard_normal(shape) for shape in ((7, 3), (5, 3), (5,)))
TARGET = np.array([0, 1, 4, 3, 2, -100, 1])
FACTORS = RNG.uniform(0.5, 2, 5)
HOW = [
    {"batch_chunk_size": 2}, {"batch_chunk_size": 7, "chunking_method": None},
    {"chunking_method": "aspect_ratio"}, {"chunking_method": "aspect_ratio:2"}, {},
    {"acc_policy": "compact", "chunking_method": None}, {"allow_retain_graph": True},
]  # fmt: skip


def run(t, how, reduction, weighted, bias):
    x, w, b = (t.tensor(a, requires_grad=True) for a in (X, W, B))
    options = None if how is None else t.nn.LinearCrossEntropyOptions(**how)
    loss = t.nn.functional.linear_cross_entropy(
        x, w, t.tensor(TARGET), linear_bias=b if bias else None, reduction=reduction,
        weight=t.tensor(FACTORS) if weighted else None, options=options,
    )  # fmt: skip
    leaves = [x, w, b] if bias else [x, w]
    grads = t.autograd.grad((loss * t.arange(1.0, 1 + loss.numel(), dtype=t.float64)).sum(), leaves)
    return [v.detach().numpy() for v in (loss, *grads)]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("how", HOW, ids=str)
def test_pieces(how, reduction):
    for weighted, bias in ((False, True), (True, False)):
        ours = run(tg, how, reduction, weighted, bias)
        for other in (run(torch, how, reduction, weighted, bias),
                      run(tg, None, reduction, weighted, bias)):  # fmt: skip
            for a, b in zip(ours, other, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def test_backward_twice_and_the_layer():
    layer = tg.nn.LinearCrossEntropyLoss(3, 5, options=tg.nn.LinearCrossEntropyOptions()).double()
    loss = layer(tg.tensor(X), tg.tensor(TARGET))
    loss.backward(retain_graph=True)
    first = layer.linear.weight.grad.clone()
    loss.backward()
    np.testing.assert_allclose(layer.linear.weight.grad.numpy(), 2 * first.numpy())


def test_what_cannot_be_cut_warns():
    for t in LIBRARIES:
        with pytest.warns(UserWarning, match="``options`` ignored"):
            t.nn.functional.linear_cross_entropy(
                t.tensor(X), t.tensor(W), t.tensor(np.abs(TARGET) % 5), label_smoothing=0.1,
                options=t.nn.LinearCrossEntropyOptions(),
            )  # fmt: skip


def test_the_logits_are_never_all_there():
    x, w = tg.randn(512, 8, requires_grad=True), tg.randn(2000, 8, requires_grad=True)
    target = tg.randint(0, 2000, (512,))
    peaks = []
    for options in (None, tg.nn.LinearCrossEntropyOptions(batch_chunk_size=32)):
        tracemalloc.start()
        tg.nn.functional.linear_cross_entropy(x, w, target, options=options).backward()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] / 4


@pytest.mark.parametrize("how", [
    {"acc_policy": "x"}, {"chunking_method": "y"}, {"chunking_method": "aspect_ratio:0"},
    {"batch_chunk_size": 0}, {"batch_chunk_size": 1.5}, {"acc_dtype": "int64"},
])  # fmt: skip
def test_options_are_checked(how):
    for t in LIBRARIES:
        with pytest.raises(ValueError):
            t.nn.LinearCrossEntropyOptions(**how)
    with pytest.raises(TypeError, match="options"):
        tg.nn.functional.linear_cross_entropy(
            tg.tensor(X), tg.tensor(W), tg.tensor(TARGET), options=3
        )
    for t in LIBRARIES:
        with pytest.raises(RuntimeError, match="acc_dtype"):
            t.nn.functional.linear_cross_entropy(
                t.tensor(X), t.tensor(W), t.tensor(TARGET),
                options=t.nn.LinearCrossEntropyOptions(acc_dtype=t.float32),
            )  # fmt: skip
