"""Initialisation: the distributions drawn from, seeds, and special matrices."""

import math
import warnings

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import init


def empty(*shape, dtype=tg.float64):
    return tg.empty(*shape, dtype=dtype)


def spread(t):
    """Mean, standard deviation, smallest, largest."""
    a = t.detach().numpy()
    return a.mean(), a.std(), a.min(), a.max()


@pytest.mark.parametrize(
    ("fill", "mean", "std", "bound"),
    [
        (lambda t: init.uniform_(t, -1, 3), 1, 4 / math.sqrt(12), None),
        (lambda t: init.normal_(t, 2, 0.5), 2, 0.5, None),
        (lambda t: init.xavier_uniform_(t, 2.0), 0, 2 * math.sqrt(2 / 500), 2 * math.sqrt(6 / 500)),
        (lambda t: init.xavier_normal_(t), 0, math.sqrt(2 / 500), None),
        (lambda t: init.kaiming_uniform_(t), 0, math.sqrt(2 / 300), math.sqrt(6 / 300)),
        (lambda t: init.kaiming_normal_(t, mode="fan_out"), 0, math.sqrt(2 / 200), None),
        (lambda t: init.kaiming_normal_(t, nonlinearity="tanh"), 0, 5 / 3 / math.sqrt(300), None),
        (lambda t: init.kaiming_uniform_(t, a=1), 0, math.sqrt(1 / 300), math.sqrt(3 / 300)),
    ],
)
def test_distributions(fill, mean, std, bound):
    tg.manual_seed(0)
    t = empty(200, 300)
    assert fill(t) is t
    found_mean, found_std, low, high = spread(t)
    assert abs(found_mean - mean) < 0.02 * std * 2
    assert abs(found_std / std - 1) < 0.02
    if bound is not None:
        assert -bound <= low < -0.99 * bound
        assert 0.99 * bound < high <= bound


@pytest.mark.parametrize(
    ("mean", "std", "a", "b"),
    [
        (0, 1, -2, 2),
        (1, 2, 0, 1.5),
        (0, 1, 3, 50),
        (0, 1, 3, 3.1),
        (0, 1, -50, -3),
        (0, 1, -0.1, 0.2),
    ],
)
def test_trunc_normal_has_the_right_distribution(mean, std, a, b):
    tg.manual_seed(0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "trunc_normal_: mean")  # the far tails are meant
        values = np.sort(init.trunc_normal_(empty(20000), mean, std, a, b).numpy())
    assert a <= values[0] <= values[-1] <= b
    # Kolmogorov and Smirnov: the largest distance to the distribution function; 1.95 / sqrt(n) is
    # exceeded by chance once in a thousand samples.
    side = -1 if mean > b else 1  # erfc is exact in the tail that it is asked about
    tail = np.vectorize(lambda x: math.erfc(side * (x - mean) / std / math.sqrt(2)))
    cdf = (tail(a) - tail(values)) / (tail(a) - tail(b))
    assert np.abs(cdf - (np.arange(20000) + 0.5) / 20000).max() < 1.95 / math.sqrt(20000)


def test_seeds_and_generators():
    made = []
    for _ in range(2):
        tg.manual_seed(7)
        made.append(init.normal_(empty(5)).tolist())
    assert made[0] == made[1]
    generator = tg.Generator().manual_seed(7)
    assert init.normal_(empty(5), generator=generator).tolist() == made[0]
    assert init.normal_(empty(5), generator=generator).tolist() != made[0]
    functions = [
        init.uniform_,
        init.trunc_normal_,
        init.xavier_uniform_,
        init.xavier_normal_,
        init.kaiming_uniform_,
        init.kaiming_normal_,
        init.orthogonal_,
        lambda t, generator: init.sparse_(t, 0.5, generator=generator),
    ]
    for function in functions:
        a, b = (function(empty(3, 4), generator=tg.Generator().manual_seed(1)) for _ in range(2))
        assert a.tolist() == b.tolist()


def test_constants():
    assert init.constant_(empty(2), 3.5).tolist() == [3.5, 3.5]
    assert init.ones_(empty(2)).tolist() == [1, 1]
    assert init.zeros_(empty(2)).tolist() == [0, 0]
    assert init.eye_(empty(2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize("groups", [1, 2])
def test_dirac_hands_the_channels_on(groups):
    conv = nn.Conv2d(4, 4, 3, padding=1, groups=groups, bias=False).double()
    init.dirac_(conv.weight, groups)
    x = tg.randn(2, 4, 5, 5, dtype=tg.float64)
    assert np.array_equal(conv(x).detach().numpy(), x.numpy())


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (4, 2, 3)])
def test_orthogonal(shape):
    t = init.orthogonal_(empty(*shape), gain=2).numpy().reshape(shape[0], -1)
    product = t @ t.T if t.shape[0] <= t.shape[1] else t.T @ t
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_sparse():
    t = init.sparse_(empty(10, 6), 0.25).numpy()
    assert ((t == 0).sum(0) == 3).all()  # a quarter of ten, rounded up


@pytest.mark.parametrize(
    ("name", "param", "gain"),
    [
        ("linear", None, 1),
        ("conv2d", None, 1),
        ("sigmoid", None, 1),
        ("tanh", None, 5 / 3),
        ("relu", None, math.sqrt(2)),
        ("selu", None, 0.75),
        ("leaky_relu", None, math.sqrt(2 / (1 + 1e-4))),
        ("leaky_relu", 1, 1),
    ],
)
def test_gain(name, param, gain):
    assert init.calculate_gain(name, param) == pytest.approx(gain)


def test_nothing_is_recorded_and_writes_are_counted():
    p = nn.Parameter(tg.ones(3, 3))
    y = p * p
    init.normal_(p)
    assert p.grad_fn is None
    assert p.requires_grad
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: init.xavier_normal_(empty(3)), ValueError, "fewer than 2 dimensions"),
        (lambda: init.kaiming_normal_(empty(3, 3), mode="fan"), ValueError, "fan_in"),
        (lambda: init.kaiming_normal_(empty(3, 3), nonlinearity="x"), ValueError, "'x'"),
        (lambda: init.calculate_gain("leaky_relu", "x"), ValueError, "'x'"),
        (lambda: init.eye_(empty(3)), ValueError, "2 dimensions"),
        (lambda: init.dirac_(empty(3, 3)), ValueError, "3, 4, or 5"),
        (lambda: init.dirac_(empty(3, 3, 3), 2), ValueError, "groups=2"),
        (lambda: init.orthogonal_(empty(3)), ValueError, "2 or more"),
        (lambda: init.sparse_(empty(3), 0.1), ValueError, "2 dimensions"),
        (lambda: init.uniform_(empty(3), 2, 1), RuntimeError, "from=2"),
        (lambda: init.normal_(empty(3), 0, -1), RuntimeError, "-1"),
        (lambda: init.trunc_normal_(empty(3), a=2, b=1), RuntimeError, "a=2"),
        (lambda: init.zeros_(np.zeros(3)), TypeError, "ndarray"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_layers_draw_from_pytorchs_distributions():
    tg.manual_seed(0)
    for layer, fan_in in ((nn.Linear(400, 300), 400), (nn.Conv2d(16, 64, 5, groups=2), 200)):
        bound = 1 / math.sqrt(fan_in)
        for p in layer.parameters():
            mean, std, low, high = spread(p)
            assert -bound <= low < -0.9 * bound
            assert 0.9 * bound < high <= bound
            assert abs(std * math.sqrt(3) / bound - 1) < 0.15
            assert abs(mean) < 0.2 * bound
            assert p.dtype == tg.float32
    with pytest.warns(UserWarning, match="zero-element"):
        nn.Linear(0, 3)
