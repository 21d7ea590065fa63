"""Two students' derivations of batch norm's dx: one printed wrong, one left unfinished.

Both stand in reports on the same assignment.  The first ends in ``dx = dxm1 + dxm2``, with two
terms of three and mistakes in one of them; the second names the three summands and stops.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.gradcheck import GradcheckError, gradcheck, gradcheck_report

EPSILON = 1e-5
BATCH, FEATURES = 8, 3


def draw(*shape: int, seed: int) -> Any:
    return tg.tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=True)


def inputs() -> tuple[Any, Any, Any]:
    return draw(BATCH, FEATURES, seed=0), draw(FEATURES, seed=1), draw(FEATURES, seed=2)


def batch_norm(dx: Callable[..., Any]) -> Any:
    """Batch norm as in both reports, with the gradient of x to be filled in."""

    class BatchNorm(tg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, gamma: Any, beta: Any) -> Any:
            ctx.save_for_backward(x, gamma)
            centred = x - x.mean(0)
            return gamma * centred / ((centred**2).mean(0) + EPSILON).sqrt() + beta

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, gamma = ctx.saved_tensors
            centred = x - x.mean(0)
            std = ((centred**2).mean(0) + EPSILON).sqrt()
            return dx(g, gamma, centred, std), (g * centred / std).sum(0), g.sum(0)

    return BatchNorm


# --- The one that is printed ----------------------------------------------------------------------


def printed(g: Any, gamma: Any, centred: Any, std: Any) -> Any:
    """The report's two lines, as they stand."""
    dxm1 = g * gamma / std
    dxm2 = g * gamma * centred * (1 / std**2) * 0.5 * (1 / std) * (2 / BATCH) * centred
    return dxm1 + dxm2


def signed_and_summed(g: Any, gamma: Any, centred: Any, std: Any) -> Any:
    """The same with the sign of d(1/std) and the sum over the batch."""
    dxm1 = g * gamma / std
    total = (g * gamma * centred).sum(0)
    dxm2 = -total * (1 / std**2) * 0.5 * (1 / std) * (2 / BATCH) * centred
    return dxm1 + dxm2


def with_the_mean(g: Any, gamma: Any, centred: Any, std: Any) -> Any:
    """And with the share of the mean, as gradcheck advises."""
    dx = signed_and_summed(g, gamma, centred, std)
    return dx - dx.mean(0, keepdim=True)


def explanation(dx: Callable[..., Any]) -> tuple[str, Any]:
    with pytest.raises(GradcheckError) as caught:
        gradcheck(batch_norm(dx), inputs())
    report = caught.value.report
    assert report.argument == "x"
    assert [c.name for c in report.compared if c.wrong] == ["x"]  # gamma and beta are right
    return " ".join(report.explanation.split()), report


def relative_error(report: Any) -> float:
    """Of dx for one g, as the sizes of vectors."""
    expected, got, _ = report.maps
    return float(np.linalg.norm(expected - got) / np.linalg.norm(expected))


def test_as_printed():
    text, report = explanation(printed)
    assert report.finding.kind == "mean term"
    assert text == (
        "The gradient of x has 2 mistakes. "
        "1. The mean term -mean(g) is missing. "
        "2. The variance term -u * mean(g * u) lacks its sum over axis 0: each element has its own "
        "share only, and that with the wrong sign. "
        "expected - got is that and nothing else, up to 1e-09 of the largest derivative. "
        "The same at 2 other inputs. "
        "Forward takes statistics along axis 0, and every element of x moves them. "
        "The whole rule, for a gradient g that comes in: "
        "dx = (g - mean(g) - u * mean(g * u)) * weight / std, u = (x - mean) / std."
    )
    assert relative_error(report) > 0.5


def test_with_the_sign_and_the_batch_sum_mended():
    text, report = explanation(signed_and_summed)
    assert report.finding.kind == "mean term"
    assert text == (
        "The mean term is missing in the gradient of x: forward subtracts a mean along axis 0, and "
        "every element of x moves that mean. "
        "expected - got is constant along axis 0, and is minus the mean of got there, "
        "up to 1e-09 of "
        "the largest derivative. The same at 2 other inputs. "
        "Subtract it: dx - dx.mean(0, keepdim=True)."
    )
    assert relative_error(report) < relative_error(explanation(printed)[1])


def test_with_the_mean_term():
    assert gradcheck(batch_norm(with_the_mean), inputs(), order=2)
    report = gradcheck_report(batch_norm(with_the_mean), inputs())
    assert [c.method for c in report.compared] == ["complex"] * 3
    assert max(c.relative for c in report.compared) < 1e-14


# --- The one that is not finished -----------------------------------------------------------------


def summands(g: Any, gamma: Any, centred: Any, std: Any) -> tuple[Any, Any, Any]:
    """The three that the report names: through the normalised x, the mean and the variance."""
    normalised = g * gamma  # dL/d normalised x
    variance = (normalised * centred).sum(0) * (-0.5) / std**3  # dL/d variance
    # The variance changes with the mean by -2 * sum(x - mean) / B, which is 0.
    mean = -normalised.sum(0) / std + variance * (-2 * centred).mean(0)
    return normalised / std, mean / BATCH + 0 * centred, variance * 2 * centred / BATCH


def test_completed():
    complete = batch_norm(lambda *saved: sum(summands(*saved)))
    assert gradcheck(complete, inputs(), order=2)
    assert gradcheck_report(complete, inputs()).compared[0].relative < 1e-14


MISSING = {
    # which of the three summands are there, and what is said to be missing
    (0,): [
        "The gradient of x has 2 mistakes.",
        "1. The mean term -mean(g) is missing.",
        "2. The variance term -u * mean(g * u) is missing.",
    ],
    (0, 1): ["In the gradient of x, the variance term -u * mean(g * u) is missing."],
    (0, 2): [
        "The mean term is missing in the gradient of x: forward subtracts a mean along axis 0, and "
        "every element of x moves that mean."
    ],
}


@pytest.mark.parametrize("there", MISSING)
def test_unfinished(there: tuple[int, ...]):
    text, report = explanation(lambda *saved: sum(summands(*saved)[i] for i in there))
    assert text.startswith(" ".join(MISSING[there]))
    assert report.finding.says.split("\n") == MISSING[there]


def test_layer_norm_along_its_own_axis():
    class LayerNorm(tg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return tg.nn.functional.layer_norm(x, (5,))

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g / (x.var(1, correction=0, keepdim=True) + 1e-5).sqrt()

    report = gradcheck_report(LayerNorm, draw(4, 5, seed=0))
    assert report.finding is not None
    assert report.finding.says.split("\n")[1:] == [
        "1. The mean term -mean(g) is missing.",
        "2. The variance term -u * mean(g * u) is missing.",
    ]
    assert "axis 1" in report.finding.advice
