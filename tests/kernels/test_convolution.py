"""The convolution kernels against a sum written out, at odd shapes and layouts."""

import itertools

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.kernels import winograd
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
    ((3, 64, 2, 2), (65, 64, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    ((2, 64, 4, 3), (64, 64, 3, 3), (2, 1), ((1, 2), (1, 0)), (1, 1), 1),
    ((2, 64, 3, 4), (64, 64, 3, 2), (1, 1), ((3, 4), (2, 2)), (2, 1), 1),
    ((2, 66, 4), (64, 66, 3), (1,), ((1, 1),), (1,), 1),
    ((3, 6, 9, 8), (6, 1, 3, 2), (2, 1), ((1, 0), (2, 1)), (1, 2), 6),
    ((40, 24, 11, 11), (24, 1, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 24),
    ((2, 5, 12), (5, 1, 4), (3,), ((0, 2),), (2,), 5),
    ((1, 3, 9, 8), (4, 3, 3, 3), (2, 1), ((1, 0), (1, 1)), (1, 2), 1),
    ((1, 3, 4, 5, 6), (4, 3, 2, 1, 3), (1, 1, 1), ((0, 0), (0, 0), (0, 0)), (1, 1, 1), 1),
    ((5, 4, 12, 11), (3, 4, 3, 3), (1, 1), ((1, 1), (0, 2)), (2, 1), 1),
    ((3, 4, 12, 30), (3, 4, 3, 2), (1, 3), ((1, 0), (0, 2)), (1, 1), 1),
    ((3, 9, 12, 11), (3, 9, 3, 3), (1, 1), ((1, 1), (0, 2)), (1, 2), 1),
    ((3, 4, 90), (3, 4, 5), (1,), ((2, 1),), (2,), 1),
    ((2, 4, 5, 6, 7), (3, 4, 2, 3, 2), (1, 1, 2), ((1, 0), (1, 1), (0, 1)), (1, 1, 1), 1),
    ((2, 40, 30, 31), (38, 40, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    ((3, 8, 40, 41), (8, 8, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    ((3, 2, 40, 41), (7, 2, 3, 3), (2, 1), ((1, 1), (0, 1)), (1, 2), 1),
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


WINOGRAD = [
    # input, O, padding
    ((2, 64, 8, 8), 64, ((1, 1), (1, 1))),
    ((3, 65, 9, 14), 70, ((1, 1), (1, 1))),
    ((2, 64, 10, 13), 64, ((0, 0), (0, 0))),
    ((1, 64, 8, 8), 64, ((2, 0), (1, 2))),
    ((2, 128, 16, 16), 96, ((1, 1), (1, 1))),
]


@pytest.mark.parametrize("layout", [np.array, channels_last], ids=["nchw", "nhwc"])
@pytest.mark.parametrize("case", WINOGRAD, ids=[str(c[0]).replace(" ", "") for c in WINOGRAD])
@pytest.mark.parametrize("pieces", [False, True], ids=["whole", "in pieces"])
def test_winograd_is_within_1e4_of_float64(case, layout, pieces, monkeypatch):
    shape, outs, padding = case
    if pieces:
        monkeypatch.setattr(winograd, "_images_at_once", lambda problem: 1)
    weight = (outs, shape[1], 3, 3)
    single = Problem(shape, weight, (1, 1), padding, (1, 1), 1, np.dtype("float32"))
    double = single._replace(dtype=np.dtype("float64"))
    rng = np.random.default_rng(0)
    x, w = layout(rng.standard_normal(shape)), rng.standard_normal(weight)
    b = rng.standard_normal(outs)
    y, _ = convolve.reference.run(double, x, w, b, False)
    g = layout(rng.standard_normal(y.shape))
    expected = {
        convolve: y,
        input_gradient: input_gradient.reference.run(double, g, w),
        weight_gradient: weight_gradient.reference.run(double, x, g, None),
    }
    x, w, b, g = (a.astype("float32") for a in (x, w, b, g))
    kernel = {k.name: k for k in convolve.kernels}["winograd"]
    got, kept = kernel.run(single, x, w, b, True)
    assert kept is None
    results = [(convolve, got)]
    kernel = {k.name: k for k in input_gradient.kernels}["winograd"]
    results.append((input_gradient, kernel.run(single, g, w)))
    kernel = {k.name: k for k in weight_gradient.kernels}["winograd"]
    results.append((weight_gradient, kernel.run(single, x, g, None)))
    for operation, got in results:
        size = np.abs(expected[operation]).max()
        assert got.dtype == np.float32
        assert got.shape == expected[operation].shape
        assert np.abs(got - expected[operation]).max() < 1e-4 * size, operation.name
        assert np.abs(got - expected[operation]).max() > 0  # it is another computation


def test_each_kernel_is_chosen_where_it_was_measured_to_win():
    def chosen(x, w, dtype="float32", stride=1, padding=1, groups=1):
        n = len(x) - 2
        problem = Problem(
            x, w, (stride,) * n, ((padding, padding),) * n, (1,) * n, groups, np.dtype(dtype)
        )
        operations = (convolve, input_gradient, weight_gradient)
        with tg.backends.use_kernels("numpy"):
            return [op.explain(problem).kernel.name for op in operations]

    assert chosen((64, 1, 28, 28), (16, 1, 5, 5), padding=2)[::2] == ["blocked"] * 2
    assert chosen((64, 16, 14, 14), (16, 16, 5, 5), padding=2) == ["lines"] * 3
    assert chosen((32, 3, 32, 32), (64, 3, 3, 3)) == ["lines"] * 3
    assert chosen((32, 128, 8, 8), (256, 128, 3, 3)) == ["winograd"] * 3
    assert chosen((32, 128, 8, 8), (256, 128, 3, 3), dtype="float64") == ["reference"] * 3
    assert chosen((32, 512, 2, 2), (512, 512, 3, 3)) == ["by place"] * 3
    assert chosen((32, 512, 4, 4), (512, 512, 3, 3)) == ["by place"] * 3
    assert chosen((32, 64, 16, 16), (64, 1, 3, 3), groups=64) == ["depthwise"] * 3
    assert chosen((1, 64, 16, 16), (64, 64, 3, 3))[0] == "one image"
    assert chosen((32, 64, 16, 16), (64, 8, 3, 3), groups=8) == ["reference"] * 3
