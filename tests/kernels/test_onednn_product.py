"""Large products by oneDNN, and what stands between them."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.kernels import products
from tensorgrad.kernels.onednn import product


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


ORDERS = {
    "C": lambda x: x,
    "F": np.asfortranarray,
    "every second": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "part of wider rows": lambda x: np.concatenate([x, x], axis=1)[:, : x.shape[1]],
    "backwards": lambda x: np.ascontiguousarray(x[::-1])[::-1],
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
}


@pytest.mark.parametrize("left", ORDERS)
@pytest.mark.parametrize("right", ORDERS)
@pytest.mark.parametrize("biased", [False, True])
def test_the_product_of_matrices_in_any_order(onednn, left, right, biased):
    a, b = ORDERS[left](drawn(65, 70)), ORDERS[right](drawn(70, 33, seed=1))
    bias = drawn(66)[::2] if biased else None
    exact = a.astype(float) @ b.astype(float) + (0 if bias is None else bias)
    for _ in range(2):  # prepared, and found again with other memory
        found = product.product(a, b, bias)
        assert found.dtype == np.float32
        assert found.flags.c_contiguous
        np.testing.assert_allclose(found, exact, atol=1e-4)
        a = a.copy("K")


@pytest.mark.parametrize("shape", [(1, 5, 7), (5, 1, 7), (5, 7, 1), (1, 1, 1)])
def test_the_product_of_narrow_matrices(onednn, shape):
    m, k, n = shape
    a, b = drawn(m, k), drawn(k, n, seed=1)
    np.testing.assert_allclose(product.product(a, b, None), a @ b, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(product.product(a, b.T.copy().T, None), a @ b, rtol=1e-5, atol=1e-5)


def test_a_product_that_does_not_fit_is_refused(onednn):
    a, b, bias = drawn(4, 5), drawn(5, 6), drawn(6)
    product.product(a, b, bias)
    for given in [
        (a.astype(float), b, bias), (a, b.astype(float), bias), (a, b, bias.astype(float)),
        (a.astype(">f4"), b, bias), (a.view(np.int32), b, bias), (a, a, bias), (a, b, drawn(5)),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match="oneDNN product"):
            product.product(*given)


def test_infinity_and_nan_come_through(onednn):
    a, b = drawn(64, 64), drawn(64, 64, seed=1)
    a[3, 4], a[5, 6] = np.inf, np.nan
    found = product.product(a, b, None)
    assert np.isinf(found[3]).all()
    assert np.isnan(found[5]).all()
    assert np.isfinite(np.delete(found, [3, 5], axis=0)).all()


@pytest.mark.parametrize(
    ("left", "right", "chosen"),
    [
        ((1024, 128), (128, 65), "onednn"),
        ((64, 4096), (4096, 64), "onednn"),
        ((50, 784), (784, 300), "a side of 50"),
        ((4096, 512), (512, 10), "a side of 10"),
    ],
)
def test_products_with_a_short_side_are_left_to_blas(onednn, left, right, chosen):
    problem = products.Problem(left, right, np.dtype(np.float32))
    with tg.backends.use_kernels("auto"):
        found = products.product.explain(problem)
    assert chosen in f"{found.kernel.name}, {dict(found.refused).get('onednn')}"
    with tg.backends.use_kernels("numpy"):
        assert products.offered(drawn(*left), drawn(*right), None) is None


def test_float64_and_other_dtypes_are_not_offered(onednn):
    with tg.backends.use_kernels("auto"):
        for kind in (np.float64, np.float16, np.int64, ">f4"):
            a = np.ones((256, 256), kind)
            assert products.offered(a, a, None) is None
        x = tg.randn(256, 256)
        assert (x.double() @ x.double()).dtype == tg.float64


@pytest.mark.parametrize("rows", [(256,), (4, 64)])
def test_a_network_between_products_has_the_same_gradients_either_way(onednn, rows):
    tg.manual_seed(0)
    nn = tg.nn
    model = nn.Sequential(
        nn.Linear(256, 256), nn.LayerNorm(256), nn.GELU(), nn.Linear(256, 320, bias=False),
        nn.Linear(320, 256),
    )  # fmt: skip
    x = tg.randn(*rows, 256, requires_grad=True)

    def results():
        y = model(x)
        loss = y.pow(2).mean()
        first = tg.autograd.grad(loss, [x, *model.parameters()], create_graph=True)
        second = tg.autograd.grad(sum(g.pow(2).sum() for g in first), list(model.parameters()))
        with tg.no_grad():
            return [model(x), y, *first, *second]

    with tg.backends.use_kernels("auto"):
        found = results()
        for name in ("product", "gelu", "gelu_gradient", "layer_norm"):
            assert {row.kernel for row in tg.backends.kernels(name)} >= {"onednn"}, name
    with tg.backends.use_kernels("reference"):
        expected = results()
    for a, b in zip(found, expected, strict=True):
        a, b = a.detach().numpy(), b.detach().numpy()
        np.testing.assert_allclose(a, b, atol=1e-5 * max(1e-3, np.abs(b).max()), rtol=1e-4)


def test_few_rows_stay_with_numpy_between_products(onednn):
    with tg.backends.use_kernels("auto"):
        tg.nn.functional.gelu(tg.randn(32, 4096))
        tg.nn.functional.gelu(tg.randn(64, 512))
        tg.nn.functional.gelu(tg.randn(64, 4096))
        rows = tg.backends.kernels("gelu")
    assert [row.kernel == "onednn" for row in rows] == [False, False, True]
    assert "a side of 32" in dict(rows[0].refused)["onednn"]
    assert "small" in dict(rows[1].refused)["onednn"]
