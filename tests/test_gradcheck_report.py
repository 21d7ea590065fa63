"""The report of a gradcheck as a whole: its text, its pictures, its way through a pickle."""

import inspect
import pickle
from typing import Any

import numpy as np
import pytest
from gradcheck_tools import draw, function

import tensorgrad as tg
from tensorgrad.gradcheck import GradcheckError, gradcheck, gradcheck_report

SINE = function(lambda x: x.sin(), lambda g, x: -g * x.cos(), "Sine")
MASK = tg.tensor([[1, 1, 1], [1, 1, 3]], dtype=tg.float64)
ONE = function(lambda x: x.sin(), lambda g, x: g * x.cos() * MASK)


def test_a_whole_message():
    x = tg.tensor([[0.0, 1.0], [2.0, 0.5]], dtype=tg.float64, requires_grad=True)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(SINE, x)
    assert str(caught.value) == inspect.cleandoc(
        """
        gradcheck of Sine: Jacobian mismatch for output 0 with respect to input 0 (x)

          The sign is flipped: backward gives minus the gradient of x.
          got + expected is 0, up to 1e-09 of the largest derivative. The same at 2 other inputs.
          Look for a minus that is missing, or one too many, where x's gradient is made.

          worst element:   d output 0[0, 0] / d x[0, 0]
          expected:        1 (by differences)
          got:             -1 (by backward)
          relative error:  2
          wrong:           4 of 16 derivatives, in 4 of 4 elements of x, float64(2, 2)

          derivative                     expected        got  got / expected
          d output 0[0, 0] / d x[0, 0]          1         -1              -1
          d output 0[0, 1] / d x[0, 1]   0.540302  -0.540302              -1
          d output 0[1, 0] / d x[1, 0]  -0.416147   0.416147              -1
          d output 0[1, 1] / d x[1, 1]   0.877583  -0.877583              -1

          where x is wrong (· right, ░ a little, █ most)
          |██▓▓|
          |▒▒██|

          input    output   differences  largest difference  verdict
          x      output 0  complex step             2.0e+00  4 wrong
          tolerance: 1e-05 + 0.001 * |expected|, the defaults for double precision.
          primitives: Sine
        """
    )
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert again.index == (0, 0)


def test_pictures():
    report = gradcheck_report(ONE, draw(2, 3))
    assert not report.ok
    assert report.maps is not None
    assert np.count_nonzero(report.maps[2]) == 1
    drawn = report.to_svg()
    assert drawn.startswith("<svg")
    assert drawn.count("<rect") == 1 + 3 * 6
    assert drawn in report._repr_html_()
    assert "  |······|\n  |····██|" in str(report)
    right = gradcheck_report(tg.exp, draw(3))
    assert right.ok
    assert right.explanation == ""
    assert "<svg" not in right._repr_html_()
    with pytest.raises(ValueError, match="nothing was wrong"):
        right.to_svg()


def test_names_in_pictures_are_escaped():
    def evil(x: Any) -> Any:
        return SINE.apply(x)

    evil.__qualname__ = "<script>alert(1)</script>"
    html = gradcheck_report(evil, draw(2))._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
