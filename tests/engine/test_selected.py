"""relu's mask applied to what a pooling selected, before its gradient is spread over the input."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.backward import shortcuts, sums
from tensorgrad.nn import functional as F
from tensorgrad.ops import convolution


def _input(dtype=np.float32):
    """Whole numbers from -2 to 2: windows of negatives, zeros and equal maxima are among them."""
    return np.random.default_rng(0).integers(-2, 3, (3, 2, 9, 8)).astype(dtype)


def _gradient(x, loss):
    leaf = tg.tensor(x, requires_grad=True)
    loss(leaf).backward()
    return leaf.grad


def _slowly(x, loss):
    """The same by `engine.Pass.visit`, which masks the input's gradient as relu's rule says."""
    leaf = tg.tensor(x, requires_grad=True)
    (found,) = tg.autograd.grad(loss(leaf), leaf)
    return found


WINDOWS = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 3, "stride": 1},
    {"kernel_size": 2, "dilation": 2},
    {"kernel_size": (1, 3), "ceil_mode": True},
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_the_gradient_is_the_same_to_the_bit(window, dtype):
    weights = None

    def loss(x):
        nonlocal weights
        y = F.max_pool2d(x.relu(), **window)
        if weights is None:
            weights = np.random.default_rng(1).standard_normal(y.shape).astype(dtype)
        return (y * tg.tensor(weights)).sum()

    x = _input(dtype)
    expected = _slowly(x, loss)
    found = _gradient(x, loss)
    assert (np.asarray(expected) != 0).any()
    assert (np.asarray(expected) == 0).any()
    np.testing.assert_array_equal(found, expected)


def test_the_mask_is_early(monkeypatch):
    """One mask of the pooled numbers, none of the input's."""
    sizes = []
    relu = tg.primitive.primitives["relu"]

    def rule(xp, g, y, x):
        sizes.append(g.size)
        return relu_rule(xp, g, y, x)

    (relu_rule,) = relu.rules
    monkeypatch.setattr(relu, "rules", (rule,))
    x = _input()
    _gradient(x, lambda x: F.max_pool2d(x.relu(), 2).sum())
    assert sizes == [3 * 2 * 4 * 4]


def test_infinite_and_nan_gradients_behind_the_mask_are_zero():
    def loss(x):
        y = F.max_pool2d(x.relu(), 2)
        slopes = np.where(y.detach().numpy() == 0, np.inf, 1).astype(np.float32)
        return (y * tg.tensor(slopes)).sum()

    found = np.asarray(_gradient(_input(), loss))
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, _slowly(_input(), loss))


def test_nan_passes_its_gradient():
    x = _input()
    x[0, 0, 0, 0] = np.nan

    def loss(x):
        return F.max_pool2d(x.relu(), 2).sum()

    found = np.asarray(_gradient(x, loss))
    assert found[0, 0, 0, 0] == 1
    np.testing.assert_array_equal(found, _slowly(x, loss))


@pytest.mark.parametrize("first", [True, False])
def test_another_user_of_the_rectified(first):
    """Its contribution has no mask yet, whether it comes before or after the pooling's."""

    def loss(x):
        y = x.relu()
        terms = [lambda: F.max_pool2d(y, 2).sum(), lambda: (y * 3).sum()]
        a, b = (term() for term in (terms if first else terms[::-1]))
        return a + b

    found = _gradient(_input(), loss)
    assert np.asarray(found).max() == 4
    np.testing.assert_array_equal(found, _slowly(_input(), loss))


def test_two_poolings_of_the_rectified():
    def loss(x):
        y = x.relu()
        return F.max_pool2d(y, 2).sum() + F.max_pool2d(y, 3).sum()

    np.testing.assert_array_equal(_gradient(_input(), loss), _slowly(_input(), loss))


def test_a_hook_on_the_rectified_sees_the_whole_gradient():
    seen = []

    def loss(x):
        y = x.relu()
        y.register_hook(lambda g: seen.append(np.asarray(g).copy()))
        return F.max_pool2d(y, 2).sum()

    found = _gradient(_input(), loss)
    assert seen[0].sum() == 3 * 2 * 4 * 4  # every window's, those of zeros alone too
    np.testing.assert_array_equal(found, _slowly(_input(), loss))


def test_what_is_no_longer_what_relu_gave():
    """Written after relu, or cut off from it: a selected 0 has its gradient."""

    def cut(x):
        y = (x.relu().detach() * 1).requires_grad_()
        F.max_pool2d(y, 2).sum().backward()
        return y.grad

    assert np.asarray(cut(tg.tensor(_input()))).sum() == 3 * 2 * 4 * 4

    def loss(x):
        y = x.relu().clone()
        y.sub_(1)
        return F.max_pool2d(y, 2).sum()

    np.testing.assert_array_equal(_gradient(_input(), loss), _slowly(_input(), loss))


def test_a_retained_graph_twice():
    leaf = tg.tensor(_input(), requires_grad=True)
    loss = F.max_pool2d(leaf.relu(), 2).sum()
    loss.backward(retain_graph=True)
    once = np.asarray(leaf.grad).copy()
    loss.backward()
    np.testing.assert_array_equal(leaf.grad, 2 * once)


def test_rectified_asks_for_the_very_array():
    """A pooling of a copy is none of relu's output."""
    leaf = tg.tensor(_input(), requires_grad=True)
    y = F.max_pool2d(leaf.relu(), 2)
    node = y.grad_fn
    assert shortcuts.rectified(node.inputs[0], node.saved)
    z = F.max_pool2d(leaf.relu() * 1, 2).grad_fn
    assert not shortcuts.rectified(z.inputs[0], z.saved)


# --- The bias of a convolution before the pooling -------------------------------------------------


def _bias_gradients(after, hook=None):
    """By the quick walk and by `engine.Pass.visit`; and of how many numbers the quick one's is."""
    x = tg.tensor(np.random.default_rng(0).standard_normal((4, 3, 9, 9)).astype(np.float32))
    w = tg.tensor(np.random.default_rng(1).standard_normal((2, 3, 3, 3)).astype(np.float32))
    slopes = None

    def loss(b):
        nonlocal slopes
        y = F.conv2d(x, w, b, padding=1)
        if hook is not None:
            y.register_hook(hook)
        z = after(y)
        if slopes is None:
            slopes = np.random.default_rng(2).standard_normal(z.shape).astype(np.float32)
        return (z * tg.tensor(slopes)).sum()

    added = []
    smaller = sums.smaller

    def counted(g):
        added.append(smaller(g).size)
        return smaller(g)

    b = np.zeros(2, np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convolution.sums, "smaller", counted)
        found = _gradient(b, loss)
    np.testing.assert_allclose(found, _slowly(b, loss), rtol=1e-5, atol=1e-5)
    assert sums.smaller(b) is b
    return added


WHOLE = 4 * 2 * 9 * 9


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("order", ["relu first", "relu last", "no relu"])
def test_the_gradient_of_a_bias_is_the_sum_of_the_pooled(window, order):
    def after(y):
        y = F.max_pool2d(y.relu() if order == "relu first" else y, **window)
        return y.relu() if order == "relu last" else y

    size = WHOLE if "dilation" in window else after(tg.zeros(4, 2, 9, 9)).numel()
    assert _bias_gradients(after) == [size]


def test_a_window_of_padding_alone_has_no_gradient():
    """One number, padded with two: windows of two numbers three apart hold nothing of it."""
    x, w, b = tg.zeros(1, 1, 1, 1), tg.zeros(1, 1, 1, 1), tg.zeros(1, requires_grad=True)
    y = F.max_pool2d(F.conv2d(x, w, b), 2, 1, 2, dilation=3)
    y.sum().backward()
    assert y.numel() == 4
    assert b.grad.item() == 0


def test_sums_of_a_map_that_something_else_reaches_too():
    def after(y):
        return F.max_pool2d(y, 2).sum() + (y * y).sum()

    assert _bias_gradients(after) == [WHOLE]


@pytest.mark.parametrize("relu", [True, False])
def test_a_hook_that_changes_the_gradient_of_the_map(relu):
    def hook(g):
        g.numpy()[...] = 3

    def after(y):
        return F.max_pool2d(y.relu() if relu else y, 2)

    assert _bias_gradients(after, hook) == [WHOLE]


def test_a_hook_between():
    def double(g):
        g.numpy()[...] *= 2

    def after(y):
        z = y.relu()
        z.register_hook(double)
        return F.max_pool2d(z, 2)

    assert _bias_gradients(after) == [WHOLE]
