"""Bilinear maps, bags of look-ups, adaptive softmax, old names of init beside PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from parity.nn_compare import assert_same, compare, errors, numbers, sides

import tensorgrad as tg
from tensorgrad import nn

TABLE, ROW = numbers(10, 3), np.array([1, 2, 4])


def bag(input, offsets=None, table=TABLE, **words):
    """A case of embedding_bag; ndarrays and lists become tensors."""
    return lambda s: s.F.embedding_bag(
        s.const(input),
        s.const(table),
        None if offsets is None else s.const(offsets),
        **{k: s.const(v) if isinstance(v, np.ndarray) else v for k, v in words.items()},
    )


def bilinear(x1, x2, w, b=None):
    return lambda s: s.F.bilinear(
        s.const(numbers(*x1)), s.const(numbers(*x2)), s.const(numbers(*w)),
        None if b is None else s.const(numbers(b)),
    )  # fmt: skip


def adaptive(cutoffs):
    return lambda s: s.nn.AdaptiveLogSoftmaxWithLoss(4, 20, cutoffs)


def adaptive_on(x, target):
    return lambda s: s.nn.AdaptiveLogSoftmaxWithLoss(16, 20, [5]).double()(
        s.const(numbers(*x)), s.const(target)
    )


SQUARE = [[1, 2], [4, 3]]
ERRORS = {
    "bilinear, batch": (bilinear((2, 3), (3, 4), (5, 3, 4)), ["batch", "(3, 4)"]),
    "bilinear, in1": (bilinear((2, 3), (2, 4), (5, 4, 4)), ["(5, 4, 4)"]),
    "bilinear, in2": (bilinear((2, 3), (2, 3), (5, 3, 4)), ["(5, 3, 4)"]),
    "bilinear, rank": (bilinear((2, 3), (4,), (5, 3, 4)), ["dimensions"]),
    "bilinear, bias": (bilinear((2, 3), (2, 4), (5, 3, 4), 4), ["bias", "5"]),
    "Bilinear, size": (lambda s: s.nn.Bilinear(0, 4, 5), ["in1_features", "0"]),
    "bag, weights and mean": (bag(SQUARE, per_sample_weights=numbers(2, 2)), ["mean", "sum"]),
    "bag, weights' shape": (
        bag(SQUARE, mode="sum", per_sample_weights=numbers(2, 3)),
        ["(2, 3)", "(2, 2)"],
    ),
    "bag, 2D and offsets": (bag(SQUARE, [0]), ["2D", "None"]),
    "bag, no offsets": (bag(ROW), ["1D", "None"]),
    "bag, first offset": (bag(ROW, [1, 2]), ["offsets[0]", "1"]),
    "bag, last offset": (bag(ROW, [0, 4]), ["length 3", "4"]),
    "bag, large": (bag([1, 2, 40], [0, 2]), ["40"]),
    "bag, negative": (bag([1, 2, -4], [0, 2]), ["-4"]),
    "bag, offsets' rank": (bag(ROW, [[0, 2]]), ["1D", "int64(1, 2)"]),
    "bag, mode": (bag(ROW, [0, 2], mode="x"), ["'x'"]),
    "bag, floats": (bag([1.0, 2.0], [0, 1]), ["float64", "long"]),
    "bag, float offsets": (bag(ROW, [0.0, 1]), ["float64"]),
    "bag, rank": (bag([[[1]]]), ["int64(1, 1, 1)"]),
    "bag, padding": (bag(ROW, [0, 2], padding_idx=10), ["10", "9"]),
    "bag, weight": (bag(ROW, [0, 2], TABLE[0]), ["2D", "float64(3)"]),
    "bag, int weight": (bag(ROW, [0, 2], np.ones((10, 2), int)), ["int64"]),
    "bag, scaled maximum": (bag(ROW, [0], mode="max", scale_grad_by_freq=True), ["max"]),
    "EmbeddingBag, padding": (lambda s: s.nn.EmbeddingBag(10, 3, padding_idx=10), ["10"]),
    "EmbeddingBag, weight": (
        lambda s: s.nn.EmbeddingBag(10, 3, _weight=s.const(numbers(3, 3))),
        ["(3, 3)", "(10, 3)"],
    ),
    "pretrained": (lambda s: s.nn.EmbeddingBag.from_pretrained(s.const(TABLE[0])), ["1-d"]),
    "pdist, p": (lambda s: s.F.pdist(s.const(TABLE), -1), ["-1"]),
    "pdist, rank": (lambda s: s.F.pdist(s.const(TABLE[0])), ["2D", "float64(3)"]),
    "pdist, ints": (lambda s: s.F.pdist(s.const(SQUARE)), ["int64"]),
    "tbc, rank": (
        lambda s: s.F.conv_tbc(s.const(TABLE), s.const(numbers(2, 3, 4)), s.const(TABLE[0])),
        ["float64(10, 3)"],
    ),
    "tbc, bias": (
        lambda s: s.F.conv_tbc(
            s.const(numbers(5, 2, 3)), s.const(numbers(2, 3, 4)), s.const(TABLE[0])
        ),
        ["bias", "float64(2, 3, 4)"],
    ),
    "linear ce, rank": (
        lambda s: s.F.linear_cross_entropy(
            s.const(numbers(2, 5, 3)), s.const(TABLE), s.const(SQUARE)
        ),
        ["1 or 2"],
    ),
    "linear ce, features": (
        lambda s: s.F.linear_cross_entropy(s.const(numbers(3, 2)), s.const(TABLE), s.const(ROW)),
        ["in_features", "(10, 3)"],
    ),
    "linear ce, targets": (
        lambda s: s.F.linear_cross_entropy(s.const(TABLE[:2]), s.const(TABLE), s.const(SQUARE)),
        ["multi-target"],
    ),
    "adaptive, equal": (adaptive([5, 5]), ["[5, 5]"]),
    "adaptive, falling": (adaptive([10, 5]), ["[10, 5]"]),
    "adaptive, last": (adaptive([20]), ["19"]),
    "adaptive, zero": (adaptive([0, 5]), ["[0, 5]"]),
    "adaptive, none": (adaptive([]), ["empty"]),
    "adaptive, parts": (adaptive([5.5]), ["5.5"]),
    "adaptive, count": (adaptive_on((3, 16), [1, 2]), ["batch"]),
    "adaptive, class": (adaptive_on((2, 16), [1, 20]), ["[0, 19]", "20"]),
    "adaptive, target": (adaptive_on((2, 16), [[1, 2]]), ["multi-target"]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    case, words = ERRORS[name]
    theirs, ours, text = errors(case)
    assert theirs is not type(None)
    assert issubclass(ours, theirs) or issubclass(theirs, ours), text
    for word in words:
        assert word in text


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags(mode):
    """Empty bags, int32, a first maximum among equal ones, rows that are shrunk first."""
    index = np.array([1, 2, 2, 5, 1, 1])

    def case(s):
        table = s.leaf(np.round(TABLE * 2) / 2)
        return (
            s.F.embedding_bag(s.const(index), table, s.const([0, 3, 3, 6]), mode=mode),
            s.F.embedding_bag(s.const(index, "int32"), table, s.const([0, 2], "int32"), mode=mode),
            s.F.embedding_bag(s.const(index[:0]), table, s.const([0, 0]), mode=mode),
        )

    compare(case)
    for norm in (1.0, 2.0):
        found = []
        for s in sides():
            table = s.const(TABLE)
            out = s.F.embedding_bag(
                s.const(index), table, s.const([0, 3]), max_norm=0.5, norm_type=norm, mode=mode
            )
            found.append((out, table))
        assert_same(found[0], found[1], mode)


def test_gradients_by_frequency():
    """As many looked-up copies of a row as there are, they weigh as one."""
    index = np.array([1, 1, 2, 1])
    compare(lambda s: s.F.embedding(s.const(index), s.leaf(TABLE), scale_grad_by_freq=True))
    table = tg.from_numpy(TABLE.copy()).requires_grad_()
    nn.functional.embedding_bag(
        tg.from_numpy(index), table, tg.tensor([0, 1]), scale_grad_by_freq=True, mode="sum"
    ).sum().backward()
    np.testing.assert_allclose(table.grad.numpy()[:3], [[0] * 3, [1] * 3, [1] * 3])


def test_old_order_of_arguments_warns():
    found = []
    for s in sides():
        with pytest.warns(UserWarning, match="Argument order"):
            found.append(s.F.embedding_bag(s.const(TABLE), s.const(ROW), s.const([0, 2])))
    assert_same(found[0], found[1], "embedding_bag")


def test_pairs_that_coincide():
    for p in (0.5, 1.0, 1.5, 2.0, 3.0, np.inf):
        compare(lambda s, p=p: s.F.pdist(s.leaf([[1.0, 2], [1, 2], [0, 0.5]]), p))


@pytest.mark.parametrize("bias", [False, True])
def test_adaptive_softmax(bias):
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 9], 2.0, bias).double()
    ours = nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 9], 2.0, bias).double()
    assert repr(ours) == repr(theirs)
    state = {k: tg.from_numpy(v.numpy().copy()) for k, v in theirs.state_dict().items()}
    ours.load_state_dict(state)
    x = numbers(30, 8)
    pair = torch.from_numpy(x), tg.from_numpy(x)
    assert_same(theirs.log_prob(pair[0]), ours.log_prob(pair[1]), "log_prob")
    np.testing.assert_allclose(np.exp(ours.log_prob(pair[1]).detach().numpy()).sum(1), 1)
    assert theirs.predict(pair[0]).tolist() == ours.predict(pair[1]).tolist()
    target = np.arange(30) % 20
    a, b = theirs(pair[0], torch.from_numpy(target)), ours(pair[1], tg.from_numpy(target))
    assert_same(a.output, b.output, "output")
    assert_same(a.loss, b.loss, "loss")
    assert type(a)._fields == type(b)._fields
    a.loss.backward()
    b.loss.backward()
    for (key, p), q in zip(theirs.named_parameters(), ours.parameters(), strict=True):
        assert_same(p.grad, q.grad, key)


OLD = {
    "constant": (3.0,), "dirac": (), "eye": (), "kaiming_normal": (), "kaiming_uniform": (),
    "normal": (), "orthogonal": (), "sparse": (0.5,), "uniform": (0.0, 2.0), "xavier_normal": (),
    "xavier_uniform": (),
}  # fmt: skip


@pytest.mark.parametrize("name", OLD)
def test_old_names_of_init(name):
    shape = (4, 4, 3) if name == "dirac" else (4, 4)
    for library in (torch, tg):
        tensor = library.zeros(*shape)
        with pytest.warns(FutureWarning, match=f"`nn.init.{name}_`"):
            out = getattr(library.nn.init, name)(tensor, *OLD[name])
        assert out is tensor
        assert out.numpy().any()
    tg.manual_seed(0)
    with pytest.warns(FutureWarning):
        old = getattr(nn.init, name)(tg.zeros(*shape), *OLD[name])
    tg.manual_seed(0)
    new = getattr(nn.init, name + "_")(tg.zeros(*shape), *OLD[name])
    assert tg.equal(old, new)
