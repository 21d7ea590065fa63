"""Infinities, NaN, zeros and numbers at the end of float16 beside PyTorch: values and gradients."""

import numpy as np
import pytest
import torch

import tensorgrad as tg
from tensorgrad.kernels import registry

NAN, INF = np.nan, np.inf


def compared(run, *arrays, rtol=1e-5):
    """Values and gradients of the sum of ``run(library, *tensors)``."""
    found = []
    for library in (tg, torch):
        leaves = [library.from_numpy(a.copy()).requires_grad_() for a in arrays]
        out = run(library, *leaves)
        out.double().sum().backward()
        found.append([t.detach().numpy() for t in (out, *(leaf.grad for leaf in leaves))])
    for mine, theirs in zip(*found, strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=rtol)


def matrix(*special):
    a = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
    for i, value in enumerate(special):
        a[i, 2 * i] = value
    return a


ROWS = {
    "softmax": lambda lib, x: x.softmax(1),
    "log_softmax": lambda lib, x: x.log_softmax(1),
    "relu": lambda lib, x: x.relu(),
    "maximum": lambda lib, x: lib.maximum(x, x.detach().flip(0)),
    "minimum": lambda lib, x: lib.minimum(x.detach().flip(0), x),
    "logsumexp": lambda lib, x: x.logsumexp(1),
    "smooth_l1": lambda lib, x: lib.nn.functional.smooth_l1_loss(x, x.detach() * 0 - 0.5),
    "huber": lambda lib, x: lib.nn.functional.huber_loss(x, lib.zeros(4, 6), delta=0.7),
}


@pytest.mark.parametrize("value", [NAN, INF])
@pytest.mark.parametrize("name", ROWS)
def test_one_element_is_no_number(name, value):
    if name == "smooth_l1" and value is INF:
        return compared(
            lambda lib, x: lib.nn.functional.smooth_l1_loss(x, lib.ones(4, 6)), matrix(value)
        )
    return compared(ROWS[name], matrix(value))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_rows_that_cross_entropy_ignores_do_not_count(value, reduction):
    x = matrix()
    x[0, [0, 3]] = value
    losses = []
    for library in (tg, torch):
        target = library.tensor([-100, 1, 2, 5])
        given = library.from_numpy(x)
        losses.append(library.nn.functional.cross_entropy(given, target, reduction=reduction))
    assert np.isfinite(losses[0].numpy()).all()
    np.testing.assert_allclose(losses[0].numpy(), losses[1].numpy(), rtol=1e-6)


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("name", ["std", "std_mean", "norm"])
def test_the_gradient_of_a_root_at_zero_is_zero(name, axis):
    a = matrix()
    a[1] = a[:, 2] = 0
    a[:] = a if name == "norm" and axis is not None else 0

    def run(library, x):
        words = {} if axis is None else {"dim": axis}
        found = getattr(library, name)(x, **words)
        return found[0] if name == "std_mean" else found

    compared(run, a)


def test_a_median_of_all_shares_its_gradient_among_equal_elements():
    a = np.array([3.0, 1, 2, 2, 2, 0, 5], np.float32)
    compared(lambda lib, x: x.median() * 3, a)
    compared(lambda lib, x: x.nanmedian(), np.append(a, np.float32(NAN)))
    compared(lambda lib, x: x.median(), np.append(a, np.float32([NAN, NAN])))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_gelu_of_large_numbers(kind):
    a = np.array([-1e15, -40, -1, 0, 2, 40, 1e15], kind)
    for mode in registry.MODES:
        with registry.use(mode):
            compared(lambda lib, x: lib.nn.functional.gelu(x, approximate="tanh"), a)


@pytest.mark.parametrize("mode", registry.MODES)
@pytest.mark.parametrize(
    "words", [{"kernel_size": 3, "padding": 1}, {"kernel_size": 3, "stride": 1, "padding": 1}]
)
def test_a_border_never_wins_a_window_of_minus_infinity(words, mode):
    a = np.full((2, 3, 7, 7), -INF, np.float32)
    a[0, 1, 3:] = 2
    with registry.use(mode):
        compared(lambda lib, x: lib.nn.functional.max_pool2d(x, **words), a)


def test_the_mean_of_equal_numbers_is_that_number():
    for n in (3, 41, 49, 1000):
        assert tg.ones(n).mean().item() == 1
        assert (tg.ones(2, n).mean(1) == 1).all()
        assert tg.tensor([1.0, -1.0] * n).var(correction=0).item() == 1


HALF = {
    "mean": lambda lib, x: (x.abs() * 600).mean(),
    "var": lambda lib, x: x.var(1),
    "std": lambda lib, x: x.std(),
    "norm": lambda lib, x: x.norm(),
    "vector_norm": lambda lib, x: lib.linalg.vector_norm(x, dim=1),
    "normalize": lambda lib, x: lib.nn.functional.normalize(x),
    "cosine_similarity": lambda lib, x: lib.nn.functional.cosine_similarity(x, x.flip(0)),
    "pairwise_distance": lambda lib, x: lib.nn.functional.pairwise_distance(x, x.flip(0)),
    "dist": lambda lib, x: lib.dist(x, x * 2),
    "batch_norm": lambda lib, x: lib.nn.functional.batch_norm(x, None, None, training=True),
    "layer_norm": lambda lib, x: lib.nn.functional.layer_norm(x, (10,)),
    "group_norm": lambda lib, x: lib.nn.functional.group_norm(x, 2),
    "attention": lambda lib, x: lib.nn.functional.scaled_dot_product_attention(
        x[None] / 100, x[None], x[None]
    ),
}


@pytest.mark.parametrize("name", HALF)
def test_squares_of_float16_are_taken_in_float32(name):
    a = (np.random.default_rng(0).standard_normal((6, 10)) * 100).astype(np.float16)
    compared(HALF[name], a, rtol=5e-3)


def test_running_statistics_of_float16():
    a = (np.random.default_rng(0).standard_normal((6, 3)) * 100).astype(np.float16)
    found = []
    for library in (tg, torch):
        layer = library.nn.BatchNorm1d(3).half()
        layer(library.from_numpy(a))
        found.append((layer.running_mean.numpy(), layer.running_var.numpy()))
    for mine, theirs in zip(*found, strict=True):
        assert mine.dtype == np.float16
        np.testing.assert_allclose(mine, theirs, rtol=5e-3)


def test_clipping_float16_gradients():
    for library in (tg, torch):
        p = library.nn.Parameter(library.zeros(40).half())
        p.grad = library.full((40,), 100.0).half()
        assert library.nn.utils.clip_grad_norm_([p], 1.0).item() == pytest.approx(632.5, rel=1e-3)
        assert p.grad[0].item() == pytest.approx(100 / 632.5, rel=2e-3)


@pytest.mark.parametrize("words", [{}, {"label_smoothing": 0.1}, {"reduction": "none"}])
def test_what_is_ignored_has_a_loss_of_plain_zero(words):
    x = matrix()
    for library in (tg, torch):
        logits = library.from_numpy(x).requires_grad_()
        target = library.tensor([-100, 1, -100, 5])
        loss = library.nn.functional.cross_entropy(logits, target, **words)
        assert not np.signbit(loss.detach().numpy()).any()
        loss.sum().backward()
        assert (logits.grad[0] == 0).all()
