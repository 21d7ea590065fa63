"""Pooling, transposed convolution, resizing and sampling against PyTorch's, with gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from parity.nn_compare import compare, errors, numbers

import tensorgrad as tg
from tensorgrad.nn import functional as F


def of_rank(n, *shape, **words):
    """Numbers of a shape cut to ``n`` spatial dimensions."""
    return numbers(*shape, **words)[(..., *(0,) * (3 - n))].copy()


TRANSPOSED = [
    {},
    {"stride": 2},
    {"stride": 2, "padding": 1, "output_padding": 1},
    {"dilation": 2, "output_padding": 1},
    {"stride": 3, "padding": 1, "output_padding": 2},
    {"dilation": 3, "padding": 1, "output_padding": 2},
    {"stride": 2, "dilation": 3, "output_padding": 2},
]


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("options", TRANSPOSED, ids=str)
def test_conv_transpose(n, options):
    x, w, b = of_rank(n, 2, 4, 5, 4, 3), of_rank(n, 4, 3, 3, 2, 2), numbers(6, seed=1)
    name = f"conv_transpose{n}d"
    compare(
        lambda s: getattr(s.F, name)(
            s.leaf(x, "x"), s.leaf(w, "w"), s.leaf(b, "b"), groups=2, **options
        )
    )
    compare(lambda s: getattr(s.F, name)(s.leaf(x[0], "x"), s.leaf(w, "w"), **options))


POOLS = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 2, "stride": 3, "ceil_mode": True},
]


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("options", POOLS, ids=str)
def test_pooling(n, options):
    x = of_rank(n, 2, 3, 7, 6, 5)
    pools = {name: f"{name}_pool{n}d" for name in ("max", "avg", "lp")}
    compare(lambda s: getattr(s.F, pools["max"])(s.leaf(x), return_indices=True, **options))
    compare(lambda s: getattr(s.F, pools["max"])(s.leaf(x[0]), return_indices=True, **options))
    for include in (True, False):
        compare(
            lambda s, include=include: getattr(s.F, pools["avg"])(
                s.leaf(x), count_include_pad=include, **options
            )
        )
    words = {k: v for k, v in options.items() if k != "padding"}
    compare(lambda s: getattr(s.F, pools["lp"])(s.leaf(np.abs(x)), 3.0, **words))
    compare(lambda s: getattr(s.F, pools["lp"])(s.leaf(x), 2, **words))


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 3, 9])
def test_adaptive_pooling(n, size):
    x = of_rank(n, 2, 3, 7, 6, 5)
    compare(lambda s: getattr(s.F, f"adaptive_avg_pool{n}d")(s.leaf(x), size))
    for input in (x, x[0], np.round(x)):
        compare(
            lambda s, input=input: getattr(s.F, f"adaptive_max_pool{n}d")(
                s.leaf(input), size, return_indices=True
            )
        )


@pytest.mark.parametrize("n", [1, 2, 3])
def test_unpooling(n):
    x = of_rank(n, 2, 3, 7, 6, 5)

    def case(s):
        y, places = getattr(s.F, f"max_pool{n}d")(s.leaf(x), 2, return_indices=True)
        return getattr(s.F, f"max_unpool{n}d")(y, places, 2, output_size=x.shape[-n:])

    compare(case)


def test_unpooling_overlapping_windows_gives_each_place_one_gradient():
    """PyTorch sends a place's gradient to every window that names it; written once, it has one."""
    x = tg.tensor([[1.0, 5.0, 2.0]], dtype=tg.float64, requires_grad=True)
    places = tg.tensor([[3, 3, 0]])
    out = F.max_unpool1d(x, places, 2, 1)
    assert out.tolist() == [[2.0, 0.0, 0.0, 5.0]]
    out.sum().backward()
    assert x.grad.tolist() == [[0.0, 1.0, 1.0]]


@pytest.mark.parametrize("n", [2, 3])
def test_fractional_pooling(n):
    x = of_rank(n, 2, 3, 9, 8, 7)
    name = f"fractional_max_pool{n}d"
    for seed in range(5):
        drawn = np.random.default_rng(seed).random((2, 3, n))
        for words in ({"output_size": 4}, {"output_ratio": (0.7, 0.5, 0.6)[:n]}):
            compare(
                lambda s, d=drawn, w=words: getattr(s.F, name)(
                    s.leaf(x), 2, return_indices=True, _random_samples=s.const(d), **w
                )
            )
    tg.manual_seed(0)
    first, second = (getattr(F, name)(tg.from_numpy(x), 2, 4).tolist() for _ in range(2))
    tg.manual_seed(0)
    assert getattr(F, name)(tg.from_numpy(x), 2, 4).tolist() == first != second


SIZES = [
    *({"size": size} for size in (1, 3, 8, 13)),
    *({"scale_factor": factor} for factor in (2, 0.5, 1.7, 0.37)),
    *({"scale_factor": factor, "recompute_scale_factor": True} for factor in (1.7, 0.4)),
]
MODES = {1: ("linear",), 2: ("bilinear", "bicubic"), 3: ("trilinear",)}


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("options", SIZES, ids=str)
def test_interpolate(n, options):
    x = of_rank(n, 2, 2, 7, 6, 5)
    for mode in ("nearest", "nearest-exact", "area"):
        compare(lambda s, mode=mode: s.F.interpolate(s.leaf(x), mode=mode, **options))
    for mode in MODES[n]:
        for corners in (None, True, False):
            words = {"mode": mode, "align_corners": corners, **options}
            compare(lambda s, words=words: s.F.interpolate(s.leaf(x), **words))
            if n == 2:
                compare(lambda s, w=words: s.F.interpolate(s.leaf(x), antialias=True, **w))


@pytest.mark.parametrize("kind", ["f4", "f8", "u1"])
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
def test_nearest_takes_the_same_elements(mode, kind):
    for size in (*range(1, 20), 37):
        x = np.arange(size).astype(kind).reshape(1, 1, size)
        for out in range(1, 50, 3):
            theirs = torch.nn.functional.interpolate(torch.from_numpy(x), size=out, mode=mode)
            ours = F.interpolate(tg.from_numpy(x), size=out, mode=mode)
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), err_msg=f"{size} {out}")


def test_interpolation_keeps_an_infinite_element_where_it_is():
    x = tg.tensor([[[1.0, 2.0, float("inf"), 4.0, 5.0]]])
    assert F.interpolate(x, 10, mode="linear").isfinite().sum().item() == 6
    assert not F.interpolate(x, 10, mode="linear").isnan().any().item()


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("corners", [True, False, None])
def test_grid_sample(padding, corners):
    edges = np.array([-1, 1, -3, 3, 0.0, -1.25, 5, 1.25])
    exact = np.stack(np.meshgrid(edges, edges), -1)[None]
    for n in (2, 3):
        x = of_rank(n, 2, 3, 4, 5, 3)
        places = numbers(2, 3, *(4, 2)[: n - 1], n, seed=5) * 1.2
        for mode in ("bilinear", "nearest", *(("bicubic",) if n == 2 else ())):
            words = (mode, padding, corners)
            compare(lambda s, x=x, g=places, w=words: s.F.grid_sample(s.leaf(x), s.leaf(g), *w))
            if n == 2:
                compare(lambda s, x=x, w=words: s.F.grid_sample(s.leaf(x[:1]), s.leaf(exact), *w))


@pytest.mark.parametrize("corners", [True, False, None])
def test_affine_grid(corners):
    for n in (2, 3):
        for size in ((2, 3, 4, 5, 6), (2, 1, 1, 3, 1)):
            theta = numbers(2, n, n + 1)
            compare(lambda s, t=theta, z=size[: n + 2]: s.F.affine_grid(s.leaf(t), z, corners))


def test_fold_is_the_adjoint_of_unfold():
    x, y = tg.from_numpy(numbers(2, 3, 5, 6)), tg.from_numpy(numbers(2, 18, 12, seed=1))
    how = {"kernel_size": (3, 2), "dilation": (1, 2), "padding": (1, 0), "stride": (2, 1)}
    left = (F.unfold(x, **how) * y).sum().item()
    assert left == pytest.approx((x * F.fold(y, (5, 6), **how)).sum().item())


X = numbers(2, 4, 5, 5)
LINE = numbers(2, 4, 5)
INDEX = np.zeros((2, 4, 5), np.int64)
ERRORS = {
    "transposed channels": (
        lambda s: s.F.conv_transpose2d(s.const(X), s.const(numbers(3, 2, 2, 2))),
        ["conv_transpose2d", "3 channels"],
    ),
    "output padding": (
        lambda s: s.F.conv_transpose2d(s.const(X), s.const(numbers(4, 2, 2, 2)), output_padding=1),
        ["output_padding=1"],
    ),
    "transposed padding": (
        lambda s: s.F.conv_transpose1d(s.const(LINE), s.const(numbers(4, 2, 2)), padding=4),
        ["padding=4"],
    ),
    "transposed layer's mode": (
        lambda s: s.nn.ConvTranspose2d(2, 2, 2, padding_mode="reflect"),
        ["reflect"],
    ),
    "transposed layer's size": (
        lambda s: s.nn.ConvTranspose1d(4, 2, 2).double()(s.const(LINE), output_size=[9]),
        ["[9]", "[6]"],
    ),
    "max pool padding": (lambda s: s.F.max_pool1d(s.const(LINE), 2, padding=2), ["pad=2"]),
    "avg pool rank": (lambda s: s.F.avg_pool3d(s.const(LINE), 2), ["[2, 4, 5]"]),
    "adaptive max sizes": (
        lambda s: s.F.adaptive_max_pool2d(s.const(X), (1, 2, 3)),
        ["output_size"],
    ),
    "unpool index": (lambda s: s.F.max_unpool1d(s.const(LINE), s.const(INDEX + 10), 2), ["10"]),
    "unpool size": (
        lambda s: s.F.max_unpool1d(s.const(LINE), s.const(INDEX), 2, output_size=(20,)),
        ["20"],
    ),
    "unpool index type": (
        lambda s: s.F.max_unpool1d(s.const(LINE), s.const(INDEX.astype("i4")), 2),
        ["int32"],
    ),
    "interpolate to nothing": (lambda s: s.F.interpolate(s.const(X)), ["size", "scale_factor"]),
    "interpolate both": (lambda s: s.F.interpolate(s.const(X), 2, 2.0), ["only one"]),
    "interpolate mode": (lambda s: s.F.interpolate(s.const(X), 2, mode="cubic"), ["cubic"]),
    "interpolate rank": (lambda s: s.F.interpolate(s.const(X), 2, mode="linear"), ["linear"]),
    "interpolate corners": (
        lambda s: s.F.interpolate(s.const(X), 2, align_corners=True),
        ["align_corners"],
    ),
    "interpolate antialias": (lambda s: s.F.interpolate(s.const(X), 2, antialias=True), ["alias"]),
    "interpolate sizes": (lambda s: s.F.interpolate(s.const(X), (1, 2, 3)), ["(1, 2, 3)"]),
    "interpolate zero": (lambda s: s.F.interpolate(s.const(X), 0), ["greater than 0"]),
    "unfold kernel": (lambda s: s.F.unfold(s.const(X), 7), ["(7, 7)"]),
    "fold blocks": (lambda s: s.F.fold(s.const(LINE), 4, 2), ["9", "5"]),
    "fold channels": (lambda s: s.F.fold(s.const(LINE), 4, 3), ["divisible"]),
    "pixel shuffle": (lambda s: s.F.pixel_shuffle(s.const(X), 3), ["9"]),
    "pixel unshuffle": (lambda s: s.F.pixel_unshuffle(s.const(X), 2), ["(5, 5)"]),
    "channel shuffle": (lambda s: s.F.channel_shuffle(s.const(X), 3), ["3 groups"]),
    "grid mode": (lambda s: s.F.grid_sample(s.const(X), s.const(X), "cubic"), ["cubic"]),
    "grid shape": (lambda s: s.F.grid_sample(s.const(X), s.const(X)), ["[2, 4, 5, 5]"]),
    "grid dtype": (
        lambda s: s.F.grid_sample(s.const(X), s.const(np.zeros((2, 1, 1, 2), "f4"))),
        ["float32"],
    ),
    "affine shape": (lambda s: s.F.affine_grid(s.const(LINE), (2, 1, 2, 2)), ["(2, 4, 5)"]),
    "circular pad": (lambda s: s.nn.CircularPad1d(1)(s.const(X)), ["4D"]),
    "reflection pad": (lambda s: s.nn.ReflectionPad1d(5)(s.const(LINE)), ["5"]),
    "response rank": (lambda s: s.F.local_response_norm(s.const(LINE[0]), 2), ["3D"]),
    "cosine dim": (lambda s: s.F.cosine_similarity(s.const(X), s.const(X), 4), ["4"]),
    "cosine int": (lambda s: s.F.cosine_similarity(s.const(INDEX), s.const(INDEX)), ["int64"]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name):
    case, mentioned = ERRORS[name]
    theirs, ours, text = errors(case)
    assert theirs is not type(None), "PyTorch raises nothing here"
    assert ours is not type(None), "tensorgrad raises nothing"
    assert issubclass(ours, theirs) or issubclass(theirs, ours), (theirs, ours, text)
    assert all(word in text for word in mentioned), text
