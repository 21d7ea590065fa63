"""The convolution kernels against a sum written out, at odd shapes and layouts."""

import itertools

import numpy as np
import pytest

from tensorgrad.kernels.convolution import Problem, convolve, input_gradient, weight_gradient


def reference(x, w, b, stride, padding, dilation, groups):
    """One output at a time."""
    n = x.shape[0]
    outs, per_group, *kernel = w.shape
    full = np.pad(x, ((0, 0), (0, 0), *padding))
    sizes = [
        (m - d * (k - 1) - 1) // s + 1
        for m, k, s, d in zip(full.shape[2:], kernel, stride, dilation, strict=True)
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


def kernels_of(operation, problem):
    """Every kernel that serves a problem, the reference last."""
    return [k for k in reversed(operation.kernels) if not k.applies(problem)] + [
        operation.reference
    ]


@pytest.mark.parametrize("layout", [np.array, channels_last], ids=["nchw", "nhwc"])
@pytest.mark.parametrize("case", CASES, ids=[f"{c[0]}*{c[1]}".replace(" ", "") for c in CASES])
def test_convolution_and_both_adjoints(case, layout):
    x_shape, w_shape, stride, padding, dilation, groups = case
    problem = Problem(*case, np.dtype("float64"))
    rng = np.random.default_rng(0)
    x, w = layout(rng.standard_normal(x_shape)), rng.standard_normal(w_shape)
    b = rng.standard_normal(w_shape[0])
    expected = reference(x, w, b, stride, padding, dilation, groups)
    g = layout(rng.standard_normal(expected.shape))
    caches = [None]
    for kernel in kernels_of(convolve, problem):
        y, cache = kernel.run(problem, x, w, b, True)
        assert y.shape == expected.shape
        assert np.allclose(y, expected, atol=1e-12), kernel.name
        bare, nothing = kernel.run(problem, x, w, None, False)
        assert nothing is None
        assert np.allclose(bare + b.reshape(1, -1, *(1,) * (x.ndim - 2)), y, atol=1e-12)
        caches.append(cache)
    # Adjoints: <g, conv(x, w)> = <input_gradient(g), x> = <weight_gradient(g), w>.
    inner = (g * (expected - b.reshape(1, -1, *(1,) * (x.ndim - 2)))).sum()
    for kernel in kernels_of(input_gradient, problem):
        dx = kernel.run(problem, g, w)
        assert dx.shape == x.shape
        assert np.isclose((dx * x).sum(), inner, atol=1e-10), kernel.name
    for kernel, cache in itertools.product(kernels_of(weight_gradient, problem), caches):
        dw = kernel.run(problem, x, g, cache)
        assert dw.shape == w.shape
        assert np.isclose((dw * w).sum(), inner, atol=1e-10), kernel.name
