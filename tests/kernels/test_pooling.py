"""The pooling kernels against the reference, at odd shapes, strides, layouts and values."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.kernels import pooling
from tensorgrad.kernels.registry import use

KERNELS = {
    name: [k for op in (getattr(pooling, name),) for k in op.kernels]
    for name in ("max_pool", "pool_winner", "pool_scatter")
}
CASES = [
    # input, kernel, stride, padding, dilation
    ((3, 5, 8, 8), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)),
    ((3, 5, 9, 7), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)),
    ((2, 4, 8, 8), (3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1)),
    ((2, 4, 7, 9), (3, 2), (1, 3), ((1, 0), (0, 1)), (2, 1)),
    ((2, 4, 7, 9), (1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1)),
    ((2, 4, 7, 9), (2, 2), (3, 3), ((0, 0), (0, 0)), (1, 1)),
    ((4, 3, 11), (3,), (2,), ((1, 1),), (1,)),
    ((2, 2, 4, 6, 5), (2, 3, 2), (2, 1, 2), ((0, 0), (1, 1), (0, 1)), (1, 1, 1)),
    ((2, 3, 4, 9), (2,), (2,), ((0, 1),), (1,)),
    ((2, 4, 6, 6), (2, 2, 2), (2, 2, 2), ((0, 0), (0, 0), (0, 0)), (1, 1, 1)),
    ((5, 6, 6), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)),
    ((70, 16, 20, 20), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)),
    ((70, 16, 19, 20), (3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1)),
    ((1, 2, 20, 20), (16, 16), (2, 2), ((0, 0), (0, 0)), (1, 1)),
    ((0, 2, 4, 4), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)),
]


def problem_of(case, dtype):
    shape, kernel, stride, padding, dilation = case
    n = len(kernel)
    out = tuple(
        (m + sum(p) - d * (k - 1) - 1) // s + 1
        for m, k, s, p, d in zip(shape[-n:], kernel, stride, padding, dilation, strict=True)
    )
    return pooling.Problem(shape, kernel, stride, padding, dilation, out, np.dtype(dtype))


def channels_last(x):
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)


def values(shape, kind, dtype):
    rng = np.random.default_rng(0)
    if kind == "ties":
        return rng.integers(0, 3, shape).astype(dtype)
    x = rng.standard_normal(shape).astype(dtype)
    if kind == "special":
        x[rng.random(shape) < 0.1] = np.nan
        x[rng.random(shape) < 0.1] = -np.inf
        x[rng.random(shape) < 0.1] = np.inf
    return x


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["plain", "ties", "special"])
@pytest.mark.parametrize("layout", [np.array, channels_last], ids=["nchw", "nhwc"])
@pytest.mark.parametrize("case", CASES, ids=[f"{c[0]}/{c[1]}".replace(" ", "") for c in CASES])
def test_every_kernel_agrees_with_the_reference(case, layout, kind, dtype):
    problem = problem_of(case, dtype)
    x = layout(values(problem.input, kind, dtype))
    y = pooling.max_pool.reference.run(problem, x)
    won = pooling.pool_winner.reference.run(problem, x, y)
    g = layout(values(y.shape, "special", dtype))
    dx = pooling.pool_scatter.reference.run(problem, g, won)
    arguments = {"max_pool": (x,), "pool_winner": (x, y), "pool_scatter": (g, won)}
    expected = {"max_pool": y, "pool_winner": won, "pool_scatter": dx}
    for name, kernels in KERNELS.items():
        assert kernels
        for kernel in kernels:
            if kernel.applies(problem):
                continue
            for threads in (1, 2):
                before = tg.get_num_threads()
                tg.set_num_threads(threads)
                try:
                    got = kernel.run(problem, *arguments[name])
                finally:
                    tg.set_num_threads(before)
                assert got.dtype == expected[name].dtype
                if name == "pool_scatter" and kernel.provider != "numpy":
                    # Where windows overlap, another library may add in another order.
                    assert np.allclose(got, expected[name], rtol=1e-6, atol=1e-6, equal_nan=True)
                else:
                    assert np.array_equal(got, expected[name], equal_nan=got.dtype.kind == "f")


def test_the_layout_is_kept():
    problem = problem_of(CASES[2], "float32")
    x = channels_last(values(problem.input, "plain", "float32"))
    with use("auto"):
        y = pooling.max_pool.choose(problem)(problem, x)
        assert y.strides[1] == x.strides[1] == 4
        won = pooling.pool_winner.choose(problem)(problem, x, y)
        assert pooling.pool_scatter.choose(problem)(problem, y, won).strides == x.strides


def test_of_equal_elements_the_first_one_wins():
    x = tg.zeros(1, 1, 4, 4, requires_grad=True)
    tg.nn.functional.max_pool2d(x, 2).sum().backward()
    assert x.grad[0, 0].tolist() == [[1, 0, 1, 0], [0, 0, 0, 0]] * 2
