"""gradcheck takes PyTorch's arguments, with PyTorch's defaults where they mean the same."""

import inspect

import numpy as np
import pytest
import torch

import tensorgrad as tg
from tensorgrad.gradcheck import gradcheck, gradgradcheck

# fast_mode=None chooses by size, where PyTorch's False always compares the whole Jacobian.
OWN_DEFAULTS = {"fast_mode"}
OWN_ARGUMENTS = {"parameters", "method", "order"}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(gradcheck, torch.autograd.gradcheck), (gradgradcheck, torch.autograd.gradgradcheck)],
    ids=["gradcheck", "gradgradcheck"],
)
def test_arguments(ours, theirs):
    mine, reference = inspect.signature(ours).parameters, inspect.signature(theirs).parameters
    assert [name for name in mine if name not in OWN_ARGUMENTS] == list(reference)
    for name, parameter in reference.items():
        assert mine[name].kind == parameter.kind
        if name not in OWN_DEFAULTS:
            assert mine[name].default == parameter.default, name


def outcome(lib, check, function, *arrays, **options):
    inputs = tuple(lib.tensor(a, requires_grad=True) for a in arrays)
    try:
        return check(function, inputs, **options)
    except (RuntimeError, ValueError) as error:
        return "Gradcheck" if "Gradcheck" in type(error).__name__ else type(error).__name__


def with_factor(lib, factor):
    """x**3, whose backward has a factor that should be 3."""

    class Cube(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return factor * g * x**2

    return Cube.apply


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("factor", [3, 3.0001, 3.01, -3, 0])
def test_the_same_verdict(factor, fast):
    x = np.random.default_rng(0).standard_normal((3, 2))
    ours = outcome(tg, gradcheck, with_factor(tg, factor), x, fast_mode=fast)
    theirs = outcome(torch, torch.autograd.gradcheck, with_factor(torch, factor), x, fast_mode=fast)
    assert ours == theirs
