"""vmap: dimensions, nesting with itself and with grad, writes, random numbers, refusals."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.func import (
    grad,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    vjp,
    vmap,
)
from tensorgrad.primitive import primitives


@pytest.fixture
def x():
    return tg.from_numpy(np.random.default_rng(0).standard_normal((4, 3)))


@pytest.fixture
def w():
    return tg.from_numpy(np.random.default_rng(1).standard_normal((3, 2)))


def close(a, b, tolerance=1e-12):
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=tolerance, atol=tolerance)


def loss(w, row):
    return ((row @ w).tanh() ** 2).sum()


# --- One call -------------------------------------------------------------------------------------


def test_the_function_is_called_once_and_sees_one_example(x):
    seen = []

    def f(row):
        seen.append((row.shape, row.ndim, row.dtype, row.size(0), len(row)))
        return row * 2

    close(vmap(f)(x), x * 2)
    assert seen == [((3,), 1, tg.float64, 3, 3)]


@pytest.mark.parametrize(("into", "out"), [(0, 0), (1, 0), (-1, 1), (1, -1), (2, 2)])
def test_dimensions(into, out):
    t = tg.arange(24.0).reshape(2, 3, 4)
    size = t.shape[into]
    rows = [t.select(into, k).exp() for k in range(size)]
    close(vmap(lambda s: s.exp(), in_dims=into, out_dims=out)(t), tg.stack(rows, out))


def test_nested_arguments_and_outputs(x):
    def f(pair, table, flag):
        assert flag == "yes"
        return {"sum": pair[0] + table["w"], "w": table["w"]}, pair[1].sum()

    arguments = ((x, x + 1), {"w": x.T}, "yes")
    first, second = vmap(f, in_dims=((0, 0), {"w": 1}, None), out_dims=({"sum": 0, "w": 1}, 0))(
        *arguments
    )
    close(first["sum"], x + x)
    close(first["w"], x.T)
    close(second, (x + 1).sum(1))


def test_an_output_that_does_not_depend_on_the_example(x, w):
    both = vmap(lambda row: (w * 2, row), out_dims=(None, 0))(x)
    close(both[0], w * 2)
    assert vmap(lambda row: w)(x).shape == (4, 3, 2)


def test_chunks(x):
    for size in (1, 3, 4, 9):
        close(vmap(lambda row: row.cumsum(0), chunk_size=size, out_dims=1)(x), x.cumsum(1).T)
    with pytest.raises(ValueError, match="chunk_size"):
        vmap(lambda row: row, chunk_size=0)


def test_no_examples():
    empty = tg.zeros(0, 3)
    assert vmap(lambda row: (row @ tg.ones(3, 2)).sum())(empty).shape == (0,)


def test_promotion_is_that_of_one_example():
    scalars = tg.arange(3)  # one example is a 0-d integer, which has no say beside float32
    out = vmap(lambda s: s + tg.ones(2, dtype=tg.float16))(scalars)
    assert out.dtype == tg.float16
    assert vmap(lambda s: s * 1.5)(scalars).dtype == tg.float32


# --- Nesting --------------------------------------------------------------------------------------


def test_two_levels(x):
    y = x + 1
    close(vmap(lambda a: vmap(lambda b: (a * b).sum())(y))(x), x @ y.T)
    product = vmap(vmap(tg.mul, in_dims=(0, None)), in_dims=(None, 0))(x[0], y)
    close(product, y[:, None] * x[0][:, None])


def test_per_example_gradients(x, w):
    found = vmap(grad(loss), in_dims=(None, 0))(w, x)
    close(found, tg.stack([grad(loss)(w, row) for row in x]))


def test_a_gradient_through_per_example_gradients(x, w):
    def norms(w):
        return (vmap(grad(loss), in_dims=(None, 0))(w, x) ** 2).sum()

    def by_loop(w):
        return (tg.stack([grad(loss)(w, row) for row in x]) ** 2).sum()

    close(grad(norms)(w), grad(by_loop)(w))


def test_a_captured_leaf_gets_its_gradient(x, w):
    leaf = w.clone().requires_grad_()
    vmap(grad(lambda row: ((row @ leaf) ** 3).sum()))(x).sum().backward()
    found, leaf.grad = leaf.grad, None
    tg.stack([grad(lambda row: ((row @ leaf) ** 3).sum())(row) for row in x]).sum().backward()
    close(found, leaf.grad)


def test_what_is_detached_inside_has_no_gradient_outside(x):
    def f(row):
        with tg.no_grad():
            constant = row * 2
        return (row.detach() * row + row.data * row + constant * row).sum()

    close(grad(lambda x: vmap(f)(x).sum())(x), 4 * x)
    close(vmap(grad(f))(x), 4 * x)
    leaf = x.clone().requires_grad_()
    vmap(f)(leaf).sum().backward()
    close(leaf.grad, 4 * x)


def test_autograd_grad_inside(x):
    def slope(row):
        row = row.detach().requires_grad_()
        return tg.autograd.grad((row**3).sum(), row)[0]

    with pytest.raises(RuntimeError, match="backward\\(\\) called inside"):
        vmap(lambda row: (row.requires_grad_() ** 2).sum().backward())(x.clone())
    close(vmap(slope)(x), 3 * x**2)


def test_products_with_jacobians(x):
    def f(row):
        return tg.stack([row.sin().sum(), row.prod(), (row**2).sum()])

    close(vmap(jacrev(f))(x), tg.stack([jacrev(f)(row) for row in x]))
    close(vmap(jacfwd(f))(x), vmap(jacrev(f))(x))
    close(vmap(hessian(lambda row: f(row).sum()))(x),
          tg.stack([hessian(lambda row: f(row).sum())(row) for row in x]))  # fmt: skip
    ones = tg.ones(3, dtype=tg.float64)
    close(vmap(lambda row: jvp(f, (row,), (ones,))[1])(x),
          tg.stack([jvp(f, (row,), (ones,))[1] for row in x]))  # fmt: skip
    _, pull = vjp(f, x[0])
    (rows,) = vmap(pull)(tg.eye(3, dtype=tg.float64))
    close(rows, jacrev(f)(x[0]))
    close(jacrev(f, chunk_size=2)(x[0]), jacrev(f)(x[0]))


def test_gradients_of_a_batch_of_seeds(x):
    leaf = x.clone().requires_grad_()
    out = (leaf**2).sum(1)
    (rows,) = tg.autograd.grad(out, leaf, tg.eye(4, dtype=tg.float64), is_grads_batched=True)
    assert not rows.requires_grad
    for k in range(4):
        expected = tg.zeros_like(x)
        expected[k] = 2 * x[k]
        close(rows[k], expected)


# --- Writing in place -----------------------------------------------------------------------------


def test_writes_and_views(x):
    def f(row):
        y = row.clone()
        y[0] = 0
        y.mul_(2)
        tail = y[1:]
        tail += row.sum()
        y *= 3
        made = tg.zeros_like(row)
        made[1] = tail.sum()  # derived anew from what y has become
        return y + made

    close(vmap(f)(x), tg.stack([f(row) for row in x]))

    def slope(row):
        return grad(lambda r: (f(r) ** 2).sum())(row)

    close(vmap(slope)(x), tg.stack([slope(row) for row in x]), 1e-11)


def test_an_argument_that_is_written_changes(x):
    for dim in (0, 1):
        whole = x.clone()
        out = vmap(lambda row: row.mul_(2)[0], in_dims=dim)(whole)
        close(whole, 2 * x)
        close(out, 2 * x.select(1 - dim, 0))
    part = x.clone()
    vmap(lambda row: row[1:].zero_())(part)
    assert (part[:, 1:] == 0).all()
    close(part[:, 0], x[:, 0])
    with pytest.raises(RuntimeError, match="leaf"):
        vmap(lambda row: row.mul_(2))(x.clone().requires_grad_())


def test_what_all_examples_share_is_not_written(x):
    shared = tg.zeros(3, dtype=tg.float64)
    with pytest.raises(RuntimeError, match="which all examples share"):
        vmap(lambda row: shared.add_(row))(x)
    assert shared.tolist() == [0, 0, 0]
    layer = tg.nn.BatchNorm1d(3).double()
    with pytest.raises(RuntimeError, match="running statistics are shared by all examples"):
        vmap(lambda batch: layer(batch))(x.reshape(2, 2, 3))
    assert layer.running_mean.tolist() == [0, 0, 0]
    assert layer.running_var.tolist() == [1, 1, 1]


# --- Random numbers -------------------------------------------------------------------------------


def test_randomness(x):
    def noisy(row):
        return row * 0 + tg.rand(3, dtype=tg.float64)

    with pytest.raises(RuntimeError, match="randomness error mode"):
        vmap(noisy)(x)
    same = vmap(noisy, randomness="same")(x)
    assert (same == same[0]).all()
    tg.manual_seed(3)
    different = vmap(noisy, randomness="different")(x)
    assert len({tuple(row) for row in different.tolist()}) == 4
    tg.manual_seed(3)
    close(vmap(noisy, randomness="different")(x), different)
    kept = vmap(lambda row: tg.nn.functional.dropout(row * 0 + 1, 0.5), randomness="different")
    assert set(kept(tg.ones(50, 3)).unique().tolist()) == {0.0, 2.0}
    with pytest.raises(RuntimeError, match="randomness"):
        vmap(noisy, randomness="some")


# --- Functions with a backward of their own -------------------------------------------------------


class Cube(tg.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x, w):
        return x**3 * w

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.factor = 7  # not the derivative: the backward is what counts

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return ctx.factor * x**2 * w * g, x**3 * g


class Sine(tg.autograd.Function):
    @staticmethod
    def forward(x):
        return x.sin()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0].cos()

    @staticmethod
    def vmap(info, in_dims, x):
        assert (info.batch_size, info.randomness, in_dims) == (4, "error", (0,))
        return Sine.apply(x), 0


def test_a_users_function(x):
    w = tg.tensor([1.0, 2.0, 3.0], dtype=tg.float64)

    def f(row, w):
        return (Cube.apply(row, w) * Sine.apply(row)).sum()

    rows = [f(row, w) for row in x]
    close(vmap(f, in_dims=(0, None))(x, w), tg.stack(rows))
    both = vmap(grad(f, argnums=(0, 1)), in_dims=(0, None))(x, w)
    for k, one in enumerate(both):
        close(one, tg.stack([grad(f, argnums=(0, 1))(row, w)[k] for row in x]))
    leaves = [t.clone().requires_grad_() for t in (x, w)]
    vmap(f, in_dims=(0, None))(*leaves).sum().backward()
    close(leaves[0].grad, both[0])
    close(leaves[1].grad, both[1].sum(0))


def test_a_users_function_without_a_rule(x):
    class Plain(Sine):
        vmap = tg.autograd.Function.vmap

    with pytest.raises(RuntimeError, match="does not have vmap support"):
        vmap(Plain.apply)(x)


# --- What is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "match"),
    [
        (lambda row: row if row.sum() > 0 else -row, "a branch on the value"),
        (lambda row: tg.tensor(row[0].item()), "item"),
        (lambda row: row[row > 0], "mask"),
        (lambda row: tg.nonzero(row), "depend on the values"),
        (lambda row: tg.from_numpy(row.numpy()), "vmap"),
        (lambda row: tg.tensor(float(row[0])), "item"),
    ],
)
def test_values_of_one_example_cannot_be_read(x, function, match):
    with pytest.raises(RuntimeError, match=match):
        vmap(function)(x)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda x: vmap(lambda r: 3)(x), "only return Tensors"),
        (lambda x: vmap(lambda r: r, in_dims=3)(x), "dimensionality 2"),
        (lambda x: vmap(lambda r: r, in_dims=(0, 0))(x), "in_dims"),
        (lambda x: vmap(lambda r: r, in_dims="0")(x), "in_dims"),
        (lambda x: vmap(lambda r: r, in_dims=None)(x), "nothing to map over"),
        (lambda x: vmap(lambda a, b: a)(x, tg.ones(5)), "same size"),
        (lambda x: vmap(lambda a, b: a)(x, 2), "non-Tensor"),
        (lambda x: vmap(lambda: 1)(), "no inputs"),
        (lambda x: vmap(lambda r: r, out_dims=None)(x), "out_dims"),
    ],
)
def test_bad_calls(x, call, match):
    with pytest.raises(ValueError, match=match):
        call(x)


def test_a_tensor_that_escaped(x):
    kept = []
    vmap(lambda row: kept.append(row) or row)(x)
    with pytest.raises(RuntimeError, match="has returned"):
        kept[0] + 1
    with pytest.raises(RuntimeError, match="vmap"):
        kept[0].numpy()


def test_the_printed_form(x):
    texts = []
    vmap(lambda row: texts.append(repr(row)) or row)(x[:2])
    assert texts[0].startswith("BatchedTensor(lvl=1, bdim=0, value=\n    tensor([[")


# --- Rules ----------------------------------------------------------------------------------------

# Primitives without a batching rule or a composed twin go example by example.
LOOPS = {
    name for name, op in primitives.items() if op.batch is None and op.composed is None
}  # fmt: skip


def test_which_primitives_go_example_by_example():
    assert sorted(LOOPS) == []
