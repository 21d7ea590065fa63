"""Subclasses of Tensor and Parameter, made in the ways in which PyTorch's programs make them."""

import copy
import pickle

import numpy as np
import pytest
import torch

import tensorgrad as tg

LIBRARIES = [tg, torch]


def kinds(lib):
    class Tagged(lib.nn.Parameter):
        def __new__(cls, data, tag=None, requires_grad=True):
            made = super().__new__(cls, data, requires_grad)
            made.tag = tag
            return made

    class Made(lib.nn.Parameter):
        def __new__(cls, data=None, tag=None, requires_grad=True):
            made = lib.Tensor._make_subclass(cls, data, requires_grad)
            made.tag = tag
            return made

    class Both(lib.Tensor):
        @staticmethod
        def __new__(cls, data, tag=None, *args, **kwargs):
            return super().__new__(cls, data, *args, **kwargs)

        def __init__(self, data, tag=None):
            super().__init__()
            self.tag = tag

    class Point(lib.Tensor):
        def __new__(cls, data, tag=None, requires_grad=True):
            made = lib.Tensor._make_subclass(cls, data, requires_grad)
            made.tag = tag
            return made

    class PointParameter(Point, lib.nn.Parameter):
        def __new__(cls, data, tag=None, requires_grad=True):
            return Point.__new__(cls, data, tag, requires_grad)

    return {kind.__name__: kind for kind in (Tagged, Made, Both, Point, PointParameter)}


NAMES = sorted(kinds(tg))


@pytest.mark.parametrize("name", NAMES)
def test_a_subclass_with_its_own_new(name):
    found = []
    for lib in LIBRARIES:
        kind = kinds(lib)[name]
        x = kind(lib.tensor([1.0, 2.0]), tag="a")
        assert type(kind(lib.ones(2), "b")) is type(x) is kind
        module = lib.nn.Module()
        module.x = x
        x.requires_grad_()
        (x * 3).sum().backward()
        lib.optim.SGD([x], lr=0.1).step()
        copied = lib is tg or isinstance(x, lib.nn.Parameter)  # PyTorch refuses the others
        twin = copy.deepcopy(x) if copied else x
        found.append(
            [
                isinstance(x, lib.nn.Parameter),
                len(list(module.parameters())),
                x.is_leaf,
                x.tag,
                x.grad.tolist(),
                [round(n, 5) for n in x.tolist()],
                [round(n, 5) for n in twin.tolist()],
                twin.requires_grad,
            ]
        )
    assert found[0] == found[1]


def test_make_subclass_shares_memory_and_is_a_leaf():
    for lib in LIBRARIES:
        kind = kinds(lib)["Point"]
        base = lib.zeros(2, requires_grad=True)
        data = base * 1
        made = lib.Tensor._make_subclass(kind, data)
        assert type(made) is kind
        assert made.is_leaf
        assert not made.requires_grad
        with lib.no_grad():
            data += 1
        assert made.tolist() == [1.0, 1.0]
        assert lib.Tensor._make_subclass(kind, data, True).requires_grad


class Kept(tg.nn.Parameter):
    def __new__(cls, data=None, tag="default"):
        made = super().__new__(cls, data)
        made.tag = tag
        return made


def test_copies_keep_class_and_attributes():
    x = Kept(tg.ones(2), "mine")
    for twin in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert type(twin) is Kept
        assert twin.tag == "mine"
        assert twin.requires_grad
        np.testing.assert_array_equal(twin.detach(), [1.0, 1.0])
    assert type(tg.ones(2).as_subclass(Kept)) is Kept


def test_constructors():
    for lib in LIBRARIES:
        assert lib.Tensor().shape == (0,)
        assert lib.Tensor(2, 3).shape == (2, 3)
        assert lib.Tensor([1, 2]).dtype == lib.float32
        assert lib.nn.Parameter().shape == (0,)
        assert not lib.nn.Parameter(data=lib.ones(1), requires_grad=False).requires_grad
        assert lib.nn.Buffer(lib.ones(1)).persistent
        assert not lib.nn.Buffer(lib.ones(1), persistent=False).persistent
        with pytest.raises(TypeError):
            lib.nn.Parameter(lib.ones(1), True, 3)
        assert lib.nn.parameter.UninitializedParameter(dtype=lib.float64).dtype == lib.float64
