"""nn.grad, fusing of batch norms, and the small tools of nn.utils beside PyTorch's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
import torch.nn.utils.stateless
from parity.nn_compare import array, assert_same, compare, errors, numbers
from parity.nn_modules import both

import tensorgrad as tg
from tensorgrad import nn

HOW = [{}, {"stride": 2}, {"padding": 1, "dilation": 2}, {"groups": 2, "stride": 2, "padding": 1}]


@pytest.mark.parametrize("how", HOW, ids=str)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_gradients_of_convolutions(n, how):
    groups = how.get("groups", 1)
    sizes = (6, 5, 5)[:n]

    def case(side):
        x, w = side.leaf(numbers(2, 4, *sizes), "x"), side.leaf(numbers(2, 4 // groups, *[2] * n))
        y = getattr(side.F, f"conv{n}d")(x, w, None, **how)
        g = side.leaf(numbers(*y.shape, seed=3), "g")
        grad = side.nn.grad
        of_input = getattr(grad, f"conv{n}d_input")(tuple(x.shape), w, g, **how)
        of_weight = getattr(grad, f"conv{n}d_weight")(x, tuple(w.shape), g, **how)
        found = side.tg.autograd.grad(y, (x, w), g, retain_graph=True)
        assert_same(found[0], of_input, "of the input")
        assert_same(found[1], of_weight, "of the weight")
        return (of_input * of_input).sum() * (of_weight**3).sum()

    compare(case)


@pytest.mark.parametrize(
    "call",
    [
        lambda s: s.nn.grad.conv2d_input((1, 2, 4, 4), s.const(numbers(3, 2, 2, 2)),
                                         s.const(numbers(1, 3, 4, 4))),
        lambda s: s.nn.grad.conv2d_weight(s.const(numbers(1, 2, 4, 4)), (3, 1, 2, 2),
                                          s.const(numbers(1, 3, 3, 3))),
        lambda s: s.nn.grad.conv1d_input((1, 2, 4, 4), s.const(numbers(3, 2, 2)),
                                         s.const(numbers(1, 3, 3))),
    ],
)  # fmt: skip
def test_gradients_of_convolutions_that_do_not_fit(call):
    theirs, ours, text = errors(call)
    assert theirs is ours is RuntimeError
    assert "conv" in text


CONVOLUTIONS = {
    "conv": lambda nn: nn.Sequential(nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3)),
    "no bias": lambda nn: nn.Sequential(nn.Conv1d(2, 3, 2, bias=False), nn.BatchNorm1d(3)),
    "plain": lambda nn: nn.Sequential(nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3, affine=False)),
    "transposed": lambda nn: nn.Sequential(nn.ConvTranspose2d(2, 3, 2), nn.BatchNorm2d(3)),
    "linear": lambda nn: nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)),
    "linear, no bias": lambda nn: nn.Sequential(nn.Linear(2, 3, bias=False), nn.BatchNorm1d(3)),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_fusing(name):
    theirs, ours = both(CONVOLUTIONS[name])
    for model in (theirs, ours):
        model.eval()
        model[1].running_var.abs_()
        model[0].weight.requires_grad_(False)
    fused = []
    for model, tools in ((theirs, torch.nn.utils), (ours, nn.utils)):
        if "linear" in name:
            fused.append(tools.fuse_linear_bn_eval(*model))
        else:
            fused.append(tools.fuse_conv_bn_eval(*model, transpose=name == "transposed"))
    assert repr(fused[0]) == repr(fused[1])
    for (key, a), (_, b) in zip(fused[0].named_parameters(), fused[1].named_parameters()):
        assert_same(a, b, key)
        assert a.requires_grad == b.requires_grad
        assert type(b) is nn.Parameter
    rank = ours[0].weight.ndim
    x = tg.from_numpy(numbers(4, 2, *[5] * (rank - 2)))
    assert_same(ours(x), fused[1](x), "the output")
    assert ours[0] is not fused[1]


@pytest.mark.parametrize(
    "call",
    [
        lambda s: s.nn.utils.fuse_conv_bn_eval(s.nn.Conv1d(1, 1, 1), s.nn.BatchNorm1d(1)),
        lambda s: s.nn.utils.fuse_conv_bn_eval(
            s.nn.Conv1d(1, 1, 1).eval(), s.nn.BatchNorm1d(1, track_running_stats=False).eval()
        ),
        lambda s: s.nn.utils.fuse_linear_bn_eval(
            s.nn.Linear(1, 2).eval(), s.nn.BatchNorm1d(3).eval()
        ),
        lambda s: s.nn.utils.fuse_linear_bn_eval(
            s.nn.Linear(1, 2).eval(), s.nn.BatchNorm1d(2, affine=False).eval()
        ),
        lambda s: s.nn.utils.skip_init(dict),
        lambda s: s.nn.utils.skip_init(s.nn.ReLU),
    ],
)
def test_refused(call):
    theirs, ours, text = errors(call)
    assert theirs is ours
    assert "fuse_" in text or "skip_init" in text


def test_skip_init():
    tg.manual_seed(0)
    expected = array(tg.rand(3))
    tg.manual_seed(0)
    made = nn.utils.skip_init(nn.Linear, 2, out_features=3, device="cpu", dtype=tg.float64)
    assert made.weight.shape == (3, 2)
    assert made.weight.dtype == tg.float64
    assert made.weight.requires_grad
    np.testing.assert_array_equal(array(tg.rand(3)), expected)  # nothing was drawn
    assert nn.Linear(2, 3).weight.abs().max().item() > 0  # later modules are filled again
    assert float(nn.init.ones_(tg.empty(2)).sum()) == 2


def test_memory_format_of_weights():
    model = nn.Conv2d(1, 1, 1)
    assert nn.utils.convert_conv2d_weight_memory_format(model, tg.contiguous_format) is model
    with pytest.raises(RuntimeError, match="channels_last"):
        nn.utils.convert_conv2d_weight_memory_format(model, tg.channels_last)
    with pytest.raises(RuntimeError, match="channels_last_3d"):
        nn.utils.convert_conv3d_weight_memory_format(model, tg.channels_last_3d)


def test_old_names_warn():
    def case(side):
        w = side.leaf(numbers(3), "w")
        (w * 5).sum().backward()
        norm = side.nn.utils.clip_grad_norm([w], 1.0)
        return norm, w.grad

    compare(case)
    with pytest.warns(FutureWarning, match="clip_grad_norm_"):
        nn.utils.clip_grad_norm([], 1.0)
    layer = nn.Linear(2, 1)
    given = {"weight": tg.ones(1, 2), "bias": tg.zeros(1)}
    with pytest.warns(FutureWarning, match="func.functional_call"):
        out = nn.utils.stateless.functional_call(layer, given, tg.ones(2))
    assert out.item() == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tg.func.functional_call(layer, given, tg.ones(2)).item() == 2
