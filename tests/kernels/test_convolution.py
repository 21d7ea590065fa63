"""The convolution kernels against a sum written out, at odd shapes and layouts."""

import itertools

import numpy as np
import pytest

from tensorgrad.kernels import banded, windows


def reference(x, w, b, stride, padding, dilation, groups):
    """One output at a time."""
    n = x.shape[0]
    outs, per_group, *kernel = w.shape
    full = np.pad(x, ((0, 0), (0, 0), *padding))
    sizes = [
        windows.output_size(m, k, s, p, d)
        for m, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True)
    ]
    y = np.zeros((n, outs, *sizes))
    for o, place in itertools.product(range(outs), np.ndindex(*sizes)):
        first = o // (outs // groups) * per_group
        index = tuple(
            slice(i * s, i * s + d * (k - 1) + 1, d)
            for i, s, d, k in zip(place, stride, dilation, kernel, strict=True)
        )
        window = full[(slice(None), slice(first, first + per_group), *index)]
        y[(slice(None), o, *place)] = (window * w[o]).sum(tuple(range(1, x.ndim)))
    return y if b is None else y + b.reshape(1, -1, *(1,) * len(kernel))


def channels_last(x):
    moved = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    return np.moveaxis(moved, -1, 1)


CASES = [
    # x, w, stride, padding, dilation, groups
    ((2, 1, 8, 8), (4, 1, 3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    ((2, 1, 8, 14), (3, 1, 5, 5), (1, 1), ((2, 2), (2, 2)), (1, 1), 1),
    ((2, 3, 7, 7), (5, 3, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    ((1, 16, 6, 28), (16, 16, 5, 5), (1, 1), ((2, 2), (2, 2)), (1, 1), 1),
    ((2, 3, 9, 8), (4, 3, 3, 2), (2, 3), ((1, 0), (0, 2)), (1, 1), 1),
    ((2, 4, 9, 8), (6, 2, 3, 3), (1, 2), ((2, 2), (1, 1)), (2, 1), 2),
    ((2, 4, 5, 5), (4, 1, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 4),
    ((2, 3, 5, 5), (4, 3, 1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    ((2, 3, 11), (4, 3, 4), (3,), ((2, 1),), (2,), 1),
    ((2, 2, 4, 5, 6), (3, 2, 2, 3, 2), (1, 2, 1), ((0, 1), (1, 1), (0, 0)), (1, 1, 2), 1),
    ((0, 3, 8, 8), (4, 3, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    ((2, 20, 8, 8), (4, 20, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
]


@pytest.mark.parametrize("layout", [np.array, channels_last], ids=["nchw", "nhwc"])
@pytest.mark.parametrize("case", CASES, ids=[f"{c[0]}*{c[1]}".replace(" ", "") for c in CASES])
def test_convolution_and_both_adjoints(case, layout):
    x_shape, w_shape, stride, padding, dilation, groups = case
    how = (stride, padding, dilation, groups)
    rng = np.random.default_rng(0)
    x, w = layout(rng.standard_normal(x_shape)), rng.standard_normal(w_shape)
    b = rng.standard_normal(w_shape[0])
    y, columns = windows.convolve(x, w, b, *how, keep=True)
    expected = reference(x, w, b, *how)
    assert y.shape == expected.shape
    assert np.allclose(y, expected, atol=1e-12)
    # Adjoints: <g, conv(x, w)> = <input_gradient(g), x> = <weight_gradient(g), w>.
    g = layout(rng.standard_normal(y.shape))
    inner = (g * (expected - b.reshape(1, -1, *(1,) * (x.ndim - 2)))).sum()
    dx = windows.input_gradient(g, w, x.shape, *how)
    assert dx.shape == x.shape
    assert np.isclose((dx * x).sum(), inner, atol=1e-10)
    for kept in (None, columns):
        dw = windows.weight_gradient(x, g, w.shape, *how, cols=kept)
        assert dw.shape == w.shape
        assert np.isclose((dw * w).sum(), inner, atol=1e-10)


def test_the_banded_kernel_serves_the_layers_it_was_made_for():
    assert banded.neighbours(28, (5, 5), 1, 16) == 7
    assert banded.neighbours(14, (5, 5), 16, 16) == 7
    assert banded.neighbours(8, (3, 3), 16, 16) == 8
    assert banded.neighbours(8, (3, 3), 64, 16) == 0
    assert banded.neighbours(13, (3, 3), 4, 4) == 13
    assert banded.neighbours(17, (3, 3), 4, 4) == 0
