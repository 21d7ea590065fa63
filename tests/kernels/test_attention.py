"""Attention's kernels against the reference at odd shapes, layouts, masks, dropout and sizes."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.kernels import attention as kernels
from tensorgrad.nn import functional as F

SHAPES = {
    # batch, queries, keys, size, columns of the values
    "one matrix": ((), 5, 7, 3, 4),
    "a batch": ((3,), 5, 7, 3, 4),
    "heads": ((2, 3), 6, 6, 8, 8),
    "one head": ((4, 1), 3, 5, 2, 2),
    "five dimensions": ((2, 1, 3), 4, 3, 2, 5),
    "one query": ((2, 2), 1, 9, 4, 4),
    "one key": ((2, 2), 5, 1, 4, 4),
    "many heads": ((1, 60), 64, 64, 4, 4),
    "several parts": ((9, 5), 64, 64, 4, 4),
    "no query": ((2, 2), 0, 3, 4, 4),
    "no key": ((2, 2), 3, 0, 4, 4),
    "no batch": ((0, 2), 3, 3, 4, 4),
}
LAYOUTS = {
    "plain": lambda x: x,
    "heads inside": lambda x: np.ascontiguousarray(x.swapaxes(-2, -3)).swapaxes(-2, -3),
    "features first": lambda x: np.ascontiguousarray(x.swapaxes(-1, -2)).swapaxes(-1, -2),
    "every second": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "backwards": lambda x: np.ascontiguousarray(x[..., ::-1, :])[..., ::-1, :],
    "one for all": lambda x: np.broadcast_to(x[:1], x.shape),
}


def compare(q, k, v, bias=None, causal=False, dropout=False, keep=(False, True)):
    rng = np.random.default_rng(5)
    shape = (*q.shape[:-2], q.shape[-2], k.shape[-2])
    kept = None
    if dropout:
        matrices = int(np.prod(q.shape[:-2]))
        kept = rng.random((k.shape[-2], matrices, q.shape[-2])) < 0.7
    extras = kernels.Extras(bias, 0.3, causal, kept, 1.5)
    problem = kernels.Problem(q.shape, k.shape, v.shape, getattr(bias, "shape", None), dropout,
                              q.dtype)  # fmt: skip
    g = rng.standard_normal((*shape[:-1], v.shape[-1])).astype(q.dtype)
    wide = [np.asarray(a, np.float64) for a in (q, k, v)]
    wide_extras = extras._replace(bias=None if bias is None else bias.astype(np.float64))
    y, _ = kernels.attention.reference.run(problem, *wide, wide_extras, True)
    needs = (True, True, True, bias is not None)
    d = kernels.attention_gradient.reference.run(
        problem, g.astype(np.float64), y, *wide, wide_extras, None, needs
    )
    close = {"rtol": 1e-11, "atol": 1e-11} if q.dtype == "f8" else {"rtol": 1e-4, "atol": 5e-6}
    for kernel, gradient in zip(
        kernels.attention.kernels, kernels.attention_gradient.kernels, strict=True
    ):
        if kernel.applies(problem):
            continue
        for remember in keep:
            found, saved = kernel.run(problem, q, k, v, extras, remember)
            np.testing.assert_allclose(found, y, **close)
            found = gradient.run(problem, g, found, q, k, v, extras, saved, needs)
            for name, a, b in zip(("q", "k", "v", "bias"), found, d, strict=True):
                if b is not None:
                    np.testing.assert_allclose(a, b, **close, err_msg=name)


def arrays(shape, dtype="float64", seed=0):
    lead, queries, keys, size, columns = shape
    rng = np.random.default_rng(seed)
    sizes = ((queries, size), (keys, size), (keys, columns))
    return [rng.standard_normal((*lead, *s)).astype(dtype) for s in sizes]


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shapes(name, causal, dtype):
    compare(*arrays(SHAPES[name], dtype), causal=causal)
    compare(*arrays(SHAPES[name], dtype), causal=causal, dropout=True)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout):
    compare(*(LAYOUTS[layout](x) for x in arrays(SHAPES["heads"])))


@pytest.mark.parametrize("shape", [(6, 6), (1, 6), (6, 1), (3, 6, 6), (2, 1, 6, 6), (2, 3, 1, 1)])
def test_biases_that_broadcast(shape):
    bias = np.random.default_rng(3).standard_normal(shape)
    bias[..., -1:, :] = -np.inf  # among them queries that may look at nothing
    compare(*arrays(SHAPES["heads"]), bias=bias)


def test_a_batch_of_biases_over_five_dimensions():
    bias = np.random.default_rng(3).standard_normal((2, 1, 1, 4, 3))
    compare(*arrays(SHAPES["five dimensions"]), bias=bias)


def test_results_lie_as_heads_cut_out_of_features_do():
    x = tg.randn(2, 6, 3 * 8).requires_grad_()
    q, k, v = (part.view(2, 6, 2, 4).transpose(1, 2) for part in x.chunk(3, dim=-1))
    y = F.scaled_dot_product_attention(q, k, v)
    assert np.shares_memory(y.transpose(1, 2).reshape(2, 6, 8).detach().numpy(), y._array)
    assert np.shares_memory(y.transpose(1, 2).view(2, 6, 8).detach().numpy(), y._array)
    # As the user sees it, the layout is PyTorch's; where that is the usual one, any view is given.
    with pytest.raises(RuntimeError, match="view size"):
        y.view(2, 2, 24)
    assert F.scaled_dot_product_attention(q[0], k[0], v[0]).view(2, 24).shape == (2, 24)
    y = F.scaled_dot_product_attention(q, k, v, dropout_p=0.5)
    assert y.view(2, 2, 24).shape == (2, 2, 24)


def test_several_threads_give_the_same_bits():
    q, k, v = map(tg.from_numpy, arrays(SHAPES["several parts"], "float32"))
    threads, found = tg.get_num_threads(), []
    for count in (1, 2):
        tg.set_num_threads(count)
        try:
            leaf = q.clone().requires_grad_()
            y = F.scaled_dot_product_attention(leaf, k, v, is_causal=True)
            y.sum().backward()
            found.append((y.detach().numpy(), leaf.grad.numpy()))
        finally:
            tg.set_num_threads(threads)
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_second_order_is_the_reference_s():
    q, k, v = (tg.from_numpy(a).requires_grad_() for a in arrays(((2,), 3, 4, 2, 2)))
    attend = F.scaled_dot_product_attention
    assert tg.autograd.gradgradcheck(lambda *a: attend(*a, is_causal=True), (q, k, v))
    plain = tg.autograd.grad(attend(q, k, v).sum(), (q, k, v))
    twin = tg.autograd.grad(attend(q, k, v).sum(), (q, k, v), create_graph=True)
    for a, b in zip(plain, twin, strict=True):
        np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("size", [0.1, 8.0, 1e3])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("features", [1, 7])
def test_scores_of_any_size(size, causal, features):
    """Modest ones need no maximum of their row; the others have one, and stay finite."""
    q, k, v = arrays(((2, 3), 9, 8, features, 4))
    compare(q * size, k, v, causal=causal)
