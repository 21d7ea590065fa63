"""autograd.Function: a user's own forward and backward."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.autograd import Function, once_differentiable


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x**2


def test_forward_backward_and_second_order():
    x = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)
    y = Cube.apply(x)
    assert y.grad_fn.name() == "CubeBackward"
    (g,) = tg.autograd.grad(y.sum(), x, create_graph=True)
    assert g.tolist() == [3.0, 12.0]
    (h,) = tg.autograd.grad(g.sum(), x)
    assert h.tolist() == [6.0, 12.0]


def test_needs_input_grad_none_and_constants():
    class Scale(Function):
        @staticmethod
        def forward(ctx, x, factor, other):
            ctx.factor = factor
            assert ctx.needs_input_grad == (True, False, False)
            return x * factor

        @staticmethod
        def backward(ctx, g):
            return g * ctx.factor, None, None

    x = tg.ones(2, requires_grad=True)
    Scale.apply(x, 4.0, tg.ones(2)).sum().backward()
    assert x.grad.tolist() == [4.0, 4.0]


def test_several_outputs_and_materialised_zeros():
    seen = []

    class Both(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            seen.append((a.tolist(), b.tolist()))
            return 2 * a + 3 * b

    x = tg.ones(2, requires_grad=True)
    _, second = Both.apply(x)
    second.sum().backward()
    assert seen == [([0.0, 0.0], [1.0, 1.0])]
    assert x.grad.tolist() == [3.0, 3.0]


def test_saved_output_does_not_keep_itself_alive():
    import gc
    import weakref

    class Exp(Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return g * y

    x = tg.ones(2, dtype=tg.float64, requires_grad=True)
    y = Exp.apply(x)
    (g,) = tg.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = tg.autograd.grad(g.sum(), x)
    assert np.allclose(h.numpy(), np.exp(1))
    del g, h
    gc.disable()
    try:
        y = Exp.apply(x)
        gone = weakref.ref(y)
        del y
        assert gone() is None
    finally:
        gc.enable()


def test_setup_context():
    class Square(Function):
        @staticmethod
        def forward(x):
            return x * x

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            return 2 * g * ctx.saved_tensors[0]

    x = tg.tensor([3.0], requires_grad=True)
    Square.apply(x).backward()
    assert x.grad.tolist() == [6.0]


def wrong(result):
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return result(g)

    x = tg.ones(2, requires_grad=True)
    Wrong.apply(x).sum().backward()


def test_wrong_backwards_are_refused_with_their_name():
    with pytest.raises(RuntimeError, match=r"Wrong\.backward.*expected 1, got 2"):
        wrong(lambda g: (g, g))
    with pytest.raises(RuntimeError, match=r"Wrong\.backward.*\(3,\).*\(2,\)"):
        wrong(lambda g: tg.ones(3))
    with pytest.raises(RuntimeError, match=r"Wrong\.backward.*float"):
        wrong(lambda g: 1.0)


def test_changed_saved_tensor_is_caught():
    x = tg.ones(2, requires_grad=True) * 1.0
    y = Cube.apply(x)
    x.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        y.sum().backward()


def test_second_backward_is_refused():
    x = tg.ones(2, requires_grad=True)
    y = Cube.apply(x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_once_differentiable():
    class Once(Cube):
        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x**2

    x = tg.tensor([2.0], requires_grad=True)
    (g,) = tg.autograd.grad((Once.apply(x) ** 2).sum(), x, create_graph=True)
    assert g.tolist() == [192.0]
    with pytest.raises(RuntimeError, match="once_differentiable"):
        g.sum().backward()


def test_mark_non_differentiable():
    class Arg(Function):
        @staticmethod
        def forward(ctx, x):
            index = (x * 1.0).floor()
            ctx.mark_non_differentiable(index)
            return x * 2, index

        @staticmethod
        def backward(ctx, g, _):
            return g * 2

    x = tg.ones(2, requires_grad=True)
    y, index = Arg.apply(x)
    assert y.requires_grad
    assert not index.requires_grad


def test_needs_input_grad_is_what_the_arguments_say_under_no_grad_too():
    told = []

    class Times(Function):
        @staticmethod
        def forward(ctx, x, y, k):
            told.append(ctx.needs_input_grad)
            return x * y * k

        @staticmethod
        def backward(ctx, g):
            return g, g, None

    x = tg.ones(2, requires_grad=True)
    assert Times.apply(x, tg.ones(2), 3).requires_grad
    with tg.no_grad():
        assert not Times.apply(x, tg.ones(2), 3).requires_grad
    assert told == [(True, False, False)] * 2
