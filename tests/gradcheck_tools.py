"""What the tests of gradcheck share: inputs, Functions of two plain ones, what is said of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.gradcheck import GradcheckError, gradcheck


def draw(*shape: int, seed: int = 0) -> Any:
    return tg.tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=True)


def function(forward: Callable[..., Any], backward: Callable[..., Any], name: str = "Made") -> Any:
    """A Function of two plain ones; its arguments are called as forward's, backward sees them."""
    body = {
        "forward": staticmethod(forward),
        "setup_context": staticmethod(lambda ctx, given, output: ctx.save_for_backward(*given)),
        "backward": staticmethod(lambda ctx, g: backward(g, *ctx.saved_tensors)),
    }
    return type(name, (tg.autograd.Function,), body)


def explained(made: Any, inputs: Any, check: Any = gradcheck) -> Any:
    with pytest.raises(GradcheckError) as caught:
        check(made, inputs)
    report = caught.value.report
    assert report.explanation in str(caught.value)
    assert report.finding is not None
    return report


def words(text: str) -> str:
    """The text in one line: where lines are broken is `test_a_whole_message`'s affair."""
    return " ".join(text.split())
