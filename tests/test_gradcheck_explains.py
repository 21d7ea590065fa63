"""What gradcheck says of each known mistake, word for word."""

from typing import Any

import pytest
from gradcheck_tools import draw, explained, function, words

import tensorgrad as tg
from tensorgrad.gradcheck import GradcheckError, gradcheck, gradgradcheck


def one_element(g: Any, x: Any) -> Any:
    found = (g * x.cos()).numpy().copy()
    found[1, 2] *= 3
    return tg.from_numpy(found)


CASES: dict[str, tuple[str, Any, Any, str]] = {
    "sign flipped": (
        "sign",
        function(lambda x: x.sin(), lambda g, x: -g * x.cos()),
        draw(2, 3),
        """
        The sign is flipped: backward gives minus the gradient of x.
        got + expected is 0, up to 1e-09 of the largest derivative. The same at 2 other inputs.
        Look for a minus that is missing, or one too many, where x's gradient is made.
        """,
    ),
    "factor off": (
        "factor",
        function(lambda x: x * x, lambda g, x: g * x),
        draw(2, 3),
        """
        The gradient of x is 2 times too small: a factor 2 is missing.
        got = 0.5 * expected, up to 1e-09 of the largest derivative. The same at 2 other inputs.
        Look for a power or a product whose derivative has the factor 2.
        """,
    ),
    "factor of its own": (
        "factor",
        function(lambda x: x * 1.7, lambda g, x: -g * 1.23),
        draw(2, 3),
        """
        The gradient of x is off by one constant factor, -0.7235.
        got = -0.723529 * expected, up to 1e-09 of the largest derivative. The same at 2 other
          inputs.
        Look for a constant of forward that backward lacks, or has twice.
        """,
    ),
    "sum for a mean": (
        "factor",
        function(lambda x: (x * x).mean(), lambda g, x: 2 * g * x),
        draw(4, 3),
        """
        The gradient of x is 12 times too large, and 12 is the number of elements of x: it looks
          like a sum in backward where forward has a mean.
        got = 12 * expected, up to 1e-09 of the largest derivative. The same at 2 other inputs.
        Divide by 12, as the mean in forward does.
        """,
    ),
    "mean for a sum": (
        "factor",
        function(lambda x, w: x @ w, lambda g, x, w: (g @ w.T, x.T @ g / len(x))),
        (draw(5, 3), draw(3, 2, seed=1)),
        """
        The gradient of w is 5 times too small, and 5 is the size of axis 0 of the output: it looks
          like a mean in backward where forward has a sum.
        got = 0.2 * expected, up to 1e-09 of the largest derivative. The same at 2 other inputs.
        Look for a mean(), or a division by 5, that forward does not have.
        """,
    ),
    "batch sum missing": (
        "batch sum",
        function(lambda x, b: x + b, lambda g, x, b: (g, g[0])),
        (draw(4, 3), draw(3, seed=1)),
        """
        The sum over the batch (axis 0) is missing: the gradient of b is the contribution of row 0
          of 4 alone.
        For row 0 got equals expected, up to 1e-09 of the largest derivative; for the others it
          is 0.
          The same at 2 other inputs.
        b is used by every row: add up what each of them gives, .sum(0).
        """,
    ),
    "mean term missing": (
        "mean term",
        function(lambda x: x - x.mean(0), lambda g, x: g + 0 * x),
        draw(4, 3),
        """
        The mean term is missing in the gradient of x: forward subtracts a mean along axis 0, and
          every element of x moves that mean.
        expected - got is constant along axis 0, and is minus the mean of got there, up to
          1e-09 of the
          largest derivative. The same at 2 other inputs.
        Subtract it: dx - dx.mean(0, keepdim=True).
        """,
    ),
    "transposed factor": (
        "transposed",
        function(lambda x, w: x @ w, lambda g, x, w: (g @ w, x.T @ g)),
        (draw(4, 3), draw(3, 3, seed=1)),
        """
        A factor is transposed: the gradient of x is right for the transpose of the matrix that
          forward multiplied by.
        got is expected with axis 1 of the output and axis 1 of x exchanged, up to 1e-09 of the
          largest
          derivative. The same at 2 other inputs.
        For y = x @ W the gradient of x is g @ W.T, that of W is x.T @ g. Square matrices fit either
          way, so no error of shapes tells.
        """,
    ),
    "transposed gradient": (
        "transposed",
        function(lambda x, w: x @ w, lambda g, x, w: (g @ w.T, g.T @ x)),
        (draw(4, 3), draw(3, 3, seed=1)),
        """
        The gradient of w is transposed.
        got is expected with axes 0 and 1 of w exchanged, up to 1e-09 of the largest derivative. The
          same at 2 other inputs.
        Transpose what backward returns, or exchange the two factors of its product.
        """,
    ),
    "broadcast not summed, by shape": (
        "broadcast",
        function(lambda x, b: x * b.reshape(3, 1), lambda g, x, b: (g * b.reshape(3, 1), g * x)),
        (draw(3, 5), draw(3, seed=1)),
        """
        The broadcast of b is not summed: backward gives shape (3, 5) for b, whose shape is (3,).
        Forward used each element of b along axis 1 of that shape again and again.
        Add up what each use gives: .sum(1), reshaped to (3,) if need be.
        """,
    ),
    "broadcast not summed, by value": (
        "broadcast",
        function(
            lambda x, b: x * b.reshape(3, 1),
            lambda g, x, b: (g * b.reshape(3, 1), (g * x)[:, 0]),
        ),
        (draw(3, 5), draw(3, seed=1)),
        """
        The sum over axis 1 of the output is missing: the gradient of b is the contribution of row 0
          of 5 alone.
        For row 0 got equals expected, up to 1e-09 of the largest derivative; for the others it
          is 0.
          The same at 2 other inputs.
        b is used by every row: add up what each of them gives, .sum(1).
        """,
    ),
    "one wrong element": (
        "one element",
        function(lambda x: x.sin(), one_element),
        draw(2, 3),
        """
        Only x[1, 2] is wrong; the other 5 are right. The gradient there is 3 times too large.
        got = 3 * expected, up to 1e-09 of the largest derivative. The same at 2 other inputs.
        Look for an index, a mask, a slice or a border that is treated apart in backward.
        """,
    ),
    "a wrong column": (
        "sign",
        function(
            lambda x: x.sin(), lambda g, x: g * x.cos() * tg.tensor([1, 1, -1], dtype=x.dtype)
        ),
        draw(2, 3),
        """
        Only x[:, 2] is wrong; the other 4 are right. The sign is flipped: backward gives minus the
          gradient there.
        got + expected is 0, up to 1e-09 of the largest derivative. The same at 2 other inputs.
        Look for an index, a mask, a slice or a border that is treated apart in backward.
        """,
    ),
    "nothing": (
        "dependency",
        function(lambda x, y: x * y, lambda g, x, y: (g * y, None)),
        (draw(3), draw(3, seed=1)),
        """
        No gradient reaches y: backward gives zero, yet the output depends on y.
        The largest derivative is 0.6404; all that came is 0. The same at 2 other inputs.
        Look for a None or zeros returned for y, a detach(), .data, numpy() or no_grad() on the way.
        """,
    ),
    "NaN": (
        "nan",
        function(lambda x: x * x, lambda g, x: g * (2 * x * x) / x),
        tg.tensor([0.0, 1.0, 2.0], dtype=tg.float64, requires_grad=True),
        """
        Backward gives NaN for 1 of 3 elements of x.
        The differences are finite there: the function is fine, its backward is not.
        Look for 0 * inf, 0 / 0, a log or a root of 0 in backward; mask before, not after it.
        """,
    ),
    "a factor of the output": (
        "other factor",
        function(lambda x: x.sigmoid(), lambda g, x: g * x.sigmoid()),
        draw(4),
        """
        Backward gives g * y, where g * y * (1 - y) belongs, y being the output (g: the gradient
          that comes in).
        Both hold for every element, up to 1e-09 of the largest derivative. The same at 2 other
          inputs.
        Put y * (1 - y) in the place of y.
        """,
    ),
    "softmax's second term": (
        "coupling term",
        function(lambda x: x.softmax(1), lambda g, x: g * x.softmax(1)),
        draw(3, 4),
        """
        In the gradient of x, the coupling term -y * sum(g * y) is missing.
        expected - got is that term and nothing else, up to 1e-09 of the largest derivative.
          The same
          at 2 other inputs.
        Forward divides by a sum along axis 1, and every element of x moves it. The whole rule, for
          a gradient g that comes in: dx = y * g - y * sum(g * y).
        """,
    ),
    "own rows only": (
        "batch sum",
        function(lambda x: x.cumsum(0), lambda g, x: g + 0 * x),
        draw(4, 2),
        """
        The sum over axis 0 is missing: each row of x gets only the gradient of its own row of the
          output, yet it moves the others too.
        For the own row got equals expected, up to 1e-09 of the largest derivative; for the
          others it
          is 0. The same at 2 other inputs.
        Sum over axis 0 what all rows of the output give to one row of x.
        """,
    ),
    "conjugate missing": (
        "conjugate",
        function(lambda z: z * (1 + 2j), lambda g, z: g * (1 + 2j)),
        tg.tensor([1 + 2j, 0.5 - 1j], dtype=tg.complex128, requires_grad=True),
        """
        A conjugate is missing in the gradient of z.
        got is expected with the imaginary factor's sign turned, up to 1e-09 of the largest
          derivative.
          The same at 2 other inputs.
        For y = c * z, PyTorch's convention is conj(c) * grad: use .conj() on the factor.
        """,
    ),
    "unknown": (
        "unknown",
        function(lambda x: x.sin(), lambda g, x: g * (x.cos() + x**3)),
        draw(3, seed=4),
        """
        No single mistake that gradcheck knows explains the gradient of x.
        got / expected lies between -48.63 and 0.9946; the sign is right in 2 of 3.
        Two mistakes may be mixed. Check the parts of the function one by one.
        """,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_explanation(case: str):
    kind, made, inputs, text = CASES[case]
    report = explained(made, inputs)
    assert words(report.explanation) == words(text)
    assert report.finding.kind == kind


def test_right_at_order_one_and_wrong_at_order_two():
    half = function(lambda x: x**3, lambda g, x: g * 3 * x * x.detach(), "Cube")
    assert gradcheck(half, draw(3))
    report = explained(half, draw(3), gradgradcheck)
    assert report.finding.kind == "factor"
    assert words(report.explanation) == words(
        """
        The derivative of gradient 0 by x is 2 times too small: a factor 2 is missing.
        got = 0.5 * expected, up to 1e-09 of the largest derivative. The same at 2 other inputs.
        Backward must be made of differentiable operations on the saved tensors. Look there for a
          detach(), .data, numpy(), no_grad() or a value that forward computed.
        """
    )
    assert "order 1 is right: what backward computes is correct" in str(report)
    cut = function(lambda x: x**3, lambda g, x: g * (3 * x * x).detach(), "Cube")
    report = explained(cut, draw(3), gradgradcheck)
    assert report.finding.kind == "dependency"
    assert report.finding.says == (
        "No gradient reaches x: backward gives zero, yet the output depends on x."
    )
    wrong = function(lambda x: x**3, lambda g, x: g * x * x.detach(), "Cube")
    assert "order 1 is wrong already" in str(explained(wrong, draw(3), gradgradcheck))
    # order=2 of gradcheck itself is both, the first one first
    with pytest.raises(GradcheckError, match="gradcheck of Cube"):
        gradcheck(wrong, draw(3), order=2)
    with pytest.raises(GradcheckError, match="gradgradcheck of Cube"):
        gradcheck(half, draw(3), order=2)
    with pytest.raises(ValueError, match="order must be 1 or 2"):
        gradcheck(half, draw(3), order=3)


def test_a_coincidence_is_not_told():
    # At x = 2 everywhere, a missing factor x looks like a missing 2; elsewhere it does not.
    x = tg.full((3,), 2.0, dtype=tg.float64, requires_grad=True)
    report = explained(function(lambda x: x * x * x, lambda g, x: 3 * g * x), x)
    assert report.finding.kind == "own factor"
    assert "lacks the factor x" in report.explanation


def test_every_wrong_argument_is_in_the_summary():
    made = function(lambda a, b, c: a * b * c, lambda g, a, b, c: (-g * b * c, g * a * c, g * a))
    report = explained(made, (draw(3), draw(3, seed=1), draw(3, seed=2)))
    assert {c.name: c.wrong > 0 for c in report.compared} == {"a": True, "b": False, "c": True}
    assert report.argument == "a"


def test_large_functions_are_explained_too():
    made = function(lambda x: x * x, lambda g, x: g * x)
    report = explained(made, draw(42, 48))  # more than the whole Jacobian is made of
    assert report.finding.kind == "factor"
    assert report.finding.says == "The gradient of x is 2 times too small: a factor 2 is missing."
    report = explained(function(lambda x: x - x.mean(0), lambda g, x: g + 0 * x), draw(15, 14))
    assert report.finding.kind == "mean term"
