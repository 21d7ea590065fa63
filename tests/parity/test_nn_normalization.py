"""Normalisation beside PyTorch: errors, running statistics, low precision, conversion."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from parity.nn_compare import assert_same, compare, errors, numbers, positive, sides

import tensorgrad as tg
from tensorgrad import nn

X = numbers(2, 6)
HALF = np.ones(6, "float32")
ERRORS = {
    "layer, int": (lambda s: s.F.layer_norm(s.const(X), 6), ["normalized_shape", "(6,)"]),
    "layer, shape": (lambda s: s.F.layer_norm(s.const(X), (2,)), ["[2]", "float64(2, 6)"]),
    "layer, no axes": (lambda s: s.F.layer_norm(s.const(X), ()), ["1-dimensional"]),
    "layer, weight": (lambda s: s.F.layer_norm(s.const(X), (6,), s.const(X)), ["weight", "[6]"]),
    "layer, bias": (lambda s: s.F.layer_norm(s.const(X), (6,), None, s.const(X)), ["bias", "[6]"]),
    "layer, mixed": (
        lambda s: s.F.layer_norm(s.const(X), (6,), s.const(HALF)),
        ["float32", "float64"],
    ),
    "layer, int input": (lambda s: s.F.layer_norm(s.const([1, 2]), (2,)), ["int64"]),
    "layer, complex": (lambda s: s.F.layer_norm(s.const([1j, 2]), (2,)), ["complex128"]),
    "layer, eps": (lambda s: s.F.layer_norm(s.const(X), (6,), eps="a"), ["eps", "'a'"]),
    "layer, list": (lambda s: s.F.layer_norm([1.0], (1,)), ["list"]),
    "LayerNorm, size": (lambda s: s.nn.LayerNorm(-1), ["LayerNorm", "-1"]),
    "LayerNorm, text": (lambda s: s.nn.LayerNorm("a"), ["LayerNorm", "'a'"]),
    "rms, shape": (lambda s: s.F.rms_norm(s.const(X), (2,)), ["[2]"]),
    "rms, weight": (lambda s: s.F.rms_norm(s.const(X), (6,), s.const(X)), ["weight"]),
    "rms, int": (lambda s: s.F.rms_norm(s.const([1, 2]), (2,)), ["int64"]),
    "group, divides": (lambda s: s.F.group_norm(s.const(X), 4), ["num_groups=4"]),
    "group, rank": (lambda s: s.F.group_norm(s.const(X[0]), 3), ["2 dimensions"]),
    "group, zero": (lambda s: s.F.group_norm(s.const(X), 0), ["0"]),
    "group, negative": (lambda s: s.F.group_norm(s.const(X), -2), ["-2"]),
    "group, float": (lambda s: s.F.group_norm(s.const(X), 3.0), ["3.0"]),
    "group, weight": (lambda s: s.F.group_norm(s.const(X), 3, s.const(X[0, :3])), ["weight"]),
    "group, bias": (lambda s: s.F.group_norm(s.const(X), 3, None, s.const(X[0, :3])), ["bias"]),
    "group, mixed": (lambda s: s.F.group_norm(s.const(X), 3, s.const(HALF)), ["float32"]),
    "group, one value": (lambda s: s.F.group_norm(s.const(X[:1]), 6), ["more than 1 value"]),
    "GroupNorm, divides": (lambda s: s.nn.GroupNorm(4, 6), ["6", "4"]),
    "GroupNorm, zero": (lambda s: s.nn.GroupNorm(0, 6), []),
    "instance, one place": (lambda s: s.F.instance_norm(s.const(X)), ["more than 1 spatial"]),
    "instance, half": (
        lambda s: s.F.instance_norm(s.const(numbers(2, 3, 4)), s.const(X[0, :3]), None),
        ["both be None"],
    ),
    "instance, none": (
        lambda s: s.F.instance_norm(s.const(numbers(2, 3, 4)), use_input_stats=False),
        ["running_mean"],
    ),
    "instance, weight": (
        lambda s: s.F.instance_norm(s.const(numbers(2, 3, 4)), weight=s.const(X[0])),
        ["weight", "3 channels"],
    ),
    "InstanceNorm, rank": (
        lambda s: s.nn.InstanceNorm1d(3)(s.const(numbers(2, 3, 4, 5))),
        ["2D or 3D"],
    ),
    "InstanceNorm, channels": (
        lambda s: s.nn.InstanceNorm1d(3, affine=True)(s.const(numbers(2, 4, 4))),
        ["num_features (3)", "4"],
    ),
    "SyncBatchNorm, rank": (lambda s: s.nn.SyncBatchNorm(3)(s.const(X[0])), ["2D"]),
    "SyncBatchNorm, channels": (
        lambda s: s.nn.SyncBatchNorm(3).double()(s.const(X)),
        ["3 channels", "6"],
    ),
    "CrossMapLRN2d": (lambda s: s.nn.CrossMapLRN2d(3)(s.const(X)), ["4D"]),
    "batch, momentum": (
        lambda s: s.F.batch_norm(s.const(X), None, None, training=True, momentum=None),
        ["momentum"],
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    case, words = ERRORS[name]
    theirs, ours, text = errors(case)
    assert theirs is not type(None)
    assert issubclass(ours, theirs) or issubclass(theirs, ours), text
    for word in words:
        assert word in text


def test_channels_that_do_not_matter_warn():
    for side in sides():
        with pytest.warns(UserWarning, match="does not match num_features"):
            side.nn.InstanceNorm1d(3)(side.const(numbers(2, 4, 4)))


def test_running_statistics_of_instance_norm():
    def case(s):
        mean, var = s.const(numbers(3)), s.const(positive(3))
        out = s.F.instance_norm(s.leaf(numbers(2, 3, 4)), mean, var, momentum=0.3)
        return out, mean, var

    compare(case)


@pytest.mark.parametrize("name", ["layer_norm", "rms_norm"])
@pytest.mark.parametrize("kind", ["float16", "float32"])
def test_low_precision(name, kind):
    """Squares of float16 overflow from 256 on: they are summed in float32."""
    values = (numbers(5, 300) * 100).astype(kind)
    pair = []
    for s in sides():
        x = s.const(values).requires_grad_()
        out = getattr(s.F, name)(x, (300,))
        out.backward(s.const(numbers(5, 300, seed=1).astype(kind)))
        pair.append((out.detach().numpy(), x.grad.numpy()))
    for theirs, ours in zip(*pair):
        assert theirs.dtype == ours.dtype
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=1e-5)


def test_rms_norm_default_eps():
    for kind in ("float16", "float32", "float64"):
        compare(lambda s, kind=kind: s.F.rms_norm(s.const([[0.0, 1e-4, 0]], kind), (3,)), 1e-3)


def test_rms_norm_of_two_dtypes():
    for side in sides():
        x, w = side.const(X.astype("float32")), side.const(X[0])
        with pytest.warns(UserWarning, match="Mismatch dtype"):
            out = side.F.rms_norm(x, (6,), w)
        assert str(out.dtype).endswith("float32")


def test_large_means_keep_their_digits():
    """The variance is that of the centred values, not a difference of large squares."""
    x = (numbers(4, 64) + 1e4).astype("float32")
    out = nn.functional.layer_norm(tg.from_numpy(x), (64,)).numpy()
    exact = x.astype(float)
    exact = (exact - exact.mean(1, keepdims=True)) / np.sqrt(exact.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(out, exact, atol=2e-3)


def test_layouts():
    """Not contiguous, and channels last as after a convolution."""
    base = numbers(3, 6, 4)
    compare(lambda s: s.F.layer_norm(s.leaf(base).transpose(0, 1), (4,)))
    compare(lambda s: s.F.group_norm(s.leaf(base).transpose(0, 1), 3))
    weight = numbers(6, 2, 3, 3)

    def after_conv(s):
        y = s.F.conv2d(s.leaf(numbers(2, 2, 6, 5)), s.leaf(weight))
        return s.F.instance_norm(s.F.group_norm(y, 2)), s.F.layer_norm(y, tuple(y.shape[1:]))

    compare(after_conv)


def test_conversion_of_batch_norms():
    def model(nn):
        return nn.Sequential(
            nn.BatchNorm2d(3, momentum=0.2), nn.Sequential(nn.BatchNorm1d(2, affine=False)),
            nn.InstanceNorm1d(2), nn.BatchNorm1d(2, bias=False),
        )  # fmt: skip

    before, theirs = model(nn), model(torch.nn)
    before[1].eval()
    kept = list(before.state_dict().values())
    ours = nn.SyncBatchNorm.convert_sync_batchnorm(before)
    theirs = torch.nn.SyncBatchNorm.convert_sync_batchnorm(theirs)
    assert repr(ours) == repr(theirs)
    assert ours is before
    after = list(ours.state_dict().values())
    assert all(np.shares_memory(a.numpy(), b.numpy()) for a, b in zip(kept, after, strict=True))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert not ours[1][0].training
    assert ours[0].training
    assert type(nn.SyncBatchNorm.convert_sync_batchnorm(nn.BatchNorm1d(2))) is nn.SyncBatchNorm
    with pytest.raises(NotImplementedError, match="process_group"):
        nn.SyncBatchNorm(3, process_group=object())


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9])
def test_cross_map_lrn_against_its_definition(size):
    """PyTorch adds channel 0 to every window that has left it behind; its gradient does not."""
    x = numbers(2, 5, 2, 3)
    side = (size - 1) // 2
    ours, theirs = [], []
    for c in range(5):
        window = (x[:, max(c - side, 0) : c + side + 1] ** 2).sum(1)
        left = x[:, 0] ** 2 if c > side else 0
        ours.append(window)
        theirs.append(window + left)
    for library, sums in ((tg, ours), (torch, theirs)):
        found = library.nn.CrossMapLRN2d(size, 0.5, 0.6, 2)(library.from_numpy(x)).numpy()
        np.testing.assert_allclose(found, x * (2 + 0.5 / size * np.stack(sums, 1)) ** -0.6)


def test_state_moves_both_ways():
    layers = (
        lambda nn: nn.LayerNorm((3, 2)),
        lambda nn: nn.GroupNorm(2, 4),
        lambda nn: nn.InstanceNorm2d(4, affine=True, track_running_stats=True),
    )
    for made in layers:
        ours, theirs = made(nn), made(torch.nn)
        for value in theirs.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape))
        ours.load_state_dict({k: tg.from_numpy(v.numpy()) for k, v in theirs.state_dict().items()})
        back = made(torch.nn)
        back.load_state_dict(
            {k: torch.from_numpy(np.array(v.numpy())) for k, v in ours.state_dict().items()}
        )
        for key, value in theirs.state_dict().items():
            assert_same(value, ours.state_dict()[key], key)
            assert torch.equal(value, back.state_dict()[key])
