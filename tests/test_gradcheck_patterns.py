"""More of what gradcheck tells: of elementwise functions, order, sums, targets, linearity."""

from typing import Any

import pytest
from gradcheck_tools import draw, explained, function

import tensorgrad as tg
from tensorgrad.gradcheck import gradcheck, gradcheck_report

F = tg.nn.functional
TARGET = tg.tensor([0, 1, 2, 1])
HOT = F.one_hot(TARGET, 3)

# what it is, what is found, the Function, its inputs, the first sentence
SAID: list[tuple[str, str, Any, Any, str]] = [
    (
        "0-d",
        "factor",
        function(lambda x: x * x, lambda g, x: g * x),
        draw(),
        "The gradient of x is 2 times too small: a factor 2 is missing.",
    ),
    (
        "relu without its mask",
        "other factor",
        function(lambda x: x.relu(), lambda g, x: g),
        draw(4, 3),
        "Backward gives g, where g * (x > 0) belongs (g: the gradient that comes in).",
    ),
    (
        "tanh by the input",
        "other factor",
        function(lambda x: x.tanh(), lambda g, x: g * (1 - x * x)),
        draw(4, 3),
        "Backward gives g * (1 - x**2), where g * (1 - y**2) belongs, y being the output (g: the "
        "gradient that comes in).",
    ),
    (
        "log",
        "other factor",
        function(lambda x: x.log(), lambda g, x: g * x),
        draw(4, 3).detach().abs().requires_grad_(),
        "Backward gives g * x, where g * (1 / x) belongs (g: the gradient that comes in).",
    ),
    (
        "a factor too many",
        "own factor",
        function(lambda x, y: x @ y, lambda g, x, y: (g @ y.T * x, x.T @ g)),
        (draw(4, 3), draw(3, 2, seed=1)),
        "The gradient of x has the factor x once too many.",
    ),
    (
        "mask of the gradient",
        "linearity",
        function(lambda x: x.relu(), lambda g, x: g * (g > 0)),
        draw(4, 3),
        "The gradient of x does not grow with the gradient that comes in.",
    ),
    (
        "a term without the gradient",
        "linearity",
        function(lambda x: F.log_softmax(x, 1), lambda g, x: g - x.softmax(1)),
        draw(3, 4),
        "The gradient of x is not 0 when the gradient that comes in is 0: a term of it is not "
        "multiplied by that.",
    ),
    (
        "log_softmax's second term",
        "sum term",
        function(lambda x: F.log_softmax(x, 1), lambda g, x: g + 0 * x),
        draw(3, 4),
        "A term is missing in the gradient of x: -exp(y) * sum(g), the sum along axis 1 (g: the "
        "gradient that comes in).",
    ),
    (
        "one-hot target",
        "some elements",
        function(lambda z: F.cross_entropy(z, TARGET), lambda g, z: g * z.softmax(1) / 4),
        draw(4, 3),
        "Only 4 of 12 elements of z are wrong; the other 8 are right. Each of them lacks a term of "
        "-0.25.",
    ),
    (
        "a batch's mean of a loss",
        "factor",
        function(lambda z: F.cross_entropy(z, TARGET), lambda g, z: g * (z.softmax(1) - HOT)),
        draw(4, 3),
        "The gradient of z is 4 times too large, and 4 is the size of axis 0 of z: it looks like a "
        "sum in backward where forward has a mean.",
    ),
    (
        "summed over the wrong axis",
        "transposed",
        function(lambda x, b: x + b, lambda g, x, b: (g, g.sum(1))),
        (draw(3, 3), draw(3, seed=1)),
        "The gradient of b uses the gradient that comes in transposed, or sums it over axis 0 in "
        "place of axis 1 (or the other way round).",
    ),
    (
        "a scalar used everywhere",
        "broadcast",
        function(lambda x, s: x * s, lambda g, x, s: (g * s, (g * x)[0, 0])),
        (draw(2, 3), draw(seed=1)),
        "A sum over the output is missing: the gradient of s is the contribution of 1 of the 6 "
        "elements that s moves.",
    ),
    (
        "a kernel that is not flipped",
        "transposed",
        function(
            lambda x, w: F.conv2d(x, w, padding=1),
            lambda g, x, w: (F.conv2d(g, w, padding=1), None),
        ),
        (draw(1, 1, 4, 4), draw(1, 1, 3, 3, seed=1).detach()),
        "Backward does along axes 2 and 3 what forward does, where the transpose of that belongs.",
    ),
    (
        "a cumulative sum from the start",
        "transposed",
        function(lambda x: x.cumsum(0), lambda g, x: g.cumsum(0)),
        draw(4),
        "Backward does along axis 0 what forward does, where the transpose of that belongs.",
    ),
    (
        "a roll that is not undone",
        "moved",
        function(lambda x: x.roll(1, 0), lambda g, x: g),
        draw(5),
        "The gradient of x is shifted by 1 along axis 0.",
    ),
    (
        "a flip that is not undone",
        "moved",
        function(lambda x: x.flip(1) * 2, lambda g, x: 2 * g),
        draw(3, 5),
        "The gradient of x is reversed along axis 1.",
    ),
    (
        "a mean along several axes",
        "mean term",
        function(lambda x: x - x.mean((0, 2, 3), keepdim=True), lambda g, x: g),
        draw(2, 3, 2, 2),
        "The mean term is missing in the gradient of x: forward subtracts a mean along axes 0, 2 "
        "and 3, and every element of x moves that mean.",
    ),
    (
        "a vector divided by its length",
        "coupling term",
        function(
            lambda x: x / (x * x).sum(1, keepdim=True).sqrt(),
            lambda g, x: g / (x * x).sum(1, keepdim=True).sqrt(),
        ),
        draw(3, 4),
        "In the gradient of x, the coupling term -y * sum(g * y) is missing.",
    ),
    (
        "a shape that no sum leads to",
        "shape",
        function(lambda x: x * 2, lambda g, x: g.reshape(-1)[:2] * 2),
        draw(2, 3),
        "Backward gives shape (2,) for x, whose shape is (2, 3).",
    ),
]


@pytest.mark.parametrize(
    ("kind", "made", "inputs", "says"), [pytest.param(*case, id=name) for name, *case in SAID]
)
def test_what_is_said(kind: str, made: Any, inputs: Any, says: str):
    report = explained(made, inputs)
    assert report.finding.says == says
    assert report.finding.kind == kind


def test_one_number_and_no_constant_factor():
    # At one point any two numbers have a ratio; elsewhere this one is another.
    report = explained(function(lambda x: x.sin(), lambda g, x: g * x), draw())
    assert report.finding.kind == "unknown"


def test_what_may_look_wrong_and_is_right():
    for f, x in (
        (lambda x: F.dropout(x, 0.5), draw(4, 5)),
        (lambda x: (x > 0).sum(), draw(3)),
        (lambda x: (x.sin(), x.detach()), draw(3)),
        (lambda x: x.sin(), draw(0, 3)),
        (lambda x: x * 0, draw(3)),
    ):
        assert gradcheck(f, x)
        assert gradcheck_report(f, x).finding is None
