"""Arguments of the wrong kind: errors say which one, of which function, and what belongs there."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, optim, viz

IMAGES = np.linspace(0, 1, 80).reshape(5, 4, 4)
SCORES = np.eye(5, 3)
W = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)
ODD = [3, [None], object(), tg.ones(2), np.ones(3)]


def loss():
    return (W * W).sum()


def monitor():
    model = nn.Linear(2, 1)
    return viz.Monitor(model, optim.SGD(model.parameters(), lr=0.1))


def curves(**options):
    return viz.learning_curves({"a": [1.0, 2.0]}, **options)


def matrix(**options):
    return viz.confusion_matrix([[1]], **options)


def table(**options):
    return viz.table([{"a": 1.5}], **options)


def kernels(**options):
    return viz.kernels(np.zeros((1, 1, 2, 2)), **options)


def missed(**options):
    return viz.misclassified(IMAGES, SCORES, [1] * 5, **options)


TITLES = {
    "viz.explore": lambda v: viz.explore(loss(), title=v),
    "viz.grad_flow": lambda v: viz.grad_flow({"w": W}, title=v),
    "viz.learning_curves": lambda v: curves(title=v),
    "viz.confusion_matrix": lambda v: matrix(title=v),
    "viz.table": lambda v: table(title=v),
    "viz.images": lambda v: viz.images(IMAGES, title=v),
    "viz.kernels": lambda v: kernels(title=v),
    "viz.misclassified": lambda v: missed(title=v),
}


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("caller", TITLES)
def test_titles(caller, value):
    kind = type(value).__name__
    with pytest.raises(TypeError, match=rf"^{caller}: title must be a string, got {kind}"):
        TITLES[caller](value)


WORDS = {
    "viz.graph: rankdir must be one of 'TB'": lambda v: viz.graph(loss(), rankdir=v),
    "viz.graph: engine must be one of 'auto'": lambda v: viz.graph(loss(), engine=v),
    "viz.derive: convention must be 'row' or 'column'": lambda v: viz.derive(
        loss(), W, convention=v
    ),
    "viz.confusion_matrix: normalize must be one of None": lambda v: matrix(normalize=v),
}


@pytest.mark.parametrize("value", [*ODD, "x"])
@pytest.mark.parametrize("words", WORDS)
def test_words(words, value):
    with pytest.raises(ValueError, match=f"^{words}"):
        WORDS[words](value)


OTHERS = {
    "viz.learning_curves: columns must be an int": lambda v: curves(columns=v),
    "viz.learning_curves: window must be an int": lambda v: curves(window=v),
    "viz.learning_curves: decay must be a number": lambda v: curves(decay=v),
    "viz.learning_curves: log must be a bool or panels": lambda v: curves(log=v),
    "viz.learning_curves: x_label must be a string": lambda v: curves(x_label=v),
    "viz.table: columns must be names": lambda v: table(columns=v),
    "viz.table: best must be a mapping": lambda v: table(best=v),
    "viz.table: digits must be an int": lambda v: table(digits=v),
    "viz.table: rows must be mappings": viz.table,
    "viz.over_runs: runs must be a list": viz.over_runs,
    "viz.confusion_matrix: labels must be names": lambda v: matrix(labels=v),
    "viz.images: captions must be a list": lambda v: viz.images(IMAGES, v),
    "viz.images: columns must be an int": lambda v: viz.images(IMAGES, columns=v),
    "viz.images: limit must be an int": lambda v: viz.images(IMAGES, limit=v),
    "viz.images: size must be a number": lambda v: viz.images(IMAGES, size=v),
    "viz.kernels: each must be True or False": lambda v: kernels(each=v),
    "viz.misclassified: labels must be names": lambda v: missed(labels=v),
    "viz.graph: show must be names": lambda v: viz.graph(loss(), show=v),
    "viz.derive: differences must be True or False": lambda v: viz.derive(loss(), W, differences=v),
    "viz.derive: gradient must be a Tensor": lambda v: viz.derive(W * 2, W, gradient=v),
    "viz.check_derivation: own must be a formula": lambda v: viz.check_derivation(loss(), W, v),
    "viz.check_derivation: through must be a Tensor": lambda v: viz.check_derivation(
        loss(), W, "g", through=v
    ),
    "Monitor.report: names must be names": lambda v: monitor().report(v),
    "DerivationFigure.text: width must be an int": lambda v: viz.derive(loss(), W).text(v),
    "TableFigure.save: path must be a string or a Path": lambda v: table().save(v),
}


@pytest.mark.parametrize("words", OTHERS)
def test_other_kinds(words):
    with pytest.raises(TypeError, match=f"^{words}.*, got object"):
        OTHERS[words](object())


BEYOND = {
    "viz.learning_curves: columns must be at least 1, got 0": lambda: curves(columns=0),
    "viz.table: digits must be at least 1, got 0": lambda: table(digits=0),
    "viz.images: limit must be at least 1, got 0": lambda: viz.images(IMAGES, limit=0),
    "viz.images: size must be at least 1 pixel, got inf": lambda: viz.images(
        IMAGES, size=float("inf")
    ),
    r"viz.misclassified: target 0 is 7, and .* the classes 0 to 2": lambda: viz.misclassified(
        IMAGES, SCORES, [7] * 5
    ),
    r"viz.misclassified: target 4 is -1, and": lambda: viz.misclassified(
        IMAGES, SCORES, [0, 0, 0, 0, -1]
    ),
    r"viz.misclassified: target 1 is nan, and": lambda: viz.misclassified(
        IMAGES, SCORES, [0, np.nan, 0, 0, 0]
    ),
    r"viz.misclassified: outputs \(5, 0\) are not": lambda: viz.misclassified(
        IMAGES, np.zeros((5, 0)), [0] * 5
    ),
    r"viz.misclassified: 5 images, outputs \(\)": lambda: viz.misclassified(IMAGES, 1, [0] * 5),
    "DerivationFigure.text: width must be at least 20": lambda: viz.derive(loss(), W).text(3),
}


@pytest.mark.parametrize("words", BEYOND)
def test_values_beyond_what_is_there(words):
    with pytest.raises(ValueError, match=f"^{words}"):
        BEYOND[words]()


@pytest.mark.parametrize("call", [lambda: viz.derive(W.sum() * 1, W), lambda: curves(columns=1)])
def test_what_is_right_passes(call):
    assert str(call())


def test_numbers_of_numpy_are_numbers():
    assert str(curves(window=np.int64(1), decay=np.float32(0.5))) == str(
        curves(window=1, decay=0.5)
    )
    assert str(table(digits=np.int8(2)))


def test_a_loss_that_is_a_leaf():
    leaf = tg.tensor(1.0, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"^viz\.derive: loss is a leaf"):
        viz.derive(leaf, leaf)
    with pytest.raises(RuntimeError, match="no graph: no operation computed it"):
        viz.trace_backward(leaf)
