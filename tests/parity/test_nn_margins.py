"""Losses with a margin, of distributions, of alignments beside PyTorch: errors, kinks, limits."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from parity.nn_compare import assert_same, classes, compare, errors, numbers, positive, sides

import tensorgrad as tg

X, Y, P = numbers(3, 4), numbers(3, 4, seed=1), positive(3, 4)
SCORES = np.log(positive(5, 2, 4))
TARGETS = np.array([[1, 2], [3, 3]])


def ctc(targets=TARGETS, frames=(5, 5), lengths=(2, 2), scores=SCORES, **words):
    """A CTC case; lengths are given as lists."""
    return lambda s: s.F.ctc_loss(
        s.const(scores), s.const(targets), s.const(frames), s.const(lengths), **words
    )


def loss(name, *values, **words):
    """A case of any loss; ndarrays and lists become tensors."""

    def case(s):
        made = [s.const(v) if isinstance(v, (np.ndarray, list)) else v for v in values]
        named = {k: s.const(v) if isinstance(v, np.ndarray) else v for k, v in words.items()}
        return getattr(s.F, name)(*made, **named)

    return case


ERRORS = {
    "ctc, blank": (ctc(blank=4), ["blank", "4"]),
    "ctc, frames": (ctc(frames=(5, 6)), ["input_lengths", "6"]),
    "ctc, labels": (ctc(lengths=(2, 3)), ["(2, 3)", "int64(2, 2)"]),
    "ctc, count of frames": (ctc(frames=[5]), ["input_lengths", "batch_size (2)"]),
    "ctc, count of labels": (ctc(lengths=[2]), ["target_lengths", "batch_size (2)"]),
    "ctc, float lengths": (ctc(frames=[5.0, 5.0]), ["integral", "float64"]),
    "ctc, row": (ctc([1, 2, 3]), ["4 targets", "int64(3)"]),
    "ctc, long row": (ctc([1, 2, 3, 3, 3]), ["4 targets"]),
    "ctc, rank": (ctc(TARGETS[None]), ["1 to 2 dimensions"]),
    "ctc, reduction": (ctc(reduction="average"), ["average", "'mean'"]),
    "ctc, int": (ctc(scores=np.ones((5, 2, 4), int)), ["int64"]),
    "ctc, empty": (ctc(scores=np.ones((5, 0, 4))), ["empty"]),
    "ctc, negative": (ctc(lengths=(-1, 2)), ["-1"]),
    "cosine, rank": (loss("cosine_embedding_loss", X[0], X[0], [1]), ["1D target", "2D"]),
    "cosine, targets": (loss("cosine_embedding_loss", X, X, [[1, 1, 1]]), ["multi-target"]),
    "cosine, count": (loss("cosine_embedding_loss", X, X, [1, -1]), ["3", "2"]),
    "cosine, number": (loss("cosine_embedding_loss", X, X, 1), ["target", "int"]),
    "cosine, reduction": (loss("cosine_embedding_loss", X, X, [1, 1, 1], reduction="x"), ["'x'"]),
    "gaussian, size": (loss("gaussian_nll_loss", X, X, P[0]), ["float64(4)", "float64(3, 4)"]),
    "gaussian, negative": (loss("gaussian_nll_loss", X, X, -P), ["negative"]),
    "gaussian, negative number": (loss("gaussian_nll_loss", X, X, -0.5), ["-0.5"]),
    "gaussian, text": (loss("gaussian_nll_loss", X, X, "a"), ["var", "'a'"]),
    "gaussian, reduction": (loss("gaussian_nll_loss", X, X, P, reduction="x"), ["'x'"]),
    "hinge, shape": (loss("hinge_embedding_loss", X, [1, -1, 1]), ["3", "4"]),
    "hinge, reduction": (loss("hinge_embedding_loss", X, [1, -1, 1, 1], reduction="x"), ["'x'"]),
    "hinge, bool": (loss("hinge_embedding_loss", X > 0, [1, -1, 1, 1]), ["bool"]),
    "kl, reduction": (loss("kl_div", X, P, reduction="x"), ["'batchmean'"]),
    "kl, ints": (loss("kl_div", [1, 2], [1, 2]), ["int64"]),
    "kl, shape": (loss("kl_div", X, P[:, :3]), ["3", "4"]),
    "ranking, rank": (loss("margin_ranking_loss", X, X, [1, -1, 1, 1]), ["int64(4)"]),
    "multi margin, class": (loss("multi_margin_loss", X, [0, 1, 4]), ["4", "0 to 3"]),
    "multi margin, negative": (loss("multi_margin_loss", X, [0, 1, -1]), ["-1"]),
    "multi margin, count": (loss("multi_margin_loss", X, [0, 1]), ["3", "int64(2)"]),
    "multi margin, p": (loss("multi_margin_loss", X, [0, 1, 2], 3), ["3"]),
    "multi margin, weight": (
        loss("multi_margin_loss", X, [0, 1, 2], weight=P[0, :3]),
        ["weight", "(4)"],
    ),
    "multi margin, float": (loss("multi_margin_loss", X, [0.0, 1, 2]), ["float64", "long"]),
    "multi margin, rank": (loss("multi_margin_loss", X[None], [0]), ["(1, 3, 4)"]),
    "multi margin, weight's gradient": (
        lambda s: s.F.multi_margin_loss(s.leaf(X), s.const([0, 1, 2]), weight=s.leaf(P[0])),
        ["weight", "detach"],
    ),
    "labels, size": (loss("multilabel_margin_loss", X, [[0, 1]] * 3), ["int64(3, 2)"]),
    "labels, large": (loss("multilabel_margin_loss", X, [[0, 1, -1, 4]] * 3), ["4", "0 to 3"]),
    "labels, negative": (loss("multilabel_margin_loss", X, [[0, -2, 0, 0]] * 3), ["-2"]),
    "labels, float": (loss("multilabel_margin_loss", X, X), ["float64", "long"]),
    "soft labels, shape": (loss("multilabel_soft_margin_loss", X, P[:, :3]), ["3", "4"]),
    "soft labels, scalar": (
        lambda s: s.F.multilabel_soft_margin_loss(s.const(1.0), s.const(1.0)),
        ["classes"],
    ),
    "soft, shape": (loss("soft_margin_loss", X, P[:, :3]), ["3", "4"]),
    "soft, int": (loss("soft_margin_loss", [1, 2], [1, -1]), ["int64"]),
    "triplet, rank": (loss("triplet_margin_loss", X, X[0], X), ["positive", "float64(4)"]),
    "triplet, size": (loss("triplet_margin_loss", X, X[:, :3], X), ["4", "3"]),
    "triplet, margin": (loss("triplet_margin_loss", X, Y, X, 0), ["margin", "0"]),
    "distance, margin": (
        loss("triplet_margin_with_distance_loss", X, Y, X, margin=-1),
        ["margin", "-1"],
    ),
    "poisson, shape": (loss("poisson_nll_loss", X, P[:, :3]), ["3", "4"]),
    "poisson, reduction": (loss("poisson_nll_loss", X, P, reduction="x"), ["'x'"]),
    "TripletMarginLoss": (lambda s: s.nn.TripletMarginLoss(margin=0), ["greater than 0"]),
    "with distance": (
        lambda s: s.nn.TripletMarginWithDistanceLoss(margin=-1),
        ["greater than 0"],
    ),
    "MultiMarginLoss, p": (lambda s: s.nn.MultiMarginLoss(3), ["3"]),
    "MultiMarginLoss, weight": (lambda s: s.nn.MultiMarginLoss(weight=s.const(P)), ["2D"]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    case, words = ERRORS[name]
    theirs, ours, text = errors(case)
    assert theirs is not type(None)
    assert issubclass(ours, theirs) or issubclass(theirs, ours), text
    for word in words:
        assert word in text


def test_at_the_margin():
    """Losses of two inputs pass the gradient where the margin is met exactly, of classes not."""
    one = [1.0, 2.0, 3.0]
    compare(lambda s: s.F.margin_ranking_loss(s.leaf(one), s.leaf(one), s.const([1, -1, 1.0])))
    compare(lambda s: s.F.hinge_embedding_loss(s.leaf(one), s.const([-1, -1, 1.0]), 2.0))
    compare(lambda s: s.F.multi_margin_loss(s.leaf([[2.0, 1, 1], [0, 1, 0]]), s.const([0, 1])))
    compare(lambda s: s.F.multilabel_margin_loss(s.leaf([[2.0, 1]]), s.const([[0, -1]])))


def test_zeros():
    """A direction of no length, a target without probability."""
    zeros = np.zeros((3, 4))
    signs = np.array([1, -1, 1])
    compare(lambda s: s.F.cosine_embedding_loss(s.leaf(zeros), s.leaf(X), s.const(signs)))
    compare(lambda s: s.F.kl_div(s.leaf(X), s.const(zeros), reduction="batchmean"))
    compare(lambda s: s.F.kl_div(s.const(zeros[:0]), s.const(zeros[:0]), reduction="batchmean"))


def test_poisson_of_a_target_of_zero():
    """Stirling's term does not count up to 1; its gradient there is 0, where PyTorch's is NaN."""
    target = tg.tensor([0.0, 1.0, 3.0], dtype=tg.float64, requires_grad=True)
    rate = tg.ones(3, dtype=tg.float64)
    tg.nn.functional.poisson_nll_loss(rate, target, full=True, reduction="sum").backward()
    np.testing.assert_allclose(target.grad.numpy(), [-1, -1, -1 + np.log(3) + 1 / 6])


def test_soft_margin_does_not_overflow():
    x = tg.tensor([-1000.0, 1000.0], dtype=tg.float64, requires_grad=True)
    out = tg.nn.functional.soft_margin_loss(x, tg.ones(2), reduction="none")
    out.sum().backward()
    assert out.tolist() == [1000, 0]
    assert x.grad.tolist() == [-1, 0]


def test_mean_of_kl_div_warns():
    for side in sides():
        with pytest.warns(UserWarning, match="batchmean"):
            side.F.kl_div(side.const(X), side.const(P))


def test_old_name_of_nll_loss_warns():
    for side in sides():
        with pytest.warns(FutureWarning, match="NLLLoss2d"):
            made = side.nn.NLLLoss2d()
        assert isinstance(made, side.nn.NLLLoss)


def test_distance_of_a_module():
    for side in sides():
        made = side.nn.TripletMarginWithDistanceLoss(distance_function=side.nn.PairwiseDistance(1))
        assert "(distance_function): PairwiseDistance()" in repr(made)
    compare(
        lambda s: s.nn.TripletMarginWithDistanceLoss(
            distance_function=lambda a, b: 1 - s.F.cosine_similarity(a, b), swap=True
        )(s.leaf(X), s.leaf(Y), s.leaf(P))
    )


# --- CTC ------------------------------------------------------------------------------------------


def brute_force(logs, target, blank=0):
    """-log of the sum over every path that leaves the target."""
    total = 0.0
    for path in itertools.product(range(logs.shape[1]), repeat=len(logs)):
        if [c for c, _ in itertools.groupby(path) if c != blank] == list(target):
            total += np.exp(sum(logs[t, c] for t, c in enumerate(path)))
    return -np.log(total)


@pytest.mark.parametrize("target", [[1, 2], [1, 1], [2], [], [1, 2, 1]])
@pytest.mark.parametrize("blank", [0, 3])
def test_ctc_is_the_sum_over_paths(target, blank):
    logs = np.log(positive(5, 4, seed=len(target)))
    out = tg.nn.functional.ctc_loss(
        tg.from_numpy(logs), tg.tensor(target, dtype=tg.int64), [5], [len(target)], blank, "sum"
    )
    assert out.item() == pytest.approx(brute_force(logs, target, blank), rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["int64", "int32"])
def test_ctc_of_random_batches(seed, kind):
    rng = np.random.default_rng(seed)
    steps, count, width, longest = 30, 5, 7, 8
    frames = rng.integers(20, steps + 1, count)
    lengths = rng.integers(0, longest + 1, count)
    targets = classes(width - 1, count, longest, seed=seed) + 1
    x = rng.standard_normal((steps, count, width)) * 4

    def case(s):
        logs = s.F.log_softmax(s.leaf(x), 2)
        return s.F.ctc_loss(
            logs, s.const(targets, kind), s.const(frames, kind), s.const(lengths, kind),
            reduction="none",
        )  # fmt: skip

    compare(case)


def test_ctc_of_what_does_not_fit():
    """A repeated label needs a blank between: two frames are too few for (3, 3)."""
    for zero in (False, True):
        pair = []
        for s in sides():
            x = s.const(numbers(5, 2, 4)).requires_grad_()
            out = s.F.ctc_loss(
                s.F.log_softmax(x, 2), s.const(TARGETS), s.const([5, 2]), s.const([2, 2]),
                reduction="none", zero_infinity=zero,
            )  # fmt: skip
            out.backward(s.const([1.0, 1.0]))
            pair.append((out.detach().numpy(), x.grad.numpy()))
        (their_loss, their_gradient), (loss_, gradient) = pair
        np.testing.assert_allclose(loss_, their_loss)
        np.testing.assert_allclose(gradient[:, 0], their_gradient[:, 0], atol=1e-12)
        if zero:
            assert not gradient[:, 1].any()
        else:
            assert np.isnan(gradient[:2, 1]).all()


def test_ctc_gradient_is_that_of_its_argument():
    """PyTorch's is already that of the scores; through log_softmax both come to the same."""
    logs = np.log(positive(5, 1, 4))
    found = []
    for s in sides():
        x = s.const(logs).requires_grad_()
        s.F.ctc_loss(x, s.const([[1, 2]]), s.const([5]), s.const([2]), reduction="sum").backward()
        found.append(x.grad.numpy())
    np.testing.assert_allclose(found[0] - np.exp(logs), found[1], atol=1e-12)
    np.testing.assert_allclose(found[1].sum(2), -1)


@pytest.mark.parametrize("bad", [0, 4, -1])
def test_ctc_targets_are_classes_other_than_blank(bad):
    """PyTorch reads outside the array, or counts a blank as a label."""
    with pytest.raises(RuntimeError, match=f"0 to 3 other than blank.*got {bad}"):
        ctc([[1, bad], [3, 3]])(sides()[1])
    # what is beyond the target's length does not matter
    assert ctc([[1, bad], [3, 3]], lengths=(1, 2))(sides()[1]).isfinite()


def test_ctc_in_float32_over_many_frames():
    x = numbers(400, 1, 5).astype("float32")
    target = classes(4, 1, 60, seed=3) + 1
    found = []
    for library in (torch, tg):
        logs = library.nn.functional.log_softmax(library.from_numpy(x), 2)
        out = library.nn.functional.ctc_loss(
            logs, library.from_numpy(target), library.tensor([400]), library.tensor([60])
        )
        found.append(out.numpy())
    assert_same(torch.from_numpy(found[0]), tg.from_numpy(found[1]), "loss", 1e-4)
