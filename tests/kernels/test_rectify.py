"""relu and its gradient on large arrays: every kernel gives the same numbers."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.kernels import rectify
from tensorgrad.kernels.onednn import elementwise, offers

SHAPE = (8, 16, 34, 36)  # more elements than any kernel asks for
KERNELS = ["reference", "pieces", "bits", "onednn"]


def _arrays(layout, dtype=np.float32):
    rng = np.random.default_rng(0)
    x, g = (rng.standard_normal(SHAPE).astype(dtype) for _ in range(2))
    if layout == "channels last":
        x, g = (np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2) for a in (x, g))
    if layout == "two layouts":
        g = np.ascontiguousarray(g.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    if layout == "every second":
        wide = np.zeros((*SHAPE[:-1], 2 * SHAPE[-1]), dtype)
        wide[..., ::2] = x
        x = wide[..., ::2]
    return x, g


def _runs(operation):
    """Every kernel of an operation that can run here, by name."""
    found = {"reference": operation.reference.run}
    for kernel in operation.kernels:
        if kernel.provider == "numpy" or not offers.health.reason():
            found[kernel.name] = kernel.run
    return found


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("layout", ["plain", "channels last", "two layouts", "every second"])
@pytest.mark.parametrize("special", [False, True])
def test_kernels_agree(name, layout, special):
    x, g = _arrays(layout)
    if special:
        x[0, 0, 0, :6] = [np.nan, np.inf, -np.inf, -1, 0, -0.0]
        g[0, 0, 0, :6] = [1, 2, 3, np.nan, np.inf, -np.inf]
    problem = rectify.Problem(x.shape, x.dtype)
    y = np.where(x > 0, x, np.where(np.isnan(x), x, np.float32(0)))
    relu, gradient = _runs(rectify.relu), _runs(rectify.relu_gradient)
    if name not in {**relu, **gradient}:
        pytest.skip("oneDNN is not installed")
    if name in relu:
        found = relu[name](problem, x)
        np.testing.assert_array_equal(found, y)
        assert found.dtype == x.dtype
    if name in gradient:
        found = gradient[name](problem, g, y)
        np.testing.assert_array_equal(found, np.where(y != 0, g, np.float32(0)))
        assert found.dtype == g.dtype


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [SHAPE, (400_000,), (1100, 1000)])
def test_the_operation_and_its_gradient(shape, dtype):
    rng = np.random.default_rng(1)
    x = rng.standard_normal(shape).astype(dtype)
    leaf = tg.from_numpy(x).requires_grad_()
    y = leaf.relu()
    y.backward(tg.from_numpy(np.full_like(x, 3)))
    np.testing.assert_array_equal(y.detach().numpy(), np.where(x > 0, x, 0))
    np.testing.assert_array_equal(leaf.grad.numpy(), np.where(x > 0, 3, 0))
    assert leaf.grad.numpy().dtype == x.dtype


def test_what_is_chosen(onednn):
    with tg.backends.use_kernels("auto"):
        large = rectify.Problem(SHAPE, np.dtype(np.float32))
        assert rectify.relu.explain(large).kernel.name == "onednn"
        matrix = rectify.Problem((1000, 1000), np.dtype(np.float32))
        assert rectify.relu.explain(matrix).kernel.name == "pieces"
        assert rectify.relu_gradient.explain(matrix).kernel.name == "bits"
        small = rectify.Problem((2, 8, 32, 32), np.dtype(np.float32))
        assert rectify.relu.explain(small).kernel.name == "pieces"


def test_onednn_keeps_the_layout(onednn):
    x, g = _arrays("channels last")
    y = elementwise.relu(x)
    assert y.strides == x.strides
    assert elementwise.relu_gradient(g, y).strides == x.strides


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_gradient_in_another_order_comes_to_lie_as_the_result(dtype):
    """Behind Flatten it lies channels first, a pooled map channels last."""
    rng = np.random.default_rng(0)
    y = rng.standard_normal((16, 7, 7, 16)).astype(dtype).clip(0, None).transpose(0, 3, 1, 2)
    g = rng.standard_normal(y.shape).astype(dtype)
    problem = rectify.Problem(y.shape, y.dtype)
    with tg.backends.use_kernels("numpy"):
        found = rectify.relu_gradient.choose(problem)(problem, g, y)
    np.testing.assert_array_equal(found, np.where(y != 0, g, 0))
    assert (found.dtype, found.strides) == (y.dtype, y.strides)
