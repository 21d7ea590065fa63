"""autograd.graph: edges, hooks on several gradients, nodes' own hooks, versions."""

import gc
import weakref

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.autograd.graph import (
    GradientEdge,
    Node,
    get_gradient_edge,
    increment_version,
    register_multi_grad_hook,
)


def test_edges_stand_for_tensors():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    z = y.exp()
    edge = get_gradient_edge(y)
    assert isinstance(edge.node, Node)
    assert edge.node is y.grad_fn
    (by_edge,) = tg.autograd.grad(z.sum(), edge, retain_graph=True)
    (by_tensor,) = tg.autograd.grad(z.sum(), y, retain_graph=True)
    assert by_edge.tolist() == by_tensor.tolist()
    (g,) = tg.autograd.grad(get_gradient_edge(z), x, tg.ones(2), retain_graph=True)
    assert np.allclose(g.numpy(), 3 * z.detach().numpy())
    leaf = get_gradient_edge(x)
    assert leaf.node.name() == "AccumulateGrad"
    tg.autograd.backward(get_gradient_edge(z.sum()), inputs=[leaf], retain_graph=True)
    assert x.grad.tolist() == g.tolist()
    z.sum().backward(inputs=edge, retain_graph=True)  # reaches no leaf
    assert x.grad.tolist() == g.tolist()


def test_edges_of_operations_with_several_outputs():
    x = tg.randn(2, 2, dtype=tg.float64, requires_grad=True)
    q, r = tg.linalg.qr(x)
    edge = get_gradient_edge(r)
    assert edge.output_nr == 1
    assert edge.node is q.grad_fn
    (g,) = tg.autograd.grad((r * 2).sum() + q.sum(), edge)
    assert g.tolist() == [[2.0, 2.0], [2.0, 2.0]]
    with pytest.raises(IndexError, match="2 outputs"):
        tg.autograd.grad(q.sum(), GradientEdge(edge.node, 2))
    with pytest.raises(IndexError, match="one output"):
        tg.autograd.grad(q.sum(), GradientEdge((x * 2).grad_fn, 1))


def test_edges_in_errors():
    x = tg.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="not possible to get the gradient edge"):
        get_gradient_edge(tg.ones(2))
    with pytest.raises(TypeError, match="expected a Tensor"):
        get_gradient_edge(3)
    with pytest.raises(RuntimeError, match=r"scalar outputs, got output 0 of Mul.*\(3,\)"):
        tg.autograd.backward(get_gradient_edge(x * 2))
    with pytest.raises(RuntimeError, match="not have been used"):
        tg.autograd.grad((x * 2).sum(), get_gradient_edge(x * 3))


def test_all_gradients_at_once():
    a, b, c = (tg.ones(2, requires_grad=True) for _ in range(3))
    calls = []
    handle = register_multi_grad_hook((a, b, c), calls.append)
    y = a * 2 + b * 3
    y.sum().backward()
    assert len(calls) == 1
    first, second, third = calls[0]
    assert first.tolist() == [2.0, 2.0]
    assert second.tolist() == [3.0, 3.0]
    assert third is None  # this pass does not reach c
    (a * c).sum().backward()
    assert len(calls) == 2
    assert calls[1][1] is None
    tg.autograd.grad((a * b).sum(), a)
    assert len(calls) == 3
    assert calls[2][1] is None  # only what leads to the inputs runs
    handle.remove()
    y = (a * b).sum()
    y.backward()
    assert len(calls) == 3


def test_the_hook_comes_in_time_for_what_is_below():
    a = tg.ones(2, requires_grad=True)
    b, c = a * 2, a * 3
    order = []
    a.register_hook(lambda g: order.append("a"))
    register_multi_grad_hook((b, c), lambda grads: order.append(len(grads)))
    (b + c).sum().backward()
    assert order == [2, "a"]


def test_a_gradient_that_never_comes_is_none_in_the_end():
    a = tg.ones(2, requires_grad=True)

    class Half(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, g):
            return g, None

    b, c = a * 2, a * 3
    calls = []
    register_multi_grad_hook((b, c), calls.append)
    Half.apply(b, c).sum().backward()
    assert len(calls) == 1
    assert calls[0][0].tolist() == [1.0, 1.0]
    assert calls[0][1] is None


def test_any_gradient():
    a = tg.ones(2, requires_grad=True)
    b, c = a * 2, a * 3
    calls = []
    with register_multi_grad_hook((b, c), calls.append, mode="any"):
        (b + c).sum().backward(retain_graph=True)
        assert len(calls) == 1
        assert calls[0].tolist() == [1.0, 1.0]
        (b + c).sum().backward()
    (a * 1).sum().backward()
    assert len(calls) == 2
    with pytest.raises(ValueError, match="'all', 'any'"):
        register_multi_grad_hook((b, c), calls.append, mode="some")
    with pytest.raises(RuntimeError, match="doesn't require gradient"):
        register_multi_grad_hook((tg.ones(2),), calls.append)


def test_hooks_do_not_make_a_cycle():
    a = tg.ones(2, requires_grad=True)
    b = a * 2
    node = weakref.ref(b._array)
    register_multi_grad_hook((b, a), print)
    c = b.exp().sin()
    gc.disable()
    try:
        del b, c
        assert node() is None
    finally:
        gc.enable()


def test_hooks_of_nodes():
    x = tg.ones(2, requires_grad=True)
    y = x * 2
    seen = []
    node = y.grad_fn
    before = node.register_prehook(lambda outs: (outs[0] * 10,))
    after = node.register_hook(lambda ins, outs: seen.append((ins, outs)))
    y.sum().backward()
    assert x.grad.tolist() == [20.0, 20.0]
    assert seen[0][1][0].tolist() == [10.0, 10.0]
    before.remove()
    after.remove()
    node = (x * 1).grad_fn.next_functions[0][0]
    assert node.variable is x
    done = node.register_hook(lambda ins, outs: seen.append((ins, outs[0].tolist())))
    x.grad = None
    (x * 3).sum().backward()
    assert seen[-1] == ((), [3.0, 3.0])
    assert x.grad.tolist() == [3.0, 3.0]  # it is there when the hook runs
    done.remove()


def test_names_and_notes_of_nodes():
    x = tg.ones(2, requires_grad=True)
    node = (x.exp() + 1).grad_fn
    assert isinstance(node, Node)
    assert node.name() == "AddBackward0"
    assert node.next_functions[0][0].name() == "ExpBackward0"
    node.metadata["note"] = 7
    assert node.metadata == {"note": 7}


def test_versions():
    x = tg.ones(2, requires_grad=True) * 1
    y = x.sin()
    before = x._version
    increment_version(x)
    assert x._version == before + 1
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        y.sum().backward()
    a, b = tg.ones(1), tg.ones(1)
    increment_version([a, b])
    assert (a._version, b._version) == (1, 1)
    with pytest.raises(RuntimeError, match="Iterable"):
        increment_version(3)
    with pytest.raises(RuntimeError, match="to be a tensor"):
        increment_version([3])


def test_variable_is_an_old_name():
    from tensorgrad.autograd import Variable

    x = tg.ones(2)
    y = Variable(x, requires_grad=True)
    assert isinstance(x, Variable)
    assert not isinstance(3, Variable)
    assert type(y) is tg.Tensor
    assert y.requires_grad
    assert not x.requires_grad
    assert np.shares_memory(x.numpy(), y.detach().numpy())
    with pytest.raises(TypeError, match="has to be a tensor"):
        Variable([1.0])


def test_a_node_seen_by_a_program_has_a_class_of_its_name():
    class Twice(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, g):
            return 2 * g

    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = Twice.apply((x * x).exp())
    names = []
    node = y.grad_fn
    while node is not None:
        names.append(type(node).__name__)
        assert names[-1] == node.name()
        node = node.next_functions[0][0] if node.next_functions else None
    assert names == ["TwiceBackward", "ExpBackward0", "MulBackward0", "AccumulateGrad"]
    assert type(y.grad_fn) is type(Twice.apply(x).grad_fn)  # one class for one name
    assert type(tg.autograd.graph.get_gradient_edge(x.sin()).node).__name__ == "SinBackward0"
    values, _ = tg.linalg.eigh(x.outer(x))
    assert type(values.grad_fn).__name__ == "EighBackward0"


def test_what_was_looked_at_has_the_same_gradients():
    def gradient(look):
        class Twice(tg.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return 2 * x

            @staticmethod
            def backward(ctx, g):
                return 2 * g + 0 * ctx.saved_tensors[0]

        x = tg.tensor([[1.0, -2.0, 3.0], [0.5, 1.5, -1.0]], requires_grad=True)
        steps = [x * 3]
        for step in (tg.relu, tg.Tensor.exp, Twice.apply, lambda t: t / (t + 1)):
            steps.append(step(steps[-1]))
        values, _ = steps[-1].max(1)
        for seen in [*steps, values] if look else ():
            assert seen.grad_fn.next_functions
        values.sum().backward()
        with pytest.raises(RuntimeError):
            steps[3].sum().backward()  # what the user's function saved is freed as well
        return x.grad.tolist()

    assert gradient(True) == gradient(False)
