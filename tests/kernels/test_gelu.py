"""GELU's kernels against its definition in float64, at every layout, and as users call it."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.kernels.gelu import Problem, gelu, gelu_gradient
from tensorgrad.nn import functional as F

LAYOUTS = {
    "plain": lambda x: x,
    "transposed": lambda x: np.ascontiguousarray(x.T).T,
    "every second": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "backwards": lambda x: np.ascontiguousarray(x[::-1])[::-1],
    "one row for all": lambda x: np.broadcast_to(x[:1], x.shape),
    "nothing": lambda x: x[:0],
    "one number": lambda x: x[0, 0].reshape(()),
}


def exact(x, tanh):
    """Value and derivative in float64."""
    problem = Problem(x.shape, np.dtype(np.float64), tanh)
    x = x.astype(np.float64)
    one = np.ones_like(x)
    return gelu.reference.run(problem, x, False)[0], gelu_gradient.reference.run(
        problem, one, x, None
    )


@pytest.mark.parametrize("tanh", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_kernel_is_the_definition(layout, tanh, dtype):
    drawn = np.random.default_rng(0).standard_normal((37, 29)) * 3
    x = LAYOUTS[layout](drawn.astype(dtype))
    g = np.asarray(np.random.default_rng(1).standard_normal(x.shape)).astype(dtype)
    problem = Problem(x.shape, x.dtype, tanh)
    y, slope = exact(x, tanh)
    close = {"rtol": 1e-12, "atol": 1e-12} if dtype == "float64" else {"rtol": 5e-7, "atol": 5e-7}
    for kernel, gradient in zip(
        [gelu.reference, *gelu.kernels], [gelu_gradient.reference, *gelu_gradient.kernels],
        strict=True,
    ):  # fmt: skip
        if kernel.applies(problem):
            continue
        for keep in (False, True):
            found, kept = kernel.run(problem, x, keep)
            assert found.dtype == x.dtype
            assert found.shape == x.shape
            np.testing.assert_allclose(found, y, **close)
            # 1 - tanh**2 loses digits where the tangent is near 1, in PyTorch's float32 as well.
            slack = {**close, "atol": 4e-6} if dtype == "float32" and tanh else close
            np.testing.assert_allclose(gradient.run(problem, g, x, kept), g * slope, **slack)


@pytest.mark.parametrize(("kernels", "bound"), [("numpy", 4e-7), ("auto", 1.5e-6)])
def test_float32_is_good_to_its_rounding_everywhere(kernels, bound):
    """PyTorch's float32 GELU, which is oneDNN's too, is off by up to 1e-6 on these numbers."""
    x = np.concatenate([np.linspace(-12, 12, 200_001), np.logspace(-30, 20, 999)]).astype("f4")
    y, slope = exact(x, False)
    with tg.backends.use_kernels(kernels):
        out = F.gelu(leaf := tg.from_numpy(x).requires_grad_())
        out.sum().backward()
    assert np.max(np.abs(out.detach().numpy() - y) / np.maximum(1, np.abs(x))) < bound
    assert np.max(np.abs(leaf.grad.numpy() - slope)) < bound


def test_infinities_and_nan():
    x = tg.tensor([np.inf, -np.inf, np.nan, -40.0, 40.0])
    assert F.gelu(x).tolist()[0] == np.inf
    assert np.isnan(F.gelu(x).tolist()[2])
    assert F.gelu(x).tolist()[3:] == [-0.0, 40.0]


def test_several_threads_give_the_same_bits():
    x = np.random.default_rng(0).standard_normal(600_001).astype("f4")
    threads = tg.get_num_threads()
    found = []
    for count in (1, 2):
        tg.set_num_threads(count)
        try:
            found.append(F.gelu(tg.from_numpy(x)).numpy())
        finally:
            tg.set_num_threads(threads)
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_second_order_is_the_reference_s(approximate):
    x = tg.linspace(-3, 3, 13, dtype=tg.float64).requires_grad_()
    assert tg.autograd.gradgradcheck(lambda x: F.gelu(x, approximate), (x,))
    slope = tg.autograd.grad(F.gelu(x, approximate).sum(), x, create_graph=True)[0]
    with tg.backends.use_kernels("reference"):
        plain = tg.autograd.grad(F.gelu(x, approximate).sum(), x)[0]
    np.testing.assert_allclose(slope.detach().numpy(), plain.numpy(), rtol=1e-12)
