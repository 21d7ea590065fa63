"""What nodes saved is checked by storages that are made only when somebody asks for them."""

import gc
import sys

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.autograd import graph
from tensorgrad.graph import storages

MODIFIED = "has been modified by an inplace operation"


def leaf(*shape):
    return tg.from_numpy(np.linspace(0.5, 1.5, int(np.prod(shape))).reshape(shape)).requires_grad_()


def saving(make):
    """A loss and the tensor that its node saved, of which nobody has asked for the storage."""
    x = leaf(4)
    y = make(x)
    loss = (y * y).sum()
    assert y._held is storages.SAVED
    assert y._storage is None
    assert y._version == 0
    return x, y, loss


# Each finds the saved memory another way.
WRITES = {
    "itself": lambda y: y.add_(1),
    "a detached alias": lambda y: y.detach().add_(1),
    "an alias of an alias": lambda y: y.detach().detach().zero_(),
    "a view": lambda y: y[1:].add_(1),
    "a view of a detached alias": lambda y: y.detach().view(2, 2)[0].zero_(),
    "an element": lambda y: y.__setitem__(0, 5.0),
    "a parameter on it": lambda y: tg.nn.Parameter(y, requires_grad=False).add_(1),
    "a Variable on it": lambda y: tg.autograd.Variable(y.detach()).add_(1),
    "a counted write": lambda y: graph.increment_version(y),
}


def watched(loss, x):
    with tg.autograd.observe_backward(lambda node, g: None):
        loss.backward()


WALKS = {
    "backward": lambda loss, x: loss.backward(),
    "watched": watched,
    "create_graph": lambda loss, x: tg.autograd.grad(loss, x, create_graph=True),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
@pytest.mark.parametrize("walk", ["backward", "watched", "create_graph"])
def test_a_write_after_the_save_is_noticed(write, walk):
    x, y, loss = saving(lambda x: x.exp())
    with tg.no_grad():
        write(y)
    assert y._version == 1
    with pytest.raises(RuntimeError, match=MODIFIED):
        WALKS[walk](loss, x)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_a_write_before_the_save_is_none_of_its_business(write):
    x = leaf(4)
    y = x.exp()
    (y * y).sum()  # saved a first time
    with tg.no_grad():
        write(y)
    z = y.detach().requires_grad_()
    (z * z).sum().backward()
    np.testing.assert_allclose(z.grad.numpy(), 2 * y.detach().numpy())


def test_writes_that_do_not_count_are_not_counted():
    _, y, loss = saving(lambda x: x.exp())
    other = y.data
    (other * leaf(4)).sum()  # saves the same memory
    other.add_(1)
    y.detach().numpy()[0] = 3
    assert y._version == 0
    loss.backward()


def test_writes_to_the_tensor_are_not_those_of_its_data():
    y = leaf(4).exp().detach()
    data = y.data
    loss = (data * leaf(4)).sum()
    (y * leaf(4)).sum()
    y.add_(1)
    assert (y._version, data._version) == (1, 0)
    loss.backward()


def test_tensors_on_one_numpy_array_count_for_themselves():
    array = np.ones(3)
    one, two = tg.from_numpy(array), tg.from_numpy(array)
    w = leaf(3)
    first, second = (one * w).sum(), (two * w).sum()
    two.add_(1)
    assert (one._version, two._version, array[0]) == (0, 1, 2.0)
    first.backward()
    with pytest.raises(RuntimeError, match=MODIFIED):
        second.backward()


def test_the_error_names_the_argument_and_both_lines():
    x, y = leaf(3), leaf(3)
    loss = (x * y.detach()).sum()
    with tg.no_grad():
        y.add_(1)
    with pytest.raises(RuntimeError, match=r"argument 'b' of mul, saved at .*was written at"):
        loss.backward()


def test_a_tensor_that_a_pack_hook_kept_is_the_saved_memory():
    kept = []
    x = leaf(4)
    y = x.exp()
    first = (y * y).sum()
    with graph.saved_tensors_hooks(lambda t: kept.append(t) or t.clone(), lambda t: t):
        (y * y).sum()
    kept[0].detach().add_(1)
    assert y._version == 1
    with pytest.raises(RuntimeError, match=MODIFIED):
        first.backward()


def test_what_is_known_of_an_array_goes_with_it():
    gc.collect()
    before = len(storages._asked)
    _, y, loss = saving(lambda x: x.exp())
    with tg.no_grad():
        y.add_(1)
    assert len(storages._asked) == before + 1
    del y, loss
    gc.collect()
    assert len(storages._asked) == before


def test_an_exchanged_memory_is_the_same_storage():
    x = tg.randn(2, 3, 4, 4, requires_grad=True)
    y = tg.nn.functional.conv2d(x, tg.randn(5, 3, 3, 3)).exp()
    loss = (y * y).sum()
    flat = y.detach().view(-1)  # channels last within, so the memory is exchanged
    flat.zero_()
    assert y._version == 1
    assert not y.detach().numpy().any()
    with pytest.raises(RuntimeError, match=MODIFIED):
        loss.backward()


def test_a_saved_array_needs_nothing_beside_the_node():
    x, y = leaf(4), leaf(4)
    z = x.exp() * y
    for node in (z.grad_fn, z.grad_fn.inputs[0]):
        assert node.storages is storages.BY_ARRAY
    gc.collect()
    assert not gc.is_tracked(z.grad_fn.saved)


def test_arrays_that_outlive_the_module_are_let_go_in_silence(monkeypatch):
    x, y, loss = saving(lambda x: x.exp())
    with tg.no_grad():
        y.add_(1)
    complaints = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    monkeypatch.setattr(storages, "_asked", None)  # as Python clears modules when it ends
    del x, y, loss
    gc.collect()
    assert not complaints
