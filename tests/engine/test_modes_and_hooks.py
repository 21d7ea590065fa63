"""Grad modes, leaf rules, hooks and observers."""

import threading

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.autograd import observe_backward, observe_forward


def test_no_grad_as_context_manager_decorator_and_generator():
    x = tg.ones(2, requires_grad=True)
    with tg.no_grad():
        assert not (x * 2).requires_grad
        with tg.enable_grad():
            assert (x * 2).requires_grad
    assert (x * 2).requires_grad

    @tg.no_grad()
    def called():
        return x * 2

    @tg.no_grad
    def bare():
        return x * 2

    @tg.no_grad()
    def generated():
        yield x * 2
        yield x * 3

    assert not called().requires_grad
    assert not bare().requires_grad
    for y in generated():
        assert not y.requires_grad
        assert (x * 2).requires_grad  # the consumer's mode is its own
    with pytest.raises(ValueError, match="inside"), tg.no_grad():
        raise ValueError("inside")
    assert tg.is_grad_enabled()


def test_set_grad_enabled_acts_at_once_and_as_a_block():
    x = tg.ones(2, requires_grad=True)
    tg.set_grad_enabled(False)
    try:
        assert not (x * 2).requires_grad
    finally:
        tg.set_grad_enabled(True)
    with tg.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_numpy_is_refused_only_where_a_gradient_could_be_lost():
    leaf = tg.tensor([1.0, 2.0], requires_grad=True)
    result = leaf * 2
    for tensor in (leaf, result):
        for read in (tg.Tensor.numpy, np.asarray):
            with pytest.raises(RuntimeError, match=r"detach\(\)\.numpy\(\)"):
                read(tensor)
            for mode in (tg.no_grad, tg.inference_mode):
                with mode():
                    assert read(tensor).tolist() == tensor.tolist()
        with tg.no_grad():
            assert np.shares_memory(tensor.numpy(), tensor.numpy(force=True))


def test_the_mode_belongs_to_a_thread():
    seen = []
    with tg.no_grad():
        thread = threading.Thread(target=lambda: seen.append(tg.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_detach_and_requires_grad_rules():
    x = tg.ones(2, requires_grad=True)
    y = x * 2
    d = y.detach()
    assert d.is_leaf
    assert not d.requires_grad
    assert np.shares_memory(d.numpy(), y.detach().numpy())
    with pytest.raises(RuntimeError, match="leaf variables"):
        y.requires_grad = False
    assert x.is_leaf
    assert not y.is_leaf
    assert y.grad_fn.name() == "MulBackward0"
    with pytest.raises(RuntimeError, match="requires grad"):
        y.numpy()


def test_tensor_hooks_see_and_replace_gradients():
    x = tg.ones(2, requires_grad=True)
    y = x * 3
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    handle = y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g + 1)
    y.sum().backward(retain_graph=True)
    assert seen == [[1.0, 1.0]]
    assert x.grad.tolist() == [31.0, 31.0]
    handle.remove()
    x.grad = None
    y.sum().backward()
    assert x.grad.tolist() == [4.0, 4.0]


def test_a_hook_sees_the_sum_of_all_contributions_once():
    x = tg.ones(2, requires_grad=True)
    calls = []
    y = x * 1.0
    y.register_hook(lambda g: calls.append(g.tolist()))
    (y + y * 2 + y * 3).sum().backward()
    assert calls == [[6.0, 6.0]]


def test_a_hook_may_not_change_the_shape():
    x = tg.ones(2, requires_grad=True)
    x.register_hook(lambda g: g.sum())
    with pytest.raises(RuntimeError, match="changed the size"):
        (x * 1).sum().backward()


def test_a_retained_gradient_accumulates_as_a_leaf_s_does():
    x = tg.ones(3, requires_grad=True)
    y = x * 2
    y.retain_grad()
    z = (y * y).sum()
    z.backward(retain_graph=True)
    kept = y.grad
    z.backward()
    assert y.grad.tolist() == [8.0] * 3
    assert kept.tolist() == [4.0] * 3  # somebody may hold the first
    assert x.grad.tolist() == [16.0] * 3


def test_retain_grad():
    x = tg.ones(2, requires_grad=True)
    y = x * 3
    y.retain_grad()
    assert y.retains_grad
    (y * y).sum().backward()
    assert y.grad.tolist() == [6.0, 6.0]


def test_node_hooks():
    x = tg.ones(2, requires_grad=True)
    y = x * 3
    seen = []
    y.grad_fn.register_prehook(lambda grads: (grads[0] * 2,))
    y.grad_fn.register_hook(
        lambda inputs, outputs: seen.append((inputs[0].tolist(), outputs[0].tolist()))
    )
    y.sum().backward()
    assert seen == [([6.0, 6.0], [2.0, 2.0])]
    assert x.grad.tolist() == [6.0, 6.0]


def test_post_accumulate_hook():
    x = tg.ones(2, requires_grad=True)
    seen = []
    x.register_post_accumulate_grad_hook(lambda leaf: seen.append(leaf.grad.tolist()))
    (x * 2).sum().backward()
    assert seen == [[2.0, 2.0]]


def test_observers_see_every_node_both_ways():
    x = tg.ones(2, requires_grad=True)
    forward, backward = [], []
    with observe_forward(lambda node, out: forward.append((node.op.name, tuple(out.shape)))):
        loss = (x * 2).exp().sum()
    with observe_backward(lambda node, g: backward.append((node.name(), g.shape))):
        loss.backward()
    assert forward == [("mul", (2,)), ("exp", (2,)), ("sum", ())]
    assert backward == [
        ("SumBackward0", ()),
        ("ExpBackward0", (2,)),
        ("MulBackward0", (2,)),
        ("AccumulateGrad", (2,)),
    ]


def test_the_graph_can_be_walked():
    x = tg.ones(2, requires_grad=True)
    node = ((x * 2) + x).grad_fn
    (left, i), (right, j) = node.next_functions
    assert (left.name(), i, right.name(), j) == ("MulBackward0", 0, "AccumulateGrad", 0)
    assert right.variable is x
    assert left.next_functions[0][0] is right


def test_retain_grad_follows_writes_in_place():
    x = tg.ones(3, requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.mul_(2)
    y[:1].zero_()
    assert y.retains_grad
    (y * 5).sum().backward()
    assert y.grad.tolist() == [5.0, 5.0, 5.0]  # of its newest values, as in PyTorch
    assert x.grad.tolist() == [0.0, 20.0, 20.0]


def test_a_post_accumulate_hook_returns_nothing():
    x = tg.ones(2, requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda p: 1)
    with pytest.raises(TypeError, match="must return None, but returned 'int'"):
        (x * 2).sum().backward()


def test_a_generator_under_no_grad_is_told_every_error():
    @tg.no_grad()
    def numbers():
        seen = []
        while True:
            try:
                yield seen
            except (KeyError, ValueError) as error:
                seen.append((type(error), tg.is_grad_enabled()))

    running = numbers()
    next(running)
    for error in (KeyError, ValueError, ValueError):
        seen = running.throw(error())
        assert tg.is_grad_enabled()
    running.close()
    assert seen == [(KeyError, False), (ValueError, False), (ValueError, False)]
