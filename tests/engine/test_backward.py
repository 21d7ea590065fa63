"""Backward: what gradients come out, where they go, and what is freed."""

import numpy as np
import pytest

import tensorgrad as tg


def leaf(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return tg.tensor(rng.standard_normal(shape), requires_grad=True)


def test_a_leaf_used_twice_gets_the_sum():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    (x * x + 3 * x).sum().backward()
    assert x.grad.tolist() == [5.0, 7.0]


def test_gradients_accumulate_in_place_until_they_are_cleared():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    (2 * x).sum().backward()
    held = x.grad
    (3 * x).sum().backward()
    assert x.grad is held
    assert held.tolist() == [5.0, 5.0]
    x.grad = None
    x.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_the_gradient_passed_in_is_not_the_gradient_stored():
    x = tg.zeros(3, requires_grad=True)
    given = tg.ones(3)
    (x + 0.0).backward(given)
    assert x.grad._array is not given._array
    x.grad.fill_(7.0)
    assert given.tolist() == [1.0, 1.0, 1.0]


def test_two_leaves_of_a_sum_do_not_share_their_gradient():
    x, y = tg.zeros(3, requires_grad=True), tg.zeros(3, requires_grad=True)
    (x + y).sum().backward()
    x.grad.fill_(7.0)
    assert y.grad.tolist() == [1.0, 1.0, 1.0]


def test_a_gradient_of_a_view_is_writable_and_contiguous():
    x = tg.zeros(2, 3, requires_grad=True)
    x.expand(4, 2, 3).permute(2, 0, 1).sum().backward()
    assert x.grad.tolist() == [[4.0] * 3] * 2
    assert x.grad._array.flags.c_contiguous
    assert x.grad._array.flags.writeable


def test_broadcasting_is_undone():
    x, b = leaf(4, 3), leaf(3, seed=1)
    (x * b).sum().backward()
    assert b.grad.shape == (3,)
    assert np.allclose(b.grad.numpy(), x.detach().numpy().sum(0))


def test_a_gradient_has_the_dtype_of_its_leaf():
    x = tg.tensor([1.0, 2.0], dtype=tg.float32, requires_grad=True)
    y = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)
    z = x * y
    assert z.dtype == tg.float64
    z.sum().backward()
    assert x.grad.dtype == tg.float32
    assert y.grad.dtype == tg.float64


def test_a_second_backward_says_what_was_freed_and_where_it_was_recorded():
    x = leaf(3)
    y = (x * x).sum()  # the line
    y.backward()
    with pytest.raises(RuntimeError, match=r"second time.*MulBackward0.*test_backward\.py:\d+"):
        y.backward()


def test_retain_graph_keeps_the_buffers():
    x = leaf(3)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert np.allclose(x.grad.numpy(), 4 * x.detach().numpy())


def test_a_failed_backward_leaves_gradients_as_they_were():
    x, w = leaf(3), leaf(3, seed=1)
    shared = x * x
    (shared * w).sum().backward()
    before = x.grad.numpy().copy()
    loss = (w * 2).sum() + shared.sum() + (shared * 3.0).sum()
    with pytest.raises(RuntimeError, match="second time"):
        (loss * w.sum()).backward()
    assert np.array_equal(x.grad.numpy(), before)


def test_only_scalars_have_an_implicit_gradient():
    with pytest.raises(RuntimeError, match=r"scalar outputs.*\(2, 3\)"):
        (leaf(2, 3) * 2).backward()


def test_a_gradient_of_the_wrong_shape_is_refused():
    with pytest.raises(RuntimeError, match="mismatch in shape"):
        (leaf(2, 3) * 2).backward(tg.ones(3, 2))


def test_nothing_to_differentiate_is_refused():
    with pytest.raises(RuntimeError, match="does not require grad"):
        tg.ones(()).backward()


def test_inputs_restricts_what_is_written():
    x, w = leaf(3), leaf(3, seed=1)
    hidden = x * w
    hidden.sum().backward(inputs=[w], retain_graph=True)
    assert x.grad is None
    assert np.allclose(w.grad.numpy(), x.detach().numpy())
    hidden.sum().backward(inputs=hidden)
    assert hidden.grad.tolist() == [1.0, 1.0, 1.0]


def test_grad_returns_and_writes_nothing():
    x, w = leaf(3), leaf(3, seed=1)
    gx, gw = tg.autograd.grad((x * w).sum(), (x, w))
    assert np.array_equal(gx.numpy(), w.detach().numpy())
    assert np.array_equal(gw.numpy(), x.detach().numpy())
    assert x.grad is None
    assert w.grad is None


def test_grad_of_an_inner_tensor():
    x = leaf(3)
    y = x * 2
    (g,) = tg.autograd.grad((y * y).sum(), y)
    assert np.allclose(g.numpy(), 2 * y.detach().numpy())


def test_grad_of_an_inner_tensor_leaves_its_own_node_alone():
    x = leaf(3)
    y = x * x
    tg.autograd.grad((y * y).sum(), y)
    y.sum().backward()  # the rule of y's node has not run before, so nothing of it was freed
    assert np.allclose(x.grad.numpy(), 2 * x.detach().numpy())


def test_grad_of_an_unused_input():
    x, w = leaf(3), leaf(2)
    with pytest.raises(RuntimeError, match=r"input 1, float64\(2\).*allow_unused"):
        tg.autograd.grad(x.sum(), (x, w), retain_graph=True)
    assert tg.autograd.grad(x.sum(), (x, w), allow_unused=True)[1] is None
    assert tg.autograd.grad(x.sum(), (x, w), materialize_grads=True)[1].tolist() == [0.0, 0.0]


def test_grad_outputs_weigh_the_outputs():
    x = leaf(3)
    weights = tg.tensor([1.0, 10.0, 100.0], dtype=tg.float64)
    (g,) = tg.autograd.grad(x * 2, x, weights)
    assert g.tolist() == [2.0, 20.0, 200.0]


def test_the_third_derivative():
    x = tg.tensor(0.7, dtype=tg.float64, requires_grad=True)
    y = x.exp() * x.sin()
    for _ in range(3):
        (y,) = tg.autograd.grad(y, x, create_graph=True)
    expected = 2 * np.exp(0.7) * (np.cos(0.7) - np.sin(0.7))
    assert abs(y.item() - expected) < 1e-12


def test_create_graph_records_the_gradient_in_grad():
    x = tg.tensor(3.0, dtype=tg.float64, requires_grad=True)
    with pytest.warns(UserWarning, match="reference cycle"):
        (x**3).backward(create_graph=True)
    assert x.grad.requires_grad
    (second,) = tg.autograd.grad(x.grad, x)
    assert second.item() == 18.0


def test_an_operation_with_several_outputs():
    x = leaf(6)
    a, b, _ = x.split(2)
    (a * b).sum().backward()
    values = x.detach().numpy()
    assert np.allclose(x.grad.numpy(), [*values[2:4], *values[:2], 0, 0])
    (g,) = tg.autograd.grad((x.split(2)[0] ** 3).sum(), x, create_graph=True)
    (h,) = tg.autograd.grad(g.sum(), x)
    assert np.allclose(h.numpy(), [*(6 * values[:2]), 0, 0, 0, 0])


def test_infinite_gradients_do_not_leak_through_masks():
    for function in (
        lambda x: x.relu(),
        lambda x: x.clamp(min=0.0),
        lambda x: tg.where(x > 0, x, 0.0),
        lambda x: tg.maximum(x, tg.zeros(2)),
    ):
        x = tg.tensor([-1.0, 2.0], requires_grad=True)
        function(x).backward(tg.tensor([float("inf"), 1.0]))
        if function(x).grad_fn.op.name != "maximum":
            assert x.grad.tolist() == [0.0, 1.0]


def test_relu_and_the_other_conventions_at_kinks():
    x = tg.tensor([0.0, 1.0], requires_grad=True)
    x.relu().sum().backward()
    assert x.grad.tolist() == [0.0, 1.0]
    x.grad = None
    x.clamp(0.0, 1.0).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
    y = tg.tensor([2.0, 2.0, 1.0], requires_grad=True)
    y.max().backward()
    assert y.grad.tolist() == [0.5, 0.5, 0.0]
    y.grad = None
    y.max(0).values.backward()
    assert y.grad.tolist() == [1.0, 0.0, 0.0]


def test_integers_never_require_gradients():
    with pytest.raises(RuntimeError, match="floating point"):
        tg.tensor([1, 2], requires_grad=True)
    assert not (tg.tensor([1.0], requires_grad=True) > 0).requires_grad


def test_a_number_of_wider_type_that_is_broadcast():
    """The sum over all axes must stay an array to be cast: 0-d float64 times (1,) float32."""
    x = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)
    y = x.sum() * tg.arange(2.0, 3.0)
    assert y.dtype == tg.float32
    (grad,) = tg.autograd.grad(y.sum(), [x])
    assert grad.dtype == tg.float64
    assert grad.tolist() == [2.0, 2.0]
