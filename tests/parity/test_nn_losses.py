"""Losses of nn.functional against PyTorch's: values and all gradients in float64."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from parity.nn_compare import classes, compare, numbers, positive

REDUCTIONS = ["none", "mean", "sum"]
CLASS_SHAPES = [(5,), (4, 5), (3, 5, 2), (2, 5, 3, 2)]


@pytest.mark.parametrize("shape", CLASS_SHAPES, ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignored", [-100, 1, 3])
@pytest.mark.parametrize("smoothing", [0.0, 0.2, 1.0])
def test_cross_entropy_of_classes(shape, reduction, weighted, ignored, smoothing):
    x = numbers(*shape) * 3
    labels = classes(5, *((shape[0], *shape[2:]) if len(shape) > 1 else ()))
    w = positive(5, seed=3)

    def case(s):
        return s.F.cross_entropy(
            s.leaf(x),
            s.const(labels),
            s.const(w) if weighted else None,
            ignore_index=ignored,
            reduction=reduction,
            label_smoothing=smoothing,
        )

    compare(case)


@pytest.mark.parametrize("shape", CLASS_SHAPES, ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_cross_entropy_of_probabilities(shape, reduction, weighted, smoothing):
    def case(s):
        return s.F.cross_entropy(
            s.leaf(numbers(*shape) * 3, "x"),
            s.leaf(positive(*shape, seed=4), "target"),
            s.leaf(positive(5, seed=3), "weight") if weighted else None,
            reduction=reduction,
            label_smoothing=smoothing,
        )

    compare(case)


@pytest.mark.parametrize("shape", CLASS_SHAPES, ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignored", [-100, 1])
def test_nll_loss(shape, reduction, weighted, ignored):
    labels = classes(5, *((shape[0], *shape[2:]) if len(shape) > 1 else ()))

    def case(s):
        w = s.const(positive(5, seed=3)) if weighted else None
        x = s.leaf(numbers(*shape))
        return s.F.nll_loss(x, s.const(labels), w, ignore_index=ignored, reduction=reduction)

    compare(case)


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_class_losses_at_the_edges(name, reduction):
    x = numbers(3, 4)
    nothing = np.full(3, -100)
    compare(lambda s: getattr(s.F, name)(s.leaf(x), s.const(nothing), reduction=reduction))
    compare(
        lambda s: getattr(s.F, name)(
            s.leaf(x[:0]), s.const(np.zeros(0, np.int64)), reduction=reduction
        )
    )
    compare(
        lambda s: getattr(s.F, name)(
            s.leaf(x), s.const(np.array([0, 1, 3], np.uint8)), reduction=reduction
        )
    )
    compare(lambda s: getattr(s.F, name)(s.const(x[0]), s.const([2]), reduction=reduction))


@pytest.mark.parametrize("old", list(itertools.product([None, True, False], [None, True, False])))
def test_the_old_names_of_reductions(old):
    x, t = numbers(3, 4), numbers(3, 4, seed=1)
    words = dict(zip(("size_average", "reduce"), old))
    compare(lambda s: s.F.mse_loss(s.leaf(x), s.const(t), **words))
    compare(lambda s: s.F.cross_entropy(s.leaf(x), s.const([1, 2, 0]), **words))
    compare(lambda s: s.F.binary_cross_entropy_with_logits(s.leaf(x), s.const(t), **words))


LOSSES = {
    "mse_loss": [{}],
    "l1_loss": [{}],
    "smooth_l1_loss": [{}, {"beta": 0.4}, {"beta": 0.0}],
    "huber_loss": [{}, {"delta": 0.4}],
}


@pytest.mark.parametrize(
    ("name", "options"), [(n, o) for n, all_of in LOSSES.items() for o in all_of], ids=str
)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_losses_between_numbers(name, options, reduction):
    x, t, w = numbers(3, 4), numbers(3, 4, seed=1), positive(3, 4)
    t[0, :2] = x[0, :2]  # at the kink

    def case(s, **more):
        return getattr(s.F, name)(s.leaf(x), s.leaf(t), reduction=reduction, **options, **more)

    compare(case)
    if name != "smooth_l1_loss":
        compare(lambda s: case(s, weight=s.leaf(w)))
    compare(
        lambda s: getattr(s.F, name)(s.leaf(x), s.leaf(t[:, :1]), reduction=reduction, **options)
    )
    compare(
        lambda s: getattr(s.F, name)(s.leaf(x[:0]), s.leaf(t[:0]), reduction=reduction, **options)
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, (3, 4), (4,), (3, 1)], ids=str)
def test_binary_cross_entropy(reduction, weight):
    p, t = positive(3, 4), positive(3, 4, seed=1)

    def case(s, p=p, t=t):
        w = None if weight is None else s.const(positive(*weight, seed=2))
        return s.F.binary_cross_entropy(s.leaf(p), s.leaf(t), w, reduction=reduction)

    compare(case)
    # Certain predictions, right and wrong: the logarithms are cut off at -100.
    p, t = p.copy(), t.copy()
    p[0], t[0] = [0, 0, 1, 1], [0, 1, 0, 1]

    def certain(s):
        w = None if weight is None else s.const(positive(*weight, seed=2))
        return s.F.binary_cross_entropy(s.leaf(p), s.const(t), w, reduction=reduction)

    compare(certain, 1e-8)  # PyTorch's 1e-12 in the gradient is rounded to float32


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, (3, 4), (4,), (3, 1)], ids=str)
@pytest.mark.parametrize("pos_weight", [None, (4,), (3, 4), (1,)], ids=str)
def test_binary_cross_entropy_with_logits(reduction, weight, pos_weight):
    x, t = numbers(3, 4) * 5, positive(3, 4, seed=1)
    x[0] = [0.0, 800.0, -800.0, 30.0]

    def case(s):
        return s.F.binary_cross_entropy_with_logits(
            s.leaf(x, "x"),
            s.leaf(t, "target"),
            None if weight is None else s.const(positive(*weight, seed=2)),
            reduction=reduction,
            pos_weight=None if pos_weight is None else s.const(positive(*pos_weight)),
        )

    compare(case)
