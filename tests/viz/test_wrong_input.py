"""What is no loss, no model and no graph: every function says on entering what it was given."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, optim, viz

MODEL = nn.Linear(2, 1)
X = tg.ones(3, 2)


def loss():
    return MODEL(X).pow(2).mean()


class Tensor:
    """What another library's has."""

    grad_fn = requires_grad = True


class Net:
    """Another library's Module."""

    def named_parameters(self):
        return [("w", Tensor())]


Tensor.__module__ = Net.__module__ = "otherlib.core"

NO_LOSS = [
    (None, "NoneType"), (3, "int"), ("loss", "str"), ([3], "list"), ({}, "dict"),
    (MODEL, "Linear"), (nn.Linear, "the class Linear"), (Tensor(), "otherlib.Tensor"),
    (Net(), "otherlib.Net"), (loss, "function"),
]  # fmt: skip
OF_A_LOSS = {
    "viz.trace_backward": viz.trace_backward,
    "viz.graph": viz.graph,
    "viz.explore": viz.explore,
    "viz.derive": lambda v: viz.derive(v, MODEL),
    "viz.check_derivation": lambda v: viz.check_derivation(v, MODEL.weight, "g"),
}


@pytest.mark.parametrize(("value", "kind"), NO_LOSS)
@pytest.mark.parametrize("caller", OF_A_LOSS)
def test_no_loss(caller, value, kind):
    # A graph may have several roots, so that of a list the first item is wrong.
    kind = "int" if kind == "list" and caller in ("viz.graph", "viz.explore") else kind
    with pytest.raises(TypeError, match=rf"^{caller}: (loss|root) must be a Tensor.*got {kind}"):
        OF_A_LOSS[caller](value)


@pytest.mark.parametrize("caller", OF_A_LOSS)
def test_no_graph(caller):
    with pytest.raises(RuntimeError, match=rf"^{caller}: .*no graph"):
        OF_A_LOSS[caller](tg.ones(()))


OF_A_MODEL = {
    "viz.grad_flow": viz.grad_flow,
    "viz.doctor": lambda v: viz.doctor(v, loss()),
    "viz.Monitor": lambda v: viz.Monitor(v, optim.SGD(MODEL.parameters(), lr=0.1)),
    "viz.graph: params": lambda v: viz.graph(loss(), v),
    "viz.explore: params": lambda v: viz.explore(loss(), params=v),
    "viz.derive: params": lambda v: viz.derive(loss(), MODEL, v),
}


@pytest.mark.parametrize(("value", "kind"), [v for v in NO_LOSS if v[0] not in (None, MODEL, {})])
@pytest.mark.parametrize("caller", OF_A_MODEL)
def test_no_model(caller, value, kind):
    with pytest.raises(TypeError, match=rf"^{caller}: .*, got .*{kind}"):
        OF_A_MODEL[caller]([[value]] if kind == "list" else value)


def test_a_graph_that_is_freed():
    freed = loss()
    freed.backward()
    with pytest.raises(RuntimeError, match=r"^viz\.trace_backward: backward\(\) has already freed"):
        viz.trace_backward(freed)
    # Whatever is known of it is shown.
    for figure in (viz.graph(freed), viz.explore(freed), viz.derive(freed, MODEL)):
        assert str(figure)
    kept = loss()
    kept.backward(retain_graph=True)
    with viz.trace_backward(kept) as trace:
        kept.backward()
    assert len(trace) == 5


def test_a_block_without_a_loss_takes_what_comes():
    with viz.trace_backward() as trace:
        loss().backward()
    assert len(trace) == 5


def test_arrays_of_lists():
    weight = tg.ones(2, 2, requires_grad=True)
    assert str(viz.images([weight, weight * 2])) == str(viz.images([[[1, 1]] * 2, [[2, 2]] * 2]))
    with pytest.raises(ValueError, match=r"images hold shapes \(2\) and \(3\): they differ"):
        viz.images([[[1, 2], [1, 2, 3]]])
    with pytest.raises(TypeError, match=r"viz\.kernels: layer must be a Conv2d.*got Sequential"):
        viz.kernels(nn.Sequential(nn.Conv2d(1, 1, 3)))
    for value in (None, "abc", object()):
        kind = type(value).__name__
        with pytest.raises(TypeError, match=rf"viz\.confusion_matrix: counts must.*, got {kind}"):
            viz.confusion_matrix(value)
    for call in (viz.table, viz.over_runs):
        with pytest.raises(TypeError, match=r"must be .*, got one number"):
            call(tg.ones(()))


def test_recording_takes_nothing():
    for value, kind in ((MODEL, "Linear|Sequential"), (tg.ones(2), "Tensor"), (None, "NoneType")):
        with pytest.raises(
            TypeError, match=rf"^viz\.record: takes nothing, got ({kind}).*`with viz"
        ):
            viz.record(value)


def test_shares_are_no_counts():
    with pytest.raises(
        ValueError, match=r"whole numbers, got 0\.5 in row 0, column 1; .*normalize"
    ):
        viz.confusion_matrix([[1, 0.5], [2, 3]])


def test_a_trace_spells_nan_as_all_figures_do():
    x = tg.tensor([1.0, float("nan")], requires_grad=True)
    y = (x * float("nan")).sum()
    with viz.trace_backward(y) as trace:
        y.backward()
    assert str(trace).split()[-1] == "NaN"


def test_a_gradient_of_ones_own_that_does_not_fit():
    x = tg.ones(3, requires_grad=True)
    y = (x * x).sum()
    for own, error, said in (
        (
            lambda x: np.ones(5),
            ValueError,
            r"your function returned an array of shape \(5\).*\(3\)",
        ),
        (lambda x: None, TypeError, "your function returned None; it must return the gradient"),
        ("g +", ValueError, "own: formula 'g \\+': invalid syntax; a formula is such as"),
        ("2 * g * z", ValueError, "own: a formula names 'z'; there are"),
    ):
        with pytest.raises(error, match=rf"^viz\.check_derivation: {said}"):
            viz.check_derivation(y, x, own)
