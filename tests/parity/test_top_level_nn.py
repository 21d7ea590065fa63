"""Functions of nn at the top level, where their arguments are others: beside PyTorch's."""

import warnings

import numpy as np
import pytest
import torch

import tensorgrad as tg

RNG = np.random.default_rng(0)
X, Y, W = (RNG.standard_normal((2, 4, 6)) for _ in range(3))
ROWS = RNG.standard_normal((5, 3))
VECTOR = RNG.standard_normal(4)
SIGNS = np.array([[1.0, -1.0], [-1.0, 1.0]])
GRID = RNG.uniform(-1, 1, (1, 3, 3, 2))
THETA = RNG.standard_normal((1, 2, 3))


def both(t, *arrays):
    return [t.from_numpy(a.copy()).requires_grad_() for a in arrays]


CALLS = {
    "layer_norm": lambda t, x: t.layer_norm(x, [6], None, None, 1e-5, False),
    "group_norm": lambda t, x: t.group_norm(x, 2),
    "rms_norm": lambda t, x: t.rms_norm(x, [6]),
    "instance_norm": lambda t, x: t.instance_norm(x, None, None, None, None, True, 0.1, 1e-5, True),
    "batch_norm": lambda t, x: t.batch_norm(x, None, None, None, None, True, 0.1, 1e-5, False),
    "celu": lambda t, x: t.celu(x, 0.5),
    "selu": lambda t, x: t.selu(x),
    "threshold": lambda t, x: t.threshold(x, 0.1, -2),
    "hardshrink": lambda t, x: t.hardshrink(x, 0.3),
    "rrelu": lambda t, x: t.rrelu(x),
    "rrelu_": lambda t, x: t.rrelu_(x * 1),
    "celu_": lambda t, x: t.celu_(x * 1),
    "threshold_": lambda t, x: t.threshold_(x * 1, 0.1, -2),
    "prelu": lambda t, x: t.prelu(x, t.from_numpy(VECTOR)),
    "dropout": lambda t, x: t.dropout(x, 0.5, False),
    "dropout all": lambda t, x: t.dropout(x, 1.0, True),
    "dropout_": lambda t, x: t.dropout_(x * 1, 1.0, True),
    "feature_dropout": lambda t, x: t.feature_dropout(x, 1.0, True),
    "alpha_dropout": lambda t, x: t.alpha_dropout(x, 0.0, True),
    "feature_alpha_dropout_": lambda t, x: t.feature_alpha_dropout_(x * 1, 0.3, False),
    "dropout probability": lambda t, x: t.dropout(x, 1.5, True),
    "kl_div none": lambda t, x: t.kl_div(x, t.from_numpy(abs(Y)), 0),
    "kl_div default": lambda t, x: t.kl_div(x, t.from_numpy(abs(Y))),
    "kl_div mean": lambda t, x: t.kl_div(x, t.from_numpy(abs(Y)), 1),
    "ranking default": lambda t, x: t.margin_ranking_loss(x[0], x[1], t.ones(4, 6)),
    "kl_div log": lambda t, x: t.kl_div(x, t.from_numpy(Y), 2, log_target=True),
    "kl_div reduction": lambda t, x: t.kl_div(x, t.from_numpy(Y), "mean"),
    "bce": lambda t, x: t.binary_cross_entropy_with_logits(x, t.from_numpy(abs(Y) % 1), None, None),
    "poisson": lambda t, x: t.poisson_nll_loss(x, t.from_numpy(abs(Y)), True, False, 1e-8, 2),
    "hinge": lambda t, x: t.hinge_embedding_loss(x[:, :2, 0], t.from_numpy(SIGNS), 1.0, 0),
    "ranking": lambda t, x: t.margin_ranking_loss(
        x[:, :2, 0], x[:, 2:, 0], t.from_numpy(SIGNS), 0.1, 1
    ),
    "cosine": lambda t, x: t.cosine_embedding_loss(
        x[0], x[1], t.from_numpy(np.sign(VECTOR)), 0.1, 2
    ),
    "triplet": lambda t, x: t.triplet_margin_loss(x[0], x[1], x[0] * 2, reduction=0),
    "ctc": lambda t, x: t.ctc_loss(
        x.permute(2, 0, 1).log_softmax(-1), t.tensor([[1, 2], [3, 1]]), t.tensor([6, 5]),
        t.tensor([2, 1]),
    ),
    "adaptive_avg_pool1d": lambda t, x: t.adaptive_avg_pool1d(x, 3),
    "adaptive_max_pool1d": lambda t, x: t.adaptive_max_pool1d(x, 3)[0],
    "adaptive_max_pool1d places": lambda t, x: t.adaptive_max_pool1d(x, 3)[1],
    "max_pool1d_with_indices": lambda t, x: t.max_pool1d_with_indices(x, 2)[0],
    "constant_pad_nd": lambda t, x: t.constant_pad_nd(x, (1, 2), 3),
    "grid_sampler": lambda t, x: t.grid_sampler(x[None, :1], t.from_numpy(GRID), 0, 1, False),
    "grid_sampler_2d": lambda t, x: t.grid_sampler_2d(x[None], t.from_numpy(GRID), 1, 0, True),
    "embedding": lambda t, x: t.embedding(x[0], t.tensor([[1, 3], [0, 1]]), 1),
    "embedding without": lambda t, x: t.embedding(x[0], t.tensor([1, 3, 0])),
    "cond": lambda t, x: t.cond(True, lambda a: a.sin(), lambda a: a.cos(), (x,)),
    "while_loop": lambda t, x: t.while_loop(
        lambda i, a: i < 3, lambda i, a: (i + 1, a * 1.5), (t.tensor(0), x)
    )[1],
}  # fmt: skip
EAGER = {"cond", "while_loop"}  # PyTorch compiles these, for which it needs a C++ compiler


def outcome(call, t, x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call(t, x)
        except Exception as error:
            return error


@pytest.mark.parametrize("name", [name for name in CALLS if name not in EAGER])
def test_alike(name):
    (x,), (z,) = both(tg, X), both(torch, X)
    ours, other = outcome(CALLS[name], tg, x), outcome(CALLS[name], torch, z)
    if isinstance(other, Exception):
        assert isinstance(ours, Exception)
        assert isinstance(ours, type(other)) or isinstance(other, type(ours)), (ours, other)
        return
    if isinstance(ours, Exception):
        raise ours
    np.testing.assert_allclose(ours.numpy(force=True), other.numpy(force=True), atol=1e-10)
    assert ours.requires_grad == other.requires_grad
    if ours.requires_grad:
        ours.sum().backward()
        other.sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), z.grad.numpy(), atol=1e-10)


def test_branches_and_loops():
    (x,) = both(tg, X)
    assert tg.equal(CALLS["cond"](tg, x), x.sin())
    assert tg.equal(tg.cond(tg.tensor(False), lambda: x, lambda: x * 2), x * 2)
    looped = CALLS["while_loop"](tg, x)
    looped.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 1.5**3)
    with pytest.raises(RuntimeError, match="as many values"):
        tg.while_loop(lambda a: True, lambda a: (a, a), (x,))
    with pytest.raises(RuntimeError, match="bool tensor"):
        tg.cond(x, lambda: 1, lambda: 2)


def test_affine_grid_generator():
    ours = tg.affine_grid_generator(tg.from_numpy(THETA), [1, 1, 3, 2], True)
    other = torch.affine_grid_generator(torch.from_numpy(THETA), [1, 1, 3, 2], True)
    np.testing.assert_allclose(ours.numpy(), other.numpy(), atol=1e-12)


def test_renorm_of_looked_up_rows():
    ours, other = tg.from_numpy(ROWS.copy()), torch.from_numpy(ROWS.copy())
    for t, x in ((tg, ours), (torch, other)):
        assert t.embedding_renorm_(x, t.tensor([0, 3]), 0.5, 2.0) is x
    np.testing.assert_allclose(ours.numpy(), other.numpy(), atol=1e-12)


def test_running_statistics():
    kept = []
    for t in (tg, torch):
        mean, var = t.zeros(4, dtype=t.float64), t.ones(4, dtype=t.float64)
        t.batch_norm(t.from_numpy(X), None, None, mean, var, True, 0.2, 1e-5, True)
        kept.append(np.stack([mean.numpy(), var.numpy()]))
    np.testing.assert_allclose(*kept, atol=1e-12)
