"""p <- p + alpha g in place: by NumPy and by BLAS."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.kernels import scaled_sum
from tensorgrad.kernels.scaled_sum import Problem, add_scaled

RUNS = {"reference": add_scaled.reference.run, **{k.name: k.run for k in add_scaled.kernels}}
SIZES = (1, 9_999, 70_001, (1 << 18) + 3)  # BLAS's threads begin at 10,000, NumPy's at 2**18
kernels = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)


@pytest.fixture(autouse=True)
def _blas(run):
    if run is not RUNS["reference"] and not scaled_sum._axpy:
        pytest.skip("NumPy has another BLAS than OpenBLAS")


@kernels
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", SIZES)
def test_kernels_agree(run, dtype, size):
    rng = np.random.default_rng(size)
    p, g = (rng.standard_normal(size).astype(dtype) for _ in range(2))
    expected = p.astype(np.longdouble) + np.longdouble(dtype(0.3)) * g
    run(Problem(size, p.dtype), p, g, 0.3)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(p, expected.astype(dtype), rtol=eps, atol=2 * eps)


@kernels
def test_zero_times_infinity_is_nan(run):
    p, g = np.ones(20_000, np.float32), np.zeros(20_000, np.float32)
    g[5] = np.inf
    run(Problem(p.size, p.dtype), p, g, 0.0)
    assert np.isnan(p[5])
    assert (p[6:] == 1).all()


@kernels
def test_memory_that_may_only_be_read(run):
    p, g = np.ones(20_000), np.ones(20_000)
    g.flags.writeable = False
    run(Problem(p.size, p.dtype), p, g, 2.0)
    assert (p == 3).all()
    assert (g == 1).all()
    p.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        run(Problem(p.size, p.dtype), p, g, 2.0)
    assert (p == 3).all()


@kernels
def test_a_gradient_of_another_dtype_is_not_read_as_if_it_were_of_this_one(run):
    p, g = np.ones(20_000), np.ones(20_000, np.float32)
    run(Problem(p.size, p.dtype), p, g, 2.0)
    assert (p == 3).all()


@pytest.mark.parametrize("run", [RUNS["blas"]])
@pytest.mark.parametrize("order", ["C", "F", "strided"])
@pytest.mark.parametrize("maximize", [False, True])
def test_a_step_by_blas_is_the_step_by_numpy(run, order, maximize):
    rng = np.random.default_rng(0)
    array, gradient = (rng.standard_normal((200, 300)).astype(np.float32) for _ in range(2))
    found = []
    for mode in ("auto", "reference"):
        own = np.array(array, order="F" if order == "F" else "C")
        if order == "strided":
            own = np.repeat(own, 2, axis=1)[:, ::2]
        p = tg.from_numpy(own).requires_grad_()
        p.grad = tg.from_numpy(gradient.copy())
        with tg.backends.use_kernels(mode):
            tg.optim.SGD([p], lr=0.1, maximize=maximize).step()
        np.testing.assert_array_equal(p.grad.numpy(), gradient)
        found.append(own)
    np.testing.assert_allclose(*found, rtol=1e-6, atol=1e-7)
    sign = 1 if maximize else -1
    np.testing.assert_allclose(found[0], array + sign * 0.1 * gradient, rtol=1e-5, atol=1e-6)
