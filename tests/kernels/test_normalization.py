"""The batch norm kernels against the reference, at odd shapes, layouts and offsets."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.kernels import normalization as kernels

SHAPES = [(7, 3), (200, 300), (4, 5, 9), (3, 2, 5, 7), (8, 64, 16, 16), (40, 16, 23, 23),
          (2, 3, 4, 5, 6), (1, 1, 2), (2, 1500, 3)]  # fmt: skip


def channels_last(x):
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)


def problem_of(x):
    return kernels.problem_of(x)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows_agree_with_the_reference(shape, affine, dtype, threads):
    rng = np.random.default_rng(0)
    x = channels_last(rng.standard_normal(shape) * 2 + 3)
    g = rng.standard_normal(shape)  # in another layout
    w, b = (rng.standard_normal(shape[1]) if affine else None for _ in range(2))
    double = problem_of(x)
    mean, var = kernels.batch_statistics.reference.run(double, x)
    y = kernels.batch_norm.reference.run(double, x, w, b, mean, var, 1e-5)
    gradients = kernels.batch_norm_backward.reference.run(
        double, g, x, w, mean, var, 1e-5, (True, True, True)
    )
    tolerance = {"rtol": 2e-4, "atol": 2e-4} if dtype == "float32" else {"rtol": 1e-9, "atol": 1e-9}
    x, g, w, b, mean, var = (
        None if a is None else a.astype(dtype) for a in (x, g, w, b, mean, var)
    )
    single = problem_of(x)
    assert single.channels_last
    before = tg.get_num_threads()
    tg.set_num_threads(threads)
    try:
        (run,) = (k.run for k in kernels.batch_statistics.kernels if k.provider == "numpy")
        for got, expected in zip(run(single, x), (mean, var), strict=True):
            assert np.allclose(got, expected, **tolerance)
        (run,) = (k.run for k in kernels.batch_norm.kernels if k.provider == "numpy")
        got = run(single, x, w, b, mean, var, 1e-5)
        assert problem_of(got).channels_last
        assert np.allclose(got, y, **tolerance)
        (run,) = (k.run for k in kernels.batch_norm_backward.kernels if k.provider == "numpy")
        got = run(single, g, x, w, mean, var, 1e-5, (True, True, True))
        assert problem_of(got[0]).channels_last
        scale = np.sqrt(x.size // shape[1])  # of sums of so many terms
        for a, e, size in zip(got, gradients, (1, scale, scale), strict=True):
            assert a.dtype == x.dtype
            assert np.allclose(a / size, e / size, **tolerance)
        partly = run(single, g, x, w, mean, var, 1e-5, (False, True, False))
        assert partly[0] is partly[2] is None
        assert np.array_equal(partly[1], got[1])
    finally:
        tg.set_num_threads(before)


def test_a_large_mean_costs_the_variance_no_digits():
    rng = np.random.default_rng(0)
    x = channels_last((rng.standard_normal((64, 8, 6, 6)) + 1000).astype("float32"))
    (run,) = (k.run for k in kernels.batch_statistics.kernels if k.provider == "numpy")
    _, var = run(problem_of(x), x)
    exact = x.astype("float64").transpose(0, 2, 3, 1).reshape(-1, 8).var(0)
    assert np.allclose(var, exact, rtol=1e-3)


def test_contiguous_images_keep_their_layout():
    x = tg.randn(4, 3, 8, 8)
    assert not problem_of(x.numpy()).channels_last
    y = tg.nn.functional.batch_norm(x, None, None, training=True)
    assert y.numpy().strides == x.numpy().strides


@pytest.mark.parametrize("affine", [(True, True), (True, False), (False, True), (False, False)])
def test_evaluation_is_the_same_recorded_or_not(affine):
    rng = np.random.default_rng(0)
    x, mean, w, b = (tg.from_numpy(rng.standard_normal(s)) for s in ((6, 3, 2), (3,), (3,), (3,)))
    var = tg.from_numpy(rng.random(3) + 0.5)
    weight, bias = (v.requires_grad_() if there else None for v, there in zip((w, b), affine))
    given = (mean, var, weight, bias)
    before = [None if v is None else v.detach().clone() for v in given]
    x.requires_grad_()
    recorded = tg.nn.functional.batch_norm(x, *given)
    fixed = tg.nn.functional.batch_norm(x, *(None if v is None else v.detach() for v in given))
    with tg.no_grad():
        plain = tg.nn.functional.batch_norm(x, *given)
    np.testing.assert_allclose(plain.numpy(), recorded.detach().numpy(), rtol=1e-13, atol=1e-13)
    grads = [tg.autograd.grad((y * y).sum(), x)[0].numpy() for y in (recorded, fixed)]
    np.testing.assert_allclose(*grads, rtol=1e-12, atol=1e-12)
    assert not plain.requires_grad
    for v, old in zip(given, before):
        if v is not None:
            np.testing.assert_array_equal(v.detach().numpy(), old.numpy())
