"""autograd.Function: writes in place, inputs handed through, other forms of its methods."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.autograd import Function


class AddOne(Function):
    @staticmethod
    def forward(ctx, x):
        x.add_(1)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx, g):
        return g * 10  # wrong on purpose: so that it shows which path a gradient took


def test_a_dirty_tensor_is_the_output_and_its_views_follow():
    x = tg.ones(3, requires_grad=True)
    a = x * 1
    view = a[:2]
    saved = a.exp()
    out = AddOne.apply(a)
    assert out is a
    assert a.tolist() == [2.0] * 3
    (view * 2).sum().backward(retain_graph=True)
    assert x.grad.tolist() == [20.0, 20.0, 0.0]
    saved.sum().backward()  # exp saved its own output, not a


def test_a_dirty_view_changes_its_base():
    x = tg.ones(3, requires_grad=True)
    a = x * 1
    view = a[1:]
    AddOne.apply(view)
    assert a.tolist() == [1.0, 2.0, 2.0]
    a.sum().backward(retain_graph=True)
    assert x.grad.tolist() == [1.0, 10.0, 10.0]
    view.sum().backward()
    assert x.grad.tolist() == [1.0, 20.0, 20.0]


def test_a_dirty_array_written_without_tensorgrad_counts_too():
    class Raw(AddOne):
        @staticmethod
        def forward(ctx, x):
            x.detach().numpy()[...] = 5
            ctx.mark_dirty(x)
            return x

    a = tg.ones(3, requires_grad=True) * 1
    b = a.sin()
    Raw.apply(a)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        b.sum().backward()


def test_what_must_not_be_dirty():
    class Other(AddOne):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x * 2

    x = tg.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf Variable"):
        AddOne.apply(x)
    with pytest.raises(RuntimeError, match="leaf Variable"):
        AddOne.apply(x[:2])
    with pytest.raises(RuntimeError, match="not returned as output by Other"):
        Other.apply(x * 1)


def test_an_input_handed_through_must_not_be_written():
    class Through(Function):
        @staticmethod
        def forward(ctx, x, part):
            return x[0] if part else x

        @staticmethod
        def backward(ctx, g):
            return g * 3, None

    x = tg.ones(2, requires_grad=True)
    y = Through.apply(x, False)
    assert y is not x
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    a = x * 2
    for part in (False, True):
        y = Through.apply(a, part)
        with pytest.raises(RuntimeError, match="handed through"):
            y.add_(1)
    z = a.sin()
    y = Through.apply(a, False)
    a.add_(1)
    assert y.tolist() == [3.0, 3.0]  # the same memory
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        z.sum().backward()


def test_the_data_of_an_input_handed_through_may_be_written():
    """As solvers of differential equations do, which fill one array step by step."""

    class Assign(Function):
        @staticmethod
        def forward(ctx, scratch, value, index):
            ctx.index = index
            scratch.data[index] = value
            return scratch

        @staticmethod
        def backward(ctx, g):
            return g, g[ctx.index], None

    values = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    memory = tg.zeros(2, 3)
    scratch = memory
    for i in range(3):
        scratch = Assign.apply(scratch, values[i] * 2, (0, i))
    assert scratch.tolist() == memory.tolist() == [[2.0, 4.0, 6.0], [0.0, 0.0, 0.0]]
    (scratch * scratch).sum().backward()
    assert values.grad.tolist() == [8.0, 16.0, 24.0]
    with pytest.raises(RuntimeError, match="handed through"):
        scratch.add_(1)
    scratch.data = tg.ones(2, 3)
    scratch.data[0, 0] = 5.0
    assert scratch[0].tolist() == [5.0, 1.0, 1.0]
    assert memory[0].tolist() == [2.0, 4.0, 6.0]
    Assign.apply(memory[:, 1:], values[0], (1, 1))  # a view
    assert memory[1].tolist() == [0.0, 0.0, 1.0]


def test_vjp_is_another_name_for_backward():
    class Named(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def vjp(ctx, g):
            return g * 2

    class Both(Named):
        @staticmethod
        def backward(ctx, g):
            return g

    class Neither(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    x = tg.ones(2, requires_grad=True)
    Named.apply(x).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match="both"):
        Both.apply(x).sum().backward()
    with pytest.raises(NotImplementedError, match="backward or vjp"):
        Neither.apply(x).sum().backward()
    with pytest.raises(NotImplementedError, match="forward function"):
        Function.apply(x)
    with pytest.raises(RuntimeError, match=r"Named\.apply"):
        Named()(x)


def test_defaults_and_keywords_with_setup_context():
    class Scale(Function):
        @staticmethod
        def forward(x, factor=3.0, *, bias=0.0):
            return x * factor

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.factor = inputs[1]
            ctx.save_for_forward(inputs[0])

        @staticmethod
        def backward(ctx, g):
            return g * ctx.factor, None

    x = tg.ones(2, requires_grad=True)
    (g,) = tg.autograd.grad(Scale.apply(x).sum(), x)
    assert g.tolist() == [3.0, 3.0]
    (g,) = tg.autograd.grad(Scale.apply(x, factor=4.0).sum(), x)
    assert g.tolist() == [4.0, 4.0]
    with pytest.raises(TypeError, match="missing a required argument"):
        AddOne.apply(y=x)


def test_outputs_without_gradients_and_nothing_materialised():
    seen = []

    class Two(Function):
        @staticmethod
        def forward(ctx, x):
            y, z = x * 2, x * 3
            ctx.mark_non_differentiable(z)
            ctx.set_materialize_grads(False)
            return y, z

        @staticmethod
        def backward(ctx, g, h):
            seen.append(h)
            return g * 2

    x = tg.ones(2, requires_grad=True)
    y, z = Two.apply(x)
    assert not z.requires_grad
    y.sum().backward()
    assert seen == [None]
    assert np.allclose(x.grad.numpy(), 2)


def test_a_number_is_returned_as_it_is_and_a_list_refused():
    class Number(Function):
        @staticmethod
        def forward(ctx, x, value):
            return value

    x = tg.ones(2, requires_grad=True)
    assert Number.apply(x, 7) == 7
    assert Number.apply(x, None) is None
    with pytest.raises(TypeError, match="list"):
        Number.apply(x, [x])
