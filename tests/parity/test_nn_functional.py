"""Functions of nn.functional against PyTorch's: outputs and all gradients in float64."""

from __future__ import annotations

import numpy as np
import pytest
from parity.nn_compare import classes, compare, numbers, positive

X = numbers(2, 4, 7, 6)
W = numbers(6, 4, 3, 2, seed=1)
B = numbers(6, seed=2)

CONVOLUTIONS = [
    {},
    {"stride": 2},
    {"stride": (2, 1), "padding": (1, 2)},
    {"padding": 3, "dilation": 2},
    {"dilation": (1, 3), "stride": [1, 2], "padding": [0, 1]},
    {"padding": "same"},
    {"padding": "same", "dilation": (2, 3)},
    {"padding": "valid", "stride": 3},
]


@pytest.mark.parametrize("options", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("bias", [True, False])
def test_conv2d(options, groups, bias):
    def case(s):
        b = s.leaf(B, "b") if bias else None
        w = s.leaf(W[:, : 4 // groups], "w")
        return s.F.conv2d(s.leaf(X, "x"), w, b, groups=groups, **options)

    compare(case)


def test_conv_of_one_sample_and_of_none():
    compare(lambda s: s.F.conv2d(s.leaf(X[0]), s.leaf(W), s.leaf(B)))
    compare(lambda s: s.F.conv2d(s.leaf(X[:0]), s.leaf(W), s.leaf(B)))


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1}, {"padding": "same"}], ids=str)
def test_conv_over_other_ranks(n, options):
    x, w = numbers(2, 4, 6, 5, 7)[(..., *(0,) * (3 - n))], numbers(6, 2, 3, 2, 3)
    w = w[(..., *(0,) * (3 - n))]
    name = f"conv{n}d"
    compare(lambda s: getattr(s.F, name)(s.leaf(x), s.leaf(w), s.leaf(B), groups=2, **options))


MAX_POOLS = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2},
    {"kernel_size": (3, 2), "stride": (1, 2), "padding": (1, 0)},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 2, "stride": 3, "ceil_mode": True},
    {"kernel_size": 2, "dilation": 2, "stride": 1},
    {"kernel_size": 3, "dilation": (2, 1), "padding": 1, "ceil_mode": True},
    {"kernel_size": [2, 3], "stride": []},
]


@pytest.mark.parametrize("options", MAX_POOLS, ids=str)
@pytest.mark.parametrize("indices", [False, True])
def test_max_pool2d(options, indices):
    options = {k: tuple(v) if v == [] else v for k, v in options.items()}
    compare(lambda s: s.F.max_pool2d(s.leaf(X), return_indices=indices, **options))
    compare(lambda s: s.F.max_pool2d(s.leaf(X[0]), return_indices=indices, **options))


def test_max_pool_of_equal_elements_has_the_first():
    x = np.zeros((1, 2, 4, 4))
    x[0, 1] = [[1, 1, 0, 0], [1, 0, 0, 2], [2, 2, 3, 3], [2, 2, 3, 3]]
    compare(lambda s: s.F.max_pool2d(s.leaf(x), 2, return_indices=True))
    compare(lambda s: s.F.max_pool2d(s.leaf(x), 3, 1, 1, return_indices=True))


AVERAGE_POOLS = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2},
    {"kernel_size": (3, 2), "stride": (1, 2), "padding": (1, 1)},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 4, "stride": 3, "padding": 2},
    {"kernel_size": 2, "stride": 5},
]


@pytest.mark.parametrize("options", AVERAGE_POOLS, ids=str)
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("include", [False, True])
@pytest.mark.parametrize("divisor", [None, 3, -2])
def test_avg_pool2d(options, ceil_mode, include, divisor):
    words = {**options, "ceil_mode": ceil_mode, "count_include_pad": include}
    compare(lambda s: s.F.avg_pool2d(s.leaf(X), divisor_override=divisor, **words))
    compare(lambda s: s.F.avg_pool2d(s.leaf(X[1]), divisor_override=divisor, **words))


@pytest.mark.parametrize(
    "size", [1, 2, 3, (7, 6), (7, 3), (None, 2), (5, None), (9, 8), (1, 4), [3, 5]], ids=str
)
def test_adaptive_avg_pool2d(size):
    compare(lambda s: s.F.adaptive_avg_pool2d(s.leaf(X), size))
    compare(lambda s: s.F.adaptive_avg_pool2d(s.leaf(X[0]), size))


# Kinks included: -0.0, 0 and large values of both signs.
POINTS = np.concatenate([numbers(30) * 3, [0.0, -0.0, 20.5, -20.5, 800.0, -800.0]])
ACTIVATIONS = {
    "relu": [{}],
    "leaky_relu": [{}, {"negative_slope": 0.3}, {"negative_slope": -0.5}, {"negative_slope": 0}],
    "elu": [{}, {"alpha": 0.5}, {"alpha": -1.5}],
    "sigmoid": [{}],
    "tanh": [{}],
    "logsigmoid": [{}],
    "silu": [{}],
    "gelu": [{}, {"approximate": "tanh"}],
    "softplus": [{}, {"beta": 2.0}, {"beta": 0.5, "threshold": 3}],
}


@pytest.mark.parametrize(
    ("name", "options"), [(n, o) for n, all_of in ACTIVATIONS.items() for o in all_of], ids=str
)
def test_activations(name, options):
    compare(lambda s: getattr(s.F, name)(s.leaf(POINTS), **options))
    compare(lambda s: getattr(s.F, name)(s.leaf(np.float64(0.7)), **options))
    compare(lambda s: getattr(s.F, name)(s.leaf(np.zeros((0, 3))), **options))


@pytest.mark.parametrize(
    ("name", "options"),
    [("relu", {}), ("leaky_relu", {"negative_slope": 0.2}), ("elu", {"alpha": 2.0}), ("silu", {})],
)
def test_activations_in_place(name, options):
    def case(s):
        middle = s.leaf(numbers(3, 4), "x") * 2
        out = getattr(s.F, name)(middle, inplace=True, **options)
        assert out is middle
        return out * middle

    compare(case)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize("dim", [0, 1, -1, None])
@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4), (2, 3, 4, 2)], ids=str)
def test_softmax(name, dim, shape):
    if dim is None or dim < len(shape):
        compare(lambda s: getattr(s.F, name)(s.leaf(numbers(*shape) * 5), dim))


def test_softmax_with_dtype_and_infinities():
    x = numbers(3, 4)
    compare(lambda s: s.F.softmax(s.leaf(x.astype("f4")), 1, dtype=s.tg.float64))
    compare(lambda s: s.F.log_softmax(s.const([[1, 2], [3, 5]]), 1, dtype=s.tg.float64))
    x[0, 1] = -np.inf
    x[1, :] = 1e300
    compare(lambda s: s.F.softmax(s.leaf(x), 1))
    compare(lambda s: s.F.log_softmax(s.leaf(x[1:]), 1))


@pytest.mark.parametrize("shape", [(4,), (2, 4), (3, 2, 4)], ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_linear(shape, bias):
    w, b = numbers(3, 4), numbers(3)
    compare(lambda s: s.F.linear(s.leaf(numbers(*shape)), s.leaf(w), s.leaf(b) if bias else None))
    compare(lambda s: s.F.linear(s.leaf(numbers(*shape)), s.leaf(w[0])))


def test_dropout_that_does_nothing_gives_back_its_input():
    def case(s):
        x = s.leaf(X)
        assert s.F.dropout(x, 0.5, training=False) is x
        assert s.F.dropout(x, 0.0) is x
        return s.F.dropout(x, 1.0)

    compare(case)


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5), (2, 3, 4, 5), (2, 3, 2, 2, 2)], ids=str)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("affine", ["w b", "w", "b", ""])
@pytest.mark.parametrize("tracked", [True, False])
def test_batch_norm(shape, training, affine, tracked):
    if not training and not tracked:
        return
    x, w, b = numbers(*shape) * 3 + 1, numbers(3, seed=1), numbers(3, seed=2)
    mean, var = numbers(3, seed=3), positive(3, seed=4)

    def case(s):
        running = (s.const(mean), s.const(var)) if tracked else (None, None)
        out = s.F.batch_norm(
            s.leaf(x, "x"),
            *running,
            s.leaf(w, "w") if "w" in affine else None,
            s.leaf(b, "b") if "b" in affine else None,
            training,
            momentum=0.3,
            eps=1e-3,
        )
        return out, *running

    compare(case)


@pytest.mark.parametrize(
    "widths",
    [(1, 2), (0, 0), (2, 1, 1, 0), (-1, 2), (-1, -2, 0, 3), (1, 2, 3, 4, 5, 6), (1, 0, 0, 2)],
    ids=str,
)
def test_pad_with_a_constant(widths):
    for value in (None, 0, 2.5):
        compare(lambda s, v=value: s.F.pad(s.leaf(X), widths, value=v))


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize(
    ("shape", "widths"),
    [
        ((2, 3, 5), (2, 1)),
        ((3, 5), (2, 3)),
        ((2, 3, 5, 4), (1, 2, 3, 0)),
        ((3, 5, 4), (1, 2, 3, 0)),
        ((2, 2, 3, 4, 5), (1, 2, 0, 1, 2, 2)),
    ],
    ids=str,
)
def test_pad_with_the_input(mode, shape, widths):
    compare(lambda s: s.F.pad(s.leaf(numbers(*shape)), widths, mode=mode))


def test_one_hot():
    labels = classes(5, 3, 2)
    compare(lambda s: s.F.one_hot(s.const(labels)))
    compare(lambda s: s.F.one_hot(s.const(labels), 7))
    compare(lambda s: s.F.one_hot(s.const(np.int64(2)), 4))
    compare(lambda s: s.F.one_hot(s.const(np.zeros((0, 2), np.int64)), 4))


@pytest.mark.parametrize("padding_idx", [None, 2, -1])
@pytest.mark.parametrize("max_norm", [None, 1.0])
@pytest.mark.parametrize("norm_type", [2.0, 1.0])
def test_embedding(padding_idx, max_norm, norm_type):
    table, index = numbers(6, 3), classes(6, 4, 2)

    def case(s):
        weight = s.leaf(table)
        # PyTorch scales the rows of a leaf in place too; under no_grad it is the same there.
        out = s.F.embedding(s.const(index), weight, padding_idx, max_norm, norm_type)
        return out, weight

    compare(case)
