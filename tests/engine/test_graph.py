"""The graph itself: size, memory, provenance, scopes."""

import gc
import sys
import weakref

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.graph.node import Node, push_scope


@pytest.mark.parametrize("nodes", [100_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_a_long_chain(nodes):
    x = tg.ones(1, requires_grad=True)
    y = x
    for _ in range(nodes):
        y = y + x
    y.backward()
    assert x.grad.item() == nodes + 1
    del y  # freeing it must not recurse either


def nodes_alive():
    # By type, not isinstance: that would ask foreign objects for their __class__, and some of
    # PyTorch's answer with a warning.
    return sum(issubclass(type(o), Node) for o in gc.get_objects())


def test_dropping_the_loss_frees_the_graph_without_the_collector():
    gc.collect()
    gc.disable()
    try:
        x = tg.ones(3, requires_grad=True)
        hidden = (x * 2).exp()
        arrays = [weakref.ref(hidden._array)]
        loss = hidden.split(1)[0].sum() + hidden.max(0).values
        del hidden
        before = nodes_alive()
        assert before >= 5
        del loss
        assert nodes_alive() < before - 4
        assert arrays[0]() is None
    finally:
        gc.enable()


def test_what_is_not_saved_is_freed_at_once():
    x = tg.ones(3, requires_grad=True)
    inner = x + 1
    gone = weakref.ref(inner._array)
    y = inner.relu()
    del inner
    assert gone() is None
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 1.0]


def test_backward_frees_saved_arrays_as_it_passes():
    x = tg.ones(3, requires_grad=True)
    y = (x * 2).exp()
    saved = weakref.ref(y._array)
    loss = y.sum()
    del y
    assert saved() is not None
    loss.backward()
    assert saved() is None


def test_only_what_the_needed_rules_read_is_saved():
    x, constant = tg.ones(3, requires_grad=True), tg.ones(3)
    inner = x * 1.0
    gone = weakref.ref(inner._array)
    y = inner * constant  # the constant's gradient is not needed, so `inner` is not saved
    del inner
    assert gone() is None
    y.sum().backward()


def test_a_leaf_lives_as_long_as_the_graph_and_no_longer():
    x = tg.ones(3, requires_grad=True)
    gone = weakref.ref(x)
    y = (x * 2).sum()
    assert y.grad_fn.inputs[0].inputs[0].variable is x
    del x
    assert gone() is not None
    del y
    assert gone() is None


def test_every_node_knows_the_users_line():
    x = tg.ones(3, requires_grad=True)
    line = sys._getframe().f_lineno + 1
    y = x.exp().mean()
    for node in (y.grad_fn, y.grad_fn.inputs[0]):
        assert node.location.filename == __file__
        assert node.location.lineno == line
        assert "test_every_node_knows_the_users_line" in node.location.function
    assert x.reshape(3).sum().grad_fn.location.filename == __file__


def test_the_line_is_the_users_also_behind_functions_of_the_package():
    x = tg.arange(6.0).reshape(2, 3).requires_grad_()
    line = sys._getframe().f_lineno + 1
    y = tg.stack([x, x]).std()
    assert y.grad_fn.location.lineno == line
    assert y.grad_fn.inputs[0].location.lineno == line


def test_facts_survive_the_freeing_of_buffers():
    x = tg.ones(3, requires_grad=True)
    with push_scope("block", "Block", 0), push_scope("act", "Exp", 1):
        y = x.exp()
    y.sum().backward()
    node = y.grad_fn
    assert not node.saved
    assert (node.shape, node.dtype) == ((3,), np.float32)
    assert node.scope.path == "block.act"
    assert (node.scope.cls, node.scope.call, node.scope.parent.cls) == ("Exp", 1, "Block")
    assert node.location.filename == __file__
    assert node.op.formula == "g * y"
    assert node.inputs[0].variable is x


def test_shapes_of_inputs_without_gradients_survive_too():
    w = tg.ones(3, 2, requires_grad=True)
    y = tg.ones(4, 3) @ w
    y.sum().backward()
    first, second = y.grad_fn.input_specs
    assert (first.shape, second.shape) == ((4, 3), (3, 2))
    assert not hasattr(first, "base")  # not the array itself
    number, _ = (2.5 * w).grad_fn.input_specs
    assert number == 2.5


@pytest.mark.parametrize("depth", [1000, 4000])
def test_errors_in_a_rule_name_the_recorded_line(depth):
    class Bad(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            raise ValueError("mine")

    x = tg.ones(1, requires_grad=True)
    y = Bad.apply(x)
    for _ in range(depth):
        y = y * 1.0
    with pytest.raises(ValueError, match="mine") as caught:
        y.sum().backward()
    assert any("test_graph.py" in note for note in caught.value.__notes__)
