"""Where PyTorch warns of a mistake, so does tensorgrad, with a warning of the same kind."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import tensorgrad as tg

CASES = {}


def case(words):
    """A call that gives one warning in both libraries, with these words in it."""

    def keep(function):
        CASES[function.__name__] = function, words
        return function

    return keep


@case("recommended to use")
def tensor_of_a_tensor(tg):
    tg.tensor(tg.ones(2), requires_grad=True)


@case("recommended to use")
def new_tensor_of_a_tensor(tg):
    tg.ones(2).new_tensor(tg.ones(2))


@case("discards the imaginary part")
def complex_to_real(tg):
    tg.tensor([1j]).float()


@case("Decorating classes")
def grad_mode_over_a_class(tg):
    @tg.no_grad()
    class Made:
        pass

    Made()


@case("var(): degrees of freedom")
def variance_of_one(tg):
    tg.ones(1, 3).var(0)


@case("std(): degrees of freedom")
def deviation_of_one(tg):
    tg.std(tg.ones(3, 1), dim=1)


@case("var_mean(): degrees of freedom")
def variance_of_nothing(tg):
    tg.var_mean(tg.ones(0), correction=0)


@case("std_mean(): degrees of freedom")
def correction_too_large(tg):
    tg.std_mean(tg.ones(3), correction=4)


@case("cov(): degrees of freedom")
def covariance_of_one(tg):
    tg.cov(tg.ones(2, 1))


@case("more than 2 std from [a, b]")
def truncated_far_out(tg):
    tg.nn.init.trunc_normal_(tg.empty(3), 5.0, 1.0)


@case("generator, no gradient clipping")
def clipping_nothing(tg):
    parameters = tg.nn.Linear(1, 1).parameters()
    list(parameters)
    tg.nn.utils.clip_grad_norm_(parameters, 1.0)


@case("create_graph=True will create a reference cycle")
def graph_of_a_gradient(tg):
    tg.ones(1, requires_grad=True).backward(create_graph=True)


@case("worker processes in total")
def too_many_workers(tg):
    tg.utils.data.DataLoader([1, 2], num_workers=10_000)


@case("firing when gradients are computed")
def hook_of_a_module_without_inputs_that_require_grad(tg):
    layer = tg.nn.Linear(1, 1)
    layer.register_full_backward_hook(lambda module, grad_input, grad_output: None)
    layer(tg.ones(1, 1)).sum().backward()


@case("before `optimizer.step()`")
def schedule_before_the_step(tg):
    optimizer = tg.optim.SGD([tg.ones(1, requires_grad=True)], 0.1)
    tg.optim.lr_scheduler.StepLR(optimizer, 1).step()


@case("Implicit dimension choice for softmax")
def softmax_without_a_dimension(tg):
    tg.nn.Softmax()(tg.ones(2, 3))


@case("Using a target size")
def losses_of_other_shapes(tg):
    tg.nn.functional.mse_loss(tg.ones(3, 1), tg.ones(3))


@case("num_layers greater than 1")
def dropout_of_one_layer(tg):
    tg.nn.LSTM(2, 3, dropout=0.5)


@case("zero-element tensors is a no-op")
def filling_nothing(tg):
    tg.nn.init.kaiming_uniform_(tg.empty(0, 3))


@case("reduce args will be deprecated")
def old_arguments_of_losses(tg):
    tg.nn.MSELoss(size_average=False)


@pytest.mark.parametrize("name", CASES)
def test_the_same_warning(name):
    function, words = CASES[name]
    kinds = []
    for library in (torch, tg):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with np.errstate(all="ignore"):
                function(library)
        assert len(caught) == 1, [str(one.message) for one in caught]
        assert words in str(caught[0].message)
        kinds.append(caught[0].category)
    assert kinds[0] is kinds[1]
    assert caught[0].filename == __file__  # the user's line, not one of the package


def test_no_warning_where_nothing_is_wrong():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tg.ones(2).var()
        tg.ones(1).var(correction=0)
        tg.ones(3, 0).var(0)
        tg.as_tensor(tg.ones(1))
        tg.asarray(tg.ones(1), copy=True)
        tg.tensor([tg.ones(1)])
        tg.nn.utils.clip_grad_norm_([], 1.0)
        tg.utils.data.DataLoader([1, 2], num_workers=1)
        assert tg.tensor([1j, 0]).bool().tolist() == [True, False]


def test_a_soft_margin_loss_is_not_larger_than_its_input():
    for library in (torch, tg):
        loss = library.nn.functional.soft_margin_loss
        assert loss(library.ones(2, 3), library.ones(3), reduction="none").shape == (2, 3)
        with pytest.raises(RuntimeError):
            loss(library.ones(3, 1), library.ones(3))
