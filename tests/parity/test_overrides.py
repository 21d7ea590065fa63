"""`tensorgrad.overrides` beside `torch.overrides`: functions of the user's own, handed on."""

import pytest
import torch
import torch.overrides as theirs

import tensorgrad as tg
import tensorgrad.overrides as ours

LIBRARIES = [(tg, ours), (torch, theirs)]


class Base:
    answer = "base"

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if cls.answer is NotImplemented:
            return NotImplemented
        return cls.answer, func.__name__, [kind.__name__ for kind in types], args[1:], kwargs


class Derived(Base):
    answer = "derived"


class Silent(Base):
    answer = NotImplemented


@pytest.mark.parametrize(("tensors", "overrides"), LIBRARIES)
def test_what_is_a_tensor(tensors, overrides):
    like = overrides.is_tensor_like
    parameter = tensors.nn.Parameter(tensors.ones(1))
    assert like(tensors.ones(1))
    assert like(parameter)
    assert like(Base())
    assert not like(3)
    assert not like([tensors.ones(1)])
    assert not overrides.has_torch_function((tensors.ones(1), parameter, 3))
    assert overrides.has_torch_function((3, Base()))
    assert overrides.has_torch_function_unary(Base())
    assert not overrides.has_torch_function_unary(tensors.ones(1))
    assert overrides.has_torch_function_variadic(3, Derived())
    assert not overrides.has_torch_function_variadic(3, 4)


@pytest.mark.parametrize(("tensors", "overrides"), LIBRARIES)
def test_whose_answer_counts(tensors, overrides):
    def function(a, b, c=None):
        given = (a, b, c)
        if overrides.has_torch_function(given):
            return overrides.handle_torch_function(function, given, a, b, c=c)
        return "plain"

    assert function(tensors.ones(1), 2) == "plain"
    assert function(Base(), 2) == ("base", "function", ["Base"], (2,), {"c": None})
    assert function(tensors.ones(1), 2, Base())[0] == "base"
    # Subclasses before what they come from, each class once; others in their order.
    found = function(Base(), Derived(), Derived())
    assert found[0] == "derived"
    assert found[2] == ["Derived", "Base"]
    assert function(Silent(), Base())[0] == "base"
    with pytest.raises(TypeError, match=r"no implementation found for .*function.*Silent"):
        function(Silent(), 2)


@pytest.mark.parametrize(("tensors", "overrides"), LIBRARIES)
def test_the_decorator(tensors, overrides):
    @overrides.wrap_torch_function(lambda a, b=None: (a, b))
    def function(a, b=None):
        """Its words."""
        return "plain"

    assert function.__doc__ == "Its words."
    assert function(1) == "plain"
    assert function(tensors.ones(1), b=2) == "plain"
    assert function(1, b=Base())[:3] == ("base", "function", ["Base"])


def test_subclasses_of_tensor():
    class Plain(tg.Tensor):
        pass

    class Own(tg.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return "own"

    plain, own = tg.ones(2).as_subclass(Plain), tg.ones(2).as_subclass(Own)
    assert ours.is_tensor_like(plain)
    assert not ours.has_torch_function((plain,))
    assert ours.has_torch_function((own,))
    assert ours.handle_torch_function(tg.exp, (own,), own) == "own"
    assert type(own.exp()) is tg.Tensor  # operations do not ask: docs/differences.md
    assert tg.overrides is ours
