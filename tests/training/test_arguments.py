"""What `fit` and `evaluate` refuse, and the words they find for it."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, optim
from tensorgrad.data import DataLoader, TensorDataset
from tensorgrad.optim.lr_scheduler import StepLR
from tensorgrad.training import FScore, evaluate, fit

DATA = TensorDataset(tg.arange(12.0).view(6, 2) / 12, tg.tensor([0, 1, 0, 1, 0, 1]))
OTHER = optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1)
LOSS = nn.CrossEntropyLoss()


def run(**words):
    model = nn.Linear(2, 2)
    given = {
        "model": model,
        "loss": LOSS,
        "optimizer": optim.SGD(model.parameters(), lr=0.1),
        "train_loader": DataLoader(DATA, batch_size=3),
        "epochs": 1,
        "progress": False,
    }
    return fit(**{**given, **words})


@pytest.mark.parametrize(
    ("words", "kind", "message"),
    [
        ({"model": len}, TypeError, "model must be a Module, got a builtin_function_or_method"),
        ({"loss": "ce"}, TypeError, "loss must be a function .* got 'ce'"),
        ({"loss": nn.MSELoss}, TypeError, "the class MSELoss; make one of it"),
        ({"loss": lambda o, t: 1.0}, TypeError, "must return a Tensor of one element.* got 1.0"),
        ({"loss": lambda o, t: o}, TypeError, r"of one element.* got float32\(3, 2\)"),
        ({"optimizer": None}, TypeError, r"optim.SGD\(model.parameters.* got None"),
        ({"optimizer": optim.SGD}, TypeError, "got the class SGD"),
        ({"optimizer": OTHER}, ValueError, "none of the model's parameters"),
        ({"scheduler": StepLR}, TypeError, "got the class StepLR"),
        ({"scheduler": len}, TypeError, "scheduler must be a scheduler"),
        ({"scheduler": StepLR(OTHER, 1)}, ValueError, "belongs to another optimizer"),
        ({"train_loader": None}, TypeError, "train_loader must be an iterable of batches"),
        ({"validation_loader": 5}, TypeError, "validation_loader must be an iterable"),
        ({"train_loader": DATA}, TypeError, "no dimension of samples.*DataLoader"),
        ({"metrics": len}, TypeError, "metrics must be a dict"),
        ({"metrics": {"F1": FScore}}, TypeError, "the class FScore; make one"),
        ({"metrics": {5: len}}, TypeError, "a name must be a str, got 5"),
        ({"metrics": {"a": lambda o, t: None}}, TypeError, "'a' must return a number.* got None"),
        ({"metrics": {"a": lambda o, t: o}}, TypeError, r"got float32\(3, 2\)"),
        ({"epochs": 1.5}, TypeError, "epochs must be a whole number, got 1.5"),
        ({"epochs": True}, TypeError, "epochs must be a whole number, got True"),
        ({"patience": "1"}, TypeError, "patience must be a whole number, got '1'"),
        ({"min_delta": None}, TypeError, "min_delta must be a number, got None"),
        ({"restore_best": "no"}, TypeError, "restore_best must be True or False, got 'no'"),
        ({"folder": ""}, ValueError, "folder is empty"),
        ({"folder": __file__}, NotADirectoryError, "is a file"),
    ],
)
def test_refusals_of_fit(words, kind, message):
    with pytest.raises(kind, match=message):
        run(**words)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None, LOSS, []), "evaluate: model must be a Module, got None"),
        ((nn.Linear(2, 2), None, []), "evaluate: loss must be a function"),
        ((nn.Linear(2, 2), LOSS, 5), "evaluate: loader must be an iterable"),
        ((nn.Linear(2, 2), LOSS, [(1,)]), "evaluate: a batch must be a tuple or list"),
        (
            (nn.Linear(2, 2), lambda y, t: 1.0, [(tg.ones(1, 2), tg.ones(1))]),
            "evaluate: loss must return a Tensor of one element",
        ),
        ((nn.Linear(2, 2), LOSS, DATA), "evaluate: the target of a batch has no dimension"),
    ],
)
def test_refusals_of_evaluate(arguments, message):
    with pytest.raises(TypeError, match=message):
        evaluate(*arguments)


def test_a_metric_may_give_a_tensor_or_numpys_number():
    for number in (tg.tensor(0.5), np.float32(0.5)):
        curves = run(metrics={"half": lambda o, t, number=number: number})
        assert curves["half"]["train"] == [0.5]
        assert type(curves["half"]["train"][0]) is float


def test_targets_that_are_no_tensor_are_counted_by_the_input():
    def loss(output, target):
        return LOSS(output, target["class"])

    batches = [(x, {"class": t}) for x, t in DataLoader(DATA, batch_size=4)]
    model = nn.Linear(2, 2)
    whole = evaluate(model, LOSS, [DATA[:]])["loss"]  # batches of 4 and 2 weigh as their sizes
    assert evaluate(model, loss, batches)["loss"] == pytest.approx(whole, rel=1e-6)
