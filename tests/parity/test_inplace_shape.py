"""Methods that change a tensor's shape or memory in place, and Python functions of its elements."""

import gc
import weakref

import numpy as np
import pytest
import torch

import tensorgrad as tg

LIBRARIES = (tg, torch)


def as_array(tensor):
    return tensor.detach().numpy()


def start(library):
    values = np.random.default_rng(3).uniform(0.1, 0.9, (4, 6))
    return library.tensor(values.tolist(), dtype=library.float64, requires_grad=True)


def shapes_in_place(library):
    w = start(library)
    x = w * 1.0
    early = x[1]  # made before: follows the memory, not the new shape
    assert x.t_() is x
    late = x[0]
    x.unsqueeze_(1).transpose_(0, 2)
    late.mul_(3)
    early.add_(1)
    x.squeeze_().mul_(2)
    (x * library.arange(24, dtype=library.float64).reshape(x.shape)).sum().backward()
    return [as_array(t) for t in (x, early, late, w.grad)] + [x.stride(), x._version]


def test_a_tensor_that_becomes_a_view_of_itself():
    ours, theirs = shapes_in_place(tg), shapes_in_place(torch)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_what_changed_its_shape_is_no_view():
    for library in LIBRARIES:
        x = library.ones(2, 3)
        part = x[0]
        x.t_()
        assert x._base is None
        assert not x._is_view()
        assert x[0]._base is x
        assert part._base is x
        assert not x.is_contiguous()
        assert x.stride() == (1, 3)
        y = (library.ones(2, requires_grad=True) * 2).unsqueeze_(0)
        assert not y.detach_().requires_grad
        assert not (y * 2).requires_grad


def test_a_leaf_may_change_its_shape_without_recording():
    for library in LIBRARIES:
        w = library.ones(2, 3, requires_grad=True)
        with library.no_grad():
            w.t_()
        assert w.is_leaf
        (w * 2).sum().backward()
        assert tuple(w.grad.shape) == (3, 2)


def test_shape_changes_die_by_reference_count():
    gc.disable()
    try:
        x = tg.ones(2, 3, requires_grad=True) * 2
        x.t_()
        watch = weakref.ref(x)
        del x
        assert watch() is None
    finally:
        gc.enable()


def test_resize():
    for library in LIBRARIES:
        x = library.arange(6.0).reshape(2, 3)
        y = x[0]
        assert x.resize_(2, 2).tolist() == [[0.0, 1.0], [2.0, 3.0]]
        x.fill_(7)
        assert y.tolist() == [7.0, 7.0, 7.0]
        z = library.arange(3.0)
        assert z.resize_((2, 4)).reshape(-1)[:3].tolist() == [0.0, 1.0, 2.0]
        assert library.zeros(4).resize_as_(library.zeros(2, 2)).shape == (2, 2)
        with pytest.raises(RuntimeError, match="require grad"):
            library.ones(2, requires_grad=True).resize_(1)


def test_a_shared_memory_does_not_grow():
    x = tg.ones(2)
    alias = x.detach()
    with pytest.raises(RuntimeError, match="share"):
        x.resize_(3)
    assert alias.tolist() == [1.0, 1.0]


def test_set():
    for library in LIBRARIES:
        x, y = library.zeros(2), library.arange(6.0).reshape(2, 3)
        assert x.set_(y) is x
        x[0, 0] = 9
        assert y[0, 0].item() == 9
        assert x.set_(y, 1, (2, 2), (3, 1)).tolist() == [[1.0, 2.0], [4.0, 5.0]]
        assert x.is_set_to(x)
        assert x.set_().shape == (0,)
        with pytest.raises(RuntimeError):
            x.set_(library.ones(2, dtype=library.float64))
        with pytest.raises(RuntimeError):
            x.set_(y, 4, (2, 2), (3, 1)) if library is tg else library.ones(2).set_(y.double())
        with pytest.raises(RuntimeError, match="leaf"):
            library.ones(2, requires_grad=True).set_(y)


def test_python_functions():
    for library in LIBRARIES:
        x = library.arange(6.0).reshape(2, 3).t()
        assert x.apply_(lambda v: v + 1).tolist() == [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
        assert x.map_(library.ones(2), lambda a, b: a - b).tolist()[2] == [2.0, 5.0]
        x.map2_(library.ones(2), x, lambda a, b, c: a + b * c)
        assert x.tolist()[2] == [4.0, 10.0]
        assert library.tensor([1, 2]).apply_(lambda v: v + 0.7).tolist() == [1, 2]
        with pytest.raises(RuntimeError, match="requires grad"):
            library.ones(2, requires_grad=True).apply_(abs)
        with pytest.raises(RuntimeError, match="requires grad"):
            library.ones(2).map_(library.ones(2, requires_grad=True), max)


def test_fill_diagonal():
    for shape, wrap in (((3, 3), False), ((7, 3), True), ((7, 3), False), ((2, 5), True)):
        ours, theirs = (
            library.zeros(*shape).fill_diagonal_(1.5, wrap=wrap) for library in LIBRARIES
        )
        assert ours.tolist() == theirs.tolist()
    for library in LIBRARIES:
        assert library.zeros(3, 3, 3).fill_diagonal_(1).sum().item() == 3
        for shape in ((3,), (2, 3, 4)):
            with pytest.raises(RuntimeError):
                library.zeros(*shape).fill_diagonal_(1)


def test_a_view_of_what_was_resized():
    x = tg.arange(6.0).reshape(2, 3).clone()
    x.resize_(2, 2)
    np.testing.assert_array_equal(x.expand(3, 2, 2).numpy()[2], [[0, 1], [2, 3]])
