"""Activations and dropout beside PyTorch where rows of samples cannot go: kinks, NaN, errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from parity.nn_compare import assert_same, compare, errors, numbers, sides

import tensorgrad as tg

INF, NAN = math.inf, math.nan
# Function, what to apply it to, and what comes after: every kink, both infinities, NaN.
KINKS = {
    "celu": ([0.0, -INF, INF], ()),
    "selu": ([0.0, -INF, INF], ()),
    "hardshrink": ([0.5, -0.5, 0.0, INF, NAN], ()),
    "softshrink": ([0.5, -0.5, 0.0, INF, -INF, NAN], ()),
    "hardtanh": ([-1.0, 1.0, 0.0, INF, NAN], ()),
    "relu6": ([0.0, 6.0, -INF, NAN], ()),
    "hardswish": ([-3.0, 3.0, 0.0, INF, -INF], ()),
    "threshold": ([0.5, 0.6, 0.4, INF, NAN], (0.5, 2.0)),
    "rrelu": ([0.0, -1.0, INF, -INF, NAN], ()),
    "mish": ([0.0, 50.0, -50.0, -1000.0, INF], ()),
    "softsign": ([0.0, -1.0, 1e300], ()),
    "tanhshrink": ([0.0, 1e-8, INF], ()),
}


@pytest.mark.parametrize("name", KINKS)
def test_kinks(name):
    values, args = KINKS[name]
    compare(lambda s: getattr(s.F, name)(s.leaf(values), *args))


def test_kinks_of_prelu():
    compare(lambda s: s.F.prelu(s.leaf([0.0, -1.0, INF, -INF]), s.leaf([0.25])))


def test_kinks_of_hardsigmoid():
    compare(lambda s: s.F.hardsigmoid(s.leaf([-3.0, 3.0, INF, -INF, NAN])), 1e-7)


@pytest.mark.parametrize("kind", ["int64", "int32", "uint8"])
def test_whole_numbers(kind):
    compare(lambda s: s.F.hardtanh(s.const([0, 1, 7], kind), 0.9, 2.7))
    compare(lambda s: s.F.relu6(s.const([0, 1, 7], kind)))
    compare(lambda s: s.F.threshold(s.const([0, 3, 7], kind), 2.5, 1.5))


X = numbers(2, 3)
ERRORS = {
    "celu, alpha": (lambda s: s.F.celu(s.const(X), 0.0), ["celu", "alpha"]),
    "celu, int": (lambda s: s.F.celu(s.const([1, 2])), ["int64", "float()"]),
    "celu, list": (lambda s: s.F.celu([1.0]), ["celu", "list"]),
    "hardtanh, order": (lambda s: s.F.hardtanh(s.const(X), 2, 1), ["2 > 1"]),
    "hardtanh, bool": (lambda s: s.F.hardtanh(s.const([True])), ["Bool"]),
    "hardtanh, complex": (lambda s: s.F.hardtanh(s.const([1j])), ["complex"]),
    "hardtanh, unsigned": (lambda s: s.F.hardtanh(s.const([1], "uint8")), ["unsigned", "-1"]),
    "Hardtanh, order": (lambda s: s.nn.Hardtanh(1, 1), ["Hardtanh", "greater"]),
    "glu, odd": (lambda s: s.F.glu(s.const(X)), ["size 3", "float64(2, 3)"]),
    "glu, dim": (lambda s: s.F.glu(s.const(X), 2), ["[-2, 1]", "2"]),
    "glu, scalar": (lambda s: s.F.glu(s.const(1.0)), ["scalar"]),
    "softshrink": (lambda s: s.F.softshrink(s.const(X), -1), ["-1", "range"]),
    "rrelu, order": (lambda s: s.F.rrelu(s.const(X), 0.5, 0.1), ["0.5", "0.1"]),
    "rrelu, infinite": (lambda s: s.F.rrelu(s.const(X), INF, INF, True), ["finite"]),
    "prelu, count": (lambda s: s.F.prelu(s.const(X), s.const([0.1, 0.2])), ["2", "3 channels"]),
    "prelu, rank": (lambda s: s.F.prelu(s.const(X), s.const(X)), ["1D", "float64(2, 3)"]),
    "prelu, dtype": (
        lambda s: s.F.prelu(s.const(X), s.const([0.1], "float32")),
        ["float32", "float64"],
    ),
    "prelu, scalar": (lambda s: s.F.prelu(s.const(1.0), s.const([0.1, 0.2])), ["2"]),
    "PReLU, size": (lambda s: s.nn.PReLU(-1), ["PReLU", "-1"]),
    "threshold": (lambda s: s.F.threshold(s.const(X), "a", 1), ["threshold", "'a'"]),
    "Softmax2d": (lambda s: s.nn.Softmax2d()(s.const(X)), ["3D or 4D", "(2, 3)"]),
    "gumbel, int": (lambda s: s.F.gumbel_softmax(s.const([1, 2])), ["int64"]),
    "gumbel, dim": (lambda s: s.F.gumbel_softmax(s.const(X), dim=4), ["4"]),
    "dropout1d, rank": (lambda s: s.F.dropout1d(s.const([1.0])), ["1D", "2D or 3D"]),
    "dropout1d, p": (lambda s: s.F.dropout1d(s.const(X), 1.5), ["1.5"]),
    "dropout2d, p": (lambda s: s.F.dropout2d(s.const(X), -0.1), ["-0.1"]),
    "dropout2d, rank": (lambda s: s.F.dropout2d(s.const([1.0])), ["2 dimensions"]),
    "alpha, int": (lambda s: s.F.alpha_dropout(s.const([1]), 0.5, True), ["int64"]),
    "Dropout3d": (lambda s: s.nn.Dropout3d(2), ["Dropout3d", "2"]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    case, words = ERRORS[name]
    theirs, ours, text = errors(case)
    assert theirs is not type(None)
    assert issubclass(ours, theirs) or issubclass(theirs, ours), text
    for word in words:
        assert word in text


INPLACE = {
    "CELU": (0.5, True), "SELU": (True,), "Hardsigmoid": (True,), "Hardswish": (True,),
    "Hardtanh": (-0.5, 0.5, True), "ReLU6": (True,), "Mish": (True,), "RReLU": (0.2, 0.2, True),
    "Threshold": (0.1, 2, True), "Dropout1d": (1.0, True),
}  # fmt: skip


@pytest.mark.parametrize("name", INPLACE)
def test_layers_in_place(name):
    results = []
    for library, side in zip((torch, tg), sides()):
        layer = getattr(library.nn, name)(*INPLACE[name])
        leaf = side.leaf(numbers(3, 4, 2))
        middle = leaf * 1.5
        out = layer(middle)
        assert out is middle
        (out * out).sum().backward()
        results.append((repr(layer), out, leaf.grad))
    assert results[0][0] == results[1][0]
    assert_same(results[0][1:], results[1][1:], name, 1e-7 if name == "Hardsigmoid" else 1e-10)


@pytest.mark.parametrize("name", ["AlphaDropout", "FeatureAlphaDropout"])
def test_inplace_is_honoured(name):
    """PyTorch's two layers of this family ignore it; their functions do not."""
    x = tg.ones(3, 4, 2)
    assert getattr(tg.nn, name)(0.5, inplace=True)(x) is x
    assert (x != 1).any()


def test_old_names_of_hardtanh():
    for side in sides():
        with pytest.warns(FutureWarning, match="min_value"):
            layer = side.nn.Hardtanh(min_value=-2.0)
        with pytest.warns(FutureWarning, match="max_value"):
            layer = side.nn.Hardtanh(-2.0, max_value=0.5)
        assert (layer.min_val, layer.max_val) == (-2.0, 0.5)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("dropout2d", (3,)), ("dropout2d", (2, 3, 4)), ("dropout2d", (1, 2, 1, 1, 1)),
     ("dropout3d", (2, 3, 1))],
)  # fmt: skip
def test_ranks_that_warn(name, shape):
    for side in sides():
        with pytest.warns(UserWarning, match=rf"{name}: Received a {len(shape)}-?D input"):
            out = getattr(side.F, name)(side.const(numbers(*shape)), 1.0)
        assert not out.numpy().any()


def test_eps_of_gumbel_softmax_warns():
    for side in sides():
        with pytest.warns(UserWarning, match="no effect"):
            side.F.gumbel_softmax(side.const(X), eps=0.1)


# --- What is random -------------------------------------------------------------------------------


def test_rrelu_draws_its_slopes():
    tg.manual_seed(0)
    x = tg.full((20000,), -1.0, dtype=tg.float64, requires_grad=True)
    out = tg.nn.functional.rrelu(x, 0.2, 0.6, training=True)
    slopes = -out.detach().numpy()
    assert 0.2 <= slopes.min() < 0.201
    assert 0.599 < slopes.max() <= 0.6
    assert slopes.mean() == pytest.approx(0.4, abs=0.005)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), slopes)


@pytest.mark.parametrize("name", ["alpha_dropout", "feature_alpha_dropout"])
def test_alpha_dropout_keeps_mean_and_variance(name):
    tg.manual_seed(0)
    x = tg.randn(400, 400, dtype=tg.float64)
    out = getattr(tg.nn.functional, name)(x, 0.3, training=True).numpy()
    assert out.mean() == pytest.approx(0, abs=0.01)
    assert out.var() == pytest.approx(1, abs=0.03)
    torch.manual_seed(0)
    given = torch.from_numpy(x.numpy())
    theirs = getattr(torch.nn.functional, name)(given, 0.3, training=True).numpy()
    # what is dropped has one value, which is by far the most frequent, and the same in both
    frequent = []
    for found in (out, theirs):
        values, counts = np.unique(found.round(6), return_counts=True)
        assert counts.max() / found.size == pytest.approx(0.3, abs=0.06)
        frequent.append(values[counts.argmax()])
    assert frequent[0] == frequent[1]


@pytest.mark.parametrize(
    ("name", "shape", "axes"),
    [("dropout1d", (50, 40, 7), 2), ("dropout1d", (500, 7), 1), ("dropout2d", (50, 40, 2, 3), 2),
     ("dropout3d", (50, 40, 1, 2, 3), 2), ("dropout3d", (500, 1, 2, 3), 1)],
)  # fmt: skip
def test_channels_are_dropped_together(name, shape, axes):
    tg.manual_seed(0)
    out = getattr(tg.nn.functional, name)(tg.ones(shape), 0.25).numpy()
    rows = out.reshape(int(np.prod(shape[:axes])), -1)
    assert (rows == rows[:, :1]).all()
    np.testing.assert_allclose(np.unique(rows), [0, 4 / 3], rtol=1e-6)
    assert (rows[:, 0] == 0).mean() == pytest.approx(0.25, abs=0.05)


def test_gumbel_softmax_draws_classes_with_their_probabilities():
    tg.manual_seed(0)
    wanted = np.array([0.6, 0.3, 0.1])
    logits = tg.from_numpy(np.tile(np.log(wanted), (20000, 1))).requires_grad_()
    out = tg.nn.functional.gumbel_softmax(logits, hard=True)
    np.testing.assert_array_equal(np.sort(out.detach().numpy(), 1)[:, [0, 2]], [[0, 1]] * 20000)
    np.testing.assert_allclose(out.detach().numpy().mean(0), wanted, atol=0.02)
    tg.manual_seed(0)
    copy = logits.detach().requires_grad_()
    soft = tg.nn.functional.gumbel_softmax(copy)
    (out[:, 0].sum()).backward()
    (soft[:, 0].sum()).backward()
    np.testing.assert_allclose(logits.grad.numpy(), copy.grad.numpy())
