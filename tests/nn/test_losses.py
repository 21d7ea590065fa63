"""Losses: their values by definition, their laws, and what they refuse."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as F

RNG = np.random.default_rng(1)


def leaf(*shape):
    return tg.from_numpy(RNG.standard_normal(shape)).requires_grad_()


def log_softmax(x, axis=1):
    x = x - x.max(axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis, keepdims=True))


def test_cross_entropy_by_definition():
    x, labels = leaf(6, 4), RNG.integers(0, 4, 6)
    loss = F.cross_entropy(x, tg.from_numpy(labels))
    logs = log_softmax(x.detach().numpy())
    assert loss.item() == pytest.approx(-logs[np.arange(6), labels].mean())
    loss.backward()
    wanted = (np.exp(logs) - np.eye(4)[labels]) / 6
    np.testing.assert_allclose(x.grad.numpy(), wanted, atol=1e-14)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [True, False])
def test_classes_are_probabilities_of_one(reduction, smoothing, weighted):
    x, labels = leaf(5, 3, 2), RNG.integers(0, 3, (5, 2))
    weight = tg.from_numpy(RNG.uniform(0.5, 2, 3)) if weighted else None
    words = {"reduction": reduction, "label_smoothing": smoothing, "weight": weight}
    by_class = F.cross_entropy(x, tg.from_numpy(labels), **words)
    dense = F.one_hot(tg.from_numpy(labels), 3).permute(0, 2, 1).to(tg.float64)
    by_probability = F.cross_entropy(x, dense, **words)
    if weighted and reduction == "mean":  # the one divides by the weights, the other by the count
        by_class = by_class * (weight.numpy()[labels].sum() / labels.size)
    np.testing.assert_allclose(by_class.tolist(), by_probability.tolist())


def test_nll_of_log_softmax_is_cross_entropy():
    x, labels = leaf(2, 4, 3), tg.from_numpy(RNG.integers(0, 4, (2, 3)))
    weight = tg.from_numpy(RNG.uniform(0.5, 2, 4))
    for reduction in ("mean", "sum", "none"):
        words = {"weight": weight, "ignore_index": 2, "reduction": reduction}
        a = F.cross_entropy(x, labels, **words)
        b = F.nll_loss(F.log_softmax(x, 1), labels, **words)
        np.testing.assert_allclose(a.tolist(), b.tolist())


def test_ignored_targets_count_nothing():
    x, labels = leaf(4, 3), np.array([0, -100, 2, -100])
    loss = F.cross_entropy(x, tg.from_numpy(labels))
    kept = F.cross_entropy(x[[0, 2]], tg.from_numpy(labels[[0, 2]]))
    assert loss.item() == pytest.approx(kept.item())
    loss.backward()
    assert not x.grad.numpy()[[1, 3]].any()
    x.grad = None
    nothing = F.cross_entropy(x, tg.full((4,), -100))
    assert np.isnan(nothing.item())
    nothing.backward()
    assert not x.grad.numpy().any()


def test_cross_entropy_of_logits_that_overflow_exp():
    x = tg.tensor([[1e4, 0.0], [-1e4, 0.0]], requires_grad=True)
    loss = F.cross_entropy(x, tg.tensor([1, 0]), reduction="sum")
    assert loss.item() == 2e4
    loss.backward()
    assert x.grad.tolist() == [[1, -1], [-1, 1]]


def test_a_target_out_of_range_is_named():
    with pytest.raises(IndexError, match=r"Target 7 is out of bounds: element 2 .* from 0 to 2"):
        F.cross_entropy(leaf(4, 3), tg.tensor([0, 1, 7, 9]))
    with pytest.raises(IndexError, match=r"nll_loss.*Target -3"):
        F.nll_loss(leaf(2, 3), tg.tensor([0, -3]))


def test_weights_of_class_targets_have_no_gradient():
    weight = tg.ones(3, dtype=tg.float64, requires_grad=True)
    with pytest.raises(RuntimeError, match="weight"):
        F.cross_entropy(leaf(2, 3), tg.tensor([0, 1]), weight)
    F.cross_entropy(leaf(2, 3), tg.ones(2, 3, dtype=tg.float64), weight).backward()
    assert weight.grad is not None


def test_binary_losses_agree():
    x, t = leaf(3, 4), tg.from_numpy(RNG.uniform(0, 1, (3, 4)))
    for reduction in ("mean", "sum", "none"):
        a = F.binary_cross_entropy_with_logits(x, t, reduction=reduction)
        b = F.binary_cross_entropy(F.sigmoid(x), t, reduction=reduction)
        np.testing.assert_allclose(a.tolist(), b.tolist())


def test_binary_cross_entropy_of_certain_predictions():
    p = tg.tensor([0.0, 1.0, 0.0, 1.0], dtype=tg.float64, requires_grad=True)
    loss = F.binary_cross_entropy(
        p, tg.tensor([0.0, 1.0, 1.0, 0.0], dtype=tg.float64), reduction="none"
    )
    assert loss.tolist() == [0, 0, 100, 100]
    loss.sum().backward()
    assert np.isfinite(p.grad.numpy()).all()
    assert p.grad.numpy()[2] < 0 < p.grad.numpy()[3]


def test_pos_weight_counts_positive_targets_more_often():
    x = leaf(4)
    one, zero = tg.ones(4, dtype=tg.float64), tg.zeros(4, dtype=tg.float64)
    weight = tg.full((1,), 3.0, dtype=tg.float64)

    def loss(t, **words):
        return F.binary_cross_entropy_with_logits(x, t, **words).item()

    assert loss(one, pos_weight=weight) == pytest.approx(3 * loss(one))
    assert loss(zero, pos_weight=weight) == pytest.approx(loss(zero))


def test_shapes_that_broadcast_are_warned_of():
    with pytest.warns(UserWarning, match=r"mse_loss.*\[4, 1\].*\[4\]"):
        F.mse_loss(leaf(4), leaf(4, 1))
    with pytest.warns(UserWarning, match="l1_loss"):
        F.l1_loss(leaf(4), leaf(1))


def test_smooth_losses_meet_at_their_bound():
    d = tg.tensor([0.5 - 1e-9, 0.5 + 1e-9], dtype=tg.float64, requires_grad=True)
    zero = tg.zeros(2, dtype=tg.float64)
    for function, word in ((F.smooth_l1_loss, "beta"), (F.huber_loss, "delta")):
        d.grad = None
        loss = function(d, zero, reduction="none", **{word: 0.5})
        assert abs(loss[0].item() - loss[1].item()) < 1e-8
        loss.sum().backward()
        assert abs(d.grad[0].item() - d.grad[1].item()) < 1e-8
    for wrong in (
        lambda: F.huber_loss(d, zero, delta=0),
        lambda: F.smooth_l1_loss(d, zero, beta=-1),
    ):
        with pytest.raises(RuntimeError, match="does not support"):
            wrong()


def test_old_reduction_arguments_warn():
    with pytest.warns(UserWarning, match="reduction='sum'"):
        loss = nn.MSELoss(size_average=False)
    assert loss.reduction == "sum"
    with pytest.warns(UserWarning, match="reduction='none'"):
        assert F.l1_loss(leaf(3), leaf(3), reduce=False).shape == (3,)


def test_a_reduction_that_is_not_one():
    x = leaf(2, 3)
    for call in (
        lambda: F.mse_loss(x, x, reduction="average"),
        lambda: F.cross_entropy(x, tg.tensor([0, 1]), reduction="average"),
        lambda: nn.BCEWithLogitsLoss(reduction="average")(x, x),
    ):
        with pytest.raises(ValueError, match=r"'average'.*'none', 'mean', 'sum'"):
            call()


def test_weights_of_a_loss_module_are_buffers():
    loss = nn.CrossEntropyLoss(weight=tg.ones(3))
    assert list(loss.state_dict()) == ["weight"]
    assert loss.double().weight.dtype == tg.float64
    assert list(loss.parameters()) == []
